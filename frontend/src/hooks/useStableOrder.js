// SPDX-License-Identifier: MIT
import { useCallback, useState } from 'react'
import { holdOrder } from '../lib/packages.js'

/**
 * The order of rows, which does not change under the pointer: while `held`, rows keep their places until `apply`.
 *
 * @param {number[]} wanted
 * @param {boolean} held
 * @param {string} choice another filter or sort is the reader's own wish and is followed at once
 */
export function useStableOrder(wanted, held, choice) {
	const [shown, setShown] = useState({ wanted, ids: wanted, moved: 0, choice })
	let current = shown
	if (wanted !== shown.wanted || choice !== shown.choice || (!held && shown.moved > 0)) {
		const order = held && choice === shown.choice ? holdOrder(shown.ids, wanted) : { ids: wanted, moved: 0 }
		current = { wanted, choice, ...order }
		setShown(current)
	}
	const apply = useCallback(() => setShown({ wanted, choice, ids: wanted, moved: 0 }), [wanted, choice])
	return { ids: current.ids, moved: current.moved, apply }
}
