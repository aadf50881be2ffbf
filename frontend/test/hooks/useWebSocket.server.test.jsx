// SPDX-License-Identifier: MIT
import { renderHook, waitFor } from '@testing-library/react'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { useWebSocket } from '../../src/hooks/useWebSocket.js'
import { build, item } from '../fakes.js'

let server, client, sockets
/** Runs on each connection; a test sets it. */
let greet
beforeEach(async () => {
	vi.stubGlobal('WebSocket', WebSocket)
	sockets = []
	greet = () => {}
	server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
	server.on('connection', (socket, { url }) => {
		sockets.push({ socket, url, closed: new Promise((done) => socket.on('close', done)) })
		greet(socket, url, sockets.length)
	})
	await new Promise((done) => server.on('listening', done))
	vi.stubGlobal('location', { protocol: 'http:', host: `127.0.0.1:${server.address().port}` })
	client = new QueryClient()
})
afterEach(() => {
	server.clients.forEach((socket) => socket.terminate())
	server.close()
})

const wrapper = ({ children }) => <QueryClientProvider client={client}>{children}</QueryClientProvider>
const hook = () => renderHook(() => useWebSocket('7', true), { wrapper })
const held = () => client.getQueryData(['buildJob', '7'])
const send = (socket, message) => socket.send(JSON.stringify(message))
const snapshot = (seq) => ({ type: 'build_update', seq, epoch: 'e1', snapshot: true, data: build({ seq: undefined }) })
const eventually = (check) => waitFor(check, { timeout: 5000 })

it('opens, takes the snapshot and what follows', async () => {
	greet = (socket) => {
		send(socket, snapshot(40))
		send(socket, { type: 'queue_update', seq: 41, epoch: 'e1', data: item(1, 'completed') })
	}
	const { result } = hook()
	await eventually(() => expect(held()?.queue_items[0].status).toBe('completed'))
	expect(result.current.status).toBe('open')
	expect(sockets[0].url).toBe('/ws/builds/7/')
})
it('comes back after the connection broke, and resumes', async () => {
	greet = (socket, url, count) => {
		if (count === 1) {
			send(socket, snapshot(40))
			setImmediate(() => socket.terminate())
		} else {
			send(socket, { type: 'heartbeat', seq: 40, epoch: 'e1', now: new Date().toISOString() })
			send(socket, { type: 'queue_update', seq: 41, epoch: 'e1', data: item(2, 'building') })
		}
	}
	hook()
	await eventually(() => expect(held()?.queue_items[1].status).toBe('building'))
	expect(sockets[1].url).toBe('/ws/builds/7/?since=40&epoch=e1')
})
it('comes back when the server was not there at first', async () => {
	const { port } = server.address()
	await new Promise((done) => server.close(done))
	const { result } = hook()
	await eventually(() => expect(result.current.status).toBe('reconnecting'))
	server = new WebSocketServer({ port, host: '127.0.0.1' })
	server.on('connection', (socket) => send(socket, snapshot(40)))
	await eventually(() => expect(held()?.seq).toBe(40))
})
it('stops after 1000', async () => {
	greet = (socket) => socket.close(1000)
	const { result } = hook()
	await eventually(() => expect(result.current.status).toBe('closed'))
	expect(result.current.error).toBeNull()
})
it('stops after 4404 and says why', async () => {
	greet = (socket) => socket.close(4404, 'no such build')
	const { result } = hook()
	await eventually(() => expect(result.current.error).toEqual({ code: 4404, reason: 'no such build' }))
	expect(result.current.status).toBe('closed')
})
it('leaves on unmount', async () => {
	const { result, unmount } = hook()
	await eventually(() => expect(result.current.status).toBe('open'))
	unmount()
	await sockets[0].closed
	expect(sockets).toHaveLength(1)
})
it('leaves on unmount while it still connects', async () => {
	const { unmount } = hook()
	unmount()
	await eventually(() => expect(server.clients.size).toBe(0))
	expect(held()).toBeUndefined()
})
