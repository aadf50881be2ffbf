// SPDX-License-Identifier: MIT
import { act, renderHook } from '@testing-library/react'
import { QueryClientProvider } from '@tanstack/react-query'
import { expect, it, vi } from 'vitest'
import { useErrorLines } from '../../src/hooks/useErrorLines.js'
import { useLogSearch } from '../../src/hooks/useLogSearch.js'
import { createQueryClient } from '../../src/queries/client.js'
import { item } from '../fakes.js'

const wrapper = ({ children }) => <QueryClientProvider client={createQueryClient()}>{children}</QueryClientProvider>
const answers = (status, body) => vi.stubGlobal('fetch', vi.fn(async () => new Response(JSON.stringify(body), { status })))
const matches = (...lines) => ({ q: 'x', matches: lines.map((line) => ({ line, text: 'x' })), truncated: false })

it('the same words again look through what has grown, and lead on', async () => {
	const onGo = vi.fn()
	let top = 1
	const { result, rerender } = renderHook(() => useLogSearch(5, top, onGo), { wrapper })
	const search = () => act(() => result.current.search('x'))
	answers(200, matches(3, 9))
	await search()
	expect(onGo).toHaveBeenLastCalledWith(3)
	top = 3
	rerender()
	answers(200, matches(3, 9, 12))
	await search()
	expect(onGo).toHaveBeenLastCalledWith(9)
	expect(result.current).toMatchObject({ lines: [3, 9, 12], note: '3 lines' })
})
it('a search that is refused says so', async () => {
	answers(400, { title: 'Bad Request', detail: 'too long' })
	const { result } = renderHook(() => useLogSearch(5, 1, () => {}), { wrapper })
	await act(() => result.current.search('x'))
	expect(result.current.note).toBe('not searched: too long')
})
it('no errors are said to be where they were looked for only', async () => {
	answers(404, { title: 'Not Found', detail: 'no such log' })
	const { result } = renderHook(() => useErrorLines(item(5), 1, () => {}), { wrapper })
	await act(() => result.current.next())
	expect(result.current.note).toBe('not looked through: no such log')
})
