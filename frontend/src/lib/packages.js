// SPDX-License-Identifier: MIT
/** Choosing and ordering a build's items. Pure. @typedef {import('../api/types.js').QueueItem} QueueItem */
import { endOf, startOf } from './times.js'

/** Failures first, then what moves, then what waits, then what is done. */
const RANKS = ['failed', 'building', 'blocked', 'queued', 'pending', 'cancelled', 'completed']

/** @param {QueueItem} item what still runs takes longest @returns {number} */
function took(item) {
	const start = startOf(item)
	if (Number.isNaN(start)) return -1
	const end = endOf(item)
	return Number.isNaN(end) ? Infinity : end - start
}

/** @param {QueueItem} a @param {QueueItem} b */
const byPosition = (a, b) => (a.position ?? 0) - (b.position ?? 0) || a.id - b.id

/** @type {Record<string, (a: QueueItem, b: QueueItem) => number>} */
const ORDERS = {
	name: (a, b) => (a.package.name < b.package.name ? -1 : a.package.name > b.package.name ? 1 : byPosition(a, b)),
	order: (a, b) => (a.level ?? 0) - (b.level ?? 0) || byPosition(a, b),
	duration: (a, b) => {
		const [x, y] = [took(a), took(b)]
		return x === y ? byPosition(a, b) : y - x
	},
}

/** The server sends them in this order already: then they are only looked through. @param {QueueItem[]} items */
function inPosition(items) {
	for (let at = 1; at < items.length; at++) if (byPosition(items[at - 1], items[at]) > 0) return items.toSorted(byPosition)
	return items
}

/** A heap for each state, each in order of position: nothing is compared. @param {QueueItem[]} items */
function byState(items) {
	/** @type {Map<string, QueueItem[]>} */
	const heaps = new Map(RANKS.map((status) => [status, []]))
	for (const item of inPosition(items)) {
		const heap = heaps.get(item.status)
		if (heap) heap.push(item)
		else heaps.set(item.status, [item])
	}
	return [...heaps.values()].flat()
}

/**
 * @param {QueueItem[]} items
 * @param {{ text: string, status: string, sort: string }} choice empty strings choose all
 * @returns {number[]} ids
 */
export function chooseItems(items, { text, status, sort }) {
	const wanted = text.trim().toLowerCase()
	const chosen = status || wanted
		? items.filter((item) => (!status || item.status === status) && (!wanted || item.package.name.toLowerCase().includes(wanted)))
		: items
	return (ORDERS[sort] ? chosen.toSorted(ORDERS[sort]) : byState(chosen)).map((item) => item.id)
}

/** @param {QueueItem[]} items @returns {Record<string, number>} */
export function countByStatus(items) {
	/** @type {Record<string, number>} */
	const counts = {}
	for (const { status } of items) counts[status] = (counts[status] ?? 0) + 1
	return counts
}

/**
 * The order on screen while somebody points at it: what was there keeps its place, what is new comes last, what is gone goes.
 *
 * @param {number[]} shown
 * @param {number[]} wanted
 * @returns {{ ids: number[], moved: number }} `moved`: rows that would stand elsewhere
 */
export function holdOrder(shown, wanted) {
	const stay = new Set(wanted)
	const had = new Set(shown)
	const ids = shown.filter((id) => stay.has(id)).concat(wanted.filter((id) => !had.has(id)))
	let moved = 0
	for (let at = 0; at < ids.length; at++) if (ids[at] !== wanted[at]) moved++
	return moved === 0 ? { ids: wanted, moved } : { ids, moved }
}
