// SPDX-License-Identifier: MIT
import { useEffect, useLayoutEffect, useRef, useState } from 'react'
import { clamp, geometry, LINE_PX, movedBy, oneRow, positionOf, topOf } from '../lib/scroll.js'

const AT_END_PX = 15 // as good as the end

/**
 * The scroller of a log: which line is on top, and whether it follows the end. Following stops when the reader moves up and begins
 * again at the end. Where the space is scaled or lines are wrapped, wheel and keys still move by rows.
 *
 * @param {{ total: number, heightOf: ((line: number, width: number) => number) | null, startAt: number | null }} options
 *   `heightOf` where lines are wrapped; `startAt`: a line, 1-based; null follows the end
 */
export function useLogScroll({ total, heightOf, startAt }) {
	const element = useRef(/** @type {HTMLDivElement | null} */ (null))
	const written = useRef(0) // the scrollTop that we set ourselves
	const [{ height, width }, setSize] = useState({ height: 400, width: 800 })
	const [position, setPosition] = useState(startAt === null ? 0 : Math.max(0, startAt - 4))
	const [follow, setFollow] = useState(startAt === null)
	const rowsOf = heightOf ? (/** @type {number} */ line) => heightOf(line, width) : undefined
	const pane = geometry({ total, height, heightOf: rowsOf })
	const at = follow ? pane.last : clamp(pane, position)

	useEffect(() => {
		const el = /** @type {HTMLDivElement} */ (element.current)
		const observer = new ResizeObserver(() => setSize({ height: el.clientHeight, width: el.clientWidth }))
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

	/** @param {number} to */
	function moveTo(to) {
		const next = clamp(pane, to)
		setPosition(next)
		setFollow(next >= movedBy(-AT_END_PX, pane.last, total, rowsOf ?? oneRow))
	}
	/** @param {number} px */
	const moveBy = (px) => moveTo(movedBy(px, at, total, rowsOf ?? oneRow))

	const onScroll = () => {
		const { scrollTop } = /** @type {HTMLDivElement} */ (element.current)
		if (Math.abs(scrollTop - written.current) > 1) moveTo(positionOf(pane, scrollTop))
	}

	/** @param {WheelEvent} event */
	function wheel(event) {
		if (!(pane.scaled || rowsOf) || event.ctrlKey || event.shiftKey) return
		event.preventDefault()
		moveBy(event.deltaMode === 1 ? event.deltaY * 3 * LINE_PX : event.deltaY)
	}
	const latest = useRef(wheel)
	useLayoutEffect(() => {
		latest.current = wheel
	})
	useEffect(() => {
		const el = /** @type {HTMLDivElement} */ (element.current)
		const listen = (/** @type {WheelEvent} */ event) => latest.current(event)
		el.addEventListener('wheel', listen, { passive: false })
		return () => el.removeEventListener('wheel', listen)
	}, [])

	/** @param {import('react').KeyboardEvent} event */
	const onKeyDown = (event) => {
		const page = Math.max(1, Math.floor(pane.visible) - 2)
		/** @type {Record<string, number>} rows */
		const keys = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, ' ': event.shiftKey ? -page : page, Home: -Infinity, End: Infinity }
		if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return
		event.preventDefault()
		if (Number.isFinite(keys[event.key])) moveBy(keys[event.key] * LINE_PX)
		else moveTo(keys[event.key])
	}

	/** Brings a line, 1-based, into the upper third. @param {number} line */
	const showLine = (line) => moveTo(line - 1 - pane.visible / 3)

	/** Where the reader stands stays in sight. @param {boolean} on */
	function setFollowing(on) {
		setPosition(at)
		setFollow(on)
	}

	return { element, pane, at, follow, setFollow: setFollowing, onScroll, onKeyDown, showLine }
}
