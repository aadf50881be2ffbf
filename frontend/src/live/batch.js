// SPDX-License-Identifier: MIT
/**
 * Collects what comes in bursts: a lone message is applied at once, what follows it closely waits for the next animation frame.
 * Frames stand still in hidden tabs and in covered windows, so a timer takes their place, and what waits is applied on becoming
 * visible. Timers of a hidden tab may come a minute apart: however long that takes, no more waits than MOST.
 */
const QUIET_MS = 100 // nothing applied for so long: the next message is a lone one
const HIDDEN_MS = 1000 // without a frame
const MOST = 1000

/**
 * @template T
 * @param {(messages: T[]) => void} apply gets one or more, in order
 */
export function createBatch(apply) {
	/** @type {T[]} */
	let waiting = []
	let appliedAt = -Infinity
	/** @type {(() => void) | null} takes the planned flush back */
	let unplan = null

	function flush() {
		unplan?.()
		unplan = null
		if (waiting.length === 0) return
		const messages = waiting
		waiting = []
		appliedAt = performance.now()
		apply(messages)
	}

	function plan() {
		if (unplan) return
		const timer = setTimeout(flush, HIDDEN_MS)
		const frame = document.hidden ? null : requestAnimationFrame(flush)
		unplan = () => {
			clearTimeout(timer)
			if (frame !== null) cancelAnimationFrame(frame)
		}
	}

	// A frame that was asked for in a tab that is hidden now would not come.
	function replan() {
		if (!document.hidden) flush()
		else if (unplan) {
			unplan()
			unplan = null
			plan()
		}
	}
	document.addEventListener('visibilitychange', replan)

	return {
		/** @param {T} message */
		add(message) {
			waiting.push(message)
			if (waiting.length >= MOST || (!unplan && performance.now() - appliedAt >= QUIET_MS)) flush()
			else plan()
		},
		flush,
		/** Applies what waits; nothing comes after. */
		finish() {
			flush()
			document.removeEventListener('visibilitychange', replan)
		},
	}
}
