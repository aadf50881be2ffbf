// SPDX-License-Identifier: MIT
import { useEffect, useState } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { joinRoom } from '../live/room.js'
import { IDLE } from '../live/socket.js'
import { applyListMessages } from '../live/updates.js'
import { liveBuildsKey } from '../queries/builds.js'

/** @typedef {import('../api/types.js').Build} Build */

/** Keeps the live builds of the query cache fresh over /ws/builds/ while mounted. */
export function useBuildList() {
	const client = useQueryClient()
	const [state, setState] = useState(IDLE)

	useEffect(() => {
		const room = joinRoom({
			path: '/ws/builds/',
			apply: (messages) =>
				void client.setQueryData(liveBuildsKey, (/** @type {Build[] | undefined} */ old) => applyListMessages(old, messages)),
			change: setState,
		})
		return room.leave
	}, [client])

	return state
}
