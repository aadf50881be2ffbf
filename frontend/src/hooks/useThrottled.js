// SPDX-License-Identifier: MIT
import { useEffect, useRef, useState } from 'react'

/**
 * A value for what is costly to draw or better looked at in peace: a change after a pause is followed at once, in a burst the newest
 * one each `ms`, and the last one always.
 *
 * @template T
 * @param {T} value
 * @param {number} ms
 */
export function useThrottled(value, ms) {
	const [shown, setShown] = useState(value)
	const shownAt = useRef(-Infinity)
	useEffect(() => {
		if (Object.is(value, shown)) return undefined
		const show = () => {
			shownAt.current = performance.now()
			setShown(value)
		}
		const timer = setTimeout(show, shownAt.current + ms - performance.now())
		return () => clearTimeout(timer)
	}, [value, shown, ms])
	return shown
}
