// SPDX-License-Identifier: MIT
// A model of the server, a line on which everything may happen, and a reader who must never see an older state after a newer one.
import { act, renderHook } from '@testing-library/react'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { useWebSocket } from '../../src/hooks/useWebSocket.js'
import { build, FakeSocket, item, useFakeSocket } from '../fakes.js'

const SEEDS = process.env.REQPM_SEED ? [Number(process.env.REQPM_SEED)] : Array.from({ length: 40 }, (_, at) => at + 1)
const STEPS = 200
const RING = 12 // what the server still has for those who come back
const KEY = ['buildJob', '7']

beforeEach(() => {
	vi.useFakeTimers()
	useFakeSocket()
})
afterEach(() => {
	hide(false)
	vi.useRealTimers()
})

function hide(hidden) {
	Object.defineProperty(document, 'hidden', { configurable: true, value: hidden })
	document.dispatchEvent(new Event('visibilitychange'))
}

/** mulberry32: the same numbers for the same seed. */
function random(seed) {
	return () => {
		seed = (seed + 0x6d2b79f5) | 0
		let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
		return ((t ^ (t >>> 14)) >>> 0) / 4294967296
	}
}

/** Every state that the build has ever had, by epoch and number; what is sent of it; and what is on its way. */
class Server {
	states = new Map()
	messages = new Map()
	line = []
	databases = 0

	constructor() {
		this.newDatabase()
	}
	keep(state, message) {
		this.state = state
		this.states.set(`${state.epoch} ${state.seq}`, state)
		this.messages.set(state.seq, message)
	}
	newDatabase() {
		this.messages.clear()
		this.keep(build({ seq: 5, epoch: `e${++this.databases}` }))
	}
	update(at, text) {
		const { seq, epoch, queue_items: items } = this.state
		const changed = item(items[at].id, 'building', { why: text, needs: undefined })
		this.publish({ ...this.state, seq: seq + 1, queue_items: items.with(at, { ...changed, needs: items[at].needs }) }, { type: 'queue_update', seq: seq + 1, epoch, data: changed })
	}
	progress(progress) {
		const { seq, epoch } = this.state
		this.publish({ ...this.state, seq: seq + 1, progress }, { type: 'build_update', seq: seq + 1, epoch, data: { id: 7, progress } })
	}
	publish(state, message) {
		this.keep(state, message)
		if (this.socket) this.send(message)
	}
	send(message) {
		this.line.push(message)
		this.sent = message.seq
	}
	snapshot() {
		const { seq, epoch, ...data } = this.state
		this.send({ type: 'build_update', snapshot: true, seq, epoch, data })
	}
	heartbeat() {
		if (this.socket) this.line.push({ type: 'heartbeat', seq: this.sent, epoch: this.state.epoch, now: new Date().toISOString() })
	}
	/** Somebody is there: from where does he want to go on? */
	accept(socket) {
		this.socket = socket
		this.line = []
		socket.opens()
		const query = new URL(socket.url).searchParams, since = Number(query.get('since') ?? NaN), { seq, epoch } = this.state
		if (query.get('epoch') !== epoch || !(since <= seq && seq - since < RING)) return this.snapshot()
		this.sent = since
		this.heartbeat()
		for (let at = since + 1; at <= seq; at++) this.send(this.messages.get(at))
	}
	cut() {
		this.socket?.ends(1006)
		this.socket = null
		this.line = []
	}
}

/** The reader: what the cache shows, each time it changes. */
class Reader {
	shown = []
	complaints = []
	answers = []

	constructor(server) {
		this.server = server
		this.client = new QueryClient({ defaultOptions: { queries: { retry: false, gcTime: Infinity } } })
		this.client.getQueryCache().subscribe(({ type, query }) => type === 'updated' && this.look(query.state.data))
		const wrapper = ({ children }) => <QueryClientProvider client={this.client}>{children}</QueryClientProvider>
		this.page = renderHook(() => useWebSocket('7', true), { wrapper })
	}
	look(held) {
		const last = this.shown.at(-1)
		if (!held || held === last) return
		this.shown.push(held)
		// A state that the build never had shows a difference, an older one after a newer one its place in time.
		const age = ({ epoch, seq }) => Number(epoch.slice(1)) * 1e6 + seq
		if (last && age(held) < age(last)) this.complaints.push(`${held.epoch} ${held.seq} after ${last.epoch} ${last.seq}`)
		try {
			expect(held).toEqual(this.server.states.get(`${held.epoch} ${held.seq}`))
		} catch (difference) {
			this.complaints.push(difference.message)
		}
	}
	/** The answer is read now and comes when it comes. */
	ask() {
		if (this.answers.length > 0) return
		const answer = structuredClone(this.server.state)
		const queryFn = () => new Promise((resolve, reject) => this.answers.push({ come: () => resolve(answer), fail: () => reject(new Error('cut off')) }))
		this.client.fetchQuery({ queryKey: KEY, queryFn }).catch(() => {})
	}
	answer(how = 'come') {
		this.answers.shift()?.[how]()
	}
}

/** @returns what may happen, each as often as it is named */
function happenings(server, reader, chance) {
	const connects = () => server.socket !== FakeSocket.last && FakeSocket.last.readyState === 0 && server.accept(FakeSocket.last)
	const comes = () => server.line.length > 0 && server.socket.readyState === 1 && server.socket.says(server.line.shift())
	const changes = () => (chance() < 0.5 ? server.update(Math.floor(chance() * 3), String(chance())) : server.progress(Math.floor(chance() * 100)))
	const times = (n, what) => () => Array.from({ length: Math.ceil(chance() * n) }, what)
	return [
		changes, changes, times(20, changes), comes, times(30, comes), times(30, comes), connects, connects, connects,
		() => vi.advanceTimersByTime(chance() * 40),
		() => vi.advanceTimersByTime(chance() * 2000),
		() => vi.advanceTimersByTime(chance() * 50_000),
		() => server.socket && server.snapshot(),
		() => server.heartbeat(),
		() => server.cut(),
		() => {
			const lost = Math.floor(chance() * server.line.length)
			if (server.line[lost] && !server.line[lost].snapshot) server.line.splice(lost, 1)
		},
		() => {
			if (chance() > 0.2) return
			server.cut()
			reader.answer('fail')
			server.newDatabase()
		},
		() => reader.ask(), () => reader.ask(), () => reader.answer(), () => reader.answer(), () => reader.answer('fail'),
		() => hide(chance() < 0.5),
		() => dispatchEvent(new Event('online')),
		() => vi.setSystemTime(Date.now() + (chance() - 0.5) * 7_200_000),
	]
}

it.each(SEEDS)('whatever happens, no older state is shown after a newer one, and in the end the server’s (seed %i)', async (seed) => {
	const chance = random(seed)
	vi.spyOn(Math, 'random').mockImplementation(chance)
	const server = new Server()
	const reader = new Reader(server)
	const all = happenings(server, reader, chance)
	for (let step = 0; step < STEPS && reader.complaints.length === 0; step++) await act(async () => void all[Math.floor(chance() * all.length)]())

	hide(false)
	await act(async () => reader.answer())
	for (let round = 0; round < 6; round++) {
		await act(async () => void vi.advanceTimersByTime(31_000))
		await act(async () => {
			if (server.socket !== FakeSocket.last && FakeSocket.last.readyState === 0) server.accept(FakeSocket.last)
			server.heartbeat()
			server.heartbeat()
			while (server.line.length > 0 && server.socket.readyState === 1) server.socket.says(server.line.shift())
		})
	}
	await act(async () => void vi.advanceTimersByTime(2000))
	expect(reader.complaints).toEqual([])
	expect(reader.client.getQueryData(KEY)).toEqual(server.state)
	expect(reader.shown.length).toBeGreaterThan(1)
	reader.page.unmount()
	expect(FakeSocket.all.filter((socket) => socket.readyState < 2)).toEqual([])
})
