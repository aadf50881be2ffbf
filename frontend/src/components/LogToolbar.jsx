// SPDX-License-Identifier: MIT
import { useEffect, useState } from 'react'
import { Button } from '@patternfly/react-core'
import { useQuery } from '@tanstack/react-query'
import { logSearchQuery, rawLogUrl } from '../queries/queue.js'
import { count, size } from '../lib/format.js'
import { useErrorLines } from '../hooks/useErrorLines.js'
import { Steps } from './Steps.jsx'

/**
 * @param {object} props
 * @param {import('../api/types.js').QueueItem} props.item
 * @param {import('../live/log.js').LogState} props.state
 * @param {boolean} props.follow
 * @param {boolean} props.wrap
 * @param {number} props.top the line from which next and previous count
 * @param {(follow: boolean) => void} props.onFollow
 * @param {(wrap: boolean) => void} props.onWrap
 * @param {(line: number) => void} props.onGo
 */
export function LogToolbar({ item, state, follow, wrap, top, onFollow, onWrap, onGo }) {
	const [text, setText] = useState('')
	const [sought, setSought] = useState('')
	const { data: found, isFetching } = useQuery(logSearchQuery(item.id, sought))
	const errors = useErrorLines(item, top, onGo)
	const matches = found?.q === sought && sought ? found.matches.map((match) => match.line) : []
	const note = !sought ? '' : isFetching ? 'searching' : found ? `${found.truncated ? 'the first ' : ''}${count(matches.length, 'line')}` : ''
	const firstMatch = matches[0]
	useEffect(() => {
		if (firstMatch) onGo(firstMatch)
	}, [found]) // eslint-disable-line react-hooks/exhaustive-deps -- an answer leads to its first line once

	return (
		<div className="log-toolbar">
			<Button variant={follow && !state.final ? 'primary' : 'secondary'} size="sm" aria-pressed={follow} onClick={() => onFollow(!follow)}
				title={follow ? 'The end stays in sight' : 'Go to the end and stay there'}>
				{state.final ? 'To the end' : follow ? '● Following' : 'Follow'}
			</Button>
			<form role="search" className="log-search" onSubmit={(event) => {
				event.preventDefault()
				setSought(text)
			}}>
				<input type="search" className="field" placeholder="Search the log" aria-label="Search the whole log" value={text}
					onChange={(event) => setText(event.target.value)} />
				<Button type="submit" variant="control" size="sm">Search</Button>
			</form>
			<Steps what="match" lines={matches} top={top} onGo={onGo} />
			<span role="status" className="subtle">{note}</span>
			<span className="log-errors">
				<Button variant="secondary" size="sm" onClick={errors.previous} title="Shift+E">↑ Error</Button>
				<Button variant="secondary" size="sm" onClick={errors.next} title="E">↓ Error</Button>
				<span role="status" className="subtle">{errors.note}</span>
			</span>
			<label className="log-wrap-switch"><input type="checkbox" checked={wrap} onChange={(event) => onWrap(event.target.checked)} /> Wrap</label>
			<span className="subtle">{count(state.total, 'line')}, {size(state.size)}</span>
			<a href={rawLogUrl(item.id)} download={`${item.package.name}.log`}>Raw</a>
		</div>
	)
}
