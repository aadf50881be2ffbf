// SPDX-License-Identifier: MIT
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { joinRoom } from '../live/room.js'
import { IDLE } from '../live/socket.js'
import { applyMessages, newerBuild } from '../live/updates.js'
import { buildJobKey } from '../queries/builds.js'

/** @typedef {import('../api/types.js').Build} Build */

/**
 * Keeps ['buildJob', id] of the query cache live over /ws/builds/<id>/ while `enabled`: the build exists and has not ended.
 *
 * @param {string | number | undefined} id as it stands in the query's key
 * @param {boolean} enabled
 * @returns {import('../live/socket.js').State & { reconnect: () => void }} which a caller may ignore
 */
export function useWebSocket(id, enabled) {
	const client = useQueryClient()
	const [state, setState] = useState(IDLE)
	const room = useRef(/** @type {ReturnType<typeof joinRoom> | null} */ (null))

	useEffect(() => {
		if (!enabled || id === undefined) return undefined
		const key = buildJobKey(id)
		// Whoever declared the query: an answer that the socket has overtaken must not win.
		if (!client.getQueryDefaults(key).structuralSharing) client.setQueryDefaults(key, { structuralSharing: newerBuild })
		// Asked for each message: getQueryData() would work the hash out each time.
		const { queryHash } = client.defaultQueryOptions({ queryKey: key })
		const joined = joinRoom({
			path: `/ws/builds/${encodeURIComponent(id)}/`,
			held: () => /** @type {Build | undefined} */ (client.getQueryCache().get(queryHash)?.state.data),
			apply: (messages) => void client.setQueryData(key, (/** @type {Build | undefined} */ old) => applyMessages(old, messages)),
			change: setState,
		})
		room.current = joined
		return () => {
			room.current = null
			joined.leave()
			setState(IDLE)
		}
	}, [client, id, enabled])

	const reconnect = useCallback(() => room.current?.reconnect(), [])
	return useMemo(() => ({ ...state, reconnect }), [state, reconnect])
}
