// SPDX-License-Identifier: MIT
import { useCallback, useEffect, useRef, useState } from 'react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useMediaQuery } from '../hooks/useMediaQuery.js'
import { whyText } from '../lib/why.js'
import { PackageRow } from './PackageRow.jsx'

const ROW_PX = 40
const NARROW_ROW_PX = 64
const HEAD_PX = 38 // as in build.css; narrow tables have none
const COLUMNS = ['State', 'Package', 'Phase', 'Worker', 'Duration', 'Why']

/**
 * Only the rows in sight exist. Arrow keys move, Enter opens.
 *
 * @param {object} props
 * @param {number[]} props.ids in order
 * @param {Pick<Map<number, import('../api/types.js').QueueItem>, 'get'>} props.byId
 * @param {number | null} props.open
 * @param {string} props.empty what to say where no row is
 * @param {(held: boolean) => void} props.onHold somebody points at the rows
 * @param {(id: number) => void} props.onOpen
 */
export function PackageTable({ ids, byId, open, empty, onHold, onOpen }) {
	const scroller = useRef(/** @type {HTMLDivElement | null} */ (null))
	const [active, setActive] = useState(/** @type {number | null} */ (null))
	const narrow = useMediaQuery('(max-width: 760px)')
	const rowPx = narrow ? NARROW_ROW_PX : ROW_PX
	const headPx = narrow ? 0 : HEAD_PX
	// Rows are memoised by their props, not by the compiler, which the virtualiser's changing object would mislead.
	const rows = useVirtualizer({ // eslint-disable-line react-hooks/incompatible-library
		count: ids.length,
		getScrollElement: () => scroller.current,
		estimateSize: () => rowPx,
		getItemKey: (at) => ids[at],
		overscan: 8,
		scrollMargin: headPx,
		scrollPaddingStart: headPx,
	})
	useEffect(() => rows.measure(), [rows, rowPx, headPx])
	// A function that stays the same: a row is drawn anew for its item, not because the table was.
	const opens = useRef(onOpen)
	useEffect(() => void (opens.current = onOpen))
	const openRow = useCallback((/** @type {number} */ id) => opens.current(id), [])
	const at = active === null ? -1 : ids.indexOf(active)

	/** @param {number} to */
	function move(to) {
		const next = Math.min(ids.length - 1, Math.max(0, to))
		setActive(ids[next] ?? null)
		rows.scrollToIndex(next)
	}

	/** @param {import('react').KeyboardEvent} event */
	function key(event) {
		const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 400) / rowPx) - 1)
		/** @type {Record<string, number>} */
		const moves = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: ids.length - 1 }
		if (event.key in moves) move(moves[event.key])
		else if (event.key === 'Enter' && active !== null) onOpen(active)
		else return
		event.preventDefault()
	}

	return (
		<div ref={scroller} className="table" role="grid" style={{ height: Math.max(ids.length, 2) * rowPx + headPx + 2 }} aria-label="Packages" aria-rowcount={ids.length + 1} tabIndex={0}
			aria-activedescendant={at >= 0 ? `row-${active}` : undefined} onKeyDown={key}
			onPointerEnter={() => onHold(true)} onPointerLeave={() => onHold(false)}
			onFocus={() => onHold(true)} onBlur={() => onHold(false)}>
			<div role="row" aria-rowindex={1} className="row row-head">
				{COLUMNS.map((name) => <span key={name} role="columnheader" className={`cell cell-${name.toLowerCase()}`}>{name}</span>)}
			</div>
			<div role="rowgroup">
				{ids.length === 0 && <div role="row" className="table-empty"><span role="gridcell" className="subtle">{empty}</span></div>}
				<div className="table-space" role="presentation" style={{ height: rows.getTotalSize() }}>
					{rows.getVirtualItems().map(({ index, start }) => {
						const item = byId.get(ids[index])
						return item && <PackageRow key={item.id} item={item} why={whyText(item, byId)} index={index} top={start - headPx} height={rowPx}
							active={item.id === active} open={item.id === open} onOpen={openRow} />
					})}
				</div>
			</div>
		</div>
	)
}
