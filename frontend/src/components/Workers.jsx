// SPDX-License-Identifier: MIT
import { Link } from 'react-router'
import { serverClock } from '../lib/clock.js'
import { absolute, ago, count } from '../lib/format.js'
import { Ticking } from './Ticking.jsx'

/** Who builds what, slot by slot. @param {{ workers: import('../api/types.js').Worker[] }} props */
export function Workers({ workers }) {
	const current = workers.filter((worker) => worker.current)
	return (
		<section aria-labelledby="workers-title">
			<h2 id="workers-title">Workers</h2>
			{current.length === 0 && <p className="hint">No worker is there: what is queued waits until one comes.</p>}
			<div className="cards">
				{current.map((worker) => <WorkerCard key={`${worker.name} ${worker.incarnation}`} worker={worker} />)}
			</div>
		</section>
	)
}

/** @param {{ worker: import('../api/types.js').Worker }} props */
function WorkerCard({ worker }) {
	const { name, slots, building } = worker
	const bySlot = new Map(building.map((work) => [work.slot, work]))
	return (
		<section className="card">
			<h3>{name} <span className="subtle">{count(slots, 'slot')}</span></h3>
			<p className="subtle" title={`since ${absolute(worker.started_at)}`}>heard of {ago(worker.heartbeat_at, serverClock.now())}</p>
			<ul className="slots">
				{Array.from({ length: slots }, (_, at) => at + 1).map((slot) => <Slot key={slot} slot={slot} work={bySlot.get(slot)} />)}
			</ul>
		</section>
	)
}

/** @param {{ slot: number, work: import('../api/types.js').Worker['building'][number] | undefined }} props */
function Slot({ slot, work }) {
	return (
		<li>
			<span className={work ? 'slot-number slot-busy' : 'slot-number'}>{slot}</span>
			{work ? <Link to={`/builds/${work.build}?item=${work.item}`}>{work.package}</Link> : <span className="subtle">free</span>}
			{work?.phase && <code>{work.phase}</code>}
			{work?.started_at && <span className="subtle"><Ticking from={work.started_at} /></span>}
		</li>
	)
}
