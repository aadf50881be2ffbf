// SPDX-License-Identifier: MIT
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { BEAT_MS, createPace, onBeat } from '../../src/lib/beat.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => vi.useRealTimers())
const FRAME_MS = 20

describe('the beat', () => {
	it('comes to all in the same frame, to some at each second one only', () => {
		const seen = []
		const leave = [onBeat(() => seen.push(`a ${performance.now()}`)), onBeat(() => seen.push(`b ${performance.now()}`)), onBeat(() => seen.push('slow'), 2)]
		vi.advanceTimersByTime(2 * BEAT_MS + FRAME_MS)
		leave.forEach((each) => each())
		expect(seen.filter((word) => word === 'slow')).toHaveLength(1)
		const times = seen.filter((word) => word !== 'slow').map((word) => word.slice(2))
		expect([times[0], times[2]]).toEqual([times[1], times[3]])
		expect(vi.getTimerCount()).toBe(0)
	})
	it('comes where there are no frames', () => {
		vi.stubGlobal('requestAnimationFrame', () => 0)
		vi.stubGlobal('cancelAnimationFrame', () => {})
		let seen = 0
		const leave = onBeat(() => seen++)
		vi.advanceTimersByTime(4 * BEAT_MS)
		leave()
		expect(seen).toBeGreaterThan(0)
	})
})

describe('a pace', () => {
	/** Asks each 10 ms. */
	const asks = (pace, times) => {
		for (let n = 0; n < times; n++) {
			pace.ask()
			vi.advanceTimersByTime(10)
		}
	}
	it('does at once what comes after a pause, in a burst once each beat, and the last time always', () => {
		let asked = 0
		const done = []
		const pace = createPace(() => done.push(asked))
		for (asked = 1; asked <= 200; asked++) asks(pace, 1)
		expect(done[0]).toBe(1)
		expect(done.length).toBeLessThanOrEqual(2 + 2000 / BEAT_MS)
		asked = 'last'
		pace.ask()
		vi.advanceTimersByTime(2 * BEAT_MS)
		expect(done.at(-1)).toBe('last')
		asked = 'alone'
		pace.ask()
		expect(done.at(-1)).toBe('alone')
		pace.stop()
	})
	it('does nothing after it was stopped, and leaves no timer', () => {
		let done = 0
		const pace = createPace(() => done++)
		asks(pace, 3)
		pace.stop()
		vi.advanceTimersByTime(5000)
		expect(done).toBeLessThanOrEqual(2)
		expect(vi.getTimerCount()).toBe(0)
	})
})
