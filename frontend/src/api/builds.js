// SPDX-License-Identifier: MIT
import { post, remove, request } from './client.js'

/** @typedef {import('./types.js').Build} Build */

/** @param {string | number} id @returns {Promise<Build>} */
export const fetchBuild = (id) => request(`/api/builds/${encodeURIComponent(id)}`)

/**
 * @param {{ status?: string, q?: string, after?: number | null }} filter
 * @returns {Promise<{ items: Build[], next: number | null }>}
 */
export function fetchBuilds({ status, q, after }) {
	const query = new URLSearchParams({ limit: '50' })
	if (status) query.set('status', status)
	if (q) query.set('q', q)
	if (after) query.set('after', String(after))
	return request(`/api/builds?${query}`)
}

/** @param {Record<string, unknown>} submission @returns {Promise<Build>} */
export const createBuild = (submission) => post('/api/builds', submission)

/** @param {string | number} id @returns {Promise<Build>} */
export const cancelBuild = (id) => post(`/api/builds/${encodeURIComponent(id)}/cancel`)

/** @param {string | number} id @returns {Promise<Build>} the new build */
export const retryBuild = (id) => post(`/api/builds/${encodeURIComponent(id)}/retry`)

/** An ended one. @param {string | number} id @returns {Promise<null>} */
export const deleteBuild = (id) => remove(`/api/builds/${encodeURIComponent(id)}`)

/** @param {string | number} id @returns {Promise<{ items: import('./types.js').Artifact[] }>} */
export const fetchArtifacts = (id) => request(`/api/builds/${encodeURIComponent(id)}/artifacts`)
