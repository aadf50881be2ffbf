// SPDX-License-Identifier: MIT
import { useEffect, useState } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { createThrottle } from '../lib/throttle.js'
import { joinRoom } from '../live/room.js'
import { IDLE } from '../live/socket.js'
import { statusQuery, workersQuery } from '../queries/server.js'

export const APART_MS = 3000 // however many builds change

/** While mounted, what the server says of itself is asked for anew when a build changes. */
export function useServerChanges() {
	const client = useQueryClient()
	const [state, setState] = useState(IDLE)

	useEffect(() => {
		const refresh = createThrottle(() => {
			for (const { queryKey } of [statusQuery, workersQuery]) void client.invalidateQueries({ queryKey })
		}, APART_MS)
		let first = true
		const room = joinRoom({
			path: '/ws/builds/',
			apply: () => {
				if (!first) refresh.ask() // the list that the room begins with is no change
				first = false
			},
			change: setState,
		})
		return () => {
			room.leave()
			refresh.stop()
		}
	}, [client])

	return state
}
