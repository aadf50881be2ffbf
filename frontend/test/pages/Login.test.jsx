// SPDX-License-Identifier: MIT
import { QueryClientProvider } from '@tanstack/react-query'
import { act, render, screen } from '@testing-library/react'
import { MemoryRouter } from 'react-router'
import { expect, it, vi } from 'vitest'
import { Login } from '../../src/pages/Login.jsx'
import { createQueryClient } from '../../src/queries/client.js'

/** @param {boolean} signedIn what the server says; it may change */
function open(server) {
	vi.stubGlobal('fetch', async () => new Response(JSON.stringify({ signed_in: server.signedIn, can_read: true, can_change: server.signedIn }), { status: 200 }))
	render(<QueryClientProvider client={createQueryClient()}><MemoryRouter><Login /></MemoryRouter></QueryClientProvider>)
}

it('who is signed in is told so', async () => {
	open({ signedIn: true })
	expect(await screen.findByText(/You are signed in/)).toBeVisible()
	expect(screen.queryByText(/not signed in/)).toBeNull()
})
it('who is not is told the command that makes a link, and is believed when he comes back from another tab', async () => {
	const server = { signedIn: false }
	open(server)
	expect(await screen.findByText('./reqpm.sh login')).toBeVisible()
	server.signedIn = true
	await act(async () => document.dispatchEvent(new Event('visibilitychange', { bubbles: true })))
	expect(await screen.findByText(/You are signed in/)).toBeVisible()
})
