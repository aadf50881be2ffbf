// SPDX-License-Identifier: MIT
// @vitest-environment node
import { describe, expect, it } from 'vitest'
import { applyListMessages, applyMessage, applyMessages, itemsById, newerBuild } from '../../src/live/updates.js'
import { build, item } from '../fakes.js'

const update = (seq, data, more) => ({ type: 'build_update', seq, epoch: 'e1', data: { id: 7, ...data }, ...more })
const queue = (seq, data) => ({ type: 'queue_update', seq, epoch: 'e1', data })

describe('build_update', () => {
	it('merges the job and keeps the items', () => {
		const before = build()
		const after = applyMessage(before, update(41, { status: 'completed', progress: 100 }))
		expect(after).toMatchObject({ name: 'stack', status: 'completed', progress: 100, seq: 41 })
		expect(after.queue_items).toBe(before.queue_items)
		expect(before.status).toBe('running')
	})
	it('makes the build where there was none', () => {
		expect(applyMessage(undefined, update(3, { name: 'new' }))).toMatchObject({ id: 7, name: 'new', seq: 3 })
	})
	it('is dropped when older than the build', () => {
		const before = build()
		expect(applyMessage(before, update(39, { progress: 99 }))).toBe(before)
	})
	it('without seq is applied as it comes and keeps the number that was known', () => {
		const after = applyMessage(build(), { type: 'build_update', data: { progress: 50 } })
		expect(after).toMatchObject({ progress: 50, seq: 40 })
	})
	it('is applied to a build that has no seq', () => {
		const { seq: _, ...unnumbered } = build()
		expect(applyMessage(unnumbered, update(2, { progress: 5 }))).toMatchObject({ progress: 5, seq: 2 })
	})
})

describe('a snapshot', () => {
	it('replaces all that is held, whatever its number', () => {
		const after = applyMessage(build({ plan: {} }), update(12, { name: 'other', queue_items: [item(9)] }, { snapshot: true }))
		expect(after).toEqual({ id: 7, name: 'other', queue_items: [item(9)], seq: 12, epoch: 'e1' })
	})
	it('takes changes before it away and lets those after it stand', () => {
		const after = applyMessages(build(), [
			queue(41, item(1, 'failed')),
			update(50, { queue_items: [item(1), item(2)] }, { snapshot: true }),
			queue(51, item(2, 'building')),
		])
		expect(after.queue_items.map((i) => i.status)).toEqual(['queued', 'building'])
		expect(after.seq).toBe(51)
	})
})

describe('queue_update', () => {
	it('replaces one item, keeps what was planned of it, and leaves the others the same objects', () => {
		const plan = { level: 1, position: 1, last_duration_ms: 900, needs: [1] }
		const before = build()
		before.queue_items[1] = { ...before.queue_items[1], ...plan, why: 'waits' }
		const { needs: _, ...message } = item(2, 'building', { worker: 'w1' })
		const after = applyMessage(before, queue(41, message))
		expect(after.queue_items[1]).toEqual({ ...message, ...plan })
		expect(after.queue_items[0]).toBe(before.queue_items[0])
		expect(after.queue_items[2]).toBe(before.queue_items[2])
		expect(before.queue_items[1].status).toBe('pending')
	})
	it('is dropped when older than the build', () => {
		const before = build()
		expect(applyMessage(before, queue(39, item(1, 'failed')))).toBe(before)
	})
	it('adds an item that is new, once, from whatever state it is applied to', () => {
		const before = build()
		const left = applyMessage(before, queue(41, item(8)))
		const right = applyMessages(before, [queue(41, item(9)), queue(42, item(8))])
		const both = applyMessages(left, [queue(42, item(9)), queue(43, item(9, 'building'))])
		expect(left.queue_items.map((i) => i.id)).toEqual([1, 2, 3, 8])
		expect(right.queue_items.map((i) => i.id)).toEqual([1, 2, 3, 9, 8])
		expect(both.queue_items.map((i) => i.id)).toEqual([1, 2, 3, 8, 9])
	})
	it('works on a build without items, and does nothing without a build', () => {
		const { queue_items: _, ...bare } = build()
		expect(applyMessage(bare, queue(41, item(1))).queue_items).toHaveLength(1)
		expect(applyMessage(undefined, queue(41, item(1)))).toBeUndefined()
	})
	it('of one batch keeps the last word for each item', () => {
		const after = applyMessages(build(), [queue(41, item(1, 'building')), queue(42, item(1, 'completed'))])
		expect(after.queue_items[0].status).toBe('completed')
		expect(after.seq).toBe(42)
	})
})

it('items are found by id, those of this state and no other', () => {
	const before = build()
	const after = applyMessages(before, [queue(41, item(2, 'failed')), queue(42, item(8))])
	const other = applyMessages(before, [queue(41, item(9))])
	expect([1, 2, 8, 9].map((id) => itemsById(after.queue_items).get(id)?.status)).toEqual(['queued', 'failed', 'queued', undefined])
	expect([2, 8, 9].map((id) => itemsById(other.queue_items).get(id)?.status)).toEqual(['pending', undefined, 'queued'])
	expect(itemsById(before.queue_items).get(8)).toBeUndefined()
	expect(itemsById([]).get(1)).toBeUndefined()
})

it('unknown types, missing data and odd data change nothing', () => {
	const before = build()
	for (const message of [{ type: 'weather' }, { type: 'queue_update' }, { type: 'build_update', data: [1] }, { type: 'build_update', data: 'x' }, {}])
		expect(applyMessage(before, message)).toBe(before)
})

describe('an HTTP answer', () => {
	it('that the socket has overtaken is dropped', () => {
		const held = applyMessage(build(), update(45, {}))
		expect(newerBuild(held, build({ seq: 44 }))).toBe(held)
	})
	it('with the same or a newer number is taken', () => {
		const next = build({ seq: 45 })
		expect(newerBuild(build({ seq: 45 }), next)).toBe(next)
		expect(newerBuild(undefined, next)).toBe(next)
	})
	it('of another epoch is taken, as numbers of two databases cannot be compared', () => {
		const next = build({ seq: 2, epoch: 'e2' })
		expect(newerBuild(build(), next)).toBe(next)
	})
	it('never keeps a snapshot of a lower number out', () => {
		const held = build({ seq: 45 })
		const snapshot = applyMessage(held, update(12, {}, { snapshot: true }))
		expect(newerBuild(held, snapshot)).toBe(snapshot)
	})
})

describe('the list', () => {
	it('is replaced by build_list, then each build merges by its own number', () => {
		let list = applyListMessages(undefined, [{ type: 'build_list', epoch: 'e1', data: [build({ id: 2 }), build({ id: 1, seq: 9 })] }])
		list = applyListMessages(list, [
			{ type: 'build_update', seq: 10, data: { id: 1, progress: 5 } },
			{ type: 'build_update', seq: 39, data: { id: 2, progress: 99 } },
			{ type: 'build_update', seq: 1, data: { id: 3, progress: 1 } },
		])
		expect(list.map((b) => [b.id, b.progress])).toEqual([[3, 1], [2, 0], [1, 5]])
	})
	it('loses a build that was deleted', () => {
		const list = [build({ id: 3 }), build({ id: 2 })]
		expect(applyListMessages(list, [{ type: 'build_removed', seq: 50, data: { id: 3 } }]).map((b) => b.id)).toEqual([2])
		expect(applyListMessages(undefined, [{ type: 'build_removed', seq: 50, data: { id: 3 } }])).toBeUndefined()
	})
	it('stays the same array when nothing changed', () => {
		const list = [build()]
		expect(applyListMessages(list, [{ type: 'heartbeat' }, { type: 'build_update', seq: 1, data: { id: 7 } }])).toBe(list)
	})
})
