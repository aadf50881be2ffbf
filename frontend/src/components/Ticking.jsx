// SPDX-License-Identifier: MIT
import { useNow } from '../hooks/useNow.js'
import { duration, elapsed } from '../lib/format.js'

/** Time since, each second. Only rows in sight and at work have one. @param {{ from: string, last?: number | null }} props */
export function Ticking({ from, last }) {
	const now = useNow(true)
	const ms = elapsed(from, null, now) ?? 0
	return (
		<>
			{duration(ms)}
			{last ? <span className="subtle" title={`last time ${duration(last)}`}> {Math.min(99, Math.round((ms / last) * 100))} %</span> : null}
		</>
	)
}
