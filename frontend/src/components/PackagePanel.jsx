// SPDX-License-Identifier: MIT
import { useEffect, useRef } from 'react'
import { Button } from '@patternfly/react-core'
import { useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'
import { queueItemQuery } from '../queries/queue.js'
import { absolute, duration, elapsed, size } from '../lib/format.js'
import { isItemEnded } from '../api/statuses.js'
import { Problem } from './Problem.jsx'
import { StatusLabel } from './StatusLabel.jsx'

/** @typedef {import('../api/types.js').QueueItem} QueueItem */

/**
 * One package: what it needs, its attempts, its results.
 *
 * @param {{ item: QueueItem, byId: Map<number, QueueItem>, build: number, onClose: () => void, onOpen: (id: number) => void }} props
 */
export function PackagePanel({ item, byId, build, onClose, onOpen }) {
	const { data: detail, error } = useQuery(queueItemQuery(item.id, `${item.attempt} ${isItemEnded(item.status)}`))
	const title = useRef(/** @type {HTMLHeadingElement | null} */ (null))
	useEffect(() => title.current?.focus(), [item.id])
	const { name, version } = item.package

	return (
		<aside className="panel" aria-label={`Package ${name}`} onKeyDown={(event) => event.key === 'Escape' && onClose()}>
			<header className="panel-head">
				<h2 ref={title} tabIndex={-1}>{name} <span className="subtle">{version}</span></h2>
				<Button variant="plain" onClick={onClose} aria-label="Close">✕</Button>
			</header>
			<p className="panel-state"><StatusLabel status={item.status} /> {item.why}</p>
			{item.error_text && <pre className="failure-text">{item.error_text}</pre>}
			<p>
				<Link to={`/builds/${build}/log/${item.id}${item.error_line ? `#L${item.error_line}` : ''}`}>Log</Link>{' '}
				{item.log_size ? <span className="subtle">{size(item.log_size)}</span> : null}
			</p>
			{item.build_log && item.status === 'failed' && <pre className="panel-tail" tabIndex={0} aria-label="End of the log">{item.build_log}</pre>}
			<Needs needs={(item.needs ?? []).flatMap((id) => byId.get(id) ?? [])} onOpen={onOpen} />
			{error && <Problem error={error} what="Reading the package" />}
			{detail && <Details item={item} detail={detail} />}
		</aside>
	)
}

/** Their states are live: they come from the build. @param {{ needs: QueueItem[], onOpen: (id: number) => void }} props */
function Needs({ needs, onOpen }) {
	return (
		<>
			<h3>Needs of this set</h3>
			{needs.length === 0 && <p className="subtle">None: it could be first.</p>}
			<ul className="panel-list">
				{needs.map((need) => (
					<li key={need.id}>
						<Button variant="link" isInline onClick={() => onOpen(need.id)}>{need.package.name}</Button> <StatusLabel status={need.status} />
					</li>
				))}
			</ul>
		</>
	)
}

/** @param {{ item: QueueItem, detail: import('../api/types.js').QueueItemDetail }} props */
function Details({ item, detail }) {
	return (
		<>
			<h3>Attempts</h3>
			{detail.attempts.length === 0 && <p className="subtle">{item.started_at ? 'The first is under way.' : 'None yet.'}</p>}
			<ol className="panel-list">
				{detail.attempts.map((attempt) => (
					<li key={attempt.number}>
						{attempt.outcome ?? 'under way'} <span className="subtle">{attempt.worker} · {attempt.slot}, {absolute(attempt.started_at)}
							{attempt.ended_at && `, ${duration(elapsed(attempt.started_at, attempt.ended_at, 0))}`}</span>
					</li>
				))}
			</ol>
			<h3>Results</h3>
			{detail.artifacts.length === 0 && <p className="subtle">None yet.</p>}
			<ul className="panel-list">
				{detail.artifacts.map((artifact) => (
					<li key={artifact.file} title={artifact.sha256}>{artifact.file} <span className="subtle">{size(artifact.size)}</span></li>
				))}
			</ul>
		</>
	)
}
