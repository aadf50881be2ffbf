// SPDX-License-Identifier: MIT
import { memo, useState } from 'react'
import { itemsById } from '../live/updates.js'
import { itemLook } from '../api/statuses.js'

/** @typedef {import('../api/types.js').QueueItem} QueueItem */

/**
 * Whose log? The list is made when somebody comes to it, and stays as it is while he is there: entries that move are not to be hit, and
 * thousands that nobody sees cost a frame each time.
 *
 * @param {{ value: number, order: number[], items: QueueItem[], onChoose: (id: string) => void }} props `order`: those that have begun
 */
export const LogChoice = memo(Choices)

/** @param {{ value: number, order: number[], items: QueueItem[], onChoose: (id: string) => void }} props */
function Choices({ value, order, items, onChoose }) {
	const [held, setHeld] = useState(/** @type {{ order: number[], items: QueueItem[] } | null} */ (null))
	const byId = itemsById(held?.items ?? items)
	const listed = held?.order.includes(value) ? held.order : [value, ...(held?.order ?? [])]
	const hold = () => setHeld((old) => old ?? { order, items })
	return (
		<select className="field log-choice" aria-label="Log of" value={value} onPointerEnter={hold} onFocus={hold} onMouseDown={hold} onKeyDown={hold} onBlur={() => setHeld(null)}
			onChange={(event) => {
				setHeld(null)
				onChoose(event.target.value)
			}}>
			{listed.map((id) => <Choice key={id} item={byId.get(id)} />)}
		</select>
	)
}

const Choice = memo(
	/** @param {{ item: QueueItem | undefined }} props */
	function Choice({ item }) {
		if (!item) return null
		const { symbol, word } = itemLook(item.status)
		return <option value={item.id}>{`${symbol} ${item.package.name} (${word})`}</option>
	},
)
