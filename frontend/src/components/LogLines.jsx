// SPDX-License-Identifier: MIT
import { memo } from 'react'
import { LINE_PX } from '../lib/scroll.js'
import { runs } from '../lib/ansi.js'

/**
 * The lines in sight, in a layer that stays in sight while the space behind it is scrolled.
 *
 * @param {object} props
 * @param {{ line: (line: number) => string | undefined }} props.log
 * @param {number} props.version of the log: another one is drawn anew
 * @param {number} props.from
 * @param {number} props.to
 * @param {number} props.shift of the first line, in lines, that is above the edge
 * @param {number} props.height in lines
 * @param {boolean} props.bottom the last line stands at the lower edge, however high the lines are
 * @param {{ from: number, to: number } | null} props.marked
 * @param {number | null} props.current
 * @param {(line: number, extend: boolean) => void} props.onMark
 */
export function LogLines({ log, from, to, shift, height, bottom, marked, current, onMark }) {
	const first = bottom ? Math.max(1, to - Math.ceil(height)) : from
	const lines = []
	for (let line = first; line <= to; line++) {
		const isMarked = marked !== null && line >= marked.from && line <= marked.to
		lines.push(<LogLine key={line} line={line} text={log.line(line)} marked={isMarked} current={line === current} onMark={onMark} />)
	}
	return (
		<div className="log-layer" style={{ height: height * LINE_PX }}>
			<div className={bottom ? 'log-lines log-lines-bottom' : 'log-lines'} style={bottom ? undefined : { transform: `translateY(${-shift * LINE_PX}px)` }}>
				{lines}
			</div>
		</div>
	)
}

const LogLine = memo(
	/** @param {{ line: number, text: string | undefined, marked: boolean, current: boolean, onMark: (line: number, extend: boolean) => void }} props */
	function LogLine({ line, text, marked, current, onMark }) {
		return (
			<div className={`log-line${marked ? ' log-line-marked' : ''}${current ? ' log-line-current' : ''}`}>
				<a className="log-number" href={`#L${line}`} data-line={line} aria-label={`Line ${line}`} tabIndex={-1}
					onClick={(event) => {
						event.preventDefault()
						onMark(line, event.shiftKey)
					}} />
				<span className="log-text">{text === undefined ? <span className="log-missing" /> : <Runs text={text} />}</span>
			</div>
		)
	},
)

/** @param {{ text: string }} props */
function Runs({ text }) {
	const parts = runs(text)
	if (parts.length === 1 && !parts[0].className && !parts[0].style) return parts[0].text
	return parts.map((run, at) => <span key={at} className={run.className} style={run.style}>{run.text}</span>)
}
