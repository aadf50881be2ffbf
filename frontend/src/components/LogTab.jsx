// SPDX-License-Identifier: MIT
import { memo, useCallback, useMemo, useState } from 'react'
import { useNavigate, useParams } from 'react-router'
import { itemsById } from '../live/updates.js'
import { chooseItems } from '../lib/packages.js'
import { LogChoice } from './LogChoice.jsx'
import { LogPane } from './LogPane.jsx'

/** Any package's log. Without a choice: the first that failed, else one that is built. @param {{ build: import('../api/types.js').Build }} props */
export const LogTab = memo(Tab)

/** @param {{ build: import('../api/types.js').Build }} props */
function Tab({ build }) {
	const { item } = useParams()
	const navigate = useNavigate()
	const items = useMemo(() => build.queue_items ?? [], [build.queue_items])
	const order = useMemo(() => {
		const begun = items.filter((each) => each.started_at || each.log_size)
		return chooseItems(begun, { text: '', status: '', sort: 'state' })
	}, [items])
	// A choice of the page's own stays, also the first one of a build in which nothing had begun: another package that begins or fails
	// must not take the log away from under the reader.
	const [first, setFirst] = useState(order[0])
	if (first === undefined && order.length > 0) setFirst(order[0])
	const choose = useCallback((/** @type {string} */ id) => navigate(`/builds/${build.id}/log/${id}`), [navigate, build.id])

	const byId = itemsById(items)
	const id = Number(item) || (first ?? order[0])
	const chosen = byId.get(id)
	if (item && !chosen) return <p className="nothing">This build has no package with the number {item}.</p>
	if (!chosen) return <p className="nothing">No package has begun yet: the first log appears here.</p>
	return <LogPane key={id} item={chosen} choice={<LogChoice value={id} order={order} items={items} onChoose={choose} />} />
}
