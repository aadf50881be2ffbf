// SPDX-License-Identifier: MIT
import { memo, useEffect, useRef, useState } from 'react'
import { useNavigate } from 'react-router'
import { duration } from '../lib/format.js'
import { itemLook } from '../api/statuses.js'

const LANE_PX = 30
const AXIS_PX = 26
const STEPS_S = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400, 604_800]

/**
 * Lanes and bars, drawn in seconds and stretched by one transform: as time passes no bar is drawn anew but those at work.
 *
 * @param {object} props
 * @param {{ key: string, label: string, items: import('../api/types.js').QueueItem[] }[]} props.rows
 * @param {number} props.begin
 * @param {number} props.end
 * @param {boolean} props.live
 * @param {Set<number>} props.critical
 * @param {number} props.build
 */
export function TimelineChart({ rows, begin, end, live, critical, build }) {
	const box = useRef(/** @type {HTMLDivElement | null} */ (null))
	const navigate = useNavigate()
	const [width, setWidth] = useState(800)
	useEffect(() => {
		const el = /** @type {HTMLDivElement} */ (box.current)
		const observer = new ResizeObserver(() => setWidth(Math.max(200, el.clientWidth)))
		observer.observe(el)
		return () => observer.disconnect()
	}, [])

	const seconds = ((end - begin) / 1000) * (live ? 1.02 : 1)
	const scale = width / seconds
	const step = STEPS_S.find((each) => each * scale >= 80) ?? seconds
	const ticks = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, at) => at * step)
	const height = AXIS_PX + rows.length * LANE_PX
	const endOf = (/** @type {import('../api/types.js').QueueItem} */ item) => (item.completed_at ? Date.parse(item.completed_at) : end)

	return (
		<div className="timeline-box">
			<ul className="timeline-lanes" aria-hidden="true">
				{rows.map((row) => <li key={row.key} title={row.label}>{row.label}</li>)}
			</ul>
			<div ref={box} className="timeline-chart">
				<svg width={width} height={height} role="img" aria-label={`Timeline of ${rows.length} worker slots over ${duration(end - begin)}; the table below says the same`}>
					{ticks.map((tick) => (
						<g key={tick} transform={`translate(${tick * scale} 0)`}>
							<line y1={AXIS_PX} y2={height} className="timeline-grid" />
							<text x="3" y="16" className="timeline-tick">{duration(tick * 1000)}</text>
						</g>
					))}
					<g transform={`translate(0 ${AXIS_PX}) scale(${scale} 1)`}>
						{rows.map((row, lane) => row.items.map((item) => (
							<Bar key={item.id} id={item.id} status={item.status} name={item.package.name} lane={lane} critical={critical.has(item.id)}
								x={(Date.parse(item.started_at ?? '') - begin) / 1000} length={Math.max(0.05, (endOf(item) - Date.parse(item.started_at ?? '')) / 1000)}
								onOpen={(id) => navigate(`/builds/${build}?item=${id}`)} />
						)))}
					</g>
					{rows.map((row, lane) => row.items.map((item) => {
						const x = ((Date.parse(item.started_at ?? '') - begin) / 1000) * scale
						const room = ((endOf(item) - Date.parse(item.started_at ?? '')) / 1000) * scale
						return room > 44 && <text key={item.id} x={x + 6} y={AXIS_PX + lane * LANE_PX + 20} className="timeline-text">{fit(item.package.name, room)}</text>
					}))}
					{live && <line x1={((end - begin) / 1000) * scale} x2={((end - begin) / 1000) * scale} y1="0" y2={height} className="timeline-now" />}
				</svg>
			</div>
		</div>
	)
}

/** @param {string} name @param {number} room px */
const fit = (name, room) => (name.length * 7.2 + 12 <= room ? name : `${name.slice(0, Math.max(1, Math.floor((room - 22) / 7.2)))}…`)

const Bar = memo(
	/** @param {{ id: number, status: string, name: string, lane: number, critical: boolean, x: number, length: number, onOpen: (id: number) => void }} props */
	function Bar({ id, status, name, lane, critical, x, length, onOpen }) {
		const { tone, word } = itemLook(status)
		return (
			<rect x={x} y={lane * LANE_PX + 3} width={length} height={LANE_PX - 6} vectorEffect="non-scaling-stroke"
				className={`bar bar-${tone}${critical ? ' bar-critical' : ''}`} onClick={() => onOpen(id)}>
				<title>{`${name}: ${word}, ${duration(length * 1000)}`}</title>
			</rect>
		)
	},
	(a, b) => a.status === b.status && a.lane === b.lane && a.critical === b.critical && a.x === b.x && a.length === b.length && a.id === b.id,
)
