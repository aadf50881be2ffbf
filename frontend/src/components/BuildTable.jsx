// SPDX-License-Identifier: MIT
import { memo } from 'react'
import { Link } from 'react-router'
import { useNow } from '../hooks/useNow.js'
import { absolute, ago, count, duration, elapsed } from '../lib/format.js'
import { isEnded } from '../api/statuses.js'
import { SegmentBar } from './SegmentBar.jsx'
import { StatusLabel } from './StatusLabel.jsx'

/** @typedef {import('../api/types.js').Build} Build */

/** @param {{ builds: Build[] }} props */
export function BuildTable({ builds }) {
	const now = useNow(true)
	const minute = Math.floor(now / 10_000) * 10_000
	return (
		<table className="builds-table">
			<caption className="pf-v6-screen-reader">Builds, those that run first</caption>
			<thead>
				<tr><th scope="col">State</th><th scope="col">Build</th><th scope="col">Progress</th><th scope="col">Begun</th><th scope="col">Duration</th></tr>
			</thead>
			<tbody>
				{builds.map((build) => <BuildRow key={build.id} build={build} now={isEnded(build.status) ? minute : now} />)}
			</tbody>
		</table>
	)
}

const BuildRow = memo(
	/** @param {{ build: Build, now: number }} props */
	function BuildRow({ build, now }) {
		const { id, name, status, builder, total_packages: total, completed_packages: done, failed_packages: failed } = build
		return (
			<tr>
				<td className="builds-state"><StatusLabel status={status} of="build" /></td>
				<td className="builds-name">
					<Link to={`/builds/${id}`} title={name}>{name}</Link> <span className="subtle">#{id}{builder && builder !== 'rpmbuild' ? ` · ${builder}` : ''}</span>
				</td>
				<td className="builds-progress">
					<SegmentBar build={build} small label={`${build.progress} % of ${count(total ?? 0, 'package')}`} />
					<span className="subtle">{done + failed}/{total}</span>{failed > 0 && <strong className="ink-red"> ✗ {failed}<span className="pf-v6-screen-reader"> failed</span></strong>}
				</td>
				<td className="builds-begun"><time title={absolute(build.created_at)}>{ago(build.created_at, now)}</time></td>
				<td className="builds-took">{duration(elapsed(build.started_at, build.completed_at, now))}</td>
			</tr>
		)
	},
)
