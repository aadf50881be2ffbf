// SPDX-License-Identifier: MIT
/** Choosing and ordering a build's items. Pure. @typedef {import('../api/types.js').QueueItem} QueueItem */

/** Failures first, then what moves, then what waits, then what is done. @type {Record<string, number>} */
const RANK = { failed: 0, building: 1, blocked: 2, queued: 3, pending: 4, cancelled: 5, completed: 6 }

/** @param {QueueItem} item */
const took = (item) =>
	item.started_at ? (item.completed_at ? Date.parse(item.completed_at) : Infinity) - Date.parse(item.started_at) : -1

/** @param {QueueItem} a @param {QueueItem} b */
const byPosition = (a, b) => (a.position ?? 0) - (b.position ?? 0) || a.id - b.id

/** @type {Record<string, (a: QueueItem, b: QueueItem) => number>} */
const ORDERS = {
	state: (a, b) => (RANK[a.status] ?? 9) - (RANK[b.status] ?? 9) || byPosition(a, b),
	name: (a, b) => (a.package.name < b.package.name ? -1 : a.package.name > b.package.name ? 1 : byPosition(a, b)),
	order: (a, b) => (a.level ?? 0) - (b.level ?? 0) || byPosition(a, b),
	duration: (a, b) => took(b) - took(a) || byPosition(a, b),
}

/**
 * @param {QueueItem[]} items
 * @param {{ text: string, status: string, sort: string }} choice empty strings choose all
 * @returns {number[]} ids
 */
export function chooseItems(items, { text, status, sort }) {
	const wanted = text.trim().toLowerCase()
	return items
		.filter((item) => (!status || item.status === status) && (!wanted || item.package.name.toLowerCase().includes(wanted)))
		.sort(ORDERS[sort] ?? ORDERS.state)
		.map((item) => item.id)
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
