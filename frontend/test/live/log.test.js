// SPDX-License-Identifier: MIT
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { CHUNK_LINES, openLog } from '../../src/live/log.js'
import { FakeSocket, useFakeSocket } from '../fakes.js'

let log, state, asked
/** What a window's request fails with; null: it is answered. */
let fault
beforeEach(() => {
	vi.useFakeTimers()
	useFakeSocket()
	asked = []
	fault = null
	const fetchWindow = vi.fn((item, from, limit) => {
		asked.push([from, limit])
		if (fault) return Promise.reject(fault)
		const lines = Array.from({ length: limit }, (_, at) => `old ${from + at}`)
		return Promise.resolve({ from_line: from, lines, total_lines: 1000, size: 1, final: false })
	})
	log = openLog({ item: 5, fetchWindow, change: (next) => (state = next) })
	FakeSocket.last.opens()
})
afterEach(() => {
	log.leave()
	vi.useRealTimers()
})
const says = (offset, next, line, data) => {
	FakeSocket.last.says({ type: 'log', offset, next, line, data })
	vi.advanceTimersByTime(200)
}

it('begins at the end, which the socket tells, and asks for nothing', () => {
	says(5000, 5018, 901, 'one\ntwo\nthr')
	expect(FakeSocket.last.url).toMatch(/\/ws\/builds\/queue\/5\/log\/$/)
	expect(state).toMatchObject({ total: 903, size: 5018, ready: true, final: false })
	expect([901, 902, 903].map(log.line)).toEqual(['one', 'two', 'thr'])
	expect(asked).toEqual([])
})
it('joins a line that came in pieces', () => {
	says(0, 3, 1, 'one')
	says(3, 8, 1, ' two\n')
	says(8, 12, 2, 'next')
	expect([log.line(1), log.line(2), state.total]).toEqual(['one two', 'next', 2])
})
it('asks for lines that come into sight, once, in whole chunks', async () => {
	says(5000, 5004, 901, 'end\n')
	log.want(CHUNK_LINES, CHUNK_LINES + 1)
	log.want(CHUNK_LINES, CHUNK_LINES + 1)
	await vi.advanceTimersByTimeAsync(0)
	expect(asked).toEqual([[1, CHUNK_LINES], [CHUNK_LINES + 1, CHUNK_LINES]])
	expect(log.line(CHUNK_LINES)).toBe(`old ${CHUNK_LINES}`)
	log.want(CHUNK_LINES, CHUNK_LINES + 1)
	expect(asked).toHaveLength(2)
})
it('an answer does not overwrite what the socket has told since', async () => {
	says(5000, 5004, 901, 'new\n')
	log.want(850, 901)
	await vi.advanceTimersByTimeAsync(0)
	expect([log.line(900), log.line(901)]).toEqual(['old 900', 'new'])
})
it('reconnects from the byte where it stood', () => {
	says(0, 4, 1, 'one\n')
	FakeSocket.last.ends(1006)
	vi.advanceTimersByTime(1000)
	expect(FakeSocket.last.url).toMatch(/\?offset=4$/)
})
it('starts over when the log did', () => {
	says(0, 8, 1, 'one\ntwo\n')
	says(0, 4, 1, 'new\n')
	expect([state.total, log.line(1), log.line(2)]).toEqual([1, 'new', undefined])
})
it('cuts a line of a megabyte short', () => {
	says(0, 1_048_576, 1, 'x'.repeat(1_048_576))
	expect(log.line(1)).toHaveLength(16_384)
})
it('holds no more than a bounded part', async () => {
	says(0, 4, 1, 'one\n')
	for (let line = 1; line <= 60 * CHUNK_LINES; line += CHUNK_LINES) {
		log.want(line, line)
		await vi.advanceTimersByTimeAsync(0)
	}
	expect(log.line(1)).toBeUndefined()
	expect(log.line(59 * CHUNK_LINES + 1)).toBeDefined()
})
it('ends with log_end', () => {
	says(0, 4, 1, 'one\n')
	FakeSocket.last.says({ type: 'log_end', size: 4, sha256: 'x', status: 'completed' })
	FakeSocket.last.ends(1000)
	expect(state).toMatchObject({ final: true, total: 1 })
})

it('a window that could not be had is asked for again by itself, by and by, and at once when the log is live again', async () => {
	says(5000, 5004, 901, 'end\n')
	fault = Object.assign(new Error('The server does not answer'), { status: 0 })
	log.want(1, 20)
	await vi.advanceTimersByTimeAsync(8000)
	expect(asked.length).toBeGreaterThan(2)
	expect(asked.length).toBeLessThan(6)
	FakeSocket.last.ends(1006)
	await vi.advanceTimersByTimeAsync(1000)
	fault = null
	const before = asked.length
	FakeSocket.last.opens()
	await vi.advanceTimersByTimeAsync(0)
	expect(asked.length).toBe(before + 1)
	expect(log.line(1)).toBe('old 1')
	await vi.advanceTimersByTimeAsync(60_000)
	expect(asked.length).toBe(before + 1)
})
it('what is refused is said, and not asked again', async () => {
	says(5000, 5004, 901, 'end\n')
	fault = Object.assign(new Error('no such log'), { status: 404 })
	log.want(1, 20)
	await vi.advanceTimersByTimeAsync(60_000)
	expect(asked).toHaveLength(1)
	expect(state.error).toBe('The log cannot be read: no such log')
})
it('a log in which nothing was written yet is known to be empty soon', () => {
	expect(state).toMatchObject({ ready: false, live: true })
	vi.advanceTimersByTime(1500)
	expect(state).toMatchObject({ ready: true, total: 0, final: false })
})
it('tells when what is written does not come', () => {
	says(0, 4, 1, 'one\n')
	FakeSocket.last.ends(1006)
	expect(state.live).toBe(false)
	vi.advanceTimersByTime(1000)
	FakeSocket.last.opens()
	expect(state.live).toBe(true)
})
