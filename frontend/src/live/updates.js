// SPDX-License-Identifier: MIT
/**
 * The reducer: a build and a message make the build after the message. Pure; everything that the page shows of a live build went
 * through here. Objects are never changed, only replaced, and what a message does not touch keeps its identity.
 *
 * @typedef {import('../api/types.js').Build} Build
 * @typedef {import('../api/types.js').QueueItem} QueueItem
 * @typedef {import('../api/types.js').Message} Message
 */

/** id -> position, shared by the arrays that grow out of each other; an entry is checked before it is believed.
 * @type {WeakMap<QueueItem[], Map<number, number>>} */
const indexes = new WeakMap()

/** What this reducer made: its messages were in order already. @type {WeakSet<Build>} */
const reduced = new WeakSet()

/** What the plan decided, which no update repeats. @param {QueueItem} item */
const planned = ({ level, position, last_duration_ms, needs }) => ({ level, position, last_duration_ms, needs })

/** @param {QueueItem[]} items */
function indexOf(items) {
	let index = indexes.get(items)
	if (!index) {
		index = new Map(items.map((item, at) => [item.id, at]))
		indexes.set(items, index)
	}
	return index
}

/**
 * The items by id. The index behind it outlives the array: nothing is built anew for each update.
 *
 * @param {QueueItem[]} items
 * @returns {Pick<Map<number, QueueItem>, 'get'>}
 */
export function itemsById(items) {
	const index = indexOf(items)
	return {
		get(id) {
			const item = items[index.get(id) ?? -1]
			return item?.id === id ? item : undefined
		},
	}
}

/**
 * @param {QueueItem[]} old
 * @param {Map<number, QueueItem>} changes by id
 * @returns {QueueItem[]} a copy in which each changed item is replaced, or added at the end when it is new
 */
function replaceItems(old, changes) {
	const items = old.slice()
	let index = indexOf(old)
	for (const [id, item] of changes) {
		let at = index.get(id) ?? -1
		if (items[at]?.id !== id) {
			at = items.length
			if (index === indexOf(old)) index = new Map(index)
			index.set(id, at)
		}
		items[at] = at < old.length ? { ...planned(old[at]), ...item } : item
	}
	indexes.set(items, index)
	return items
}

/** @param {unknown} data @returns {data is Record<string, any>} */
const isObject = (data) => typeof data === 'object' && data !== null && !Array.isArray(data)

/** @param {Message} message of a type that changes a build, with what that type needs */
const isUpdate = ({ type, data }) => (type === 'build_update' || type === 'queue_update') && isObject(data)

/** @param {Build | undefined} build @param {Message} message */
function isOlder(build, { seq, epoch }) {
	if (seq === undefined || build?.seq === undefined) return false
	if (epoch !== undefined && build.epoch !== undefined && epoch !== build.epoch) return false
	return seq < build.seq
}

/** @param {Record<string, any>} data @param {Message} message @returns {Record<string, any>} */
function stamped(data, { seq, epoch }) {
	return { ...data, ...(seq !== undefined && { seq }), ...(epoch !== undefined && { epoch }) }
}

/**
 * Applies messages in order; the items that they replace are written in one copy of the array.
 *
 * A snapshot replaces the build. `build_update` merges the job's fields, `queue_update` replaces one item and keeps what was planned of it.
 * A message older than the build is dropped; one without seq is applied as it comes; other types change nothing.
 *
 * @param {Build | undefined} build
 * @param {Message[]} messages
 * @returns {Build | undefined} the same object when nothing changed
 */
export function applyMessages(build, messages) {
	/** @type {Map<number, QueueItem>} */
	const changes = new Map()
	let next = build
	for (const message of messages) {
		if (!isUpdate(message)) continue
		const { type, snapshot, data } = message
		if (type === 'build_update' && (snapshot || !next)) {
			changes.clear()
			next = /** @type {Build} */ (stamped(data, message))
		} else if (!next || isOlder(next, message)) {
			continue
		} else if (type === 'build_update') {
			if (data.queue_items) changes.clear()
			next = /** @type {Build} */ (stamped({ ...next, ...data }, message))
		} else {
			changes.set(data.id, /** @type {QueueItem} */ (data))
			next = /** @type {Build} */ (stamped(next, message))
		}
	}
	if (next && changes.size > 0) next = { ...next, queue_items: replaceItems(next.queue_items ?? [], changes) }
	if (next && next !== build) reduced.add(next)
	return next
}

/**
 * @param {Build | undefined} build
 * @param {Message} message
 */
export const applyMessage = (build, message) => applyMessages(build, [message])

/**
 * The `structuralSharing` of a build's query: an HTTP answer that was overtaken by the socket is dropped, whichever arrives last.
 * Numbers of different epochs cannot be compared, and what the reducer made stands: a snapshot may step back.
 *
 * @param {unknown} old
 * @param {unknown} next
 */
export function newerBuild(old, next) {
	const before = /** @type {Build | undefined} */ (old)
	const after = /** @type {Build} */ (next)
	if (!before || !after || reduced.has(after)) return next
	return isOlder(before, /** @type {Message} */ (/** @type {unknown} */ (after))) ? old : next
}

/**
 * The builds list: `build_list` replaces it, a `build_update` merges one build or adds it in front, `build_removed` takes one out.
 *
 * @param {Build[] | undefined} builds
 * @param {Message[]} messages
 * @returns {Build[] | undefined} the same array when nothing changed
 */
export function applyListMessages(builds, messages) {
	let next = builds
	for (const message of messages) {
		const { type, data } = message
		if (type === 'build_list' && Array.isArray(data)) {
			next = data.map((build) => (message.epoch ? { ...build, epoch: message.epoch } : build))
		} else if (type === 'build_update' && isObject(data) && data.id !== undefined) {
			next = mergeListed(next ?? [], message)
		} else if (type === 'build_removed' && isObject(data)) {
			next = next?.filter((build) => build.id !== data.id)
		}
	}
	return next
}

/** @param {Build[]} builds @param {Message} message */
function mergeListed(builds, message) {
	const at = builds.findIndex((build) => build.id === message.data.id)
	if (at < 0) return [/** @type {Build} */ (stamped(message.data, message)), ...builds]
	if (isOlder(builds[at], message)) return builds
	const next = builds.slice()
	next[at] = /** @type {Build} */ (stamped({ ...builds[at], ...message.data }, message))
	return next
}
