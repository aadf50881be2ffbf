// SPDX-License-Identifier: MIT
import { useQuery } from '@tanstack/react-query'
import { useWebSocket } from '../hooks/useWebSocket.js'
import { buildJobQuery, buildPlanQuery } from '../queries/builds.js'
import { count, grouped } from '../lib/format.js'
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
	if (build?.status === 'cancelled') return <p role="alert" className="field-error">Working out the order was cancelled. Ask for it again.</p>
	if (!plan) return <><SpecsRead build={build} /><Loading what="the order" /></>
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
			<Cycles cycles={plan.cycles} />
			<Dropped title="Tests that are left out to break a circle" edges={plan.dropped?.filter(isTest)} />
			<Dropped title="Guesses that are set aside to break a circle" edges={plan.dropped?.filter((edge) => !isTest(edge))} />
			<Excluded packages={plan.excluded} />
			{plan.host?.length > 0 && (
				<details>
					<summary>The host must supply {count(plan.host.length, 'thing')}</summary>
					<p className="names">{plan.host.map((name) => <code key={name}>{name}</code>)}</p>
				</details>
			)}
		</div>
	)
}

/** @typedef {import('../api/types.js').Plan} Plan @typedef {import('../api/types.js').Edge} Edge */

/** The rest was guessed from names, or learned from the last build. @param {Edge} edge */
const isTest = (edge) => edge.kind === undefined || edge.kind === 'soft'

/** @param {{ cycles: Plan['cycles'] }} props */
function Cycles({ cycles }) {
	return cycles?.map(({ packages }) => (
		<p key={packages.join(' ')} role="alert" className="field-error">Need each other in a circle: {packages.join(', ')}</p>
	))
}

/** @param {{ title: string, edges: Edge[] | undefined }} props */
function Dropped({ title, edges }) {
	if (!edges?.length) return null
	return (
		<>
			<h3>{title}</h3>
			<ul className="edges">
				{edges.map((edge) => (
					<li key={`${edge.package} ${edge.needs}`}><code>{edge.package}</code> without <code>{edge.needs}</code>{edge.capability !== edge.needs && <span className="subtle"> ({edge.capability})</span>}</li>
				))}
			</ul>
		</>
	)
}

/** Thousands of specs take minutes. @param {{ build: import('../api/types.js').Build | undefined }} props */
function SpecsRead({ build }) {
	if (build?.status !== 'preparing' || !build.specs_total) return null
	return <p className="subtle">{grouped(build.specs_read ?? 0)} of {count(build.specs_total, 'spec')} read</p>
}

/** @param {{ packages: Plan['excluded'] }} props */
function Excluded({ packages }) {
	if (!packages?.length) return null
	return (
		<>
			<h3>Not built on this server</h3>
			<ul className="edges">
				{packages.map(({ package: name, why }) => <li key={name}><code>{name}</code> <span className="subtle">{why}</span></li>)}
			</ul>
		</>
	)
}
