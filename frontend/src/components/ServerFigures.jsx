// SPDX-License-Identifier: MIT
import { size } from '../lib/format.js'

/**
 * What an operator looks for first, in large figures.
 *
 * @param {{ status: Record<string, any>, workers: import('../api/types.js').Worker[] }} props
 */
export function ServerFigures({ status, workers }) {
	const { builds = {}, queue = {}, disk = {} } = status
	const current = workers.filter((worker) => worker.current)
	const slots = current.reduce((sum, worker) => sum + worker.slots, 0)
	const busy = current.reduce((sum, worker) => sum + worker.building.length, 0)
	const active = (builds.running ?? 0) + (builds.preparing ?? 0) + (builds.pending ?? 0)
	const low = disk.free_bytes !== undefined && disk.free_bytes < 2 * disk.floor_bytes
	return (
		<>
			<dl className="figures">
				<Figure name="builds active" n={active} note={`${builds.completed ?? 0} completed, ${builds.failed ?? 0} failed, ${builds.cancelled ?? 0} cancelled`} />
				<Figure name="slots at work" n={`${busy} / ${slots}`} note={slots === 0 ? 'no worker is there' : busy < slots ? `${slots - busy} free` : 'all taken'} bad={slots === 0} />
				<Figure name="packages ready" n={queue.ready ?? 0} note={`${queue.building ?? 0} building`} />
				<Figure name="packages waiting" n={queue.waiting ?? 0} note="for others of their set" />
				<Figure name="disk free" n={size(disk.free_bytes)} note={`nothing begins below ${size(disk.floor_bytes)}`} bad={low} />
			</dl>
			{queue.why && queue.ready > 0 && <p className="queue-why"><span className="subtle">What is ready waits because</span> {queue.why}.</p>}
		</>
	)
}

/** @param {{ name: string, n: number | string, note: string, bad?: boolean }} props */
function Figure({ name, n, note, bad }) {
	return (
		<div className={bad ? 'card figure figure-bad' : 'card figure'}>
			<dt>{name}</dt>
			<dd><strong>{typeof n === 'number' ? n.toLocaleString('en') : n}</strong> <span className="subtle">{note}</span></dd>
		</div>
	)
}
