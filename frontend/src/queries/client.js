// SPDX-License-Identifier: MIT
import { notifyManager, QueryClient } from '@tanstack/react-query'
import { newerBuild } from '../live/updates.js'

const LONGEST_DELAY_MS = 30_000

/** No answer and 5xx are asked again for as long as somebody looks; what the server refused stays refused.
 * @param {number} _count @param {Error & { status?: number }} error */
const retry = (_count, error) => error.status === 0 || (error.status ?? 0) >= 500

/** @param {number} count */
const retryDelay = (count) => Math.random() * Math.min(LONGEST_DELAY_MS, 1000 * 2 ** count)

export function createQueryClient() {
	// Messages are applied in a frame's scripts. Told a timer later, React would draw after the frame, and the browser lay out twice.
	notifyManager.setScheduler(queueMicrotask)
	const client = new QueryClient({
		defaultOptions: {
			queries: { retry, retryDelay, refetchOnWindowFocus: false, refetchOnReconnect: false, networkMode: 'always' },
			mutations: { retry: false, networkMode: 'always' },
		},
	})
	client.setQueryDefaults(['buildJob'], { structuralSharing: newerBuild })
	return client
}
