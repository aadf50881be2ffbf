// SPDX-License-Identifier: MIT
import { memo, useState } from 'react'
import { itemsById } from '../live/updates.js'
import { itemLook } from '../api/statuses.js'

/** @typedef {import('../api/types.js').QueueItem} QueueItem */

/**
 * Whose log? While somebody is at the list it stays as it is: entries that move are not to be hit.
 *
 * @param {{ value: number, order: number[], items: QueueItem[], onChoose: (id: string) => void }} props `order`: those that have begun
 */
export const LogChoice = memo(Choices)

/** @param {{ value: number, order: number[], items: QueueItem[], onChoose: (id: string) => void }} props */
function Choices({ value, order, items, onChoose }) {
	const [held, setHeld] = useState(/** @type {{ order: number[], items: QueueItem[] } | null} */ (null))
	const shown = held ?? { order, items }
	const byId = itemsById(shown.items)
	const hold = () => setHeld((old) => old ?? { order, items })
	return (
		<select className="field log-choice" aria-label="Log of" value={value} onFocus={hold} onMouseDown={hold} onKeyDown={hold} onBlur={() => setHeld(null)}
			onChange={(event) => {
				setHeld(null)
				onChoose(event.target.value)
			}}>
			{(shown.order.includes(value) ? shown.order : [value, ...shown.order]).map((id) => <Choice key={id} item={byId.get(id)} />)}
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
