// SPDX-License-Identifier: MIT
/** The builds list from its two sources. Pure. @typedef {import('../api/types.js').Build} Build */

const ACTIVE = new Set(['pending', 'preparing', 'running'])

/** Numbers of two epochs cannot be compared: what the socket says is of the server that is there. @param {Build} a @param {Build} b */
const isOther = (a, b) => a.epoch !== undefined && b.epoch !== undefined && a.epoch !== b.epoch

/**
 * What was fetched and what the socket says, each build once and as the newer of the two has it: what runs first, then the newest.
 *
 * @param {Build[]} fetched
 * @param {Build[]} live
 * @param {{ status: string, q: string }} filter
 * @returns {Build[]}
 */
export function joinBuilds(fetched, live, { status, q }) {
	const byId = new Map(fetched.map((build) => [build.id, build]))
	for (const build of live) {
		const known = byId.get(build.id)
		if (!known || isOther(known, build) || (build.seq ?? 0) >= (known.seq ?? 0)) byId.set(build.id, build)
	}
	const wanted = q.trim().toLowerCase()
	return [...byId.values()]
		.filter((build) => !build.dry_run && (!status || build.status === status) && (!wanted || build.name.toLowerCase().includes(wanted)))
		.sort((a, b) => Number(ACTIVE.has(b.status)) - Number(ACTIVE.has(a.status)) || b.id - a.id)
}
