// SPDX-License-Identifier: MIT
import { useMemo, useState } from 'react'
import { useNow } from '../hooks/useNow.js'
import { criticalPath, lanes } from '../lib/estimate.js'
import { isEnded } from '../api/statuses.js'
import { TimelineChart } from './TimelineChart.jsx'
import { TimelineTable } from './TimelineTable.jsx'

/** Who built what when. @param {{ build: import('../api/types.js').Build }} props */
export function TimelineTab({ build }) {
	const ended = isEnded(build.status)
	const now = useNow(!ended)
	const [table, setTable] = useState(false)
	const items = useMemo(() => build.queue_items ?? [], [build.queue_items])
	const rows = useMemo(() => lanes(items), [items])
	const end = build.completed_at ? Date.parse(build.completed_at) : now
	// The path changes with the items, not with each second of the clock.
	const critical = useMemo(() => criticalPath(items, Infinity), [items])
	if (rows.length === 0) return <p className="subtle">No package has begun yet: the lanes of the workers appear here.</p>

	const begin = rows.reduce((first, row) => Math.min(first, ...row.items.map((item) => Date.parse(item.started_at ?? ''))), end)
	return (
		<div className="timeline">
			<TimelineChart rows={rows} begin={begin} end={Math.max(end, begin + 1000)} live={!ended} critical={critical} build={build.id} />
			<p className="subtle timeline-key">
				One lane per worker slot. Outlined: the chain of packages that took the longest way to where the build is now.
			</p>
			<details className="timeline-details" onToggle={(event) => setTable(event.currentTarget.open)}>
				<summary>The same as a table</summary>
				{table && <TimelineTable rows={rows} critical={critical} build={build.id} />}
			</details>
		</div>
	)
}
