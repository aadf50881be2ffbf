// SPDX-License-Identifier: MIT
import { request } from './client.js'

/** @param {number} id @returns {Promise<import('./types.js').QueueItemDetail>} */
export const fetchQueueItem = (id) => request(`/api/queue/${id}`)

/**
 * @param {number} id
 * @param {number} fromLine 1-based
 * @param {number} limit
 * @returns {Promise<import('./types.js').LogWindow>}
 */
export const fetchLogWindow = (id, fromLine, limit) =>
	request(`/api/queue/${id}/log?from_line=${fromLine}&limit=${limit}`)

/** @param {number} id @param {string} q @returns {Promise<import('./types.js').LogMatches>} */
export const searchLog = (id, q) => request(`/api/queue/${id}/log?q=${encodeURIComponent(q)}`)

/** @param {number} id the raw bytes, for a link */
export const rawLogUrl = (id) => `/api/queue/${id}/log`
