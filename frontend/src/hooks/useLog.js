// SPDX-License-Identifier: MIT
import { useEffect, useState } from 'react'
import { openLog } from '../live/log.js'
import { fetchLogWindow } from '../queries/queue.js'

/** @typedef {import('../live/log.js').LogState} LogState */

/** @type {LogState} */
const EMPTY = { total: 0, size: 0, final: false, ready: false, error: null, version: 0 }

/** The log of one item, live while mounted. @param {number} item */
export function useLog(item) {
	const [log, setLog] = useState(/** @type {ReturnType<typeof openLog> | null} */ (null))
	const [state, setState] = useState(EMPTY)

	useEffect(() => {
		const opened = openLog({ item, fetchWindow: fetchLogWindow, change: setState })
		setLog(opened) // eslint-disable-line react-hooks/set-state-in-effect -- what was opened lives outside React
		return () => {
			opened.leave()
			setLog(null)
			setState(EMPTY)
		}
	}, [item])

	return { log, state }
}
