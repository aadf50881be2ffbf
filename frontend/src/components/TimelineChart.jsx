// SPDX-License-Identifier: MIT
import { memo } from 'react'
import { useNavigate } from 'react-router'
import { axisTime, duration, precise } from '../lib/format.js'
import { tookOf } from '../lib/times.js'
import { barsOf, ticks } from '../lib/timeline.js'
import { itemLook } from '../api/statuses.js'

/** @typedef {import('../lib/timeline.js').Bar} BarShape */

const LANE_PX = 30
const AXIS_PX = 26
const LETTER_PX = 7.2
const MARK_PX = 44 // what the words of a mark need

/**
 * Lanes and bars. What is too narrow to be told apart is drawn as one, so that the number of shapes follows the screen and not the build.
 *
 * @param {object} props
 * @param {import('../lib/timeline.js').Lane[]} props.rows
 * @param {number} props.begin
 * @param {number} props.end
 * @param {boolean} props.live
 * @param {Set<number>} props.critical
 * @param {number} props.build
 * @param {import('../lib/timeline.js').Range} props.range what is in sight
 * @param {number} props.width px
 * @param {import('react').Ref<HTMLDivElement>} props.box
 * @param {Pick<import('react').HTMLAttributes<HTMLElement>, 'onKeyDown' | 'onPointerDown' | 'onPointerMove' | 'onClickCapture'>} props.handlers
 * @param {boolean} props.isWhole
 */
export function TimelineChart({ rows, begin, end, live, critical, build, range, width, box, handlers, isWhole }) {
	const navigate = useNavigate()
	const height = AXIS_PX + rows.length * LANE_PX
	const bars = rows.map((row) => barsOf(row.items, { range, width, begin, end, critical }))
	const now = ((end - begin - range.from) / (range.to - range.from)) * width
	const label = `Timeline of ${rows.length} lanes over ${duration(end - begin)}, ${axisTime(range.from, 1000)} to ${axisTime(range.to, 1000)} in sight; the table below says the same`

	return (
		<div className="timeline-box">
			<ul className="timeline-lanes" aria-hidden="true">
				{rows.map((row) => <li key={row.key} title={row.label}>{row.label}</li>)}
			</ul>
			<div ref={box} className={isWhole ? 'timeline-chart' : 'timeline-chart timeline-zoomed'} tabIndex={0} role="group" aria-label={label}
				aria-keyshortcuts="+ - 0 ArrowLeft ArrowRight" {...handlers}>
				<svg width={width} height={height} aria-hidden="true">
					{ticks(range, width).map(({ at, x, step }) => (
						<g key={at} transform={`translate(${x} 0)`}>
							<line y1={AXIS_PX - 6} y2={height} className="timeline-grid" />
							{x < width - MARK_PX && <text x="4" y="16" className="timeline-tick">{axisTime(at, step)}</text>}
						</g>
					))}
					{bars.map((lane, at) => (
						<g key={rows[at].key} transform={`translate(0 ${AXIS_PX + at * LANE_PX})`}>
							{lane.map((bar) => <Bar key={bar.key} {...shapeOf(bar)} onOpen={(id) => navigate(`/builds/${build}?item=${id}`)} />)}
						</g>
					))}
					{live && now <= width && <line x1={now} x2={now} y1="0" y2={height} className="timeline-now" />}
				</svg>
			</div>
		</div>
	)
}

/** @param {BarShape} bar */
function shapeOf({ x, width, items, critical }) {
	const [{ id, status, package: { name } }] = items
	const { tone, word, symbol } = itemLook(status)
	const took = tookOf(items[0])
	const title = items.length === 1 ? `${name}: ${word}, ${took === null ? 'under way' : precise(took)}` : `${items.length} packages: ${word}, ${name} to ${items[items.length - 1].package.name}`
	const text = status === 'completed' ? name : `${symbol} ${name}`
	// A bar that began outside keeps its name in sight.
	const room = width + Math.min(0, x) - 10
	return { id, x, width, tone, critical, title, text: items.length === 1 && room > 36 ? fit(text, room) : '' }
}

/** @param {string} text @param {number} room px */
const fit = (text, room) => (text.length * LETTER_PX <= room ? text : `${text.slice(0, Math.max(1, Math.floor(room / LETTER_PX) - 1))}…`)

const Bar = memo(
	/** @param {ReturnType<typeof shapeOf> & { onOpen: (id: number) => void }} props */
	function Bar({ id, x, width, tone, critical, title, text, onOpen }) {
		const gap = width > 3 ? 1 : 0
		return (
			<g className="bar-group" onClick={() => onOpen(id)}>
				<title>{critical ? `${title}, on the longest way` : title}</title>
				<rect x={x} y="3" width={width - gap} height={LANE_PX - 6} rx={width > 8 ? 3 : 0} className={`bar bar-${tone}`} />
				{critical && width < 6 && <rect x={x} y="0" width={Math.max(2, width - gap)} height={LANE_PX} className="bar-critical-thin" />}
				{critical && width >= 6 && <rect x={x + 1} y="4" width={width - gap - 2} height={LANE_PX - 8} rx="2" className="bar-critical" />}
				{text && <text x={Math.max(0, x) + 7} y="19" className="timeline-text">{text}</text>}
			</g>
		)
	},
	(a, b) => a.id === b.id && a.x === b.x && a.width === b.width && a.title === b.title && a.critical === b.critical && a.text === b.text && a.tone === b.tone,
)
