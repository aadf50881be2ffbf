// SPDX-License-Identifier: MIT
import { act, renderHook } from '@testing-library/react'
import { QueryClientProvider } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { useCalmBuild } from '../../src/hooks/useCalmBuild.js'
import { useItem, useItems } from '../../src/hooks/useItems.js'
import { applyMessages } from '../../src/live/updates.js'
import { createQueryClient } from '../../src/queries/client.js'
import { build, item } from '../fakes.js'

let client, seq
beforeEach(() => {
	vi.useFakeTimers()
	client = createQueryClient()
	seq = 40
	client.setQueryData(['buildJob', '7'], build())
})
afterEach(() => vi.useRealTimers())
const wrapper = ({ children }) => <QueryClientProvider client={client}>{children}</QueryClientProvider>
const says = (type, data) => act(async () => {
	client.setQueryData(['buildJob', '7'], (old) => applyMessages(old, [{ type, seq: ++seq, epoch: 'e1', data }]))
})
const passes = (ms) => act(() => vi.advanceTimersByTimeAsync(ms))
const burst = async (times) => {
	for (let n = 1; n <= times; n++) {
		await says('queue_update', item(1, 'building', { phase: `step ${n}` }))
		await passes(16)
	}
}

it('a burst of updates draws the page at the beat, what comes alone and another state at once', async () => {
	let draws = 0
	const { result } = renderHook(() => {
		draws++
		return useCalmBuild('7')
	}, { wrapper })
	await burst(120)
	expect(draws).toBeLessThan(9) // in 1.9 s
	await passes(1000)
	expect(result.current.queue_items[0].phase).toBe('step 120')
	await says('build_update', { progress: 50 })
	expect(result.current.progress).toBe(50)
	await says('build_update', { progress: 51 })
	expect(result.current.progress).toBe(50)
	await says('build_update', { status: 'completed', progress: 100 })
	expect(result.current).toMatchObject({ status: 'completed', progress: 100 })
})
it('a row follows its own item in each frame, and is not drawn for others', async () => {
	let draws = 0
	const { result: items } = renderHook(() => useItems('7'), { wrapper })
	const row = (id) => renderHook(() => {
		if (id === 3) draws++
		return useItem(items.current, id)
	}, { wrapper }).result
	const [first, waiting] = [row(1), row(2), row(3)]
	await burst(50)
	expect(first.current.item.phase).toBe('step 50')
	expect(draws).toBe(1)
	expect(waiting.current.why).toBe('waits for package-1')
	await says('queue_update', item(1, 'completed'))
	expect(waiting.current.why).toBe('')
})
