// SPDX-License-Identifier: MIT
import { useMemo, useState } from 'react'
import { useNavigate, useParams } from 'react-router'
import { chooseItems } from '../lib/packages.js'
import { itemLook } from '../api/statuses.js'
import { LogPane } from './LogPane.jsx'

/** Any package's log. Without a choice: the first that failed, else one that is built. @param {{ build: import('../api/types.js').Build }} props */
export function LogTab({ build }) {
	const { item } = useParams()
	const navigate = useNavigate()
	const items = useMemo(() => build.queue_items ?? [], [build.queue_items])
	const begun = items.filter((each) => each.started_at || each.log_size)
	const order = chooseItems(begun, { text: '', status: '', sort: 'state' })
	// A choice of the page's own stays: another failure must not take the log away from under the reader.
	const [first] = useState(order[0])
	const id = Number(item) || first || order[0]
	const chosen = items.find((each) => each.id === id)

	if (item && !chosen) return <p className="nothing">This build has no package with the number {item}.</p>
	if (!chosen) return <p className="nothing">No package has begun yet: the first log appears here.</p>
	const byId = new Map(items.map((each) => [each.id, each]))
	const choice = (
		<select className="field log-choice" aria-label="Log of" value={id} onChange={(event) => navigate(`/builds/${build.id}/log/${event.target.value}`)}>
			{(begun.includes(chosen) ? order : [id, ...order]).map((each) => <Choice key={each} item={byId.get(each)} />)}
		</select>
	)
	return <LogPane key={id} item={chosen} choice={choice} />
}

/** @param {{ item: import('../api/types.js').QueueItem | undefined }} props */
function Choice({ item }) {
	if (!item) return null
	const { symbol, word } = itemLook(item.status)
	return <option value={item.id}>{`${symbol} ${item.package.name} (${word})`}</option>
}
