// SPDX-License-Identifier: MIT
import { useEffect, useRef, useState } from 'react'
import { useQueryClient } from '@tanstack/react-query'
import { logSearchQuery } from '../queries/queue.js'

const WORDS = ['error:', 'Error ', 'FAILED']

/** @param {PromiseSettledResult<import('../api/types.js').LogMatches>[]} answers @param {number} n */
function noteOf(answers, n) {
	const refused = answers.find((answer) => answer.status === 'rejected')
	if (refused) return `not looked through: ${refused.reason.message}`
	if (n === 0) return 'no errors'
	return answers.some((answer) => answer.status === 'fulfilled' && answer.value.truncated) ? 'of the first only' : ''
}

/**
 * Next and previous error of a log, by buttons and by the keys e and E. The lines are looked up on the server when first asked for;
 * the one that the server took for the cause is always among them.
 *
 * @param {import('../api/types.js').QueueItem} item
 * @param {number} top the line from which to count
 * @param {(line: number) => void} onGo
 */
export function useErrorLines(item, top, onGo) {
	const client = useQueryClient()
	const [note, setNote] = useState('')

	/** @param {1 | -1} direction */
	async function step(direction) {
		const answers = await Promise.allSettled(WORDS.map((word) => client.fetchQuery({ ...logSearchQuery(item.id, word), retry: false })))
		const found = new Set(answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value.matches.map((match) => match.line) : [])))
		if (item.error_line) found.add(item.error_line)
		const lines = [...found].sort((a, b) => a - b)
		setNote(noteOf(answers, lines.length))
		if (lines.length === 0) return
		const next = lines.find((line) => line > top) ?? lines[0]
		const previous = lines.findLast((line) => line < top) ?? lines[lines.length - 1]
		onGo(direction > 0 ? next : previous)
	}

	const latest = useRef(step)
	useEffect(() => {
		latest.current = step
	})
	useEffect(() => {
		/** @param {KeyboardEvent} event */
		function key(event) {
			const typing = event.target instanceof HTMLElement && event.target.closest('input, textarea, select')
			if (typing || event.ctrlKey || event.metaKey || event.altKey) return
			if (event.key === 'e') latest.current(1)
			if (event.key === 'E') latest.current(-1)
		}
		document.addEventListener('keydown', key)
		return () => document.removeEventListener('keydown', key)
	}, [])

	return { next: () => step(1), previous: () => step(-1), note }
}
