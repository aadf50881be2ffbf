// SPDX-License-Identifier: MIT
/** The first question of a page, asked while its scripts are still being read. */

/** @type {Map<string, Promise<Response>>} */
const asked = new Map()

/** @param {string} path what the page will ask for first */
export function askEarly(path) {
	const answer = fetch(path, { credentials: 'same-origin' })
	answer.catch(() => {}) // told to whoever takes it
	asked.set(path, answer)
}

/** @param {string} path @returns {Promise<Response> | undefined} given once: who asks again wants to know what is now */
export function takeEarly(path) {
	const answer = asked.get(path)
	asked.delete(path)
	return answer
}
