// SPDX-License-Identifier: MIT
import { memo, useLayoutEffect, useRef } from 'react'
import { LINE_PX } from '../lib/scroll.js'
import { runs } from '../lib/ansi.js'
import { colourAfter } from '../lib/sgr.js'

/**
 * The lines in sight, in a layer that stays in sight while the space behind it is scrolled.
 *
 * @param {object} props
 * @param {{ line: (line: number) => string | undefined, colourBefore: (line: number) => string }} props.log
 * @param {number} props.version of the log: another one is drawn anew
 * @param {number} props.from
 * @param {number} props.to
 * @param {number} props.shift share of the first line that is above the edge
 * @param {number} props.height in lines
 * @param {boolean} props.bottom the last line stands at the lower edge, however high the lines are
 * @param {{ from: number, to: number } | null} props.marked
 * @param {number | null} props.current
 * @param {(line: number, extend: boolean) => void} props.onMark
 */
export function LogLines({ log, from, to, shift, height, bottom, marked, current, onMark }) {
	const first = bottom ? Math.max(1, to - Math.ceil(height)) : from
	const layer = useRef(/** @type {HTMLDivElement | null} */ (null))
	const lines = []
	let colour = log.colourBefore(first)
	for (let line = first; line <= to; line++) {
		const text = log.line(line)
		const isMarked = marked !== null && line >= marked.from && line <= marked.to
		lines.push(<LogLine key={line} line={line} text={text} colour={colour} marked={isMarked} current={line === current} onMark={onMark} />)
		if (text !== undefined) colour = colourAfter(colour, text)
	}
	// A wrapped line has the height that it has.
	useLayoutEffect(() => {
		const el = /** @type {HTMLDivElement} */ (layer.current)
		const px = /** @type {HTMLElement | null} */ (el.firstElementChild)?.offsetHeight ?? LINE_PX
		el.style.transform = bottom ? '' : `translateY(${-shift * px}px)`
	})
	return (
		<div className="log-layer" style={{ height: height * LINE_PX }}>
			<div ref={layer} className={bottom ? 'log-lines log-lines-bottom' : 'log-lines'}>
				{lines}
			</div>
		</div>
	)
}

const LogLine = memo(
	/** @param {{ line: number, text: string | undefined, colour: string, marked: boolean, current: boolean, onMark: (line: number, extend: boolean) => void }} props */
	function LogLine({ line, text, colour, marked, current, onMark }) {
		return (
			<div className={`log-line${marked ? ' log-line-marked' : ''}${current ? ' log-line-current' : ''}`}>
				<a className="log-number" href={`#L${line}`} data-line={line} aria-label={`Line ${line}`} tabIndex={-1}
					onClick={(event) => {
						event.preventDefault()
						onMark(line, event.shiftKey)
					}} />
				<span className="log-text">{text === undefined ? <span className="log-missing" /> : <Runs text={text} colour={colour} />}</span>
			</div>
		)
	},
)

/** @param {{ text: string, colour: string }} props */
function Runs({ text, colour }) {
	const parts = runs(text, colour)
	if (parts.length === 1 && !parts[0].className && !parts[0].style) return parts[0].text
	return parts.map((run, at) => <span key={at} className={run.className} style={run.style}>{run.text}</span>)
}
