// SPDX-License-Identifier: MIT
import { act, render, renderHook, screen, waitFor } from '@testing-library/react'
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query'
import { MemoryRouter, Route, Routes, useParams } from 'react-router'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { useWebSocket } from '../../src/hooks/useWebSocket.js'
import { build, FakeSocket, item, useFakeSocket } from '../fakes.js'

let client
beforeEach(() => {
	vi.useFakeTimers()
	useFakeSocket()
	client = new QueryClient()
	vi.spyOn(Math, 'random').mockReturnValue(1)
})
afterEach(() => vi.useRealTimers())

const wrapper = ({ children }) => <QueryClientProvider client={client}>{children}</QueryClientProvider>
const hook = (id = '7', enabled = true) =>
	renderHook((props) => useWebSocket(props.id, props.enabled), { wrapper, initialProps: { id, enabled } })
const held = (id = '7') => client.getQueryData(['buildJob', id])
const opened = () => act(() => FakeSocket.last.opens())
const says = (message) => act(() => FakeSocket.last.says(message))
const ends = (code) => act(() => FakeSocket.last.ends(code))
const snapshot = (seq, more) => ({ type: 'build_update', seq, epoch: 'e1', snapshot: true, data: build({ seq: undefined, ...more }) })
const queue = (seq, data, more) => ({ type: 'queue_update', seq, epoch: 'e1', data, ...more })
const passes = (ms) => act(() => vi.advanceTimersByTime(ms))

describe('connecting', () => {
	it('is done at once, to the build’s room', () => {
		hook()
		expect(FakeSocket.all.map((s) => s.url)).toEqual([`ws://${location.host}/ws/builds/7/`])
	})
	it('is not done while disabled, and is once enabled', () => {
		const { rerender } = hook('7', false)
		expect(FakeSocket.all).toHaveLength(0)
		rerender({ id: '7', enabled: true })
		expect(FakeSocket.all).toHaveLength(1)
	})
	it('encodes an odd id', () => {
		hook('a/b?c')
		expect(FakeSocket.last.url).toMatch(/\/ws\/builds\/a%2Fb%3Fc\/$/)
	})
	it('ends with exactly one close on unmount', () => {
		const { unmount } = hook()
		opened()
		unmount()
		passes(60_000)
		expect(FakeSocket.all).toHaveLength(1)
		expect(FakeSocket.last.closes).toBe(1)
	})
	it('ends with exactly one close when disabled, before the socket was open too', () => {
		const { rerender } = hook()
		rerender({ id: '7', enabled: false })
		expect(FakeSocket.last.closes).toBe(1)
	})
	it('does not close what the server closed', () => {
		const { unmount } = hook()
		opened()
		ends(1000)
		unmount()
		expect(FakeSocket.last.closes).toBe(0)
	})
	it('goes to another room with another id', () => {
		const { rerender } = hook()
		rerender({ id: '8', enabled: true })
		expect(FakeSocket.all.map((s) => s.closes)).toEqual([1, 0])
		expect(FakeSocket.last.url).toMatch(/\/8\/$/)
	})
})

describe('messages', () => {
	it('reach the cache under the id as it was passed', () => {
		hook('7')
		says(snapshot(40))
		expect(held('7').seq).toBe(40)
		expect(client.getQueryData(['buildJob', 7])).toBeUndefined()
		hook(7)
		says(snapshot(41))
		expect(client.getQueryData(['buildJob', 7]).seq).toBe(41)
	})
	it('a lone one at once, a burst in one frame', () => {
		client.setQueryData(['buildJob', '7'], build())
		hook()
		opened()
		says(queue(41, item(1, 'building')))
		expect(held().queue_items[0].status).toBe('building')
		act(() => [42, 43, 44].forEach((seq) => FakeSocket.last.says(queue(seq, item(1, 'completed', { exit_code: seq })))))
		expect(held().seq).toBe(41)
		const sets = vi.spyOn(client, 'setQueryData')
		passes(20)
		expect(sets).toHaveBeenCalledOnce()
		expect(held()).toMatchObject({ seq: 44, queue_items: [{ status: 'completed', exit_code: 44 }, {}, {}] })
	})
	it('of unknown types and bad JSON are passed over', () => {
		client.setQueryData(['buildJob', '7'], build())
		hook()
		opened()
		for (const message of ['{', 'null', '7', '"x"', '[]', { type: 'weather', seq: 41 }, { data: 1 }]) says(message)
		says(queue(42, item(2, 'building')))
		passes(20)
		expect(held().queue_items[1].status).toBe('building')
		expect(FakeSocket.all).toHaveLength(1)
	})
	it('without seq are applied as they come', () => {
		client.setQueryData(['buildJob', '7'], build())
		hook()
		says({ type: 'build_update', data: { id: 7, progress: 6.5 } })
		expect(held()).toMatchObject({ progress: 6.5, seq: 40 })
	})
	it('an HTTP answer that comes late does not bring back an older state', async () => {
		vi.useRealTimers()
		const { rerender } = renderHook(({ enabled }) => {
			useQuery({ queryKey: ['buildJob', '7'], queryFn: () => Promise.resolve(build({ seq: 40 })) })
			useWebSocket('7', enabled)
		}, { wrapper, initialProps: { enabled: true } })
		await waitFor(() => expect(held()?.seq).toBe(40))
		says(queue(41, item(1, 'completed')))
		rerender({ enabled: true })
		await act(() => client.invalidateQueries({ queryKey: ['buildJob', '7'] }))
		expect(held()).toMatchObject({ seq: 41, queue_items: [{ status: 'completed' }, {}, {}] })
	})
})

describe('a jump in the numbers', () => {
	it('is not applied but asked for again from what is held', () => {
		client.setQueryData(['buildJob', '7'], build())
		hook()
		opened()
		says(queue(43, item(1, 'failed')))
		expect(held().queue_items[0].status).toBe('queued')
		expect(FakeSocket.all).toHaveLength(2)
		expect(FakeSocket.all[0].closes).toBe(1)
		expect(FakeSocket.last.url).toMatch(/\/ws\/builds\/7\/\?since=40&epoch=e1$/)
	})
	it('that stays is healed by a snapshot', () => {
		client.setQueryData(['buildJob', '7'], build())
		hook()
		opened()
		says(queue(43, item(1, 'failed')))
		opened()
		says(queue(43, item(1, 'failed')))
		passes(1000)
		expect(FakeSocket.all).toHaveLength(3)
		expect(FakeSocket.last.url).toMatch(/\/7\/$/)
		opened()
		says(snapshot(60))
		says(queue(61, item(1, 'failed')))
		passes(20)
		expect(held()).toMatchObject({ seq: 61, queue_items: [{ status: 'failed' }, {}, {}] })
	})
	it('is seen between messages that wait for their frame, and those before it are not lost', () => {
		client.setQueryData(['buildJob', '7'], build())
		hook()
		opened()
		act(() => [41, 42, 43, 45].forEach((seq) => FakeSocket.last.says(queue(seq, item(1, 'building')))))
		expect(held().seq).toBe(43)
		expect(FakeSocket.last.url).toMatch(/since=43/)
	})
	it('in two heartbeats running is a loss, in one it is not', () => {
		client.setQueryData(['buildJob', '7'], build())
		hook()
		opened()
		says({ type: 'heartbeat', seq: 41, epoch: 'e1', now: '2026-02-11T08:00:20Z' })
		expect(FakeSocket.all).toHaveLength(1)
		says({ type: 'heartbeat', seq: 41, epoch: 'e1', now: '2026-02-11T08:00:40Z' })
		expect(FakeSocket.all).toHaveLength(2)
	})
	it('to another database asks for a snapshot', () => {
		client.setQueryData(['buildJob', '7'], build())
		hook()
		opened()
		says(queue(41, item(1, 'failed'), { epoch: 'e2' }))
		expect(FakeSocket.last.url).toMatch(/\/7\/$/)
		expect(held().queue_items[0].status).toBe('queued')
	})
})

describe('reconnecting', () => {
	const state = (result) => ({ status: result.current.status, attempt: result.current.attempt })

	it('resumes from what is held, after 500 ms doubling to 30 s', () => {
		client.setQueryData(['buildJob', '7'], build())
		const { result } = hook()
		opened()
		expect(result.current.status).toBe('open')
		for (const delay of [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
			ends(1006)
			const before = FakeSocket.all.length
			passes(delay - 1)
			expect(FakeSocket.all).toHaveLength(before)
			passes(1)
			expect(FakeSocket.all).toHaveLength(before + 1)
		}
		expect(state(result)).toEqual({ status: 'reconnecting', attempt: 8 })
		expect(FakeSocket.last.url).toMatch(/\?since=40&epoch=e1$/)
		opened()
		expect(state(result)).toEqual({ status: 'open', attempt: 0 })
	})
	it('has full jitter', () => {
		Math.random.mockReturnValue(0.1)
		hook()
		ends(1006)
		passes(49)
		expect(FakeSocket.all).toHaveLength(1)
		passes(1)
		expect(FakeSocket.all).toHaveLength(2)
	})
	it('begins with the shortest delay again only after the connection stood for 5 s', () => {
		hook()
		ends(1006)
		passes(500)
		opened()
		passes(4900)
		ends(1006)
		passes(999)
		expect(FakeSocket.all).toHaveLength(2)
		passes(1)
		opened()
		passes(5000)
		ends(1006)
		passes(500)
		expect(FakeSocket.all).toHaveLength(4)
	})
	it.each([1000, 1002, 1003, 1007, 1008, 1009, 4401, 4404])('does not happen after %i', (code) => {
		const { result } = hook()
		opened()
		ends(code)
		passes(120_000)
		expect(FakeSocket.all).toHaveLength(1)
		expect(result.current.status).toBe('closed')
		expect(result.current.error?.code).toBe(code === 1000 ? undefined : code)
	})
	it.each([1001, 1005, 1006, 1011])('happens after %i', (code) => {
		hook()
		opened()
		ends(code)
		passes(500)
		expect(FakeSocket.all).toHaveLength(2)
	})
	it.each([1012, 1013])('waits at least 2 s after %i, and what retry_ms says when that is more', (code) => {
		Math.random.mockReturnValue(0)
		hook()
		opened()
		ends(code)
		passes(1999)
		expect(FakeSocket.all).toHaveLength(1)
		passes(1)
		opened()
		says({ type: 'heartbeat', retry_ms: 4000 })
		ends(code)
		act(() => void dispatchEvent(new Event('online')))
		passes(3999)
		expect(FakeSocket.all).toHaveLength(2)
		passes(1)
		expect(FakeSocket.all).toHaveLength(3)
	})
	it('is done at once when the network is back or the tab becomes visible', () => {
		hook()
		ends(1006)
		act(() => void dispatchEvent(new Event('online')))
		expect(FakeSocket.all).toHaveLength(2)
		ends(1006)
		act(() => void document.dispatchEvent(new Event('visibilitychange')))
		expect(FakeSocket.all).toHaveLength(3)
		opened()
		act(() => void dispatchEvent(new Event('online')))
		expect(FakeSocket.all).toHaveLength(3)
	})
	it('follows 45 s of silence, and any message breaks the silence', () => {
		hook()
		opened()
		passes(44_000)
		says({ type: 'heartbeat', now: '2026-02-11T08:00:20Z' })
		passes(44_000)
		expect(FakeSocket.all[0].closes).toBe(0)
		passes(1000)
		expect(FakeSocket.all[0].closes).toBe(1)
		passes(500)
		expect(FakeSocket.all).toHaveLength(2)
	})
	it('can be asked for by the reader, also after a final close', () => {
		const { result } = hook()
		ends(4404)
		act(() => result.current.reconnect())
		expect(FakeSocket.all).toHaveLength(2)
		expect(result.current).toMatchObject({ status: 'connecting', error: null })
		opened()
		act(() => result.current.reconnect())
		expect(FakeSocket.all).toHaveLength(2)
	})
	it('an error alone changes nothing but is told', () => {
		const { result } = hook()
		act(() => FakeSocket.last.onerror?.({}))
		expect(result.current).toMatchObject({ status: 'connecting', error: { code: 0 } })
		expect(FakeSocket.all).toHaveLength(1)
	})
})

it('the sample component works as it is written', async () => {
	vi.useRealTimers()
	const fetchBuild = vi.fn((id) => Promise.resolve(build({ id: Number(id), status: 'building', seq: undefined, epoch: undefined })))
	function BuildDetail() {
		const { id } = useParams()
		const { data: build } = useQuery({ queryKey: ['buildJob', id], queryFn: () => fetchBuild(id), refetchInterval: false })
		useWebSocket(id, !!build && !['completed', 'failed', 'cancelled'].includes(build.status))
		return <p>{build ? `${build.status} ${build.progress}% ${build.queue_items[0].status}` : 'loading'}</p>
	}
	const page = render(
		<QueryClientProvider client={client}>
			<MemoryRouter initialEntries={['/builds/1']}>
				<Routes>
					<Route path="/builds/:id" element={<BuildDetail />} />
				</Routes>
			</MemoryRouter>
		</QueryClientProvider>,
	)
	expect(FakeSocket.all).toHaveLength(0)
	await screen.findByText('building 0% queued')
	expect(FakeSocket.last.url).toMatch(/\/ws\/builds\/1\/$/)
	opened()
	says({ type: 'build_update', seq: 41, data: { id: 1, status: 'running', completed_packages: 10, failed_packages: 2, total_packages: 185, progress: 6.5 } })
	await screen.findByText('running 6.5% queued')
	says({ type: 'queue_update', seq: 42, data: { id: 1, status: 'completed', package: { id: 9, name: 'zlib', version: '1.3' }, build_log: '...' } })
	await screen.findByText('running 6.5% completed')
	says({ type: 'build_update', seq: 43, data: { id: 1, status: 'completed', progress: 100 } })
	await screen.findByText('completed 100% completed')
	expect(FakeSocket.all).toHaveLength(1)
	expect(FakeSocket.last.closes).toBe(1)
	expect(fetchBuild).toHaveBeenCalledOnce()
	page.unmount()
	expect(FakeSocket.last.closes).toBe(1)
})
