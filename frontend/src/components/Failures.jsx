// SPDX-License-Identifier: MIT
import { memo, useMemo, useState } from 'react'
import { Alert, Button } from '@patternfly/react-core'
import { Link } from 'react-router'
import { count } from '../lib/format.js'

/** @typedef {import('../api/types.js').QueueItem} QueueItem */

const SHOWN = 5

/** Failures first: each with its phase, the line that says why, and the way to it. */
export const Failures = memo(
	/** @param {{ build: import('../api/types.js').Build }} props */
	function Failures({ build }) {
		const [all, setAll] = useState(false)
		const items = build.queue_items
		const failed = useMemo(() => (items ?? []).filter((item) => item.status === 'failed'), [items])
		const blocked = useMemo(() => countBlocked(items ?? []), [items])
		return (
			<>
				{build.error && <Refused error={build.error} dry={build.dry_run ?? false} />}
				{failed.length > 0 && (
					<section className="failures" aria-labelledby="failures-title">
						<h2 id="failures-title">{count(failed.length, 'failed package')}</h2>
						<ul>
							{(all ? failed : failed.slice(0, SHOWN)).map((item) => (
								<Failure key={item.id} item={item} build={build.id} blocked={blocked.get(item.id) ?? 0} />
							))}
						</ul>
						{failed.length > SHOWN && (
							<Button variant="link" isInline onClick={() => setAll(!all)} aria-expanded={all}>
								{all ? 'Show fewer' : `Show all ${failed.length}`}
							</Button>
						)}
					</section>
				)}
			</>
		)
	},
)

/** @param {QueueItem[]} items @returns {Map<number, number>} failed item: how many it blocks */
function countBlocked(items) {
	const blocked = new Map()
	for (const { blocked_by: by } of items) if (by) blocked.set(by.id, (blocked.get(by.id) ?? 0) + 1)
	return blocked
}

const Failure = memo(
	/** @param {{ item: QueueItem, build: number, blocked: number }} props */
	function Failure({ item, build, blocked }) {
		const line = item.error_line
		const log = `/builds/${build}/log/${item.id}${line ? `#L${line}` : ''}`
		return (
			<li className="failure">
				<p className="failure-head">
					<Link to={`/builds/${build}?item=${item.id}`} className="failure-name">{item.package.name}</Link>
					{item.phase && <code>{item.phase}</code>}
					<span>{item.why}</span>
					{blocked > 0 && <span className="subtle">blocks {count(blocked, 'package')}</span>}
					{(line || item.log_size) ? <Link to={log} className="failure-log">{line ? `line ${line} of the log` : 'the log'}<span className="pf-v6-screen-reader"> of {item.package.name}</span></Link> : null}
				</p>
				{item.error_text && <pre className="failure-text">{item.error_text}</pre>}
			</li>
		)
	},
)

/** @param {{ error: NonNullable<import('../api/types.js').Build['error']>, dry: boolean }} props */
function Refused({ error, dry }) {
	const said = dry ? 'This set cannot be built' : 'Nothing was built'
	return (
		<Alert variant="danger" isInline component="h2" className="refused"
			title={error.package ? `${said}: ${error.package}` : said}>
			<p>{error.detail}</p>
			{error.edges?.length > 0 && (
				<ul className="edges">
					{error.edges.map((edge) => (
						<li key={`${edge.package} ${edge.needs} ${edge.capability}`}>
							<code>{edge.package}</code> needs <code>{edge.needs}</code>{edge.capability !== edge.needs && <span className="subtle"> ({edge.capability})</span>}
						</li>
					))}
				</ul>
			)}
		</Alert>
	)
}
