// SPDX-License-Identifier: MIT
import { vi } from 'vitest'

/** A WebSocket as somebody would write one for a test: four properties, close() and readyState, nothing else. */
export class FakeSocket {
	/** @type {FakeSocket[]} */
	static all = []
	static get last() {
		return FakeSocket.all.at(-1)
	}

	constructor(url) {
		this.url = url
		this.readyState = 0
		this.onopen = this.onmessage = this.onerror = this.onclose = null
		this.closes = 0
		FakeSocket.all.push(this)
	}
	close() {
		this.closes++
		this.readyState = 3
		this.onclose?.({ code: 1005, reason: '' })
	}
	opens() {
		this.readyState = 1
		this.onopen?.({})
	}
	says(message) {
		this.onmessage?.({ data: typeof message === 'string' ? message : JSON.stringify(message) })
	}
	ends(code, reason = '') {
		this.readyState = 3
		this.onclose?.({ code, reason })
	}
}

export function useFakeSocket() {
	FakeSocket.all = []
	vi.stubGlobal('WebSocket', FakeSocket)
}

export const item = (id, status = 'queued', more = {}) => ({
	id,
	status,
	package: { id, name: `package-${id}`, version: '1' },
	needs: [],
	...more,
})

export const build = (more = {}) => ({
	id: 7,
	name: 'stack',
	status: 'running',
	total_packages: 3,
	completed_packages: 0,
	failed_packages: 0,
	progress: 0,
	seq: 40,
	epoch: 'e1',
	queue_items: [item(1), item(2, 'pending', { needs: [1] }), item(3)],
	...more,
})
