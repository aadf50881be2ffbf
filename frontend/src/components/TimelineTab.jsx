// SPDX-License-Identifier: MIT
import { memo, useMemo, useState } from 'react'
import { useCalmBuild } from '../hooks/useCalmBuild.js'
import { useNow } from '../hooks/useNow.js'
import { useTimelineView } from '../hooks/useTimelineView.js'
import { criticalPath } from '../lib/estimate.js'
import { axisTime } from '../lib/format.js'
import { endOf, startOf } from '../lib/times.js'
import { lanes, roomFor } from '../lib/timeline.js'
import { isEnded, itemLook } from '../api/statuses.js'
import { TimelineChart } from './TimelineChart.jsx'
import { TimelineTable } from './TimelineTable.jsx'

const EVERY = 2 // beats: lanes and the longest way come from all items

/** Who built what when. @param {{ id: string }} props as in the query's key */
export function TimelineTab({ id }) {
	const build = useCalmBuild(id, EVERY)
	const items = useMemo(() => build?.queue_items ?? [], [build])
	const rows = useMemo(() => lanes(items, Date.parse(build?.created_at ?? '') || undefined), [items, build?.created_at])
	if (!build) return null
	if (rows.length === 0) return <p className="nothing">No package has begun yet: the lanes of the workers appear here.</p>
	return <Timeline build={build} items={items} rows={rows} />
}

const Timeline = memo(Drawn)

/** @param {{ build: import('../api/types.js').Build, items: import('../api/types.js').QueueItem[], rows: import('../lib/timeline.js').Lane[] }} props */
function Drawn({ build, items, rows }) {
	const ended = isEnded(build.status)
	const now = useNow(!ended)
	const [table, setTable] = useState(false)
	// The path changes with the items, not with each second of the clock.
	const critical = useMemo(() => criticalPath(items, Infinity), [items])
	const begin = useMemo(() => Math.min(...rows.map((row) => startOf(row.items[0]))), [rows])
	const lastEnd = useMemo(() => items.reduce((last, item) => Math.max(last, endOf(item) || 0), begin + 1), [items, begin])
	const end = ended ? lastEnd : Math.max(lastEnd, now)
	const { box, width, range, isWhole, handlers, zoomIn, zoomOut, showAll } = useTimelineView(ended ? end - begin : roomFor(end - begin), end - begin)

	const step = (range.to - range.from) / 10
	return (
		<div className="timeline">
			<div className="toolbar timeline-toolbar">
				<div className="buttons" role="group" aria-label="Zoom">
					<button type="button" className="tool" onClick={zoomOut} disabled={isWhole} aria-label="Show more time" title="Show more time ( - )">−</button>
					<button type="button" className="tool" onClick={zoomIn} aria-label="Show less time" title="Show less time ( + ), or Ctrl and the wheel">+</button>
					<button type="button" className="tool" onClick={showAll} disabled={isWhole} title="The whole build ( 0 )">All</button>
				</div>
				<span className="subtle number">{axisTime(range.from, step)} to {axisTime(range.to, step)}</span>
				<Key items={items} />
			</div>
			<TimelineChart rows={rows} begin={begin} end={end} live={!ended} critical={critical} build={build.id}
				range={range} width={width} box={box} handlers={handlers} isWhole={isWhole} />
			<details className="timeline-details" onToggle={(event) => setTable(event.currentTarget.open)}>
				<summary>The same as a table</summary>
				{table && <TimelineTable rows={rows} critical={critical} build={build.id} />}
			</details>
		</div>
	)
}

/** What the colours say, of those that are there. @param {{ items: import('../api/types.js').QueueItem[] }} props */
function Key({ items }) {
	const seen = new Set(items.filter((item) => item.started_at).map((item) => item.status))
	return (
		<ul className="legend timeline-key" aria-label="Key">
			{[...seen].sort().map((status) => <li key={status}><span className={`swatch bar-${itemLook(status).tone}`} aria-hidden="true" /> {itemLook(status).word}</li>)}
			<li title="The chain of needs that took longest"><span className="swatch swatch-critical" aria-hidden="true" /> the longest way</li>
		</ul>
	)
}
