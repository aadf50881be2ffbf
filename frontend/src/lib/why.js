// SPDX-License-Identifier: MIT
/** Why a package is not built yet, by name. Pure. @typedef {import('../api/types.js').QueueItem} QueueItem */

const NAMED = 2 // the rest is a number

/** Those that are nearest to being done come first. @type {Record<string, number>} */
const NEARNESS = { building: 0, queued: 1, pending: 2 }

/** The needs of an item that have not completed, nearest first. @param {QueueItem} item @param {Pick<Map<number, QueueItem>, 'get'>} byId */
export function openNeeds(item, byId) {
	const needs = (item.needs ?? []).flatMap((id) => byId.get(id) ?? [])
	return needs.filter((need) => need.status !== 'completed').sort((a, b) => (NEARNESS[a.status] ?? 3) - (NEARNESS[b.status] ?? 3))
}

/**
 * A waiting item says for whom; every other one says what the server says.
 *
 * @param {QueueItem} item
 * @param {Pick<Map<number, QueueItem>, 'get'>} byId
 * @returns {string}
 */
export function whyText(item, byId) {
	const names = item.status === 'pending' ? openNeeds(item, byId).map((need) => need.package.name) : []
	if (names.length === 0) return item.why ?? ''
	const shown = names.length === NAMED + 1 ? names : names.slice(0, NAMED)
	const more = names.length - shown.length
	return `waits for ${listed(more > 0 ? [...shown, `${more} more`] : shown)}`
}

/** @param {string[]} words a, b and c */
const listed = (words) => (words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`)
