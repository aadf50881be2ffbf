// SPDX-License-Identifier: MIT
import { act, renderHook } from '@testing-library/react'
import { QueryClientProvider, useQuery } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { buildJobQuery } from '../../src/queries/builds.js'
import { createQueryClient } from '../../src/queries/client.js'
import { build } from '../fakes.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

it('readers of the cache are told in the frame in which it changed, not by a timer after it', async () => {
	const client = createQueryClient()
	client.setQueryData(['buildJob', '7'], build())
	const { result } = renderHook(() => useQuery(buildJobQuery('7')), { wrapper: ({ children }) => <QueryClientProvider client={client}>{children}</QueryClientProvider> })
	await act(async () => {
		client.setQueryData(['buildJob', '7'], build({ seq: 41, progress: 5 }))
		await Promise.resolve()
	})
	expect(result.current.data.progress).toBe(5)
	expect(client.getQueryCache().find({ queryKey: ['buildJob', '7'] }).state.dataUpdateCount).toBe(2)
})
