// SPDX-License-Identifier: MIT
// @vitest-environment node
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { submitFiles } from '../../src/queries/uploads.js'

/** A server that knows its uploads. */
function fakeServer() {
	const uploads = new Set()
	const seen = /** @type {string[]} */ ([])
	const answer = (/** @type {number} */ status, /** @type {unknown} */ body) => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } })
	vi.stubGlobal('fetch', async (/** @type {string} */ path, /** @type {RequestInit} */ { method, body }) => {
		seen.push(`${method} ${path}`)
		if (method === 'PUT') return answer(201, {})
		if (path === '/api/uploads') return answer(201, { id: uploads.add(seen.length) && seen.length })
		const { upload, name } = JSON.parse(String(body))
		if (name === 'bad') return answer(422, { title: 'Unprocessable Content', detail: 'no' })
		return uploads.has(upload) ? answer(201, { id: 7 }) : answer(404, { title: 'Not Found', detail: `there is no upload ${upload}` })
	})
	return { seen, forget: () => uploads.clear() }
}

const files = ['a.spec', 'a.c'].map((path) => ({ path, file: new File(['x'], path) }))
let server = fakeServer()
beforeEach(() => void (server = fakeServer()))

test('files are sent once: the build after a dry run takes what is there', async () => {
	const first = await submitFiles(files, { name: 'set', dry_run: true }, null, () => {})
	expect(server.seen.filter((line) => line.startsWith('PUT'))).toHaveLength(2)
	const second = await submitFiles(files, { name: 'set' }, first.upload, () => {})
	expect(second).toEqual(first)
	expect(server.seen.slice(4)).toEqual(['POST /api/builds'])
})

test('what the server has forgotten meanwhile is sent again', async () => {
	const { upload } = await submitFiles(files, { name: 'set', dry_run: true }, null, () => {})
	server.forget()
	const again = await submitFiles(files, { name: 'set' }, upload, () => {})
	expect(again.upload).not.toBe(upload)
	expect(server.seen.filter((line) => line.startsWith('PUT'))).toHaveLength(4)
})

test('what is refused is said, and not sent again', async () => {
	const { upload } = await submitFiles(files, { name: 'set', dry_run: true }, null, () => {})
	await expect(submitFiles(files, { name: 'bad' }, upload, () => {})).rejects.toMatchObject({ status: 422 })
	expect(server.seen.filter((line) => line.startsWith('PUT'))).toHaveLength(2)
})

describe('sending', () => {
	beforeEach(() => void vi.useFakeTimers())
	afterEach(() => vi.useRealTimers())
	const many = Array.from({ length: 9 }, (_, at) => ({ path: `${at}`, file: new File(['x'], `${at}`) }))
	/** Puts are answered by `put`; the rest by the server. */
	const putting = (put) => {
		const usual = globalThis.fetch
		const puts = []
		vi.stubGlobal('fetch', (path, options) => {
			if (options.method !== 'PUT') return usual(path, options)
			puts.push(path.split('/').at(-1))
			return put(puts, options)
		})
		return puts
	}
	const created = () => Promise.resolve(new Response('{}', { status: 201 }))

	test('goes on when the network was away for a while', async () => {
		const puts = putting((seen) => (seen.filter((name) => name === '4').length < 3 && seen.at(-1) === '4' ? Promise.reject(new TypeError('Failed to fetch')) : created()))
		const built = submitFiles(many, { name: 'set' }, null, () => {})
		await vi.advanceTimersByTimeAsync(10_000)
		expect((await built).build).toEqual({ id: 7 })
		expect(puts.filter((name) => name === '4')).toHaveLength(3)
	})
	test('ends with the first file that is refused: nothing is sent for a set that cannot be whole', async () => {
		const refused = () => Promise.resolve(new Response(JSON.stringify({ title: 'Content Too Large', detail: 'too large' }), { status: 413 }))
		const puts = putting((seen, { signal }) => (seen.at(-1) === '1' ? refused() : new Promise((done, fail) => signal.addEventListener('abort', () => fail(new DOMException('', 'AbortError'))))))
		const built = expect(submitFiles(many, { name: 'set' }, null, () => {})).rejects.toMatchObject({ status: 413 })
		await vi.advanceTimersByTimeAsync(10_000)
		await built
		expect(puts).toEqual(['0', '1', '2'])
	})
})
