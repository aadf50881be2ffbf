// SPDX-License-Identifier: MIT
import { queryOptions } from '@tanstack/react-query'
import { fetchSession, fetchStatus, fetchWorkers, login } from '../api/server.js'

/* The server as a whole has no room of its own: it is asked when a reader comes (back), and when a build changes. */
export const statusQuery = queryOptions({
	queryKey: ['status'],
	queryFn: fetchStatus,
	refetchOnWindowFocus: true,
})

export const workersQuery = queryOptions({
	queryKey: ['workers'],
	queryFn: () => fetchWorkers().then((answer) => answer.items),
	refetchOnWindowFocus: true,
})

/** Asked again when the reader comes back to this tab: he may have signed in with another one. */
export const sessionQuery = queryOptions({ queryKey: ['session'], queryFn: fetchSession, staleTime: Infinity, refetchOnWindowFocus: 'always' })

export { login }
