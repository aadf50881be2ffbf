// SPDX-License-Identifier: MIT
import { act, renderHook } from '@testing-library/react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { PAUSE_MS, useSpoken } from '../../src/hooks/useSpoken.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => vi.useRealTimers())
const passes = (ms) => act(() => vi.advanceTimersByTime(ms))
const voice = (text, urgent) => {
	const { result, rerender } = renderHook((props) => useSpoken(props.text, props.urgent), { initialProps: { text, urgent } })
	return { now: () => result.current, says: (next, more = urgent) => rerender({ text: next, urgent: more }) }
}

it('speaks at most once in 30 s, of all that changed the newest, and what is urgent at once', () => {
	passes(PAUSE_MS)
	const build = voice('1 %', 0)
	passes(1)
	const other = voice('3 of 9', '')
	expect(build.now()).toBe('1 %')
	const heard = new Set(['1 %'])
	for (let n = 2; n <= 250; n++) {
		build.says(`${n} %`)
		other.says(`${n} of 999`)
		passes(250)
		heard.add(build.now()).add(other.now())
	}
	heard.delete('')
	expect(heard.size).toBeLessThanOrEqual(3) // in 62 s, of both together
	build.says('failed', 1)
	passes(1)
	expect(build.now()).toBe('failed')
})
