// SPDX-License-Identifier: MIT
import { useMemo, useSyncExternalStore } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { whyText } from '../lib/why.js'
import { itemsById } from '../live/updates.js'
import { watchBuild } from '../queries/builds.js'

/** @typedef {import('../api/types.js').QueueItem} QueueItem */
/** @typedef {ReturnType<typeof createItems>} Items */

/** @param {ReturnType<typeof watchBuild>} watched */
function createItems({ read, subscribe }) {
	/** @type {Set<() => void>} */
	const rows = new Set()
	let leave = () => {}
	/** @type {QueueItem[] | undefined} */
	let items
	let byId = itemsById([])

	function now() {
		const next = read()?.queue_items
		if (next !== items) {
			items = next
			byId = itemsById(next ?? [])
		}
		return byId
	}
	return {
		/** @param {number} id */
		item: (id) => now().get(id),
		/** Those that it waits for may change without it. @param {number} id */
		why(id) {
			const item = now().get(id)
			return item ? whyText(item, byId) : ''
		},
		/** @param {() => void} changed */
		subscribe(changed) {
			if (rows.size === 0) leave = subscribe(() => rows.forEach((row) => row()))
			rows.add(changed)
			return () => {
				rows.delete(changed)
				if (rows.size === 0) leave()
			}
		},
	}
}

/** The items of a build, for rows that follow their own. @param {string | number} id of the build, as in the query's key */
export function useItems(id) {
	const client = useQueryClient()
	return useMemo(() => createItems(watchBuild(client, id)), [client, id])
}

/**
 * One item, at once: a thousand updates a second draw the rows that they change, and neither the table nor the page around it.
 *
 * @param {Items} items
 * @param {number} id
 */
export function useItem(items, id) {
	const item = useSyncExternalStore(items.subscribe, () => items.item(id))
	const why = useSyncExternalStore(items.subscribe, () => items.why(id))
	return { item, why }
}
