// SPDX-License-Identifier: MIT
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createBatch } from '../../src/live/batch.js'

let applied, batch
beforeEach(() => {
	vi.useFakeTimers()
	applied = []
	batch = createBatch((messages) => applied.push(messages))
})
afterEach(() => {
	batch.finish()
	hide(false)
	vi.useRealTimers()
})
const hide = (hidden) => {
	Object.defineProperty(document, 'hidden', { configurable: true, value: hidden })
	document.dispatchEvent(new Event('visibilitychange'))
}

it('a lone message is applied at once', () => {
	batch.add(1)
	expect(applied).toEqual([[1]])
})
it('what follows closely is applied together in the next frame', () => {
	;[1, 2, 3].forEach(batch.add)
	expect(applied).toEqual([[1]])
	vi.advanceTimersToNextFrame()
	expect(applied).toEqual([[1], [2, 3]])
})
it('after a pause the next message is a lone one again', () => {
	batch.add(1)
	vi.advanceTimersByTime(150)
	batch.add(2)
	expect(applied).toEqual([[1], [2]])
})
it('in a hidden tab a timer takes the frame’s place', () => {
	hide(true)
	;[1, 2].forEach(batch.add)
	vi.advanceTimersByTime(900)
	expect(applied).toEqual([[1]])
	vi.advanceTimersByTime(100)
	expect(applied).toEqual([[1], [2]])
})
it('a tab that is hidden while a frame is awaited still gets its messages', () => {
	;[1, 2].forEach(batch.add)
	const frames = vi.spyOn(globalThis, 'cancelAnimationFrame')
	hide(true)
	expect(frames).toHaveBeenCalledOnce()
	vi.advanceTimersByTime(1000)
	expect(applied).toEqual([[1], [2]])
})
it('what waits is applied on becoming visible, and on finish', () => {
	hide(true)
	;[1, 2].forEach(batch.add)
	hide(false)
	expect(applied).toEqual([[1], [2]])
	batch.add(3)
	batch.finish()
	expect(applied).toEqual([[1], [2], [3]])
})
it('a window that gets no frames does not wait for one', () => {
	vi.stubGlobal('requestAnimationFrame', () => 1)
	;[1, 2].forEach(batch.add)
	vi.advanceTimersByTime(1000)
	expect(applied).toEqual([[1], [2]])
})
it('hidden for an hour, with timers a minute apart, not more than a thousand messages wait', () => {
	hide(true)
	batch.add(0)
	for (let n = 1; n <= 60_000; n++) batch.add(n)
	expect(applied.map((messages) => messages.length)).toEqual([1, ...Array(60).fill(1000)])
	expect(applied.flat().every((n, at) => n === at)).toBe(true)
})
