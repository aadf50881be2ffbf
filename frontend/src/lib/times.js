// SPDX-License-Identifier: MIT
/**
 * When an item began and ended, in ms. Thousands of them are asked once a second, and to read a date is dear: what was read is kept for
 * as long as the item is, which is never changed but replaced. Pure. @typedef {import('../api/types.js').QueueItem} QueueItem
 */

/** @type {WeakMap<QueueItem, { start: number, end: number }>} */
const known = new WeakMap()

/** @param {QueueItem} item */
function timesOf(item) {
	let times = known.get(item)
	if (!times) {
		times = { start: item.started_at ? Date.parse(item.started_at) : NaN, end: item.completed_at ? Date.parse(item.completed_at) : NaN }
		known.set(item, times)
	}
	return times
}

/** @param {QueueItem} item @returns {number} NaN: it has not begun */
export const startOf = (item) => timesOf(item).start

/** @param {QueueItem} item @returns {number} NaN: it has not ended */
export const endOf = (item) => timesOf(item).end

/** @param {QueueItem} item @returns {number | null} null: it has not begun and ended */
export function tookOf(item) {
	const { start, end } = timesOf(item)
	return Number.isNaN(start) || Number.isNaN(end) ? null : Math.max(0, end - start)
}
