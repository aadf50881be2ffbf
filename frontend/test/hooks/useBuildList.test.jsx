// SPDX-License-Identifier: MIT
import { act, renderHook } from '@testing-library/react'
import { QueryClientProvider } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { useBuildList } from '../../src/hooks/useBuildList.js'
import { buildJobKey, buildPagesKey, liveBuildsKey } from '../../src/queries/builds.js'
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

it('a build that somebody deleted is in no list and no cache any more, and what is being fetched is asked for again', () => {
	const client = createQueryClient()
	const asked = vi.spyOn(client, 'invalidateQueries')
	client.setQueryData(buildJobKey('1'), build({ id: 1 }))
	client.setQueryData(buildJobKey('2'), build({ id: 2 }))
	renderHook(useBuildList, { wrapper: ({ children }) => <QueryClientProvider client={client}>{children}</QueryClientProvider> })
	act(() => FakeSocket.last.opens())
	list(build({ id: 2 }), build({ id: 1 }))
	act(() => FakeSocket.last.says({ type: 'build_removed', seq: 41, epoch: 'e1', data: { id: 1 } }))
	act(() => vi.advanceTimersByTime(1000))
	expect(client.getQueryData(liveBuildsKey).map((b) => b.id)).toEqual([2])
	expect(client.getQueryData(buildJobKey('1'))).toBeUndefined()
	expect(client.getQueryData(buildJobKey('2'))).toBeDefined()
	expect(asked).toHaveBeenCalledExactlyOnceWith({ queryKey: buildPagesKey })
})
