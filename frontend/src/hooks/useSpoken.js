// SPDX-License-Identifier: MIT
import { useEffect, useRef, useState } from 'react'

export const PAUSE_MS = 30_000

/** One voice for the whole page: two that each keep their pause would still speak twice as often. */
let spokenAt = -Infinity

/**
 * What a screen reader is told of something that changes by itself: at most once in 30 s. A change of `urgent` is told at once.
 *
 * @param {string} text
 * @param {string | number | boolean} [urgent]
 */
export function useSpoken(text, urgent) {
	const [spoken, setSpoken] = useState('')
	const told = useRef(urgent)

	useEffect(() => {
		if (text === spoken) return undefined
		let timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined)
		function speak() {
			const left = told.current === urgent ? spokenAt + PAUSE_MS - performance.now() : 0
			if (left > 0) {
				timer = setTimeout(speak, left)
				return
			}
			spokenAt = performance.now()
			told.current = urgent
			setSpoken(text)
		}
		timer = setTimeout(speak)
		return () => clearTimeout(timer)
	}, [text, spoken, urgent])

	return spoken
}
