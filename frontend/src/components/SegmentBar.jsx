// SPDX-License-Identifier: MIT
import { memo } from 'react'

/** @typedef {import('../api/types.js').Build} Build */

/** What a build's packages are at, in the order of the bar. @param {Build} build */
export function segmentsOf(build) {
	return [
		{ key: 'completed', word: 'completed', tone: 'green', n: build.completed_packages },
		{ key: 'building', word: 'building', tone: 'blue', n: build.building_packages ?? 0 },
		{ key: 'failed', word: 'failed', tone: 'red', n: build.failed_packages },
		{ key: 'blocked', word: 'blocked', tone: 'orange', n: build.blocked_packages ?? 0 },
		{ key: 'cancelled', word: 'cancelled', tone: 'dark', n: build.cancelled_packages ?? 0 },
		{ key: 'waiting', word: 'waiting', tone: 'grey', n: build.waiting_packages ?? 0 },
	]
}

export const SegmentBar = memo(
	/** The segmented bar. @param {{ build: Build, label: string, small?: boolean }} props */
	function SegmentBar({ build, label, small }) {
		return (
			<div className={small ? 'segments segments-small' : 'segments'} role="progressbar" aria-label={label}
				aria-valuemin={0} aria-valuemax={100} aria-valuenow={build.progress ?? 0}>
				{segmentsOf(build).map(({ key, tone, n }) => n > 0 && <span key={key} className={`segment fill-${tone}`} style={{ flexGrow: n }} />)}
			</div>
		)
	},
)
