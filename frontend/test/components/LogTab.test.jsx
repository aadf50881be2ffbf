// SPDX-License-Identifier: MIT
import { QueryClientProvider } from '@tanstack/react-query'
import { act, fireEvent, render, screen } from '@testing-library/react'
import { MemoryRouter, Route, Routes, useLocation } from 'react-router'
import { beforeEach, expect, it, vi } from 'vitest'
import { LogTab } from '../../src/components/LogTab.jsx'
import { createQueryClient } from '../../src/queries/client.js'
import { build, FakeSocket, item, useFakeSocket } from '../fakes.js'

beforeEach(() => {
	useFakeSocket()
	vi.stubGlobal('ResizeObserver', class {
		observe() {}
		disconnect() {}
	})
	HTMLElement.prototype.scrollTo ??= () => {}
})
const begun = (id, status = 'building') => item(id, status, { started_at: '2026-02-11T08:00:00Z' })

function open(items) {
	const client = createQueryClient()
	const page = (queue_items) => (
		<QueryClientProvider client={client}>
			<MemoryRouter initialEntries={['/builds/7/log']}>
				<Routes><Route path="/builds/7/log/:item?" element={<LogTab build={build({ queue_items })} />} /></Routes>
			</MemoryRouter>
		</QueryClientProvider>
	)
	const { rerender } = render(page(items))
	return (next) => act(async () => rerender(page(next)))
}
const choices = () => screen.getAllByRole('option').map((option) => option.textContent)

it('the first package that begins is chosen, and stays so whatever begins and fails later', async () => {
	const becomes = open([item(1), item(2), item(3)])
	expect(screen.getByText(/No package has begun yet/)).toBeVisible()
	await becomes([item(1), begun(2), item(3)])
	expect(screen.getByRole('region', { name: 'Log of package-2' })).toBeVisible()
	await becomes([begun(1), begun(2, 'completed'), begun(3, 'failed')])
	expect(screen.getByRole('region', { name: 'Log of package-2' })).toBeVisible()
	expect(FakeSocket.all.filter((socket) => socket.url.includes('/queue/2/'))).not.toHaveLength(0)
	expect(FakeSocket.all.filter((socket) => socket.url.includes('/queue/3/'))).toHaveLength(0)
})
it('the list of logs stays as it is while somebody is at it', async () => {
	const becomes = open([begun(1), begun(2), item(3)])
	expect(choices()).toHaveLength(1)
	fireEvent.mouseDown(screen.getByRole('combobox'))
	const before = choices()
	expect(before).toHaveLength(2)
	await becomes([begun(1, 'completed'), begun(2), begun(3, 'failed')])
	expect(choices()).toEqual(before)
	fireEvent.blur(screen.getByRole('combobox'))
	fireEvent.focus(screen.getByRole('combobox'))
	expect(choices()).toHaveLength(3)
	expect(choices()[0]).toContain('package-3')
})

it('marks lines for keys that come faster than the page is drawn', async () => {
	const Where = () => <output>{useLocation().hash}</output>
	render(
		<QueryClientProvider client={createQueryClient()}>
			<MemoryRouter initialEntries={['/builds/7/log/1#L3']}>
				<Where />
				<Routes><Route path="/builds/7/log/:item?" element={<LogTab build={build({ queue_items: [begun(1)] })} />} /></Routes>
			</MemoryRouter>
		</QueryClientProvider>,
	)
	const data = 'line\n'.repeat(9)
	act(() => FakeSocket.last.opens())
	await act(async () => FakeSocket.last.says({ type: 'log', offset: 0, next: data.length, line: 1, data }))
	await act(async () => {
		for (const key of ['J', 'J', 'J', 'K']) fireEvent.keyDown(screen.getByRole('log'), { key, shiftKey: true })
	})
	expect(screen.getByText('#L3-L5')).toBeVisible()
})
