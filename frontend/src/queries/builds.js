// SPDX-License-Identifier: MIT
import { queryOptions } from '@tanstack/react-query'
import { cancelBuild, createBuild, deleteBuild, fetchArtifacts, fetchBuild, fetchBuilds, retryBuild } from '../api/builds.js'
import { newerBuild } from '../live/updates.js'

/** @typedef {import('../api/types.js').Build} Build */

/** The key holds the id exactly as the caller has it: '7' and 7 are two keys. @param {string | number | undefined} id */
export const buildJobKey = (id) => /** @type {const} */ (['buildJob', id])

/** A build and its items. The socket keeps it fresh: it is fetched once and never polled. @param {string | number} id */
export const buildJobQuery = (id) =>
	queryOptions({
		queryKey: buildJobKey(id),
		queryFn: () => fetchBuild(id),
		refetchInterval: false,
		staleTime: Infinity,
		structuralSharing: newerBuild,
	})

/**
 * What the cache holds of a build, for those who follow it past useQuery: each in its own time, and without a render of the page.
 *
 * @param {import('@tanstack/react-query').QueryClient} client
 * @param {string | number} id as in the key
 */
export function watchBuild(client, id) {
	const cache = client.getQueryCache()
	const { queryHash } = client.defaultQueryOptions({ queryKey: buildJobKey(id) })
	return {
		read: () => /** @type {Build | undefined} */ (cache.get(queryHash)?.state.data),
		/** @param {() => void} changed @returns {() => void} */
		subscribe: (changed) => cache.subscribe(({ type, query }) => type === 'updated' && query.queryHash === queryHash && changed()),
	}
}

/** What the list's room says; filled by useBuildList. */
export const liveBuildsKey = /** @type {const} */ (['builds', 'live'])

export const liveBuildsQuery = queryOptions({
	queryKey: liveBuildsKey,
	queryFn: () => /** @type {Build[]} */ ([]),
	enabled: false,
	staleTime: Infinity,
	structuralSharing: false,
})

export const buildPagesKey = /** @type {const} */ (['builds', 'pages'])

/** Newest first, page by page. @param {{ status: string, q: string }} filter */
export const buildPagesQuery = (filter) => ({
	queryKey: [...buildPagesKey, filter],
	/** @param {{ pageParam: number | null }} page */
	queryFn: ({ pageParam }) => fetchBuilds({ ...filter, after: pageParam }),
	initialPageParam: /** @type {number | null} */ (null),
	/** @param {{ next: number | null }} page */
	getNextPageParam: (page) => page.next,
})

/** What preparing found, once it has. @param {number | undefined} id @param {boolean} ready */
export const buildPlanQuery = (id, ready) =>
	queryOptions({
		queryKey: ['buildPlan', id],
		queryFn: () => fetchBuild(/** @type {number} */ (id)).then((build) => build.plan ?? null),
		enabled: ready,
		staleTime: Infinity,
	})

/** What came out, and how many packages had completed before it was asked: the list holds those at least. @param {string | number} id as in the build's key */
export const artifactsQuery = (id) =>
	queryOptions({
		queryKey: ['artifacts', id],
		queryFn: async ({ client }) => {
			const completed = client.getQueryData(buildJobQuery(id).queryKey)?.completed_packages ?? 0
			return { completed, items: (await fetchArtifacts(id)).items }
		},
	})

/** @param {string | number} id */
export const cancelMutation = (id) => ({ mutationFn: () => cancelBuild(id) })
/** @param {string | number} id */
export const retryMutation = (id) => ({ mutationFn: () => retryBuild(id) })
/** @param {string | number} id */
export const deleteMutation = (id) => ({ mutationFn: () => deleteBuild(id) })

/**
 * A deleted build is nowhere any more: neither in the lists, whichever told of it, nor when the reader goes back to it. What is being
 * fetched may hold it still and is asked for again.
 *
 * @param {import('@tanstack/react-query').QueryClient} client
 * @param {(string | number)[]} ids
 */
export function forgetBuilds(client, ids) {
	const gone = new Set(ids.map(String))
	client.setQueryData(liveBuildsKey, (/** @type {Build[] | undefined} */ old) => old?.filter((build) => !gone.has(String(build.id))))
	client.removeQueries({ queryKey: ['buildJob'], predicate: ({ queryKey }) => gone.has(String(queryKey[1])) })
	void client.invalidateQueries({ queryKey: buildPagesKey })
}
export { createBuild }
