// SPDX-License-Identifier: MIT
import { useMemo, useSyncExternalStore } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { createPace } from '../lib/beat.js'
import { watchBuild } from '../queries/builds.js'

/** @typedef {import('../api/types.js').Build} Build */

/**
 * @param {ReturnType<typeof watchBuild>} watched
 * @param {number} every
 */
function createCalm({ read, subscribe }, every) {
	let shown = read()
	return {
		read: () => shown,
		/** @param {() => void} changed */
		subscribe(changed) {
			const show = () => {
				shown = read()
				changed()
			}
			const pace = createPace(show, every)
			const look = () => {
				if (read()?.status !== shown?.status) show() // another state is worth a frame
				else if (read() !== shown) pace.ask()
			}
			look()
			const leave = subscribe(look)
			return () => {
				leave()
				pace.stop()
			}
		},
	}
}

/**
 * A build as a reader can follow it. What comes alone is seen at once; in a burst the newest is seen at each beat, and the last
 * always. Only rows of packages follow each frame, by useItem.
 *
 * @param {string | number} id as it stands in the query's key
 * @param {number} [every] 2: at each second beat, for what is worked out of all items
 * @returns {Build | undefined}
 */
export function useCalmBuild(id, every = 1) {
	const client = useQueryClient()
	const calm = useMemo(() => createCalm(watchBuild(client, id), every), [client, id, every])
	return useSyncExternalStore(calm.subscribe, calm.read)
}
