// SPDX-License-Identifier: MIT
import { act, renderHook } from '@testing-library/react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { useThrottled } from '../../src/hooks/useThrottled.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => vi.useRealTimers())
const passes = (ms) => act(() => vi.advanceTimersByTime(ms))
const shows = () => {
	const seen = []
	const { rerender } = renderHook(({ value }) => seen.push(useThrottled(value, 250)), { initialProps: { value: 0 } })
	return { to: (value) => rerender({ value }), now: () => seen.at(-1), distinct: () => new Set(seen).size }
}

it('a first value is shown at once, and so is a change after a pause', () => {
	const it = shows()
	expect(it.now()).toBe(0)
	it.to(1)
	passes(0)
	expect(it.now()).toBe(1)
})
it('in a burst the newest is shown each interval, and in the end the last', () => {
	const it = shows()
	for (let n = 1; n <= 100; n++) {
		it.to(n)
		passes(10)
	}
	expect(it.distinct()).toBe(6)
	passes(250)
	expect(it.now()).toBe(100)
})
