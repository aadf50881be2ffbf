// SPDX-License-Identifier: MIT
/**
 * Parts of the page that are read when they are first wanted, from a server that may be away just then, or be another version, whose
 * files have other names. The first is waited for; the second is found out by the page that the server has now, and loaded.
 */
const FIRST_DELAY_MS = 500
const LONGEST_DELAY_MS = 10_000
const TRIES = 3 // with a server that is there and has the same page

/** How many parts wait for a server that is away. */
let waiting = 0
/** @type {Set<() => void>} */
const watchers = new Set()

/** @param {number} by */
function setWaiting(by) {
	waiting += by
	for (const changed of watchers) changed()
}

export const isWaitingForServer = () => waiting > 0
/** @param {() => void} changed */
export function watchWaiting(changed) {
	watchers.add(changed)
	return () => void watchers.delete(changed)
}

/** Is the page that the server has the one that runs here? @returns {Promise<'same' | 'other' | 'away'>} */
async function compareVersions() {
	const script = document.querySelector('script[type="module"][src]')?.getAttribute('src')
	try {
		const answer = await fetch('/', { cache: 'no-store' })
		if (answer.status >= 500) return 'away'
		return !answer.ok || !script || (await answer.text()).includes(`"${script}"`) ? 'same' : 'other'
	} catch {
		return 'away'
	}
}

/** @param {number} ms or until the network is back */
const pause = (ms) =>
	new Promise((/** @type {(value: void) => void} */ done) => {
		const timer = setTimeout(end, ms)
		function end() {
			clearTimeout(timer)
			removeEventListener('online', end)
			done()
		}
		addEventListener('online', end)
	})

const RELOADED = 'reqpm-reloaded-for-a-part'
const RELOAD_AGAIN_MS = 60_000

/** A browser may keep in mind that a part could not be had, for as long as this page lives. A new one is loaded once in a minute. */
function mayReload() {
	const last = Number(sessionStorage.getItem(RELOADED) ?? -Infinity)
	if (Date.now() - last < RELOAD_AGAIN_MS) return false
	sessionStorage.setItem(RELOADED, String(Date.now()))
	return true
}

/**
 * @template T
 * @param {() => Promise<T>} load
 * @param {() => void} [reload] there is another page now, which names its own parts, or this one cannot have its part any more
 * @returns {Promise<T>} rejects when the server is there and the part is not, after a new page either
 */
export async function importAgain(load, reload = () => location.reload()) {
	let refused = 0
	for (let tries = 0; ; tries++) {
		try {
			return await load()
		} catch (error) {
			const version = await compareVersions()
			if (version === 'same') refused++
			if (version === 'other' || (refused === TRIES && mayReload())) {
				reload()
				return new Promise(() => {})
			}
			if (refused === TRIES) throw error
			const away = version === 'away' ? 1 : 0
			setWaiting(away)
			await pause(Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** tries))
			setWaiting(-away)
		}
	}
}
