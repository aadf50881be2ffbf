// SPDX-License-Identifier: MIT
// @vitest-environment node
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { BUILD_STATUSES, buildLook, isEnded, isItemEnded, ITEM_STATUSES } from '../../src/api/statuses.js'

const source = readFileSync(new URL('../../../backend/apps/builds/statuses.c', import.meta.url), 'utf8')
const names = (table) => [...source.match(new RegExp(`${table}\\[\\] = {([^}]*)}`))[1].matchAll(/"(\w+)"/g)].map((m) => m[1]).sort()

it('names the states of builds and items that the server has', () => {
	expect(Object.keys(BUILD_STATUSES).sort()).toEqual(names('build_status_name'))
	expect(Object.keys(ITEM_STATUSES).sort()).toEqual(names('queue_status_name'))
})
it('takes every state but the last three of a build as active, one it does not know too', () => {
	expect(Object.keys(BUILD_STATUSES).filter(isEnded)).toEqual(['completed', 'failed', 'cancelled'])
	expect(isEnded('building')).toBe(false)
	expect(isEnded(undefined)).toBe(false)
	expect(isItemEnded('blocked')).toBe(true)
	expect(isItemEnded('queued')).toBe(false)
})
it('shows a state that it does not know by its own name', () => {
	expect(buildLook('hibernating').word).toBe('hibernating')
})
