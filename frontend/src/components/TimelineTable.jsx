// SPDX-License-Identifier: MIT
import { memo } from 'react'
import { Link } from 'react-router'
import { absolute, precise } from '../lib/format.js'
import { tookOf } from '../lib/times.js'
import { StatusLabel } from './StatusLabel.jsx'

export const TimelineTable = memo(Table)

/** @param {{ rows: import('../lib/timeline.js').Lane[], critical: Set<number>, build: number }} props */
function Table({ rows, critical, build }) {
	return (
		<div className="scroll-x" tabIndex={0} role="region" aria-label="Timeline as a table">
			<table className="plain-table">
				<thead>
					<tr><th scope="col">Lane</th><th scope="col">Package</th><th scope="col">State</th><th scope="col">Began</th><th scope="col">Took</th><th scope="col">On the longest way</th></tr>
				</thead>
				<tbody>
					{rows.map((row) => row.items.map((item) => (
						<Line key={item.id} lane={row.label} item={item} critical={critical.has(item.id)} build={build} />
					)))}
				</tbody>
			</table>
		</div>
	)
}

/** There are as many as packages: only those are drawn anew that changed. */
const Line = memo(
	/** @param {{ lane: string, item: import('../api/types.js').QueueItem, critical: boolean, build: number }} props */
	function Line({ lane, item, critical, build }) {
		const took = tookOf(item)
		return (
			<tr>
				<td>{lane}</td>
				<td><Link to={`/builds/${build}?item=${item.id}`}>{item.package.name}</Link></td>
				<td><StatusLabel status={item.status} /></td>
				<td>{absolute(item.started_at)}</td>
				<td>{took === null ? 'under way' : precise(took)}</td>
				<td>{critical ? 'yes' : ''}</td>
			</tr>
		)
	},
)
