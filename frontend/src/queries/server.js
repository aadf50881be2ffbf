// SPDX-License-Identifier: MIT
import { queryOptions } from '@tanstack/react-query'
import { fetchSession, fetchStatus, fetchWorkers, login } from '../api/server.js'

const LOOK_AGAIN_MS = 5000 // the Status page is a view of the whole server, which has no room of its own

export const statusQuery = queryOptions({
	queryKey: ['status'],
	queryFn: fetchStatus,
	refetchInterval: LOOK_AGAIN_MS,
})

export const workersQuery = queryOptions({
	queryKey: ['workers'],
	queryFn: () => fetchWorkers().then((answer) => answer.items),
	refetchInterval: LOOK_AGAIN_MS,
})

export const sessionQuery = queryOptions({ queryKey: ['session'], queryFn: fetchSession, staleTime: Infinity })

export { login }
