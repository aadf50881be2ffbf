// SPDX-License-Identifier: MIT
/**
 * The arithmetic of a timeline: which part of the time is in sight, where its bars stand, what stands on its axis. Times are ms from
 * the begin of the first bar. Pure.
 *
 * @typedef {import('../api/types.js').QueueItem} QueueItem
 * @typedef {{ span: number | null, right: number | null }} View what the reader chose: `span` null shows all, `right` null stays at the end
 * @typedef {{ from: number, to: number }} Range
 * @typedef {{ key: string, label: string, items: QueueItem[] }} Lane
 * @typedef {{ key: string, x: number, width: number, items: QueueItem[], critical: boolean }} Bar `items`: more than one where they are too narrow to tell apart
 */

import { endOf, startOf } from './times.js'

/** @type {View} */
export const WHOLE = { span: null, right: null }
export const SHORTEST_MS = 50
const STEPS_MS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 7_200_000,
	21_600_000, 86_400_000, 604_800_000]
const NARROW_PX = 3
const EDGE = 0.02 // of what is in sight

const LIVE_STEP = 1.05

/**
 * The time that a live build is drawn on: it grows by steps, so that most bars stay where they are from one second to the next, and
 * what is built now does not touch the edge.
 *
 * @param {number} ms
 */
export const roomFor = (ms) => LIVE_STEP ** Math.ceil(Math.log(Math.max(1, ms) * 1.01) / Math.log(LIVE_STEP))

/** @typedef {{ total: number, now: number }} Extent the time that is drawn on, and how much of it is over */

/** Where a view ends that stays at the end: a little after now, however much room there is yet. @param {Extent} extent @param {number} span */
const edgeOf = ({ total, now }, span) => Math.min(total, Math.max(span, now + span * EDGE))

/** @param {View} view @param {Extent} extent @returns {Range} */
export function rangeOf(view, extent) {
	if (view.span === null || view.span >= extent.total) return { from: 0, to: extent.total }
	const edge = edgeOf(extent, view.span)
	const to = view.right === null ? edge : Math.min(edge, Math.max(view.span, view.right))
	return { from: to - view.span, to }
}

/** @param {View} view @param {Extent} extent @param {number} factor above 1 shows less @param {number} [at] stays where it is @returns {View} */
export function zoomed(view, extent, factor, at) {
	const { from, to } = rangeOf(view, extent)
	const span = Math.max(Math.min(SHORTEST_MS, extent.total), (to - from) / factor)
	if (span >= extent.total) return WHOLE
	const fixed = at ?? (from + to) / 2
	const left = Math.max(0, fixed - ((fixed - from) * span) / (to - from))
	return { span, right: left + span >= edgeOf(extent, span) ? null : left + span }
}

/** @param {View} view @param {Extent} extent @param {number} by ms, to the right @returns {View} */
export function panned(view, extent, by) {
	if (view.span === null) return view
	const to = Math.max(view.span, rangeOf(view, extent).to + by)
	return { span: view.span, right: to >= edgeOf(extent, view.span) ? null : to }
}

/** The marks of the axis in a range. @param {Range} range @param {number} width px @param {number} apart px, at least */
export function ticks({ from, to }, width, apart = 90) {
	const scale = width / (to - from)
	const step = STEPS_MS.find((each) => each * scale >= apart) ?? to - from
	const first = Math.ceil(from / step)
	return Array.from({ length: Math.max(0, Math.floor(to / step) - first + 1) }, (_, at) => ({ at: (first + at) * step, x: ((first + at) * step - from) * scale, step }))
}

/**
 * The bars of a lane that are in sight. Neighbours that are too narrow to tell apart, and are at the same state, are one.
 *
 * @param {QueueItem[]} items of one lane, in order of their begin
 * @param {{ range: Range, width: number, begin: number, end: number, critical: Set<number> }} chart `begin` and `end` in the server's ms
 * @returns {Bar[]}
 */
export function barsOf(items, { range, width, begin, end, critical }) {
	const scale = width / (range.to - range.from)
	/** @type {Bar[]} */
	const bars = []
	for (const item of items) {
		const from = startOf(item) - begin
		const to = (item.completed_at ? endOf(item) : end) - begin
		if (to < range.from || from > range.to) continue
		// A little over each edge, so that what goes on is seen to.
		const x = Math.max(-4, (from - range.from) * scale)
		const right = Math.min(width + 4, (to - range.from) * scale)
		const bar = { key: String(item.id), x, width: Math.max(1, right - x), items: [item], critical: critical.has(item.id) }
		const last = bars.at(-1)
		if (last && isOne(last, bar)) {
			last.items.push(item)
			last.width = Math.max(last.width, bar.x + bar.width - last.x)
		} else bars.push(bar)
	}
	return bars
}

/** @param {Bar} a @param {Bar} b */
function isOne(a, b) {
	const narrow = b.width < NARROW_PX && a.width / a.items.length < NARROW_PX
	return narrow && b.x - (a.x + a.width) < 1 && a.critical === b.critical && a.items[0].status === b.items[0].status
}

/**
 * @param {QueueItem[]} items
 * @param {number} [since] what ended before belongs to an earlier build, whose results were taken over
 * @returns {Lane[]} one lane per worker slot, in order of name; what no worker reported fills as few lanes as it can
 */
export function lanes(items, since = -Infinity) {
	/** @type {Map<string, Lane>} */
	const found = new Map()
	/** @type {number[]} end of what stands last in each of the lanes without worker */
	const ends = []
	const own = (/** @type {QueueItem} */ item) => !item.completed_at || endOf(item) >= since
	const begun = items.filter((item) => item.started_at && own(item)).sort((a, b) => startOf(a) - startOf(b))
	for (const item of begun) {
		const slot = item.worker ? item.slot ?? 0 : freeLane(ends, item)
		const key = `${item.worker ?? ''}/${String(slot).padStart(4, '0')}`
		const lane = found.get(key) ?? { key, label: item.worker ? `${item.worker} · ${item.slot ?? '?'}` : `lane ${slot}`, items: [] }
		lane.items.push(item)
		found.set(key, lane)
	}
	return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
}

/** @param {number[]} ends @param {QueueItem} item @returns {number} from 1 */
function freeLane(ends, item) {
	const from = startOf(item)
	const free = ends.findIndex((end) => end <= from)
	const at = free < 0 ? ends.length : free
	ends[at] = item.completed_at ? endOf(item) : Infinity
	return at + 1
}
