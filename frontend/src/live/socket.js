// SPDX-License-Identifier: MIT
/**
 * A connection that comes back: back-off with full jitter, the close codes' meaning, a watchdog for silence. It has no React in
 * it, and of a WebSocket it uses only the four on… properties, close() and the constructor.
 *
 * @typedef {import('../api/types.js').Message} Message
 * @typedef {'idle' | 'connecting' | 'open' | 'reconnecting' | 'closed'} Status
 * @typedef {{ code: number, reason: string }} CloseError
 * @typedef {{ status: Status, attempt: number, error: CloseError | null, since: number | null }} State
 *   `attempt` counts the tries since the connection was last open, `since` is when it was lost
 */
export const FIRST_DELAY_MS = 500
export const LONGEST_DELAY_MS = 30_000
export const LEAST_RESTART_MS = 2000 // after 1012 and 1013
export const SILENCE_MS = 45_000 // the server speaks every 20 s
export const STABLE_MS = 5000 // open for so long: the next loss begins with the shortest delay

const FATAL = new Set([1000, 1002, 1003, 1007, 1008, 1009, 1010])

/** @param {number} code */
const isFinal = (code) => FATAL.has(code) || (code >= 4000 && code <= 4999)

/** What a socket that was let go of still says is nobody's. */
const ignore = () => {}

/** @type {State} */
export const IDLE = { status: 'idle', attempt: 0, error: null, since: null }

/** @param {string} path @returns {string} */
export const socketUrl = (path) => `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${path}`

/** @param {unknown} data @returns {Message | null} null: not JSON, or no object */
function parse(data) {
	try {
		const message = JSON.parse(/** @type {string} */ (data))
		return typeof message === 'object' && message !== null ? message : null
	} catch {
		return null
	}
}

/**
 * Connects at once, synchronously.
 *
 * @param {object} options
 * @param {() => string} options.url asked before each try
 * @param {(message: Message) => void} options.receive
 * @param {(state: State) => void} options.change
 */
export function connect({ url, receive, change }) {
	/** @type {WebSocket | null} */
	let socket = null
	let state = IDLE
	let failures = 0
	let retryMs = 0 // what the last heartbeat asked for
	// Lengths of time are told by a clock that nobody sets.
	let notBefore = 0
	let heardAt = 0
	let drift = 0 // of the clock on the wall, which goes on while the computer sleeps
	/** @typedef {ReturnType<typeof setTimeout> | undefined} Timer */
	let retryTimer = /** @type {Timer} */ (undefined)
	let silenceTimer = /** @type {Timer} */ (undefined)
	let stableTimer = /** @type {Timer} */ (undefined)

	/** @param {Partial<State>} next */
	function set(next) {
		state = { ...state, ...next }
		change(state)
	}

	function stopTimers() {
		clearTimeout(retryTimer)
		clearTimeout(silenceTimer)
		clearTimeout(stableTimer)
		retryTimer = undefined
	}

	/** Lets go of the socket: nothing of it is heard any more. @param {boolean} close */
	function release(close) {
		stopTimers()
		const old = socket
		socket = null
		if (!old) return
		old.onopen = old.onmessage = old.onerror = old.onclose = ignore
		if (close) old.close()
	}

	// Looks when the time may be up: a timer for each message is too much where a thousand come in a second.
	function listen() {
		const left = heardAt + SILENCE_MS - performance.now()
		if (left > 0) {
			silenceTimer = setTimeout(listen, left)
		} else {
			release(true)
			retry(null, 0)
		}
	}

	const heard = () => (heardAt = performance.now())

	/** @param {CloseError | null} error @param {number} least */
	function retry(error, least) {
		const delay = Math.max(least, Math.random() * Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** failures))
		failures++
		notBefore = performance.now() + least
		retryTimer = setTimeout(open, delay)
		set({ status: 'reconnecting', attempt: state.attempt + 1, error, since: state.since ?? Date.now() })
	}

	/** @param {CloseEvent} event */
	function closed(event) {
		const error = { code: event?.code ?? 1006, reason: event?.reason ?? '' }
		release(false)
		if (isFinal(error.code)) {
			set({ status: 'closed', error: error.code === 1000 ? null : error, since: state.since ?? Date.now() })
		} else {
			const floor = error.code === 1012 || error.code === 1013 ? Math.max(LEAST_RESTART_MS, retryMs) : 0
			retryMs = 0
			retry(error, floor)
		}
	}

	function open() {
		release(true)
		if (state.status === 'idle' || state.status === 'closed') set({ status: 'connecting', error: null })
		const mine = new WebSocket(url())
		socket = mine
		heard()
		listen()
		drift = Date.now() - heardAt
		mine.onopen = () => {
			stableTimer = setTimeout(() => (failures = 0), STABLE_MS)
			heard()
			set({ status: 'open', attempt: 0, error: null, since: null })
		}
		mine.onmessage = ({ data }) => {
			heard()
			const message = parse(data)
			if (!message) return
			if (typeof message.retry_ms === 'number') retryMs = message.retry_ms
			receive(message)
		}
		mine.onerror = () => set({ error: { code: 0, reason: 'the connection failed' } })
		mine.onclose = closed
	}

	/** Something was lost on the way: a new connection, at once unless the last one was new itself. */
	function heal() {
		release(true)
		if (failures === 0) {
			failures++
			set({ status: 'reconnecting', attempt: state.attempt + 1, since: state.since ?? Date.now() })
			open()
		} else {
			retry(null, 0)
		}
	}

	// The network is back or somebody looks: waiting longer helps nobody, but what the server asked for holds. A connection that
	// slept with the computer is most likely dead, and no timer has noticed.
	function wake() {
		if (!document.hidden && state.status === 'open' && Date.now() - performance.now() - drift > SILENCE_MS) heal()
		if (retryTimer === undefined || document.hidden) return
		clearTimeout(retryTimer)
		retryTimer = undefined
		const left = notBefore - performance.now()
		if (left > 0) retryTimer = setTimeout(open, left)
		else open()
	}
	addEventListener('online', wake)
	document.addEventListener('visibilitychange', wake)
	open()

	return {
		/** For the reader's button: tries now, also after a final close. */
		reconnect() {
			if (state.status === 'open' || state.status === 'connecting') return
			failures = 0
			open()
		},
		heal,
		close() {
			removeEventListener('online', wake)
			document.removeEventListener('visibilitychange', wake)
			release(true)
		},
	}
}
