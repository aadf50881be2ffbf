// SPDX-License-Identifier: MIT
// @vitest-environment node
import { describe, expect, it } from 'vitest'
import { joinBuilds } from '../../src/lib/builds.js'
import { criticalPath, estimate } from '../../src/lib/estimate.js'
import { ago, count, duration, elapsed, size } from '../../src/lib/format.js'
import { chooseItems, countByStatus, holdOrder } from '../../src/lib/packages.js'
import { build, item } from '../fakes.js'

const at = (s) => new Date(Date.UTC(2026, 1, 11) + s * 1000).toISOString()
const ms = (s) => Date.parse(at(s))
const all = { text: '', status: '', sort: 'state' }

describe('choosing items', () => {
	const items = [item(1, 'completed'), item(2, 'pending'), item(3, 'failed'), item(4, 'building'), item(5, 'blocked')]
	it('shows failures first, then what moves, then what waits, then what is done', () => {
		expect(chooseItems(items, all)).toEqual([3, 4, 5, 2, 1])
	})
	it('keeps the order of positions within a state, in whatever order the items come', () => {
		const mixed = [item(9, 'queued', { position: 2 }), item(8, 'queued', { position: 1 }), item(7, 'odd', { position: 0 }), item(6, 'failed', { position: 3 })]
		expect(chooseItems(mixed, all)).toEqual([6, 8, 9, 7])
	})
	it('filters by text and state', () => {
		expect(chooseItems(items, { ...all, text: 'PACKAGE-4' })).toEqual([4])
		expect(chooseItems(items, { ...all, status: 'failed' })).toEqual([3])
	})
	it('puts what takes longest first, what still runs before all', () => {
		const timed = [item(1, 'completed', { started_at: at(0), completed_at: at(5) }), item(2, 'completed', { started_at: at(0), completed_at: at(9) }), item(3, 'building', { started_at: at(8) }), item(4)]
		expect(chooseItems(timed, { ...all, sort: 'duration' })).toEqual([3, 2, 1, 4])
	})
	it('counts by state', () => {
		expect(countByStatus([item(1), item(2), item(3, 'failed')])).toEqual({ queued: 2, failed: 1 })
	})
})

describe('an order that is held', () => {
	it('keeps the rows where they are, puts new ones last and drops what is gone', () => {
		expect(holdOrder([1, 2, 3], [3, 4, 1])).toEqual({ ids: [1, 3, 4], moved: 3 })
	})
	it('is the wanted one as soon as nothing would move', () => {
		const wanted = [1, 2, 3]
		expect(holdOrder([1, 2, 3], wanted)).toEqual({ ids: wanted, moved: 0 })
	})
})

describe('the estimate', () => {
	it('is the work left over the slots in use', () => {
		const items = [1, 2, 3, 4].map((id) => item(id, id < 3 ? 'building' : 'queued', { started_at: id < 3 ? at(0) : null, last_duration_ms: 10_000 }))
		expect(estimate(items, ms(4))).toEqual({ ms: 16_000, known: 1 })
	})
	it('is not shorter than the longest chain of needs', () => {
		const items = [item(1, 'building', { started_at: at(0), last_duration_ms: 10_000 }), item(2, 'pending', { level: 1, needs: [1], last_duration_ms: 20_000 }), item(9, 'building', { started_at: at(0), last_duration_ms: 10_000 })]
		expect(estimate(items, ms(0)).ms).toBe(30_000)
	})
	it('is none when nothing is left or nothing is known', () => {
		expect(estimate([item(1, 'completed')], 0)).toBeNull()
		expect(estimate([item(1)], 0)).toBeNull()
	})
})

it('the critical path goes back through the need that ended last', () => {
	const items = [
		item(1, 'completed', { started_at: at(0), completed_at: at(5) }),
		item(2, 'completed', { started_at: at(0), completed_at: at(3) }),
		item(3, 'building', { started_at: at(5), needs: [1, 2] }),
		item(4, 'completed', { started_at: at(1), completed_at: at(4) }),
	]
	expect([...criticalPath(items, ms(9))]).toEqual([3, 1])
})
it('the builds list holds each build once, the newer of the two, what runs first', () => {
	const joined = joinBuilds([build({ id: 1, seq: 5, status: 'completed' }), build({ id: 2, seq: 5, status: 'failed' })], [build({ id: 1, seq: 3 }), build({ id: 3, dry_run: true }), build({ id: 0 })], { status: '', q: '' })
	expect(joined.map((each) => [each.id, each.status])).toEqual([[0, 'running'], [2, 'failed'], [1, 'completed']])
	const other = joinBuilds([build({ seq: 50, epoch: 'e1', status: 'running' })], [build({ seq: 3, epoch: 'e2', status: 'failed' })], { status: '', q: '' })
	expect(other.map((each) => each.status)).toEqual(['failed']) // numbers of another epoch are no newer
	expect(joinBuilds([build({ name: 'Qt six' })], [], { status: '', q: 'qt' })).toHaveLength(1)
	expect(joinBuilds([build()], [], { status: 'failed', q: '' })).toHaveLength(0)
})
it('times, sizes and counts are words', () => {
	expect([9000, 192_000, 7_500_000, 273_600_000].map(duration)).toEqual(['9 s', '3 m 12 s', '2 h 05 m', '3 d 4 h'])
	expect([0, 1023, 1536, 84_117_540_864].map(size)).toEqual(['0 B', '1023 B', '1.5 KiB', '78.3 GiB'])
	expect([count(1, 'package'), count(2000, 'package')]).toEqual(['1 package', '2,000 packages'])
	expect(elapsed(at(9), null, ms(3))).toBe(0)
	expect(ago(at(0), ms(125))).toBe('2 m ago')
})
