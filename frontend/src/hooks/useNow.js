// SPDX-License-Identifier: MIT
import { useCallback, useSyncExternalStore } from 'react'
import { onBeat } from '../lib/beat.js'
import { serverClock } from '../lib/clock.js'

const EVERY = 2 // beats: once a second
const STALE_MS = 1500 // when nobody followed the beat, or the server's clock turned out to be another

let now = 0

/** One time for all who show one; those who come between two beats see what the others see. */
function read() {
	const exact = serverClock.now()
	if (Math.abs(exact - now) > STALE_MS) now = exact
	return now
}

/** The server's time in ms, once a second while `running`. @param {boolean} running */
export function useNow(running) {
	const subscribe = useCallback((/** @type {() => void} */ changed) => {
		if (!running) return () => {}
		return onBeat(() => {
			now = serverClock.now()
			changed()
		}, EVERY)
	}, [running])
	return useSyncExternalStore(subscribe, read)
}
