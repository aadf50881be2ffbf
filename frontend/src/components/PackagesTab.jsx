// SPDX-License-Identifier: MIT
import { useCallback, useMemo, useState } from 'react'
import { useSearchParams } from 'react-router'
import { useStableOrder } from '../hooks/useStableOrder.js'
import { useThrottled } from '../hooks/useThrottled.js'
import { chooseItems, countByStatus } from '../lib/packages.js'
import { itemsById } from '../live/updates.js'
import { PackagePanel } from './PackagePanel.jsx'
import { PackageTable } from './PackageTable.jsx'
import { PackageToolbar } from './PackageToolbar.jsx'

/** @typedef {import('../api/types.js').QueueItem} QueueItem */

const ORDER_MS = 250 // rows show what they are at once; their places can be followed by nobody who sees them change each frame

/** Every package of the build; filter, sort and the open package stand in the URL. @param {{ build: import('../api/types.js').Build }} props */
export function PackagesTab({ build }) {
	const [params, setParams] = useSearchParams()
	const [held, setHeld] = useState(false)
	const items = useMemo(() => build.queue_items ?? [], [build.queue_items])
	const text = params.get('q') ?? ''
	const status = params.get('state') ?? ''
	const sort = params.get('sort') ?? 'state'
	const open = Number(params.get('item')) || null

	const ordered = useThrottled(items, ORDER_MS)
	const wanted = useMemo(() => chooseItems(ordered, { text, status, sort }), [ordered, text, status, sort])
	const { ids, moved, apply } = useStableOrder(wanted, held, `${text} ${status} ${sort}`)
	const byId = useMemo(() => itemsById(items), [items])
	const counts = useMemo(() => countByStatus(ordered), [ordered])

	/** An empty value takes the parameter away. */
	const choose = useCallback((/** @type {Record<string, string>} */ changes) => {
		const next = new URLSearchParams(params)
		for (const [key, value] of Object.entries(changes)) {
			if (value) next.set(key, value)
			else next.delete(key)
		}
		setParams(next, { replace: true })
	}, [params, setParams])

	const openItem = open ? byId.get(open) : undefined
	return (
		<div className={openItem ? 'packages packages-split' : 'packages'}>
			<div className="packages-main">
				<PackageToolbar text={text} status={status} sort={sort} counts={counts} total={items.length} shown={ids.length}
					moved={moved} onApply={apply} onChoose={choose} />
				<PackageTable ids={ids} byId={byId} open={open} onHold={setHeld} onOpen={(id) => choose({ item: String(id) })}
					empty={items.length === 0 ? 'The packages appear here when the order is worked out.' : 'No package matches.'} />
			</div>
			{openItem && <PackagePanel item={openItem} items={items} byId={byId} build={build.id} onClose={() => choose({ item: '' })} onOpen={(id) => choose({ item: String(id) })} />}
		</div>
	)
}
