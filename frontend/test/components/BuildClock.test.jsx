// SPDX-License-Identifier: MIT
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { render } from '@testing-library/react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { BuildClock } from '../../src/components/BuildClock.jsx'
import { serverClock } from '../../src/lib/clock.js'
import { build } from '../fakes.js'

const HOUR_MS = 3_600_000
beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-02-11T08:00:00Z') }))
afterEach(() => {
	serverClock.offset = 0
	vi.useRealTimers()
})
function clock(more) {
	const client = new QueryClient()
	client.setQueryData(['buildJob', '7'], build({ created_at: '2026-02-11T07:59:50Z', queue_items: [], ...more }))
	return render(<QueryClientProvider client={client}><BuildClock id="7" /></QueryClientProvider>).container.textContent
}

it('what has not begun waits, and does not run', () => {
	expect(clock({ status: 'pending', started_at: null })).toBe('waiting for 10 s')
	expect(clock({ status: 'running', started_at: '2026-02-11T07:59:55Z' })).toBe('running for 5 s')
	expect(clock({ status: 'completed', started_at: '2026-02-11T07:59:55Z', completed_at: '2026-02-11T07:59:58Z' })).toBe('took 3.0 s')
})
it('time that has passed follows the server, however wrong the reader’s clock is', () => {
	serverClock.learn(new Date(Date.now() + 5 * HOUR_MS).toISOString())
	expect(clock({ started_at: new Date(Date.now() + 5 * HOUR_MS - 5000).toISOString() })).toBe('running for 5 s')
})
