// SPDX-License-Identifier: MIT
import { act, renderHook } from '@testing-library/react'
import { QueryClientProvider } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { useBuildList } from '../../src/hooks/useBuildList.js'
import { buildPagesKey } from '../../src/queries/builds.js'
import { createQueryClient } from '../../src/queries/client.js'
import { build, FakeSocket, useFakeSocket } from '../fakes.js'

beforeEach(() => {
	vi.useFakeTimers()
	useFakeSocket()
})
afterEach(() => vi.useRealTimers())
const list = (...builds) => act(() => FakeSocket.last.says({ type: 'build_list', epoch: 'e1', data: builds }))

it('what was fetched is asked for again when a list comes again: what it does not hold may have ended meanwhile', () => {
	const client = createQueryClient()
	const asked = vi.spyOn(client, 'invalidateQueries')
	renderHook(useBuildList, { wrapper: ({ children }) => <QueryClientProvider client={client}>{children}</QueryClientProvider> })
	act(() => FakeSocket.last.opens())
	list(build({ id: 1 }))
	act(() => FakeSocket.last.says({ type: 'build_update', seq: 41, data: { id: 1, progress: 5 } }))
	expect(asked).not.toHaveBeenCalled()
	act(() => FakeSocket.last.ends(1006))
	act(() => vi.advanceTimersByTime(1000))
	act(() => FakeSocket.last.opens())
	list()
	expect(asked).toHaveBeenCalledExactlyOnceWith({ queryKey: buildPagesKey })
})
