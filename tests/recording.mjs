// SPDX-License-Identifier: MIT
//
// What a viewer of one build or of the list holds, kept by the rules of docs/protocol.md: each message is checked as it comes, so
// that a gap, a repeat or a step back fails where it happens. A Follower is such a viewer that comes back when it is cut off.
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { within } from './harness.mjs'

const ENDED = ['completed', 'failed', 'cancelled']
const COMES_BACK = [1001, 1006, 1011, 1012, 1013]

export class Recording {
  seq = -1
  snapshots = 0
  resumed = 0
  updates = 0

  /** A new connection begins: with a snapshot, or where the last one ended when it asked for that. */
  begin(since) {
    this.since = since
    this.fresh = true
  }

  get ended() {
    return ENDED.includes(this.build?.status)
  }

  take(message) {
    const { type, seq, epoch, data } = message
    if (this.fresh && message.retry_ms) return
    assert.equal(typeof epoch, 'string', JSON.stringify(message).slice(0, 200))
    if (this.fresh) {
      assert.ok(message.snapshot || (type === 'heartbeat' && seq === this.since && epoch === this.epoch), `a connection (since ${this.since}) began with ${JSON.stringify(message).slice(0, 200)}`)
      if (type === 'heartbeat') this.resumed++
    }
    this.fresh = false
    if (type === 'heartbeat') {
      assert.equal(seq, this.seq, 'a heartbeat has the number of the message before it')
    } else if (message.snapshot) {
      assert.ok(epoch !== this.epoch || seq >= this.seq, `a snapshot goes back from ${this.seq} to ${seq}`)
      this.build = structuredClone(data)
      this.snapshots++
    } else {
      assert.ok(!this.ended, `after the end came ${JSON.stringify(message).slice(0, 200)}`)
      assert.equal(seq, this.seq + 1, `after ${this.seq} came ${JSON.stringify(message).slice(0, 200)}`)
      if (type === 'build_update') this.#merge(data)
      else this.#replace(type, data)
      this.updates++
    }
    this.seq = seq
    this.epoch = epoch
  }

  #merge(data) {
    assert.equal(data.queue_items, undefined, 'only a snapshot has items')
    this.build = { ...this.build, ...data }
  }

  #replace(type, item) {
    assert.equal(type, 'queue_update')
    const at = this.build.queue_items.findIndex((old) => old.id === item.id)
    assert.ok(at >= 0, `an update of item ${item.id}, which no snapshot had`)
    const { level, position, last_duration_ms, needs } = this.build.queue_items[at]
    this.build.queue_items[at] = { level, position, last_duration_ms, needs, ...item }
  }

  /** It holds what GET /api/builds/{id} answers, but for what is only in the one or the other. */
  assertIs({ plan, seq, epoch, ...document }) {
    const said = ([field, value]) => field !== 'build_log' && value !== null && value !== undefined && !(field === 'log_size' && value === 0)
    const bare = (build) => ({ ...build, queue_items: build.queue_items.map((item) => Object.fromEntries(Object.entries(item).filter(said))) })
    assert.deepEqual(bare(this.build), bare(document))
    assert.equal(this.seq, seq)
    assert.equal(this.epoch, epoch)
  }
}

/** The recording of messages that one connection brought. */
export function recordingOf(messages, since) {
  const recording = new Recording()
  recording.begin(since)
  for (const message of messages) recording.take(message)
  return recording
}

/** The list of builds: each has a number of its own, and one that is removed never comes back. */
export class ListRecording {
  rows = new Map()
  removed = new Set()
  snapshots = 0
  updates = 0
  ended = false

  begin() {
    this.fresh = true
  }

  take(message) {
    const said = JSON.stringify(message).slice(0, 200)
    if (message.type === 'heartbeat') {
      assert.ok(!this.fresh || message.retry_ms, `a connection began with ${said}`)
      assert.equal(message.seq, undefined)
    } else if (message.type === 'build_list') {
      for (const row of message.data) this.#isNext(row.id, row.seq, { again: true }, said)
      this.rows = new Map(message.data.map((row) => [row.id, row]))
      this.snapshots++
      this.fresh = false
    } else {
      assert.ok(!this.fresh, `a connection began with ${said}`)
      this.#change(message, said)
      this.updates++
    }
  }

  #isNext(id, seq, { again }, said) {
    const had = this.rows.get(id)?.seq ?? 0
    assert.ok(seq > had || (again && seq === had), `build ${id} was at ${had}: ${said}`)
    assert.ok(!this.removed.has(id), `build ${id} was removed: ${said}`)
  }

  #change({ type, seq, data }, said) {
    this.#isNext(data.id, seq, { again: false }, said)
    if (type === 'build_update') {
      assert.equal(data.queue_items, undefined, said)
      this.rows.set(data.id, { ...data, seq })
    } else {
      assert.equal(type, 'build_removed', said)
      this.rows.delete(data.id)
      this.removed.add(data.id)
    }
  }

  /** Newest first, as GET /api/builds lists them. */
  get list() {
    return [...this.rows.values()].sort((a, b) => b.id - a.id)
  }
}

export class Follower {
  connections = 0
  deleted = false // its build may be: then it ends where there is nothing to come back to

  /** Without an id: of the list. */
  constructor(server, id) {
    this.server = server
    this.id = id
    this.recording = id === undefined ? new ListRecording() : new Recording()
    this.done = this.#follow()
    this.done.catch(() => {})
  }

  /** The connection breaks without a word. */
  cut() {
    this.ws?.terminate()
  }

  /** Reads nothing for a while. */
  async stall(ms) {
    const { ws } = this
    if (ws?.readyState !== WebSocket.OPEN) return
    ws.pause()
    await pause(ms)
    if (ws.readyState === WebSocket.OPEN) ws.resume()
  }

  async #follow() {
    for (;;) {
      const code = await this.#connect()
      if (code === 1000) break
      if (this.server.over) return
      if (code === 4404 && this.deleted) return
      assert.ok(COMES_BACK.includes(code), `closed with ${code}`)
      await pause(20)
    }
    assert.ok(this.recording.ended, 'closed with 1000 before the end')
  }

  #connect() {
    const { seq, epoch } = this.recording
    const resume = epoch && !this.forgets ? `?since=${seq}&epoch=${epoch}` : ''
    const room = this.id === undefined ? '' : `${this.id}/`
    this.ws = new WebSocket(`ws://127.0.0.1:${this.server.port}/ws/builds/${room}${resume}`)
    const { ws } = this
    return new Promise((resolve, reject) => {
      ws.on('open', () => {
        this.connections++
        this.recording.begin(resume ? seq : undefined)
      })
      ws.on('message', (text) => {
        try {
          this.recording.take(JSON.parse(text))
        } catch (error) {
          reject(error)
          ws.terminate()
        }
      })
      ws.on('error', () => {}) // a close with 1006 follows
      ws.on('close', resolve)
    })
  }

  /** Rejects when something that came was wrong. */
  well() {
    return Promise.race([this.done, Promise.resolve()])
  }

  /** Its recording when the build has ended. */
  async end() {
    await within(this.done, `the end of build ${this.id} for a viewer`, 120_000)
    return this.recording
  }
}
