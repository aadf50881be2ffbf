// SPDX-License-Identifier: MIT
// @vitest-environment node
import { expect, it } from 'vitest'
import { BUILD_STATUSES, buildLook, isEnded, isItemEnded } from '../../src/api/statuses.js'

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
