// SPDX-License-Identifier: MIT
import { queryOptions } from '@tanstack/react-query'
import { fetchLogWindow, fetchQueueItem, rawLogUrl, searchLog } from '../api/queue.js'

/** One item whole; `version` is what its row says of it, so that a change asks again. @param {number} id @param {string} version */
export const queueItemQuery = (id, version) =>
	queryOptions({
		queryKey: ['queueItem', id, version],
		queryFn: () => fetchQueueItem(id),
		staleTime: Infinity,
		placeholderData: (/** @type {import('../api/types.js').QueueItemDetail | undefined} */ old) =>
			old?.id === id ? old : undefined,
	})

/** @param {number} id @param {string} q */
export const logSearchQuery = (id, q) =>
	queryOptions({
		queryKey: ['logSearch', id, q],
		queryFn: () => searchLog(id, q),
		staleTime: 5000,
	})

export { fetchLogWindow, rawLogUrl }
