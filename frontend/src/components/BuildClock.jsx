// SPDX-License-Identifier: MIT
import { memo, useMemo } from 'react'
import { useNow } from '../hooks/useNow.js'
import { useThrottled } from '../hooks/useThrottled.js'
import { absolute, duration, elapsed, precise, roughDuration } from '../lib/format.js'
import { estimate } from '../lib/estimate.js'
import { isEnded } from '../api/statuses.js'

/** How long, and how long yet: the only part of the header that changes each second. */
export const BuildClock = memo(
	/** @param {{ build: import('../api/types.js').Build }} props */
	function BuildClock({ build }) {
		const ended = isEnded(build.status)
		const now = useNow(!ended)
		const ms = elapsed(build.started_at ?? build.created_at, build.completed_at, now)
		// It looks at every item: once a second is enough.
		const items = useThrottled(build.queue_items, 1000)
		const runs = build.status === 'running'
		const left = useMemo(() => (runs ? estimate(items ?? [], now) : null), [runs, items, now])
		return (
			<p className="build-clock">
				<span className="subtle">{ended ? 'took' : 'running for'}</span>{' '}
				<time title={`created ${absolute(build.created_at)}`}>{ended ? precise(ms) : duration(ms)}</time>
				{left && (
					<span title={left.known > 0.5 ? 'from what these packages took last time' : 'a guess from what was built so far'}>
						<span className="subtle"> · left</span> {roughDuration(left.ms)}
					</span>
				)}
			</p>
		)
	},
)
