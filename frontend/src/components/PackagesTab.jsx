// SPDX-License-Identifier: MIT
import { useCallback, useEffect, useMemo, useRef } from 'react'
import { useSearchParams } from 'react-router'
import { useHold } from '../hooks/useHold.js'
import { useItems } from '../hooks/useItems.js'
import { useStableOrder } from '../hooks/useStableOrder.js'
import { chooseItems, countByStatus } from '../lib/packages.js'
import { itemsById } from '../live/updates.js'
import { PackagePanel } from './PackagePanel.jsx'
import { PackageTable } from './PackageTable.jsx'
import { PackageToolbar } from './PackageToolbar.jsx'

/**
 * Every package of the build; filter, sort and the open package stand in the URL. Rows show what they are at once; places and counts
 * change at the beat, since nobody can follow what changes each frame.
 *
 * @param {{ id: string, build: import('../api/types.js').Build }} props `id` as in the query's key
 */
export function PackagesTab({ id, build }) {
	const [params, setParams] = useSearchParams()
	const { held, hold } = useHold()
	const grid = useRef(/** @type {HTMLDivElement | null} */ (null))
	const items = useMemo(() => build.queue_items ?? [], [build.queue_items])
	const text = params.get('q') ?? ''
	const status = params.get('state') ?? ''
	const sort = params.get('sort') ?? 'state'
	const open = Number(params.get('item')) || null

	const rows = useItems(id)
	const wanted = useMemo(() => chooseItems(items, { text, status, sort }), [items, text, status, sort])
	const { ids, moved, apply } = useStableOrder(wanted, held, `${text} ${status} ${sort}`)
	const byId = useMemo(() => itemsById(items), [items])
	const counts = useMemo(() => countByStatus(items), [items])

	/** An empty value takes the parameter away. */
	const choose = useCallback((/** @type {Record<string, string>} */ changes) => {
		const next = new URLSearchParams(params)
		for (const [key, value] of Object.entries(changes)) {
			if (value) next.set(key, value)
			else next.delete(key)
		}
		setParams(next, { replace: true })
	}, [params, setParams])
	// Functions that stay the same: rows are memoised by them.
	const latest = useRef(choose)
	useEffect(() => void (latest.current = choose))
	const openItem = useCallback((/** @type {number} */ item) => latest.current({ item: String(item) }), [])
	const close = useCallback(() => {
		latest.current({ item: '' })
		grid.current?.focus({ preventScroll: true }) // the keyboard goes on from the row that was open
	}, [])

	const opened = open ? byId.get(open) : undefined
	return (
		<div className={opened ? 'packages packages-split' : 'packages'}>
			<div className="packages-main">
				<PackageToolbar text={text} status={status} sort={sort} counts={counts} total={items.length} shown={ids.length}
					moved={moved} onApply={apply} onChoose={choose} />
				<PackageTable grid={grid} ids={ids} items={rows} open={open} hold={hold} onOpen={openItem}
					empty={items.length === 0 ? 'The packages appear here when the order is worked out.' : 'No package matches.'} />
			</div>
			{opened && <PackagePanel item={opened} items={items} byId={byId} build={build.id} onClose={close} onOpen={openItem} />}
		</div>
	)
}
