// SPDX-License-Identifier: MIT
import { useEffect, useState } from 'react'
import { createColours } from '../lib/sgr.js'
import { CHUNK_LINES, EMPTY, openLog } from '../live/log.js'
import { fetchLogWindow } from '../queries/queue.js'

/** @typedef {import('../live/log.js').LogState} LogState */

/** A log and its colours. @param {number} item @param {(state: LogState) => void} change */
function begin(item, change) {
	let total = 0
	const log = openLog({
		item,
		fetchWindow: fetchLogWindow,
		change: (state) => {
			if (state.total < total) colours.forget() // another attempt writes it anew
			total = state.total
			change(state)
		},
	})
	const colours = createColours({ line: (at) => log.line(at), pieceLines: CHUNK_LINES })
	return { ...log, colourBefore: colours.before }
}

/** The log of one item, live while mounted. @param {number} item */
export function useLog(item) {
	const [log, setLog] = useState(/** @type {ReturnType<typeof begin> | null} */ (null))
	const [state, setState] = useState(EMPTY)

	useEffect(() => {
		const opened = begin(item, setState)
		setLog(opened) // eslint-disable-line react-hooks/set-state-in-effect -- what was opened lives outside React
		return () => {
			opened.leave()
			setLog(null)
			setState(EMPTY)
		}
	}, [item])

	return { log, state }
}
