// SPDX-License-Identifier: MIT
import { useQuery } from '@tanstack/react-query'
import { useWebSocket } from '../hooks/useWebSocket.js'
import { buildJobQuery, buildPlanQuery } from '../queries/builds.js'
import { count } from '../lib/format.js'
import { isEnded } from '../api/statuses.js'
import { Failures } from './Failures.jsx'
import { Loading } from './Loading.jsx'
import { Problem } from './Problem.jsx'

/** What a dry run found. It is a build like any other, so it is live like any other. @param {{ id: number }} props */
export function PlanPreview({ id }) {
	const { data: build, error } = useQuery(buildJobQuery(id))
	useWebSocket(id, !!build && !isEnded(build.status))
	const { data: plan } = useQuery(buildPlanQuery(id, build?.status === 'completed'))
	if (error) return <Problem error={error} what="Reading the order" />
	if (build?.status === 'failed') return <Failures build={build} />
	if (!plan) return <Loading what="the order" />
	return (
		<div className="plan" aria-live="polite">
			<ol className="levels">
				{plan.levels.map((level, at) => (
					<li key={at}>
						<h3>{at === 0 ? 'First' : 'Then'} <span className="subtle">{count(level.length, 'package')}</span></h3>
						<p className="names">{level.map((name) => <code key={name}>{name}</code>)}</p>
					</li>
				))}
			</ol>
			<Cycles cycles={plan.cycles} dropped={plan.dropped} />
			{plan.host?.length > 0 && (
				<details>
					<summary>The host must supply {count(plan.host.length, 'thing')}</summary>
					<p className="names">{plan.host.map((name) => <code key={name}>{name}</code>)}</p>
				</details>
			)}
		</div>
	)
}

/** @param {{ cycles: import('../api/types.js').Plan['cycles'], dropped: import('../api/types.js').Edge[] }} props */
function Cycles({ cycles, dropped }) {
	return (
		<>
			{cycles?.map(({ packages }) => (
				<p key={packages.join(' ')} role="alert" className="field-error">Need each other in a circle: {packages.join(', ')}</p>
			))}
			{dropped?.length > 0 && (
				<>
					<h3>Tests that are left out to break a circle</h3>
					<ul className="edges">
						{dropped.map((edge) => (
							<li key={`${edge.package} ${edge.needs}`}><code>{edge.package}</code> without <code>{edge.needs}</code>{edge.capability !== edge.needs && <span className="subtle"> ({edge.capability})</span>}</li>
						))}
					</ul>
				</>
			)}
		</>
	)
}
