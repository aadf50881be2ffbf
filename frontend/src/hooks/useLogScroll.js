// SPDX-License-Identifier: MIT
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react'
import { clamp, geometry, LINE_PX, positionOf, topOf } from '../lib/scroll.js'

const AT_END = 0.75 // of a line: as good as the end

/**
 * The scroller of a log: which line is on top, and whether it follows the end. Following stops when the reader moves up and begins
 * again at the end. Where the space is scaled, wheel and keys still move by lines.
 *
 * @param {{ total: number, wrap: boolean, startAt: number | null }} options `startAt`: a line, 1-based; null follows the end
 */
export function useLogScroll({ total, wrap, startAt }) {
	const element = useRef(/** @type {HTMLDivElement | null} */ (null))
	const written = useRef(0) // the scrollTop that we set ourselves
	const [height, setHeight] = useState(400)
	const [position, setPosition] = useState(startAt === null ? 0 : Math.max(0, startAt - 4))
	const [follow, setFollow] = useState(startAt === null)
	const pane = geometry({ total, height, wrap })
	const at = follow ? pane.last : clamp(pane, position)

	useEffect(() => {
		const el = /** @type {HTMLDivElement} */ (element.current)
		const observer = new ResizeObserver(() => setHeight(el.clientHeight))
		observer.observe(el)
		return () => observer.disconnect()
	}, [])

	// The scroll bar goes where the position is; the event that this causes is our own.
	useLayoutEffect(() => {
		const el = /** @type {HTMLDivElement} */ (element.current)
		const top = Math.round(topOf(pane, at))
		if (Math.abs(el.scrollTop - top) > 1) el.scrollTop = top
		written.current = el.scrollTop
	})

	const moveTo = useCallback((/** @type {number} */ to) => {
		const next = clamp(pane, to)
		setPosition(next)
		setFollow(next >= pane.last - AT_END)
	}, [pane])

	const onScroll = () => {
		const { scrollTop } = /** @type {HTMLDivElement} */ (element.current)
		if (Math.abs(scrollTop - written.current) > 1) moveTo(positionOf(pane, scrollTop))
	}

	useEffect(() => {
		const el = /** @type {HTMLDivElement} */ (element.current)
		/** @param {WheelEvent} event */
		function wheel(event) {
			if (!pane.scaled || event.ctrlKey || event.shiftKey) return
			event.preventDefault()
			moveTo(at + (event.deltaMode === 1 ? event.deltaY * 3 : event.deltaY / LINE_PX))
		}
		el.addEventListener('wheel', wheel, { passive: false })
		return () => el.removeEventListener('wheel', wheel)
	}, [pane.scaled, at, moveTo])

	/** @param {import('react').KeyboardEvent} event */
	const onKeyDown = (event) => {
		const page = Math.max(1, Math.floor(pane.visible) - 2)
		/** @type {Record<string, number>} */
		const keys = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: pane.last, ' ': at + page }
		if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return
		event.preventDefault()
		moveTo(keys[event.key])
	}

	/** Brings a line, 1-based, into the upper third. @param {number} line */
	const showLine = (line) => moveTo(line - 1 - pane.visible / 3)

	return { element, pane, at, follow, setFollow, onScroll, onKeyDown, showLine }
}
