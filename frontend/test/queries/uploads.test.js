// SPDX-License-Identifier: MIT
// @vitest-environment node
import { beforeEach, expect, test, vi } from 'vitest'
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
