// SPDX-License-Identifier: MIT
import { serverClock } from '../lib/clock.js'
import { takeEarly } from './early.js'

/** The one door to HTTP: JSON in and out, and problem+json as an error that can be shown. */

/** What the server answered instead, or `status` 0 when it did not answer at all. */
export class ApiError extends Error {
	/**
	 * @param {number} status
	 * @param {string} title
	 * @param {string} [detail]
	 */
	constructor(status, title, detail) {
		super(detail || title)
		this.name = 'ApiError'
		this.status = status
		this.title = title
	}
}

/** @param {Response} answer */
async function errorOf(answer) {
	try {
		const problem = await answer.json()
		return new ApiError(answer.status, problem.title ?? answer.statusText, problem.detail)
	} catch {
		return new ApiError(answer.status, answer.statusText || `HTTP ${answer.status}`)
	}
}

/**
 * @param {string} path
 * @param {RequestInit} [options]
 * @returns {Promise<any>} the JSON of the answer, null when it has none; rejects with ApiError
 */
export async function request(path, options) {
	let answer
	try {
		answer = await ((options ? undefined : takeEarly(path)) ?? fetch(path, { credentials: 'same-origin', ...options }))
	} catch (cause) {
		if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
		throw new ApiError(0, 'The server does not answer')
	}
	serverClock.learn(answer.headers?.get('date'))
	if (!answer.ok) throw await errorOf(answer)
	return answer.status === 204 ? null : answer.json()
}

/** @param {string} path */
export const remove = (path) => request(path, { method: 'DELETE' })

/** @param {string} path @param {unknown} [body] */
export const post = (path, body) =>
	request(path, {
		method: 'POST',
		headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify(body ?? {}),
	})
