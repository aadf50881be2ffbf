// SPDX-License-Identifier: MIT
/**
 * How the page shows the states of builds and queue items: one table each, in the order in which it shows them. `symbol` and `word`
 * stand together everywhere: colour is never alone.
 *
 * @typedef {import('./names.js').BuildStatus} BuildStatus
 * @typedef {import('./names.js').ItemStatus} ItemStatus
 * @typedef {{ word: string, symbol: string, tone: 'green'|'red'|'blue'|'orange'|'grey'|'purple' }} Look
 */

/** @type {Record<BuildStatus, Look>} */
export const BUILD_STATUSES = {
	pending: { word: 'pending', symbol: '·', tone: 'grey' },
	preparing: { word: 'preparing', symbol: '◔', tone: 'purple' },
	running: { word: 'running', symbol: '▶', tone: 'blue' },
	completed: { word: 'completed', symbol: '✓', tone: 'green' },
	failed: { word: 'failed', symbol: '✗', tone: 'red' },
	cancelled: { word: 'cancelled', symbol: '⊘', tone: 'grey' },
}

/** Failures first, then what moves. @type {Record<ItemStatus, Look>} */
export const ITEM_STATUSES = {
	failed: { word: 'failed', symbol: '✗', tone: 'red' },
	building: { word: 'building', symbol: '▶', tone: 'blue' },
	blocked: { word: 'blocked', symbol: '⊝', tone: 'orange' },
	queued: { word: 'ready', symbol: '○', tone: 'purple' },
	pending: { word: 'waiting', symbol: '·', tone: 'grey' },
	cancelled: { word: 'cancelled', symbol: '⊘', tone: 'grey' },
	completed: { word: 'completed', symbol: '✓', tone: 'green' },
}

const ENDED = new Set(['completed', 'failed', 'cancelled'])
const ITEM_ENDED = new Set(['completed', 'failed', 'blocked', 'cancelled'])

/** A state that this page does not know is shown by its own name. @param {string} status @returns {Look} */
export const buildLook = (status) => BUILD_STATUSES[/** @type {BuildStatus} */ (status)] ?? { word: status, symbol: '?', tone: 'grey' }
/** @param {string} status @returns {Look} */
export const itemLook = (status) => ITEM_STATUSES[/** @type {ItemStatus} */ (status)] ?? { word: status, symbol: '?', tone: 'grey' }

/** Every state that is not one of the last three is active. @param {string | undefined} status */
export const isEnded = (status) => status !== undefined && ENDED.has(status)
/** @param {string} status */
export const isItemEnded = (status) => ITEM_ENDED.has(status)
