// SPDX-License-Identifier: MIT
import { memo } from 'react'
import { useItem } from '../hooks/useItems.js'
import { duration, precise } from '../lib/format.js'
import { tookOf } from '../lib/times.js'
import { StatusLabel } from './StatusLabel.jsx'
import { Ticking } from './Ticking.jsx'

/** A row follows its own item, and is drawn anew only when that changes. */
export const PackageRow = memo(
	/**
	 * @param {{ items: import('../hooks/useItems.js').Items, id: number, index: number, top: number, height: number, active: boolean,
	 *   open: boolean, onOpen: (id: number) => void }} props
	 */
	function PackageRow({ items, id, index, top, height, active, open, onOpen }) {
		const { item, why } = useItem(items, id)
		if (!item) return null
		const { status, package: { name, version }, phase, worker, slot, error_text: error } = item
		return (
			<div role="row" id={`row-${id}`} aria-rowindex={index + 2} aria-selected={open} onClick={() => onOpen(id)}
				className={`row${active ? ' row-active' : ''}${open ? ' row-open' : ''}`} style={{ top, height }}>
				<span role="gridcell" className="cell cell-state"><StatusLabel status={status} /></span>
				<span role="gridcell" className="cell cell-package" title={`${name} ${version}`}>{name} <span className="subtle">{version}</span></span>
				<span role="gridcell" className="cell cell-phase">{phase && <code>{phase}</code>}</span>
				<span role="gridcell" className="cell cell-worker subtle">{worker && `${worker} · ${slot ?? '?'}`}</span>
				<span role="gridcell" className="cell cell-duration"><Took item={item} /></span>
				<span role="gridcell" className="cell cell-why" title={error ?? (why || undefined)}>{why}</span>
			</div>
		)
	},
)

/** What it took, or takes so far, against last time. @param {{ item: import('../api/types.js').QueueItem }} props */
function Took({ item }) {
	const { status, started_at: from, last_duration_ms: last } = item
	if (!from) return last ? <span className="subtle">last {precise(last)}</span> : null
	if (status === 'building') return <Ticking from={from} last={last ?? null} />
	const ms = tookOf(item)
	const change = last && ms !== null ? Math.round(((ms - last) / last) * 100) : 0
	return (
		<>
			{precise(ms)}
			{last && Math.abs(change) >= 10 && Math.abs((ms ?? 0) - last) > 2000 && (
				<span className="subtle" title={`last time ${duration(last)}`}> {change > 0 ? '+' : '−'}{Math.abs(change)} %</span>
			)}
		</>
	)
}
