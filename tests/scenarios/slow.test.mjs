// SPDX-License-Identifier: MIT
//
// More messages than a room keeps, while some viewers take nothing: they are given a snapshot or sent away, and nobody else notices.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually, startReqpm, within } from '../harness.mjs'
import { Follower, recordingOf } from '../recording.mjs'

const ROUNDS = 20
const BLOCKED = 498 // messages of one report, which must fit into the room
const root = (r) => `${r}-${'long'.repeat(45)}` // each message names it as the reason

const QUICK = process.env.REQPM_QUICK === '1'

test('viewers that take nothing are brought up to date or dropped, others get every message', { skip: QUICK && 'REQPM_QUICK is set' }, async (t) => {
  const server = await startReqpm(t)
  const packages = Array.from({ length: ROUNDS }, (_, r) => [
    { name: root(r), version: '1' },
    { name: `hub-${r}`, version: '1', requires: [root(r)] },
    ...Array.from({ length: BLOCKED - 1 }, (_, i) => ({ name: `p${r}-${i}`, version: '1.0', requires: [`hub-${r}`] })),
  ]).flat()
  packages.push({ name: 'last', version: '1' })
  const made = await server.api('/api/builds', { method: 'POST', body: { builder: 'external', name: 'wide', packages } })
  assert.equal(made.status, 201)
  const { id, queue_items: items } = made.json()
  const path = `/ws/builds/${id}/`
  // They read nothing from the beginning, so that the first snapshot fills what the kernel would hold for them.
  const slow = new Follower(server, id) // comes back when it is dropped, which is as well
  slow.ws.once('open', () => slow.ws.pause())
  await eventually(() => slow.connections, 'the slow one is there')
  const stuck = await server.watch(path)
  stuck.ws.pause()
  const brisk = await server.watch(path)
  await brisk.until((m) => m.snapshot)

  const report = async (name, status, why) => {
    const answer = await server.api(`/api/queue/${items.find((item) => item.package.name === name).id}`, { method: 'PATCH', body: { status, why } })
    assert.equal(answer.status, 200, answer.text())
  }
  for (let r = 0; r < ROUNDS; r++) {
    await report(root(r), 'building')
    await report(root(r), 'failed')
    await brisk.until((m) => !m.snapshot && m.data?.blocked_packages === (r + 1) * BLOCKED)
  }
  const updates = brisk.messages.filter((m) => m.type !== 'heartbeat')
  assert.ok(updates.length > ROUNDS * BLOCKED)
  assert.deepEqual(updates.map((m) => Boolean(m.snapshot)), updates.map((_, i) => !i), 'who reads gets every message')

  slow.ws.resume()
  const { seq } = brisk.messages.at(-1)
  await eventually(() => slow.recording.seq >= seq, 'the slow one is up to date')
  assert.ok(slow.recording.snapshots >= 2 && slow.recording.updates < updates.length, 'it was given a snapshot for what it missed')
  const metrics = async (name) => Number(new RegExp(`^reqpm_${name} (\\d+)$`, 'm').exec((await server.api('/metrics')).text())[1])
  assert.ok((await metrics('room_ring_bytes')) <= 2 ** 20)
  // A ping may fall into that time, and who reads nothing answers none.
  const dropped = async () => (await metrics('room_slow_dropped_total')) + (await metrics('ws_closed_slow_total')) + (await metrics('ws_closed_no_pong_total'))
  await eventually(async () => (await dropped()) > 0, 'who never comes back is dropped')
  stuck.ws.resume()
  assert.ok([1006, 1013].includes((await within(stuck.closed, 'the end of who never came back')).code))
  const kept = recordingOf(stuck.messages.filter((m) => !m.retry_ms))
  assert.ok(kept.seq < seq)

  await report('last', 'building')
  await report('last', 'completed')
  const document = await server.ended(id)
  assert.equal(document.status, 'failed')
  assert.equal((await within(brisk.closed, 'the end')).code, 1000)
  recordingOf(brisk.messages).assertIs(document)
  const recording = await slow.end()
  recording.assertIs(document)
})
