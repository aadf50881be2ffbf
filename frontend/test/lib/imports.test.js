// SPDX-License-Identifier: MIT
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { importAgain, isWaitingForServer } from '../../src/lib/imports.js'

let served
beforeEach(() => {
	vi.useFakeTimers()
	document.head.innerHTML = '<script type="module" src="/assets/index-1.js"></script>'
	served = '<script type="module" src="/assets/index-1.js"></script>'
	vi.stubGlobal('fetch', async () => {
		if (!served) throw new TypeError('Failed to fetch')
		return new Response(served)
	})
})
afterEach(() => {
	sessionStorage.clear()
	vi.useRealTimers()
})

/** A part that is there from the given try on. */
const part = (from) => {
	let tries = 0
	return { load: async () => (++tries >= from ? 'the part' : Promise.reject(new TypeError('Failed to fetch dynamically imported module'))), tries: () => tries }
}

it('a part is waited for while the server is away, however long', async () => {
	served = null
	const wanted = part(20)
	const read = importAgain(wanted.load)
	await vi.advanceTimersByTimeAsync(5000)
	expect(isWaitingForServer()).toBe(true)
	await vi.advanceTimersByTimeAsync(300_000)
	expect(await read).toBe('the part')
	expect(isWaitingForServer()).toBe(false)
})
it('a server that has another page is loaded anew, once', async () => {
	served = '<script type="module" src="/assets/index-2.js"></script>'
	const reload = vi.fn()
	importAgain(part(99).load, reload)
	await vi.advanceTimersByTimeAsync(60_000)
	expect(reload).toHaveBeenCalledTimes(1)
})
it('a part that is not there although its page is, is said to be missing when a new page does not have it either', async () => {
	const first = part(99)
	const once = vi.fn()
	importAgain(first.load, once)
	await vi.advanceTimersByTimeAsync(10_000)
	expect(once).toHaveBeenCalledTimes(1)
	expect(first.tries()).toBe(3)
	const wanted = part(99)
	const reload = vi.fn()
	const refused = expect(importAgain(wanted.load, reload)).rejects.toThrow('Failed to fetch')
	await vi.advanceTimersByTimeAsync(60_000)
	await refused
	expect(wanted.tries()).toBe(3)
	expect(reload).not.toHaveBeenCalled()
})
it('a network that is back is believed at once', async () => {
	served = null
	const wanted = part(6)
	const read = importAgain(wanted.load)
	await vi.advanceTimersByTimeAsync(7600)
	const before = wanted.tries()
	dispatchEvent(new Event('online'))
	await vi.advanceTimersByTimeAsync(0)
	expect(wanted.tries()).toBe(before + 1)
	await vi.advanceTimersByTimeAsync(60_000)
	expect(await read).toBe('the part')
})
