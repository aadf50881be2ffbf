// SPDX-License-Identifier: MIT
import { useCallback, useSyncExternalStore } from 'react'

/** @type {Map<string, MediaQueryList>} one for each query: to make them is dear, and they are asked at each render */
const lists = new Map()

/** @param {string} query */
function listOf(query) {
	const list = lists.get(query) ?? matchMedia(query)
	lists.set(query, list)
	return list
}

/** @param {string} query */
export function useMediaQuery(query) {
	const subscribe = useCallback((/** @type {() => void} */ changed) => {
		const list = listOf(query)
		list.addEventListener('change', changed)
		return () => list.removeEventListener('change', changed)
	}, [query])
	return useSyncExternalStore(subscribe, () => listOf(query).matches)
}
