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

	// A link to a line within the page, such as that of a failure.
	const shownHash = useRef(hash)
	useEffect(() => {
		if (shownHash.current === hash) return
		shownHash.current = hash
		if (marked) showLine(marked.from)
	})

	/** @param {number} line @param {boolean} extend */
	function mark(line, extend) {
		const next = extend && marked ? hashOf(marked.from, line) : hashOf(line, line)
		shownHash.current = next
		navigate({ hash: next }, { replace: true })
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
				aria-label={`Lines ${from} to ${to} of ${state.total}`} onScroll={onScroll} onKeyDown={onKeyDown}>
				<div className="log-space" style={{ height: pane.space }}>
					{log && <LogLines log={log} version={state.version} from={from} to={to} shift={at - Math.floor(at)} height={pane.visible}
						bottom={wrap && follow} marked={marked} current={current} onMark={mark} />}
				</div>
			</div>
			{state.ready && state.total === 0 && <p className="log-note">{state.final ? 'This log is empty.' : 'Nothing has been written yet.'}</p>}
			{!state.ready && <p className="log-note">{item.started_at ? 'Loading the log' : item.why ?? 'Not begun'}</p>}
			{state.error && <p className="log-note" role="alert">The log is not live: {state.error}</p>}
		</section>
	)
}
