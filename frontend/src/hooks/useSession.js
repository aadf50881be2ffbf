// SPDX-License-Identifier: MIT
import { useQuery } from '@tanstack/react-query'
import { sessionQuery } from '../queries/server.js'

/** May this reader change anything? Unknown counts as yes: the server has the last word. */
export function useSession() {
	const { data } = useQuery(sessionQuery)
	return { canChange: data?.can_change ?? true, signedIn: data?.signed_in ?? false }
}
