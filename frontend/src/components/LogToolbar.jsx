// SPDX-License-Identifier: MIT
import { useState } from 'react'
import { rawLogUrl } from '../queries/queue.js'
import { count, size } from '../lib/format.js'
import { useErrorLines } from '../hooks/useErrorLines.js'
import { useLogSearch } from '../hooks/useLogSearch.js'
import { Steps } from './Steps.jsx'

/**
 * @param {object} props
 * @param {import('../api/types.js').QueueItem} props.item
 * @param {import('../live/log.js').LogState} props.state
 * @param {import('react').ReactNode} props.choice
 * @param {boolean} props.follow
 * @param {boolean} props.wrap
 * @param {number} props.top the line from which next and previous count
 * @param {(follow: boolean) => void} props.onFollow
 * @param {(wrap: boolean) => void} props.onWrap
 * @param {(line: number) => void} props.onGo
 */
export function LogToolbar({ item, state, choice, follow, wrap, top, onFollow, onWrap, onGo }) {
	const [text, setText] = useState('')
	const { lines, note, search } = useLogSearch(item.id, top, onGo)
	const errors = useErrorLines(item, top, onGo)
	const following = state.live ? '● Following' : '◌ Not live'

	return (
		<div className="log-toolbar">
			{choice}
			<form role="search" className="log-search" onSubmit={(event) => {
				event.preventDefault()
				void search(text)
			}}>
				<input type="search" className="field" placeholder="Search the log" aria-label="Search the whole log" value={text}
					onChange={(event) => setText(event.target.value)} />
				<button type="submit" className="tool">Search</button>
				<Steps what="match" lines={lines} top={top} onGo={onGo} />
				<span role="status" className="subtle">{note}</span>
			</form>
			<span className="log-errors" role="group" aria-label="Errors">
				<button type="button" className="tool" onClick={errors.previous} title="The error before ( Shift E )">↑ Error</button>
				<button type="button" className="tool" onClick={errors.next} title="The next error ( E )">↓ Error</button>
				<span role="status" className="subtle">{errors.note}</span>
			</span>
			<label className="log-wrap-switch"><input type="checkbox" checked={wrap} onChange={(event) => onWrap(event.target.checked)} /> Wrap</label>
			<button type="button" className={follow && !state.final && state.live ? 'tool tool-on' : 'tool'} aria-pressed={follow} onClick={() => onFollow(!follow)}
				title={follow ? 'The end stays in sight' : 'Go to the end and stay there'}>
				{state.final ? '⤓ End' : follow ? following : '⤓ Follow'}
			</button>
			<span className="log-size subtle">{count(state.total, 'line')}, {size(state.size)}</span>
			<a href={rawLogUrl(item.id)} download={`${item.package.name}.log`}>Raw</a>
		</div>
	)
}
