// SPDX-License-Identifier: MIT
/** When will it be done, and which chain of packages decides that? Pure. @typedef {import('../api/types.js').QueueItem} QueueItem */

import { endOf, startOf, tookOf } from './times.js'

/** @param {QueueItem} item */
const isOpen = (item) => item.status === 'pending' || item.status === 'queued' || item.status === 'building'

/** @param {QueueItem[]} items @returns {number | null} what a package took here, for those that were never built before */
function typical(items) {
	let sum = 0
	let n = 0
	for (const item of items) {
		const ms = item.status === 'completed' ? tookOf(item) : null
		if (ms === null) continue
		sum += ms
		n++
	}
	return n > 0 ? sum / n : null
}

/**
 * The longer of two bounds: the work left spread over the slots in use, and the longest chain of needs.
 *
 * @param {QueueItem[]} items
 * @param {number} now
 * @returns {{ ms: number, known: number } | null} null: nothing is left, or nothing is known; `known`: share of the items left whose last duration is known
 */
export function estimate(items, now) {
	const open = items.filter(isOpen)
	if (open.length === 0) return null
	const usual = typical(items)
	if (usual === null && !open.every((item) => item.last_duration_ms)) return null
	/** @type {Map<number, number>} */
	const left = new Map()
	let work = 0
	for (const item of open) {
		const spent = item.status === 'building' && item.started_at ? now - startOf(item) : 0
		const ms = Math.max(0, (item.last_duration_ms ?? usual ?? 0) - spent)
		left.set(item.id, ms)
		work += ms
	}
	const slots = Math.max(1, open.filter((item) => item.status === 'building').length)
	const known = open.filter((item) => item.last_duration_ms).length / open.length
	return { ms: Math.max(work / slots, longestChain(open, left)), known }
}

/** Items come by level, needs before those that need them. @param {QueueItem[]} open @param {Map<number, number>} left */
function longestChain(open, left) {
	/** @type {Map<number, number>} */
	const until = new Map()
	let longest = 0
	for (const item of [...open].sort((a, b) => (a.level ?? 0) - (b.level ?? 0))) {
		let begin = 0
		for (const need of item.needs ?? []) begin = Math.max(begin, until.get(need) ?? 0)
		const end = begin + (left.get(item.id) ?? 0)
		until.set(item.id, end)
		longest = Math.max(longest, end)
	}
	return longest
}

/**
 * From the item that ended (or runs) last back through the need that it waited for longest.
 *
 * @param {QueueItem[]} items
 * @param {number} now
 * @returns {Set<number>} ids
 */
export function criticalPath(items, now) {
	const byId = new Map(items.map((item) => [item.id, item]))
	const until = (/** @type {QueueItem} */ item) => (item.started_at ? (item.completed_at ? endOf(item) : now) : -Infinity)
	const path = new Set(/** @type {number[]} */ ([]))
	let at = latest(items, until)
	while (at && !path.has(at.id)) {
		path.add(at.id)
		at = latest((at.needs ?? []).flatMap((id) => byId.get(id) ?? []), until)
	}
	return path
}

/** @param {QueueItem[]} items @param {(item: QueueItem) => number} until */
function latest(items, until) {
	/** @type {QueueItem | undefined} */
	let found
	for (const item of items) if (until(item) > -Infinity && (!found || until(item) > until(found))) found = item
	return found
}
