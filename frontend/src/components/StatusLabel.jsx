// SPDX-License-Identifier: MIT
import { memo } from 'react'
import { buildLook, itemLook } from '../api/statuses.js'

/** A state as symbol and word. The kit's classes on a bare element: rows have thousands of these. */
export const StatusLabel = memo(
	/** @param {{ status: string, of?: 'build' | 'item' }} props */
	function StatusLabel({ status, of = 'item' }) {
		const { word, symbol, tone } = of === 'build' ? buildLook(status) : itemLook(status)
		return (
			<span className={`state state-${tone}`}>
				<span aria-hidden="true">{symbol}</span> {word}
			</span>
		)
	},
)
