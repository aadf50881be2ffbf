// SPDX-License-Identifier: MIT
import { useMemo, useState } from 'react'

/**
 * Is somebody at these rows, with the pointer or with the keyboard? The one leaves without the other: who opens a row by a click takes
 * the focus to its panel, and the pointer is still there.
 *
 * @returns {{ held: boolean, hold: import('react').HTMLAttributes<HTMLElement> }} `hold` for the element around the rows
 */
export function useHold() {
	const [pointed, setPointed] = useState(false)
	const [focused, setFocused] = useState(false)
	const hold = useMemo(() => ({
		onPointerEnter: () => setPointed(true),
		onPointerLeave: () => setPointed(false),
		onFocus: () => setFocused(true),
		onBlur: () => setFocused(false),
	}), [])
	return { held: pointed || focused, hold }
}
