// SPDX-License-Identifier: MIT
import { Link } from 'react-router'
import { absolute, elapsed, precise } from '../lib/format.js'
import { StatusLabel } from './StatusLabel.jsx'

/**
 * @param {object} props
 * @param {import('../lib/timeline.js').Lane[]} props.rows
 * @param {Set<number>} props.critical
 * @param {number} props.build
 */
export function TimelineTable({ rows, critical, build }) {
	return (
		<div className="scroll-x" tabIndex={0} role="region" aria-label="Timeline as a table">
			<table className="plain-table">
				<thead>
					<tr><th scope="col">Lane</th><th scope="col">Package</th><th scope="col">State</th><th scope="col">Began</th><th scope="col">Took</th><th scope="col">On the longest way</th></tr>
				</thead>
				<tbody>
					{rows.map((row) => row.items.map((item) => (
						<tr key={item.id}>
							<td>{row.label}</td>
							<td><Link to={`/builds/${build}?item=${item.id}`}>{item.package.name}</Link></td>
							<td><StatusLabel status={item.status} /></td>
							<td>{absolute(item.started_at)}</td>
							<td>{item.completed_at ? precise(elapsed(item.started_at, item.completed_at, 0)) : 'under way'}</td>
							<td>{critical.has(item.id) ? 'yes' : ''}</td>
						</tr>
					)))}
				</tbody>
			</table>
		</div>
	)
}
