// SPDX-License-Identifier: MIT
import { useEffect, useState } from 'react'
import { serverClock } from '../lib/clock.js'

/** The server's time in ms, once a second while `running`. @param {boolean} running */
export function useNow(running) {
	const [now, setNow] = useState(() => serverClock.now())
	useEffect(() => {
		if (!running) return undefined
		const timer = setInterval(() => setNow(serverClock.now()), 1000)
		return () => clearInterval(timer)
	}, [running])
	return now
}
