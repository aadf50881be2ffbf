// SPDX-License-Identifier: MIT
import { beforeEach, expect, it, vi } from 'vitest'
import { askEarly } from '../../src/api/early.js'
import { request } from '../../src/api/client.js'

let asked
beforeEach(() => {
	asked = []
	vi.stubGlobal('fetch', (path, options) => {
		asked.push(path)
		const number = asked.length
		if (path === '/api/away') return Promise.reject(new TypeError('refused'))
		return Promise.resolve({ ok: true, status: 200, headers: new Headers(), json: () => Promise.resolve({ path, number, options }) })
	})
})

it('what was asked early is answered without a second request, once', async () => {
	askEarly('/api/builds/7')
	expect(await request('/api/builds/7')).toMatchObject({ number: 1 })
	expect(await request('/api/builds/7')).toMatchObject({ number: 2 })
	expect(asked).toHaveLength(2)
})
it('another question, or a change, does not take the early answer', async () => {
	askEarly('/api/builds/7')
	expect(await request('/api/session')).toMatchObject({ path: '/api/session' })
	expect(await request('/api/builds/7', { method: 'POST' })).toMatchObject({ number: 3 })
	expect(await request('/api/builds/7')).toMatchObject({ number: 1 })
})
it('an early question that nobody answered is an error for whoever asks', async () => {
	askEarly('/api/away')
	await expect(request('/api/away')).rejects.toMatchObject({ status: 0 })
})
