// SPDX-License-Identifier: MIT
import { useQuery } from '@tanstack/react-query'
import { Facts } from '../components/Facts.jsx'
import { LiveBadge } from '../components/LiveBadge.jsx'
import { Loading } from '../components/Loading.jsx'
import { Problem } from '../components/Problem.jsx'
import { ServerFigures } from '../components/ServerFigures.jsx'
import { Workers } from '../components/Workers.jsx'
import { usePageTitle } from '../hooks/usePageTitle.js'
import { useServerChanges } from '../hooks/useServerChanges.js'
import { statusQuery, workersQuery } from '../queries/server.js'

/** Shown in a way of their own, or said by `status` already. */
const FIGURES = ['builds', 'queue', 'healthy', 'workers']

/** The server as its operator wants to know it: read on coming, on coming back, and when a build changes. */
export function Status() {
	const status = useQuery(statusQuery)
	const workers = useQuery(workersQuery)
	const live = useServerChanges()
	const problem = status.error ?? workers.error ?? status.failureReason
	usePageTitle('Status')

	const all = Object.entries(status.data ?? {}).filter(([key]) => !FIGURES.includes(key))
	const isSection = (/** @type {unknown} */ value) => typeof value === 'object' && value !== null
	const sections = all.filter(([, value]) => isSection(value))
	return (
		<>
			<div className="page-head">
				<h1>Status</h1>
				<LiveBadge live={live} ended={false} />
				{status.dataUpdatedAt > 0 && <span className="subtle page-note">as of {new Date(status.dataUpdatedAt).toLocaleTimeString()}</span>}
			</div>
			{problem && <Problem error={problem} what="Reading the status" />}
			{!status.data && !problem && <Loading what="the status" />}
			{status.data && <ServerFigures status={status.data} workers={workers.data ?? []} />}
			{workers.data && <Workers workers={workers.data} />}
			{status.data && (
				<div className="cards cards-facts">
					<Facts title="Server" facts={Object.fromEntries(all.filter(([, value]) => !isSection(value)))} />
					{sections.map(([key, facts]) => <Facts key={key} title={key.replaceAll('_', ' ')} facts={facts} />)}
				</div>
			)}
		</>
	)
}
