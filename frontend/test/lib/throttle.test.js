// SPDX-License-Identifier: MIT
// @vitest-environment node
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createThrottle } from '../../src/lib/throttle.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

test('acts at once, then once for all that was asked meanwhile, and not without being asked', () => {
	const act = vi.fn()
	const throttle = createThrottle(act, 3000)
	throttle.ask()
	expect(act).toHaveBeenCalledTimes(1)
	for (let times = 0; times < 100; times++) throttle.ask()
	vi.advanceTimersByTime(2999)
	expect(act).toHaveBeenCalledTimes(1)
	vi.advanceTimersByTime(1)
	expect(act).toHaveBeenCalledTimes(2)
	vi.advanceTimersByTime(60_000)
	expect(act).toHaveBeenCalledTimes(2)
	throttle.ask()
	expect(act).toHaveBeenCalledTimes(3)
})

test('what was stopped acts no more', () => {
	const act = vi.fn()
	const throttle = createThrottle(act, 3000)
	throttle.ask()
	throttle.ask()
	throttle.stop()
	vi.advanceTimersByTime(60_000)
	expect(act).toHaveBeenCalledTimes(1)
})
