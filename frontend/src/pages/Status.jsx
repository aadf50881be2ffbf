// SPDX-License-Identifier: MIT
import { useQuery } from '@tanstack/react-query'
import { Facts } from '../components/Facts.jsx'
import { Loading } from '../components/Loading.jsx'
import { Problem } from '../components/Problem.jsx'
import { Workers } from '../components/Workers.jsx'
import { usePageTitle } from '../hooks/usePageTitle.js'
import { statusQuery, workersQuery } from '../queries/server.js'

/** The server as its operator wants to know it. Asked again every few seconds while it is looked at. */
export function Status() {
	const status = useQuery(statusQuery)
	const workers = useQuery(workersQuery)
	const problem = status.error ?? workers.error ?? status.failureReason
	usePageTitle('Status')

	const sections = Object.entries(status.data ?? {}).filter(([, value]) => typeof value === 'object' && value !== null)
	const rest = Object.fromEntries(Object.entries(status.data ?? {}).filter(([, value]) => typeof value !== 'object' || value === null))
	return (
		<>
			<div className="page-head"><h1>Status</h1></div>
			{problem && <Problem error={problem} what="Reading the status" />}
			{!status.data && !problem && <Loading what="the status" />}
			{workers.data && <Workers workers={workers.data} />}
			{status.data && (
				<div className="cards">
					{Object.keys(rest).length > 0 && <Facts title="Server" facts={rest} />}
					{sections.map(([key, facts]) => <Facts key={key} title={key.replaceAll('_', ' ')} facts={/** @type {Record<string, unknown>} */ (facts)} />)}
				</div>
			)}
		</>
	)
}
