// SPDX-License-Identifier: MIT
import { memo } from 'react'
import { Button } from '@patternfly/react-core'
import { useSpoken } from '../hooks/useSpoken.js'
import { ITEM_STATUSES } from '../api/statuses.js'
import { FilterInput } from './FilterInput.jsx'

const SORTS = { state: 'state', name: 'name', order: 'build order', duration: 'longest first' }

export const PackageToolbar = memo(Toolbar)

/**
 * @param {object} props
 * @param {string} props.text
 * @param {string} props.status
 * @param {string} props.sort
 * @param {Record<string, number>} props.counts
 * @param {number} props.total
 * @param {number} props.shown
 * @param {number} props.moved
 * @param {() => void} props.onApply
 * @param {(changes: Record<string, string>) => void} props.onChoose
 */
function Toolbar({ text, status, sort, counts, total, shown, moved, onApply, onChoose }) {
	const note = shown < total ? `${shown} of ${total}` : ''
	const spoken = useSpoken(note, `${text} ${status}`) // the answer to a filter at once; that rows move is for the eye
	return (
		<div className="toolbar">
			<FilterInput label="Filter packages by name" placeholder="Filter by name ( / )" hotkey="/" value={text} onChange={(q) => onChoose({ q })} />
			<div className="chips" role="group" aria-label="Show only">
				<Chip pressed={!status} onClick={() => onChoose({ state: '' })}>all {total}</Chip>
				{Object.entries(ITEM_STATUSES).map(([key, { word, symbol, tone }]) => (counts[key] || status === key) && (
					<Chip key={key} pressed={status === key} onClick={() => onChoose({ state: status === key ? '' : key })}>
						<span aria-hidden="true" className={`ink-${tone}`}>{symbol}</span> {word} {counts[key] ?? 0}
					</Chip>
				))}
			</div>
			<label className="toolbar-sort">
				<span className="subtle">sort by</span>{' '}
				<select className="field" value={sort} onChange={(event) => onChoose({ sort: event.target.value === 'state' ? '' : event.target.value })}>
					{Object.entries(SORTS).map(([key, word]) => <option key={key} value={key}>{word}</option>)}
				</select>
			</label>
			<span className="toolbar-note">
				{moved > 0
					? <Button variant="link" isInline onClick={onApply}>{moved} rows moved: sort now</Button>
					: note && <span className="subtle">{note}</span>}
			</span>
			<span role="status" className="pf-v6-screen-reader">{spoken}</span>
		</div>
	)
}

/** @param {{ pressed: boolean, onClick: () => void, children: import('react').ReactNode }} props */
export function Chip({ pressed, onClick, children }) {
	return <button type="button" className="chip" aria-pressed={pressed} onClick={onClick}>{children}</button>
}
