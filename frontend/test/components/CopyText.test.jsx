// SPDX-License-Identifier: MIT
import { act, fireEvent, render, screen } from '@testing-library/react'
import { expect, it, vi } from 'vitest'
import { CopyText } from '../../src/components/CopyText.jsx'

const copies = async () => {
	render(<CopyText text="reqpm watch 7" label="Watch" />)
	await act(async () => fireEvent.click(screen.getByRole('button')))
	return screen.getByRole('status').textContent
}

it('copies where there is a clipboard', async () => {
	const writeText = vi.fn(async () => {})
	vi.stubGlobal('navigator', { clipboard: { writeText } })
	expect(await copies()).toBe('copied')
	expect(writeText).toHaveBeenCalledWith('reqpm watch 7')
})
it('selects the text where there is none, and says what is left to do', async () => {
	vi.stubGlobal('navigator', {})
	document.execCommand = () => false
	expect(await copies()).toMatch(/selected/)
	expect(String(getSelection())).toBe('reqpm watch 7')
})
it('takes the old way on plain http', async () => {
	vi.stubGlobal('navigator', {})
	document.execCommand = () => true
	expect(await copies()).toBe('copied')
})
