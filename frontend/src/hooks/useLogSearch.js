// SPDX-License-Identifier: MIT
import { useState } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { count } from '../lib/format.js'
import { logSearchQuery } from '../queries/queue.js'

/** @typedef {{ sought: string, lines: number[], note: string }} Found */

/**
 * Looks for words in a whole log, on the server. Each time the reader asks, since a log grows: new words lead to their first line, the
 * same ones again to the next.
 *
 * @param {number} item
 * @param {number} top the line from which to count
 * @param {(line: number) => void} onGo
 */
export function useLogSearch(item, top, onGo) {
	const client = useQueryClient()
	const [found, setFound] = useState(/** @type {Found} */ ({ sought: '', lines: [], note: '' }))

	/** @param {string} words */
	async function search(words) {
		const before = found.sought === words ? found : { sought: words, lines: [], note: '' }
		setFound({ ...before, note: words && 'searching' })
		if (!words) return
		try {
			const { matches, truncated } = await client.fetchQuery({ ...logSearchQuery(item, words), staleTime: 0, retry: false })
			const lines = matches.map((match) => match.line)
			setFound({ sought: words, lines, note: `${truncated ? 'the first ' : ''}${count(lines.length, 'line')}` })
			const next = before.lines.length > 0 ? lines.find((line) => line > top) : undefined
			if (lines.length > 0) onGo(next ?? lines[0])
		} catch (error) {
			setFound({ ...before, note: `not searched: ${/** @type {Error} */ (error).message}` })
		}
	}
	return { ...found, search }
}
