// SPDX-License-Identifier: MIT
/**
 * One package's log as this tab holds it: the lines near the reader, in chunks, never the whole. The end comes through the log's
 * socket, which begins at a line of the last 64 KiB and then tells the growth; everything else is asked for as it comes into sight.
 * What the socket said of a line stands: an answer that was read earlier must not shorten it.
 *
 * @typedef {import('../api/types.js').LogWindow} LogWindow
 * @typedef {{ total: number, size: number, final: boolean, ready: boolean, live: boolean, error: string | null, version: number }} LogState
 *   `total` counts lines; `ready`: what the log is at is known; `live`: what is written comes; `version` grows with each change
 */
import { createBatch } from './batch.js'
import { connect, socketUrl } from './socket.js'

export const CHUNK_LINES = 200
const CHUNKS_HELD = 40
const LINE_SHOWN_MAX = 16_384 // characters, as the server's JSON has it
const SPEAKS_MS = 1000 // a log that says nothing for so long after the begin is empty yet
const FIRST_RETRY_MS = 1000
const LONGEST_RETRY_MS = 15_000

/** @type {LogState} */
export const EMPTY = { total: 0, size: 0, final: false, ready: false, live: false, error: null, version: 0 }

/** @typedef {{ lines: (string | undefined)[], usedAt: number }} Chunk */

/**
 * @param {object} options
 * @param {number} options.item
 * @param {(item: number, fromLine: number, limit: number) => Promise<LogWindow>} options.fetchWindow
 * @param {(state: LogState) => void} options.change
 */
export function openLog({ item, fetchWindow, change }) {
	/** @type {Map<number, Chunk>} */
	const chunks = new Map()
	/** @type {Set<number>} */
	const asked = new Set()
	/** @type {LogState} */
	let state = EMPTY
	let next = -1 // byte after what the socket has told
	let lineAt = 1 // 1-based: the one that the next data belongs to
	let partial = '' // its text so far
	let uses = 0
	let left = false
	/** @type {[number, number] | null} the lines in sight */
	let wanted = null
	let failures = 0
	/** @typedef {ReturnType<typeof setTimeout> | undefined} Timer */
	let retryTimer = /** @type {Timer} */ (undefined)
	let speaksTimer = /** @type {Timer} */ (undefined)

	/** @param {Partial<LogState>} changes */
	function set(changes) {
		state = { ...state, ...changes, version: state.version + 1 }
		if (!left) change(state)
	}

	/** @param {number} index */
	function chunk(index) {
		let held = chunks.get(index)
		if (!held) {
			held = { lines: [], usedAt: 0 }
			chunks.set(index, held)
			if (chunks.size > CHUNKS_HELD) forgetOldest()
		}
		held.usedAt = ++uses
		return held
	}

	function forgetOldest() {
		let oldest = -1
		let usedAt = Infinity
		for (const [index, held] of chunks) if (held.usedAt < usedAt && held.usedAt > 0) [oldest, usedAt] = [index, held.usedAt]
		chunks.delete(oldest)
	}

	/** @param {number} line @param {string} text */
	function put(line, text) {
		const at = line - 1
		chunk(Math.floor(at / CHUNK_LINES)).lines[at % CHUNK_LINES] = text
	}

	function startOver() {
		chunks.clear()
		partial = ''
		set({ total: 0, size: 0 })
	}

	/** @param {{ offset: number, next: number, line: number, data: string }} message */
	function take(message) {
		if (next >= 0 && message.offset < next) startOver()
		if (message.offset !== next) partial = ''
		const pieces = message.data.split('\n')
		lineAt = message.line
		pieces.forEach((piece, at) => {
			partial = (at === 0 ? partial + piece : piece).slice(0, LINE_SHOWN_MAX)
			const last = at === pieces.length - 1
			if (!last || partial) put(lineAt, partial)
			if (!last) lineAt++
		})
		next = message.next
		return { total: partial ? lineAt : lineAt - 1, size: next }
	}

	/** @param {any[]} messages */
	function apply(messages) {
		/** @type {Partial<LogState>} */
		let changes = {}
		for (const message of messages) {
			if (message.type === 'log' && typeof message.data === 'string') changes = { ...changes, ...take(message), ready: true }
			else if (message.type === 'log_end') changes = { ...changes, size: message.size, final: true, ready: true }
		}
		set({ ...changes, error: null })
	}

	const batch = createBatch(apply)
	const connection = connect({
		url: () => socketUrl(`/ws/builds/queue/${item}/log/${next >= 0 ? `?offset=${next}` : ''}`),
		receive: (message) => message.type !== 'heartbeat' && batch.add(message),
		change: ({ status, error }) => {
			if (status === 'closed') batch.flush()
			clearTimeout(speaksTimer)
			if (status === 'open') {
				speaksTimer = setTimeout(() => state.ready || set({ ready: true }), SPEAKS_MS)
				again()
			}
			set({ live: status === 'open', error: status === 'closed' && error ? `The log is not live: ${error.reason || `closed with ${error.code}`}` : state.error })
		},
	})

	/** What is in sight and could not be had is asked for again: by and by, and at once when the server is back. */
	function again() {
		clearTimeout(retryTimer)
		if (wanted && !left) want(...wanted)
	}

	/** @param {any} error of a window */
	function failed({ status, message }) {
		if (status >= 400 && status < 500) {
			set({ error: `The log cannot be read: ${message}`, ready: true })
			return
		}
		clearTimeout(retryTimer)
		if (!left) retryTimer = setTimeout(again, Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures++))
	}

	/** @param {number} index */
	async function ask(index) {
		asked.add(index)
		try {
			const answer = await fetchWindow(item, index * CHUNK_LINES + 1, CHUNK_LINES)
			const { lines } = chunk(index)
			answer.lines.forEach((text, at) => (lines[at] ??= text))
			failures = 0
			set({ total: Math.max(state.total, answer.total_lines), ready: true })
			asked.delete(index)
		} catch (error) {
			asked.delete(index)
			failed(error)
		}
	}

	/** @param {number} from @param {number} to */
	function want(from, to) {
		wanted = [from, to]
		for (let index = Math.floor((from - 1) / CHUNK_LINES); index <= Math.floor((to - 1) / CHUNK_LINES); index++) {
			const lines = chunks.get(index)?.lines
			let missing = false
			for (let line = Math.max(from, index * CHUNK_LINES + 1); line <= Math.min(to, (index + 1) * CHUNK_LINES); line++)
				missing ||= lines?.[line - 1 - index * CHUNK_LINES] === undefined
			if (missing && !asked.has(index)) ask(index)
		}
	}

	return {
		/** @param {number} line 1-based @returns {string | undefined} undefined: not here yet */
		line(line) {
			const held = chunks.get(Math.floor((line - 1) / CHUNK_LINES))
			if (!held) return undefined
			held.usedAt = ++uses
			return held.lines[(line - 1) % CHUNK_LINES]
		},
		/** Asks for what is missing between two lines, both 1-based and included. @param {number} from @param {number} to */
		want,
		leave() {
			left = true
			clearTimeout(retryTimer)
			clearTimeout(speaksTimer)
			connection.close()
			batch.finish()
		},
	}
}
