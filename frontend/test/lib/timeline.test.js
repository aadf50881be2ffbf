// SPDX-License-Identifier: MIT
// @vitest-environment node
import { describe, expect, test } from 'vitest'
import { axisTime, precise } from '../../src/lib/format.js'
import { barsOf, lanes, panned, rangeOf, roomFor, SHORTEST_MS, ticks, WHOLE, zoomed } from '../../src/lib/timeline.js'
import { item } from '../fakes.js'

const at = (/** @type {number} */ ms) => new Date(1_700_000_000_000 + ms).toISOString()
const BEGIN = 1_700_000_000_000
const HOUR = 3_600_000
const ran = (id, from, to, more = {}) => item(id, to === null ? 'building' : 'completed', { worker: 'a', slot: 1, started_at: at(from), completed_at: to === null ? null : at(to), ...more })
const chart = (range, width, more = {}) => ({ range, width, begin: BEGIN, end: BEGIN + 10_000, critical: new Set(), ...more })

describe('what is in sight', () => {
	const ended = (/** @type {number} */ ms) => ({ total: ms, now: ms })
	test('all of it, until somebody zooms', () => expect(rangeOf(WHOLE, ended(5000))).toEqual({ from: 0, to: 5000 }))
	test('the point under the pointer stays where it is', () => {
		const { from, to } = rangeOf(zoomed(WHOLE, ended(1000), 4, 600), ended(1000))
		expect([from, to]).toEqual([450, 700])
		expect((600 - from) / (to - from)).toBeCloseTo(0.6)
	})
	test('zooming out ends with all of it, zooming in with what can be told apart', () => {
		expect(zoomed({ span: 500, right: 700 }, ended(1000), 0.1)).toEqual(WHOLE)
		let view = WHOLE
		for (let times = 0; times < 100; times++) view = zoomed(view, ended(3 * HOUR), 2, 1234)
		const { from, to } = rangeOf(view, ended(3 * HOUR))
		expect(to - from).toBe(SHORTEST_MS)
	})
	test('the edges hold it', () => {
		const view = zoomed(WHOLE, ended(1000), 10, 500)
		expect(rangeOf(panned(view, ended(1000), -1e6), ended(1000))).toEqual({ from: 0, to: 100 })
		expect(rangeOf(panned(view, ended(1000), 1e6), ended(1000))).toEqual({ from: 900, to: 1000 })
		expect(panned(WHOLE, ended(1000), 300)).toBe(WHOLE)
	})
	test('who looks at the end of a live build goes on with now, who looks elsewhere stays', () => {
		const end = panned(zoomed(WHOLE, { total: 3 * HOUR, now: 2.9 * HOUR }, 180, HOUR), { total: 3 * HOUR, now: 2.9 * HOUR }, 1e9)
		expect(rangeOf(end, { total: 3 * HOUR, now: 2.9 * HOUR })).toEqual({ from: 2.9 * HOUR - 58_800, to: 2.9 * HOUR + 1200 })
		expect(rangeOf(end, { total: 3 * HOUR, now: 2.95 * HOUR })).toEqual({ from: 2.95 * HOUR - 58_800, to: 2.95 * HOUR + 1200 })
		const middle = zoomed(WHOLE, ended(1000), 10, 500)
		expect(rangeOf(middle, ended(2000))).toEqual(rangeOf(middle, ended(1000)))
	})
})

test.each([['one second', 1000], ['a minute', 60_000], ['three hours', 3 * HOUR], ['a month', 720 * HOUR]])('the axis of %s has marks that do not touch', (_, total) => {
	const marks = ticks({ from: 0, to: total }, 1000)
	expect(marks.length).toBeGreaterThan(3)
	expect(marks.length).toBeLessThan(12)
	expect(new Set(marks.map((mark) => axisTime(mark.at, mark.step))).size).toBe(marks.length)
})

test('times of the axis are as long as they must be', () => {
	expect([[0, 1000], [1250, 10], [1250, 100], [59_000, 1000], [65_000, 5000], [65_500, 500], [3_725_000, 60_000]].map(([ms, step]) => axisTime(ms, step)))
		.toEqual(['0 s', '1.25 s', '1.3 s', '59 s', '1:05', '1:05.5', '1:02:05'])
	expect([4, 400, 3400, 9999, 12_000, null].map(precise)).toEqual(['0.00 s', '0.4 s', '3.4 s', '10.0 s', '12 s', ''])
})

describe('bars', () => {
	test('stand where they began and are as long as they took', () => {
		const [bar] = barsOf([ran(1, 2000, 5000)], chart({ from: 0, to: 10_000 }, 1000))
		expect(bar).toMatchObject({ key: '1', x: 200, width: 300, critical: false })
	})
	test('what is built now reaches to now', () => expect(barsOf([ran(1, 2000, null)], chart({ from: 0, to: 10_000 }, 1000))[0].width).toBe(800))
	test('what is out of sight is not drawn, what reaches out of it is cut', () => {
		const bars = barsOf([ran(1, 0, 1000), ran(2, 1500, 9000), ran(3, 9500, 9900)], chart({ from: 4000, to: 5000 }, 1000))
		expect(bars.map(({ key, x, width }) => [key, x, width])).toEqual([['2', -4, 1008]])
	})
	test('two thousand in one lane are as many shapes as the screen can show, and none is lost', () => {
		const many = Array.from({ length: 2000 }, (_, n) => ran(n, n * 5, n * 5 + 5))
		const bars = barsOf(many, chart({ from: 0, to: 10_000 }, 1000))
		expect(bars.length).toBeLessThan(400)
		expect(bars.reduce((sum, bar) => sum + bar.items.length, 0)).toBe(2000)
		expect(barsOf(many, chart({ from: 5000, to: 5100 }, 1000)).every((bar) => bar.items.length === 1)).toBe(true)
	})
	test('a failure and the longest way are not hidden in their neighbours', () => {
		const three = [ran(1, 0, 5), { ...ran(2, 5, 10), status: /** @type {const} */ ('failed') }, ran(3, 10, 15), ran(4, 15, 20)]
		const bars = barsOf(three, chart({ from: 0, to: 10_000 }, 1000, { critical: new Set([4]) }))
		expect(bars.map((bar) => bar.items.map((each) => each.id))).toEqual([[1], [2], [3], [4]])
		expect(bars[3].critical).toBe(true)
	})
})

describe('lanes', () => {
	test('are one for each slot of each worker, in order; what never began is in none', () => {
		const found = lanes([ran(1, 0, 1, { worker: 'b', slot: 10 }), ran(2, 0, 1, { worker: 'b', slot: 2 }), ran(3, 0, 1), ran(4, 5, 6, { worker: 'b', slot: 2 }), item(5)])
		expect(found.map((lane) => [lane.label, lane.items.map((each) => each.id)])).toEqual([['a · 1', [3]], ['b · 2', [2, 4]], ['b · 10', [1]]])
	})
	test('without workers are as few as what ran side by side', () => {
		const none = { worker: null, slot: null }
		expect(lanes([ran(1, 0, 10, none), ran(2, 5, 8, none), ran(3, 9, 20, none), ran(4, 10, null, none)]).map((lane) => lane.items.map((each) => each.id))).toEqual([[1, 4], [2, 3]])
	})
	test('leave out what an earlier build did', () => expect(lanes([ran(1, 0, 10), ran(2, 500, 600)], BEGIN + 100).flatMap((lane) => lane.items.map((each) => each.id))).toEqual([2]))
})

test('the room of a live build is more than what is over, not much more, and seldom another', () => {
	const rooms = Array.from({ length: 3600 }, (_, s) => [(s + 1) * 1000, roomFor((s + 1) * 1000)])
	for (const [ms, room] of rooms) expect(room / ms > 1.005 && room / ms < 1.07, `${ms} in ${room}`).toBe(true)
	expect(new Set(rooms.map(([, room]) => room)).size).toBeLessThan(180)
})
