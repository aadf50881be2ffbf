// SPDX-License-Identifier: MIT
import { render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { QueryClientProvider } from '@tanstack/react-query'
import { MemoryRouter, Route, Routes } from 'react-router'
import { afterEach, expect, it, vi } from 'vitest'
import { DeleteBuild } from '../../src/components/DeleteBuild.jsx'
import { buildJobKey } from '../../src/queries/builds.js'
import { createQueryClient } from '../../src/queries/client.js'
import { build } from '../fakes.js'

afterEach(() => vi.unstubAllGlobals())

/** The button on a build's page; the list is one word. */
function show(answer) {
	const client = createQueryClient()
	client.setQueryData(buildJobKey('7'), build())
	const asked = vi.fn(() => Promise.resolve(answer))
	vi.stubGlobal('fetch', asked)
	render(
		<QueryClientProvider client={client}>
			<MemoryRouter initialEntries={['/builds/7']}>
				<Routes>
					<Route path="/" element="the list" />
					<Route path="/builds/:id" element={<DeleteBuild id={7} disabled={false} />} />
				</Routes>
			</MemoryRouter>
		</QueryClientProvider>,
	)
	return { client, asked, user: userEvent.setup() }
}

it('asks once more, then deletes and shows the list', async () => {
	const { client, asked, user } = show(new Response(null, { status: 204 }))
	await user.click(screen.getByRole('button', { name: 'Delete' }))
	expect(asked).not.toHaveBeenCalled()
	await user.click(screen.getByRole('button', { name: 'Delete build 7' }))
	expect(asked).toHaveBeenCalledWith('/api/builds/7', expect.objectContaining({ method: 'DELETE' }))
	expect(await screen.findByText('the list')).toBeDefined()
	expect(client.getQueryData(buildJobKey('7'))).toBeUndefined()
})

it('keeps it when asked so, by the button that has the focus or by Escape', async () => {
	const { asked, user } = show(new Response(null, { status: 204 }))
	await user.click(screen.getByRole('button', { name: 'Delete' }))
	expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Keep' }))
	await user.keyboard('{Enter}')
	await user.click(screen.getByRole('button', { name: 'Delete' }))
	await user.keyboard('{Escape}')
	expect(screen.getByRole('button', { name: 'Delete' })).toBeDefined()
	expect(asked).not.toHaveBeenCalled()
})

it('says why the server would not', async () => {
	const problem = { title: 'Conflict', detail: 'a retry of build 7 is taking over its results' }
	const { client, user } = show(new Response(JSON.stringify(problem), { status: 409 }))
	await user.click(screen.getByRole('button', { name: 'Delete' }))
	await user.click(screen.getByRole('button', { name: 'Delete build 7' }))
	expect((await screen.findByRole('alert')).textContent).toBe(problem.detail)
	expect(client.getQueryData(buildJobKey('7'))).toBeDefined()
})
