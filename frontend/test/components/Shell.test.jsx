// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs'
import { render } from '@testing-library/react'
import { MemoryRouter } from 'react-router'
import { expect, it, vi } from 'vitest'

it('the frame that index.html paints before the scripts are read is that of the page', async () => {
	vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => {} }))
	const { Shell } = await import('../../src/components/Shell.jsx')
	const page = render(<MemoryRouter initialEntries={['/elsewhere']}><Shell>{null}</Shell></MemoryRouter>).container
	const first = new DOMParser().parseFromString(readFileSync('index.html', 'utf8'), 'text/html')
	const links = (root) => [...root.querySelectorAll('.shell-head a')].map((a) => [a.getAttribute('href'), a.textContent, a.className])
	expect(links(first)).toEqual(links(page))
	const shape = (root) => ['.shell', '.shell > .shell-head', '.shell-head > nav.shell-nav', '.shell-brand > img[width="26"][height="26"]'].map((what) => root.querySelectorAll(what).length)
	expect(shape(first)).toEqual([1, 1, 1, 1])
	expect(shape(page)).toEqual([1, 1, 1, 1])
})
