// SPDX-License-Identifier: MIT
// The component of docs/usage.md, as it stands there.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { act, render, screen } from '@testing-library/react'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { build, FakeSocket, useFakeSocket } from './fakes.js'

const folder = resolve('src/.usage') // beside the folder that it imports from
const file = resolve(folder, 'BuildProgress.jsx')
beforeAll(() => {
	const [, code] = /^```jsx component_that_receives\n(.*?)^```$/ms.exec(readFileSync('../docs/usage.md', 'utf8')) ?? []
	mkdirSync(folder, { recursive: true })
	writeFileSync(file, code)
})
afterAll(() => rmSync(folder, { recursive: true }))

it('a component of one’s own follows a build in a few lines', async () => {
	useFakeSocket()
	vi.stubGlobal('fetch', vi.fn(async () => new Response(JSON.stringify(build({ id: 1, seq: 40 })))))
	const { BuildProgress } = await import(/* @vite-ignore */ file)
	render(<QueryClientProvider client={new QueryClient()}><BuildProgress id={1} /></QueryClientProvider>)
	expect(screen.getByText('loading')).toBeVisible()
	await screen.findByText('0 %')
	act(() => FakeSocket.last.opens())
	act(() => FakeSocket.last.says({ type: 'build_update', seq: 41, epoch: 'e1', data: { id: 1, status: 'running', progress: 6.5 } }))
	await screen.findByText('6.5 %')
	act(() => FakeSocket.last.says({ type: 'build_update', seq: 42, epoch: 'e1', data: { id: 1, status: 'completed', progress: 100 } }))
	await screen.findByText('100 %')
	expect(FakeSocket.all).toHaveLength(1)
	expect(FakeSocket.last.closes).toBe(1)
	expect(fetch).toHaveBeenCalledExactlyOnceWith('/api/builds/1')
})
