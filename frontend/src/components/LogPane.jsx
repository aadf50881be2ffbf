// SPDX-License-Identifier: MIT
import { useEffect, useRef, useState } from 'react'
import { useLocation, useNavigate } from 'react-router'
import { useLog } from '../hooks/useLog.js'
import { useLogScroll } from '../hooks/useLogScroll.js'
import { hashOf, linesOf, wrappedHeight } from '../lib/scroll.js'
import { LogLines } from './LogLines.jsx'
import { LogToolbar } from './LogToolbar.jsx'

const SETTLE_MS = 60 // what is only passed by in a quick scroll is not asked for
const LETTER_PX = 7.83 // of log.css
const NARROW_PX = 760

/** How many letters stand in a row beside number and padding. @param {number} width px */
const columns = (width) => Math.floor((width - (width < NARROW_PX ? 72 : 104)) / LETTER_PX)

/** Why there is nothing to be read. @param {import('../api/types.js').QueueItem} item @param {import('../live/log.js').LogState} state */
function noteOf(item, { total, final, ready, live }) {
	if (total > 0) return ''
	if (final) return 'This log is empty.'
	if (!item.started_at) return item.why || 'Not begun'
	if (ready) return 'Nothing has been written yet.'
	return live ? 'Loading the log' : 'Connecting to the log'
}

/**
 * A window over a log of any size.
 *
 * @param {{ item: import('../api/types.js').QueueItem, choice: import('react').ReactNode }} props `choice` of another log
 */
export function LogPane({ item, choice }) {
	const { log, state } = useLog(item.id)
	const { hash } = useLocation()
	const navigate = useNavigate()
	const marked = linesOf(hash)
	const [wrap, setWrap] = useState(false)
	const [current, setCurrent] = useState(/** @type {number | null} */ (null))
	const heightOf = (/** @type {number} */ line, /** @type {number} */ width) => wrappedHeight(log?.line(line + 1), columns(width))
	const scroll = useLogScroll({ total: state.total, heightOf: wrap ? heightOf : null, startAt: marked?.from ?? null })
	const { element, pane, at, follow, setFollow, onScroll, onKeyDown, showLine } = scroll
	const from = Math.max(1, Math.floor(at) + 1)
	const to = Math.min(state.total, from + Math.ceil(pane.visible) + 1)

	useEffect(() => {
		if (!log || to < from) return undefined
		const timer = setTimeout(() => log.want(from, to), SETTLE_MS)
		return () => clearTimeout(timer)
	}, [log, from, to])

	// The marks of this pane that the location has not come to yet: keys may be faster than a render.
	const ahead = useRef(/** @type {string[]} */ ([]))
	const shownHash = useRef(hash)
	useEffect(() => {
		if (shownHash.current === hash) return
		shownHash.current = hash
		const own = ahead.current.lastIndexOf(hash)
		ahead.current = own < 0 ? [] : ahead.current.slice(own + 1)
		// A link to a line within the page, such as that of a failure.
		if (marked && own < 0) showLine(marked.from)
	})
	const newest = () => linesOf(ahead.current.at(-1) ?? hash)

	const turned = useRef(false) // the mark is stretched upwards: its lower end is the one that stays

	/** @param {number} line @param {boolean} extend @param {number} [fixed] the end that stays */
	function mark(line, extend, fixed = newest()?.from) {
		const next = extend && fixed ? hashOf(fixed, line) : hashOf(line, line)
		ahead.current.push(next)
		navigate({ hash: next }, { replace: true })
	}

	/** Links to lines without a pointer: J and K move the mark, with Shift they stretch it. @param {import('react').KeyboardEvent} event */
	function key(event) {
		const step = { j: 1, k: -1 }[event.key.toLowerCase()]
		if (!step || state.total === 0 || event.ctrlKey || event.metaKey || event.altKey) return onKeyDown(event)
		event.preventDefault()
		const now = newest()
		const { from: near, to: far } = now ?? { from: 0, to: 0 }
		const end = now === null ? (step > 0 ? from : Math.min(state.total, to - 1)) : (event.shiftKey && turned.current ? near : far) + step
		const line = Math.min(state.total, Math.max(1, end))
		if (now && event.shiftKey) {
			const fixed = turned.current ? far : near
			turned.current = line < fixed
			mark(line, true, fixed)
		} else {
			turned.current = false
			mark(line, false)
		}
		if (line < from + 1 || line > to - 2) showLine(line)
	}

	/** @param {number} line */
	function go(line) {
		setCurrent(line)
		showLine(line)
	}

	return (
		<section className="log" aria-label={`Log of ${item.package.name}`}>
			<LogToolbar item={item} state={state} choice={choice} follow={follow} wrap={wrap} top={current ?? from} onFollow={setFollow} onWrap={setWrap} onGo={go} />
			<div ref={element} className={wrap ? 'log-scroll log-wrap' : 'log-scroll'} role="log" aria-live="off" tabIndex={0}
				aria-label={`Lines ${from} to ${to} of ${state.total}`} onScroll={onScroll} onKeyDown={key}
				aria-keyshortcuts="J K Shift+J Shift+K">
				<div className="log-space" style={{ height: pane.space }}>
					{log && <LogLines log={log} version={state.version} from={from} to={to} shift={at - Math.floor(at)} height={pane.visible}
						bottom={wrap && follow} marked={marked} current={current} onMark={mark} />}
				</div>
			</div>
			{state.error ? <p className="log-note" role="alert">{state.error}</p> : <p className="log-note">{noteOf(item, state)}</p>}
		</section>
	)
}
