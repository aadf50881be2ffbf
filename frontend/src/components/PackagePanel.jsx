// SPDX-License-Identifier: MIT
import { useEffect, useMemo, useRef } from 'react'
import { Button } from '@patternfly/react-core'
import { useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'
import { queueItemQuery } from '../queries/queue.js'
import { absolute, elapsed, precise, size } from '../lib/format.js'
import { openNeeds, whyText } from '../lib/why.js'
import { isItemEnded } from '../api/statuses.js'
import { Problem } from './Problem.jsx'
import { StatusLabel } from './StatusLabel.jsx'

/** @typedef {import('../api/types.js').QueueItem} QueueItem */

const LISTED = 100

/**
 * One package: what it needs, what needs it, its attempts, its results.
 *
 * @param {{ item: QueueItem, items: QueueItem[], byId: Pick<Map<number, QueueItem>, 'get'>, build: number, onClose: () => void, onOpen: (id: number) => void }} props
 */
export function PackagePanel({ item, items, byId, build, onClose, onOpen }) {
	const { data: detail, error } = useQuery(queueItemQuery(item.id, `${item.attempt} ${isItemEnded(item.status)}`))
	const title = useRef(/** @type {HTMLHeadingElement | null} */ (null))
	useEffect(() => title.current?.focus(), [item.id])
	const users = useMemo(() => items.filter((each) => each.needs?.includes(item.id)), [items, item.id])
	const open = openNeeds(item, byId)
	const done = (item.needs ?? []).flatMap((id) => byId.get(id) ?? []).filter((need) => need.status === 'completed')
	const { name, version } = item.package

	return (
		<aside className="panel" aria-label={`Package ${name}`} onKeyDown={(event) => event.key === 'Escape' && onClose()}>
			<header className="panel-head">
				<h2 ref={title} tabIndex={-1}>{name} <span className="subtle">{version}</span></h2>
				<Button variant="plain" onClick={onClose} aria-label="Close" title="Close (Escape)">✕</Button>
			</header>
			<p className="panel-state"><StatusLabel status={item.status} /> {item.phase && item.status === 'building' ? <code>{item.phase}</code> : whyText(item, byId)}</p>
			{item.error_text && <pre className="failure-text">{item.error_text}</pre>}
			{(item.log_size || item.started_at) && (
				<p>
					<Link to={`/builds/${build}/log/${item.id}${item.error_line ? `#L${item.error_line}` : ''}`}>Log{item.error_line ? `, line ${item.error_line}` : ''}</Link>{' '}
					{item.log_size ? <span className="subtle">{size(item.log_size)}</span> : null}
				</p>
			)}
			{item.build_log && item.status === 'failed' && <pre className="panel-tail" tabIndex={0} aria-label="End of the log">{item.build_log}</pre>}
			<Packages title="Needs" none="Nothing of this set: it could be first." packages={[...open, ...done]} onOpen={onOpen} />
			<Packages title="Needed by" none="Nothing of this set." packages={users} onOpen={onOpen} />
			{error && <Problem error={error} what="Reading the package" />}
			{detail && <Details item={item} detail={detail} />}
		</aside>
	)
}

/** Their states are live: they come from the build. @param {{ title: string, none: string, packages: QueueItem[], onOpen: (id: number) => void }} props */
function Packages({ title, none, packages, onOpen }) {
	return (
		<>
			<h3>{title} {packages.length > 0 && <span className="subtle">{packages.length}</span>}</h3>
			{packages.length === 0 && <p className="subtle">{none}</p>}
			<ul className="panel-list panel-packages">
				{packages.slice(0, LISTED).map(({ id, status, package: { name } }) => (
					<li key={id}>
						<button type="button" className="link" onClick={() => onOpen(id)}>{name}</button> <StatusLabel status={status} />
					</li>
				))}
				{packages.length > LISTED && <li className="subtle">and {packages.length - LISTED} more</li>}
			</ul>
		</>
	)
}

/** @param {{ item: QueueItem, detail: import('../api/types.js').QueueItemDetail }} props */
function Details({ item, detail }) {
	const { attempts, artifacts } = detail
	return (
		<>
			{(attempts.length > 0 || item.started_at) && <h3>Attempts</h3>}
			{attempts.length === 0 && item.started_at && !item.completed_at && <p className="subtle">The first is under way.</p>}
			<ol className="panel-list">
				{attempts.map((attempt) => (
					<li key={attempt.number}>
						{attempt.outcome ?? 'under way'} <span className="subtle">{attempt.worker} · {attempt.slot}, {absolute(attempt.started_at)}
							{attempt.ended_at && `, ${precise(elapsed(attempt.started_at, attempt.ended_at, 0))}`}</span>
					</li>
				))}
			</ol>
			{artifacts.length > 0 && <h3>Results</h3>}
			<ul className="panel-list">
				{artifacts.map(({ file, url, sha256, size: bytes }) => (
					<li key={file} title={sha256}>{url ? <a href={url}>{file}</a> : file} <span className="subtle">{size(bytes)}</span></li>
				))}
			</ul>
		</>
	)
}
