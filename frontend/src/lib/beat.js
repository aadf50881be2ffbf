// SPDX-License-Identifier: MIT
/**
 * One beat for all that need not follow each frame: order, counts, header, clocks, title. What changes together is drawn in one
 * heavy frame; with timers of their own each would make one. The beat comes in a frame's scripts, so that the browser lays out once;
 * where no frames come, in hidden tabs and covered windows, a timer takes their place.
 */
export const BEAT_MS = 500
const NO_FRAME_MS = 1000

/** @type {Map<() => void, number>} what to do, and at each how manieth beat */
const followers = new Map()
let beats = 0
let stop = () => {}

function plan() {
	const timer = setTimeout(() => {
		const late = setTimeout(beat, document.hidden ? 0 : NO_FRAME_MS)
		const frame = requestAnimationFrame(beat)
		stop = () => {
			clearTimeout(late)
			cancelAnimationFrame(frame)
		}
	}, BEAT_MS - (performance.now() % BEAT_MS))
	stop = () => clearTimeout(timer)
}

function beat() {
	stop()
	beats++
	plan()
	for (const [follow, every] of followers) if (beats % every === 0) follow()
}

/**
 * @param {() => void} follow
 * @param {number} [every] 2: each second beat
 * @returns {() => void} ends it
 */
export function onBeat(follow, every = 1) {
	const own = () => follow() // the same function may follow twice
	if (followers.size === 0) plan()
	followers.set(own, every)
	return () => {
		followers.delete(own)
		if (followers.size === 0) stop()
	}
}

/**
 * Does what it is asked for: at once after a pause, in a burst at the beat, and the last time always.
 *
 * @param {() => void} act
 * @param {number} [every] as in onBeat
 */
export function createPace(act, every = 1) {
	/** @type {(() => void) | null} there while a burst lasts */
	let leave = null
	let asked = false

	function end() {
		leave?.()
		leave = null
		asked = false
	}
	function follow() {
		if (!asked) return end()
		asked = false
		act()
	}
	return {
		ask() {
			if (leave) {
				asked = true
				return
			}
			leave = onBeat(follow, every)
			act()
		},
		stop: end,
	}
}
