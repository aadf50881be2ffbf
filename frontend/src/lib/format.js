// SPDX-License-Identifier: MIT
/** Times, sizes and counts as words. */

/** @param {number | null | undefined} ms @returns {string} 9 s, 3 m 12 s, 2 h 05 m, 3 d 4 h */
export function duration(ms) {
	if (ms === null || ms === undefined) return ''
	const s = Math.max(0, Math.floor(ms / 1000))
	const two = (/** @type {number} */ n) => String(n).padStart(2, '0')
	if (s < 60) return `${s} s`
	if (s < 3600) return `${Math.floor(s / 60)} m ${two(s % 60)} s`
	if (s < 86_400) return `${Math.floor(s / 3600)} h ${two(Math.floor((s % 3600) / 60))} m`
	return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`
}

/** @param {number | null | undefined} ms @returns {string} what a short thing took: 0.04 s, 0.4 s, 3.4 s, then as `duration` */
export function precise(ms) {
	if (ms === null || ms === undefined || ms >= 10_000) return duration(ms)
	return `${(Math.max(0, ms) / 1000).toFixed(ms < 95 ? 2 : 1)} s`
}

/** @param {number} ms from the begin @param {number} step what must be told apart @returns {string} 1:05, 2:03:00, 1.25 s */
export function axisTime(ms, step) {
	const s = ms / 1000
	if (step < 1000 && s < 60) return `${s.toFixed(step < 100 ? 2 : 1)} s`
	if (s < 60) return `${Math.round(s)} s`
	const two = (/** @type {number} */ n) => String(n).padStart(2, '0')
	const whole = Math.floor(step < 1000 ? s : Math.round(s))
	const part = step < 1000 ? `.${Math.floor((s - whole) * 10)}` : ''
	const hours = Math.floor(whole / 3600)
	return `${hours ? `${hours}:${two(Math.floor((whole % 3600) / 60))}` : Math.floor(whole / 60)}:${two(whole % 60)}${part}`
}

/** @param {number} ms @returns {string} rough, for what is only estimated */
export function roughDuration(ms) {
	const minutes = ms / 60_000
	if (minutes < 1) return 'less than a minute'
	if (minutes < 90) return `~${Math.round(minutes)} min`
	return `~${(minutes / 60).toFixed(1)} h`
}

/** @param {string | null | undefined} from @param {string | null | undefined} to @param {number} now @returns {number | null} */
export function elapsed(from, to, now) {
	if (!from) return null
	return Math.max(0, (to ? Date.parse(to) : now) - Date.parse(from))
}

/** @param {string | null | undefined} at @param {number} now */
export function ago(at, now) {
	if (!at) return ''
	const ms = now - Date.parse(at)
	if (ms < 5000) return 'just now'
	return ms < 60_000 ? `${Math.floor(ms / 1000)} s ago` : `${duration(ms).replace(/ \d+ s$/, '')} ago`
}

/** What the command line takes for the server when nothing is said. */
const USUAL_SERVERS = ['http://127.0.0.1:8000', 'http://localhost:8000']

/** A line for a terminal that reaches this very server. @param {string} words @param {string} [origin] */
export const commandLine = (words, origin = location.origin) => (USUAL_SERVERS.includes(origin) ? words : `${words} --server ${origin}`)

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB']

/** @param {number | null | undefined} bytes */
export function size(bytes) {
	if (bytes === null || bytes === undefined) return ''
	let n = bytes
	let unit = 0
	while (n >= 1024 && unit < UNITS.length - 1) {
		n /= 1024
		unit++
	}
	return `${unit === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${UNITS[unit]}`
}

/** 1,234,567. The first use of Intl in a page takes a tenth of a second, so none is made for this or for times. @param {number} n */
export const grouped = (n) => String(n).replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, ',')

/** @param {number} n @param {string} one @param {string} [many] */
export const count = (n, one, many = `${one}s`) => `${grouped(n)} ${n === 1 ? one : many}`

/** @param {string | null | undefined} at @returns {string} 2026-02-11 08:00:20, in the reader's own time zone */
export function absolute(at) {
	if (!at) return ''
	const time = new Date(at)
	const two = (/** @type {number} */ n) => String(n).padStart(2, '0')
	const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-')
	return `${day} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')}`
}
