// SPDX-License-Identifier: MIT
import { useCallback, useEffect, useState } from 'react'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useMediaQuery } from '../hooks/useMediaQuery.js'
import { PackageRow } from './PackageRow.jsx'

const ROW_PX = 40
const NARROW_ROW_PX = 64
const HEAD_PX = 38 // as in build.css; narrow tables have none
const COLUMNS = ['State', 'Package', 'Phase', 'Worker', 'Duration', 'Why']

/**
 * Only the rows in sight exist. Arrow keys move, Enter opens.
 *
 * @param {object} props
 * @param {import('react').RefObject<HTMLDivElement | null>} props.grid
 * @param {number[]} props.ids in order
 * @param {import('../hooks/useItems.js').Items} props.items
 * @param {number | null} props.open
 * @param {string} props.empty what to say where no row is
 * @param {import('react').HTMLAttributes<HTMLElement>} props.hold
 * @param {(id: number) => void} props.onOpen
 */
export function PackageTable({ grid, ids, items, open, empty, hold, onOpen }) {
	const [active, setActive] = useState(/** @type {number | null} */ (null))
	const narrow = useMediaQuery('(max-width: 760px)')
	const rowPx = narrow ? NARROW_ROW_PX : ROW_PX
	const headPx = narrow ? 0 : HEAD_PX
	// The places of all rows are worked out again when one of these is another function.
	const keyOf = useCallback((/** @type {number} */ at) => ids[at], [ids])
	const heightOf = useCallback(() => rowPx, [rowPx])
	// Rows are memoised by their props, not by the compiler, which the virtualiser's changing object would mislead.
	const rows = useVirtualizer({ // eslint-disable-line react-hooks/incompatible-library
		count: ids.length,
		getScrollElement: () => grid.current,
		estimateSize: heightOf,
		getItemKey: keyOf,
		overscan: 4,
		scrollMargin: headPx,
		scrollPaddingStart: headPx,
	})
	useEffect(() => rows.measure(), [rows, rowPx, headPx])
	const openRow = useCallback((/** @type {number} */ id) => {
		setActive(id)
		onOpen(id)
	}, [onOpen])
	const at = active === null ? -1 : ids.indexOf(active)

	/** @param {number} to */
	function move(to) {
		const next = Math.min(ids.length - 1, Math.max(0, to))
		setActive(ids[next] ?? null)
		rows.scrollToIndex(next)
	}

	/** @param {import('react').KeyboardEvent} event */
	function key(event) {
		const page = Math.max(1, Math.floor((grid.current?.clientHeight ?? 400) / rowPx) - 1)
		/** @type {Record<string, number>} */
		const moves = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: ids.length - 1 }
		if (event.key in moves) move(moves[event.key])
		else if (event.key === 'Enter' && at >= 0) openRow(ids[at])
		else return
		event.preventDefault()
	}

	return (
		<div className="table-frame" {...hold}>
			<div ref={grid} className="table" role="grid" style={{ height: Math.max(ids.length, 2) * rowPx + headPx }} aria-label="Packages" aria-rowcount={ids.length + 1} tabIndex={0}
				aria-activedescendant={at >= 0 ? `row-${active}` : undefined} onKeyDown={key}>
				<div role="row" aria-rowindex={1} className="row row-head">
					{COLUMNS.map((name) => <span key={name} role="columnheader" className={`cell cell-${name.toLowerCase()}`}>{name}</span>)}
				</div>
				<div role="rowgroup">
					{ids.length === 0 && <div role="row" className="table-empty"><span role="gridcell" className="subtle">{empty}</span></div>}
					<div className="table-space" role="presentation" style={{ height: rows.getTotalSize() }}>
						{rows.getVirtualItems().map(({ index, start }) => {
							const id = ids[index]
							return <PackageRow key={id} items={items} id={id} index={index} top={start - headPx} height={rowPx}
								active={id === active} open={id === open} onOpen={openRow} />
						})}
					</div>
				</div>
			</div>
		</div>
	)
}
