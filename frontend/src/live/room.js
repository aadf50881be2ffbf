// SPDX-License-Identifier: MIT
/**
 * A viewer of one room: the connection, the numbers of its messages, and the batches in which they reach the cache. A number that
 * was jumped over is asked for again: reconnect with `?since=`, and when that does not bring it, without, for a snapshot.
 *
 * @typedef {import('../api/types.js').Message} Message
 */
import { serverClock } from '../lib/clock.js'
import { createBatch } from './batch.js'
import { connect, socketUrl } from './socket.js'

/** @typedef {{ seq?: number, epoch?: string }} Version */

/**
 * @param {object} options
 * @param {string} options.path of the room
 * @param {() => Version | undefined} [options.held] what the cache holds; left out where messages have no common sequence
 * @param {(messages: Message[]) => void} options.apply
 * @param {(state: import('./socket.js').State) => void} options.change
 */
export function joinRoom({ path, held, apply, change }) {
	const batch = createBatch(apply)
	let fresh = false // a snapshot is wanted
	/** @type {Version | undefined} what was held when this connection was asked for */
	let before
	/** @type {number | undefined} the newest of this room that was accepted */
	let accepted
	/** @type {number | undefined} up to where the last repair began */
	let healedAt
	/** @type {number | undefined} what a heartbeat spoke of and has not come */
	let missing

	const have = () => {
		const seq = held?.()?.seq
		return seq === undefined ? accepted : Math.max(seq, accepted ?? 0)
	}

	function url() {
		before = held?.()
		if (before?.seq === undefined || fresh) return socketUrl(path)
		const query = new URLSearchParams({ since: String(before.seq) })
		if (before.epoch !== undefined) query.set('epoch', before.epoch)
		return socketUrl(`${path}?${query}`)
	}

	/** @param {Message} message */
	function isForeign({ epoch, snapshot }) {
		const known = held?.()?.epoch
		return !snapshot && epoch !== undefined && known !== undefined && epoch !== known
	}

	// A snapshot is read after its connection was asked for. So one that is older than what was held then means that the server went
	// back, and replaces all; one that is older than what is held now was overtaken by an HTTP answer, which must stand.
	/** @param {Message} message */
	function isOvertaken({ seq, epoch }) {
		const now = held?.()
		if (seq === undefined || now?.seq === undefined || seq >= now.seq || epoch !== now.epoch) return false
		return before?.seq === undefined || before.epoch !== epoch || seq >= before.seq
	}

	/** @param {boolean} snapshot */
	function heal(snapshot) {
		batch.flush()
		fresh = snapshot || (healedAt !== undefined && healedAt === have())
		healedAt = have()
		accepted = missing = undefined
		connection.heal()
	}

	// One heartbeat may overtake a message that is on its way; two in a row do not.
	/** @param {Message} message */
	function heartbeat({ now, seq }) {
		serverClock.learn(now)
		const known = have()
		if (!held || seq === undefined || known === undefined) return
		if (missing !== undefined && known < missing) heal(false)
		else missing = seq > known ? seq : undefined
	}

	/** @param {Message} message */
	function receive(message) {
		if (message.type === 'heartbeat') return heartbeat(message)
		const { seq, snapshot } = message
		if (held && isForeign(message)) return heal(true)
		const known = have()
		if (held && seq !== undefined && !snapshot && known !== undefined && seq > known + 1) return heal(false)
		if (snapshot) {
			fresh = false
			if (isOvertaken(message)) return
			accepted = seq
		} else if (seq !== undefined) {
			accepted = Math.max(seq, accepted ?? 0)
		}
		batch.add(message)
		if (snapshot) batch.flush() // what follows is judged by it
	}

	const connection = connect({
		url,
		receive,
		change: (state) => {
			if (state.status !== 'open') batch.flush()
			change(state)
		},
	})

	return {
		reconnect: connection.reconnect,
		leave() {
			connection.close()
			batch.finish()
		},
	}
}
