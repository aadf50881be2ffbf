// SPDX-License-Identifier: MIT
import { useEffect, useRef, useState } from 'react'
import { panned, rangeOf, WHOLE, zoomed } from '../lib/timeline.js'

const STEP = 1.5
const DRAG_PX = 4 // less is a click

/**
 * Which part of a timeline is in sight: zoom by Ctrl and the wheel, the keys + and -, and buttons; pan by dragging, the wheel
 * sideways and the arrow keys; 0 shows all.
 *
 * @param {number} total ms
 * @param {number} now ms of it that are over
 */
export function useTimelineView(total, now) {
	const box = useRef(/** @type {HTMLDivElement | null} */ (null))
	const [width, setWidth] = useState(800)
	const [view, setView] = useState(WHOLE)
	const drag = useRef(/** @type {{ x: number, moved: boolean } | null} */ (null))
	const range = rangeOf(view, { total, now })
	const perPx = (range.to - range.from) / width

	/** @param {number} factor @param {number} [at] */
	const zoom = (factor, at) => setView((old) => zoomed(old, { total, now }, factor, at))
	/** @param {number} px */
	const pan = (px) => setView((old) => panned(old, { total, now }, px * perPx))

	/** @param {WheelEvent} event */
	function wheel(event) {
		const sideways = event.shiftKey ? event.deltaY : event.deltaX
		if (event.ctrlKey || event.metaKey) {
			const x = event.clientX - /** @type {HTMLDivElement} */ (box.current).getBoundingClientRect().left
			zoom(Math.exp(-event.deltaY / 300), range.from + x * perPx)
		} else if (sideways && view.span !== null) pan(sideways)
		else return
		event.preventDefault()
	}
	const latest = useRef(wheel)
	useEffect(() => {
		latest.current = wheel
	})
	useEffect(() => {
		const el = /** @type {HTMLDivElement} */ (box.current)
		const observer = new ResizeObserver(() => setWidth(Math.max(120, el.clientWidth)))
		const listen = (/** @type {WheelEvent} */ event) => latest.current(event)
		observer.observe(el)
		el.addEventListener('wheel', listen, { passive: false })
		return () => {
			observer.disconnect()
			el.removeEventListener('wheel', listen)
		}
	}, [])

	/** @param {import('react').KeyboardEvent} event */
	function onKeyDown(event) {
		/** @type {Record<string, () => void>} */
		const keys = {
			'+': () => zoom(STEP), '=': () => zoom(STEP), '-': () => zoom(1 / STEP), 0: () => setView(WHOLE),
			ArrowLeft: () => pan(-width / 5), ArrowRight: () => pan(width / 5), Home: () => pan(-total / perPx), End: () => pan(total / perPx),
		}
		if (!(event.key in keys) || event.ctrlKey || event.metaKey || event.altKey) return
		event.preventDefault()
		keys[event.key]()
	}

	const handlers = {
		onKeyDown,
		/** @param {import('react').PointerEvent} event */
		onPointerDown: (event) => void (drag.current = event.button === 0 ? { x: event.clientX, moved: false } : null),
		/** @param {import('react').PointerEvent<HTMLElement>} event */
		onPointerMove(event) {
			const from = drag.current
			if (!from || event.buttons === 0 || (!from.moved && Math.abs(event.clientX - from.x) < DRAG_PX)) return
			if (!from.moved) event.currentTarget.setPointerCapture(event.pointerId)
			pan(from.x - event.clientX)
			drag.current = { x: event.clientX, moved: true }
		},
		/** The click at the end of a drag opens nothing. @param {import('react').MouseEvent} event */
		onClickCapture(event) {
			if (drag.current?.moved) event.stopPropagation()
			drag.current = null
		},
	}

	return {
		box, width, range, isWhole: view.span === null, handlers,
		zoomIn: () => zoom(STEP), zoomOut: () => zoom(1 / STEP), showAll: () => setView(WHOLE),
	}
}
