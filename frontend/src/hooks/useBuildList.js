// SPDX-License-Identifier: MIT
import { useEffect, useState } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { joinRoom } from '../live/room.js'
import { IDLE } from '../live/socket.js'
import { applyListMessages } from '../live/updates.js'
import { buildPagesKey, forgetBuilds, liveBuildsKey } from '../queries/builds.js'

/** @typedef {import('../api/types.js').Build} Build */

/** Keeps the live builds of the query cache fresh over /ws/builds/ while mounted. */
export function useBuildList() {
	const client = useQueryClient()
	const [state, setState] = useState(IDLE)

	useEffect(() => {
		let lists = 0
		const room = joinRoom({
			path: '/ws/builds/',
			apply(messages) {
				client.setQueryData(liveBuildsKey, (/** @type {Build[] | undefined} */ old) => applyListMessages(old, messages))
				// A list that comes again ends a time of which nothing was told. What it does not hold may have ended in it.
				const again = messages.some(({ type }) => type === 'build_list' && ++lists > 1)
				if (again) void client.invalidateQueries({ queryKey: buildPagesKey })
				const gone = messages.filter(({ type, data }) => type === 'build_removed' && data?.id).map(({ data }) => data.id)
				if (gone.length > 0) forgetBuilds(client, gone)
			},
			change: setState,
		})
		return room.leave
	}, [client])

	return state
}
