// SPDX-License-Identifier: MIT
import { memo, useMemo } from 'react'
import { useCalmBuild } from '../hooks/useCalmBuild.js'
import { useNow } from '../hooks/useNow.js'
import { absolute, duration, elapsed, precise, roughDuration } from '../lib/format.js'
import { estimate } from '../lib/estimate.js'
import { isEnded } from '../api/statuses.js'

/** @type {Record<string, string>} */
const WORDS = { pending: 'waiting for', preparing: 'preparing for' }
const EVERY = 2 // beats: what is left is worked out of all items

/** How long, and how long yet: the only part of the header that changes each second. */
export const BuildClock = memo(
	/** @param {{ id: string }} props as in the query's key */
	function BuildClock({ id }) {
		const build = useCalmBuild(id, EVERY)
		const now = useNow(build !== undefined && !isEnded(build.status))
		const items = build?.queue_items
		const runs = build?.status === 'running'
		const left = useMemo(() => (runs ? estimate(items ?? [], now) : null), [runs, items, now])
		return (
			<p className="build-clock">
				{build && <Passed build={build} now={now} />}
				{left && (
					<span title={left.known > 0.5 ? 'from what these packages took last time' : 'a guess from what was built so far'}>
						<span className="subtle"> · left</span> {roughDuration(left.ms)}
					</span>
				)}
			</p>
		)
	},
)

/** @param {{ build: import('../api/types.js').Build, now: number }} props */
function Passed({ build, now }) {
	const { status, created_at: created, started_at: started, completed_at: completed } = build
	const words = isEnded(status) ? 'took' : WORDS[status] ?? 'running for'
	const ms = elapsed(started ?? created, completed, now)
	return (
		<>
			<span className="subtle">{words}</span> <time title={`created ${absolute(created)}`}>{isEnded(status) ? precise(ms) : duration(ms)}</time>
		</>
	)
}
