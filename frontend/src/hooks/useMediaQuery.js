// SPDX-License-Identifier: MIT
import { useSyncExternalStore } from 'react'

/** @param {string} query */
export function useMediaQuery(query) {
	return useSyncExternalStore(
		(changed) => {
			const list = matchMedia(query)
			list.addEventListener('change', changed)
			return () => list.removeEventListener('change', changed)
		},
		() => matchMedia(query).matches,
	)
}
