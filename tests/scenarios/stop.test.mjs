// SPDX-License-Identifier: MIT
//
// SIGTERM while peers stand still: nobody keeps the server, and it ends well.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { eventually, startReqpm } from '../harness.mjs'
import { gated, openGate, sh } from '../sets.mjs'

const MIB = 1 << 20

/** A connection of one's own that has said this and reads nothing more. */
function stuck(t, server, bytes) {
  const socket = connect(server.port, '127.0.0.1', () => socket.write(bytes))
  socket.on('error', () => {})
  socket.pause()
  t.after(() => socket.destroy())
}

async function stopsSoon(server, least, most) {
  const began = Date.now()
  assert.equal(await server.stop(), 0)
  const took = Date.now() - began
  assert.ok(took >= least && took < most, `it took ${took} ms`)
}

/** The item of an ended build whose log is longer than what the kernel holds for a peer that reads nothing. */
async function longLog(server) {
  const build = await server.submit({ loud: sh(`yes 0123456789abcdef | head -c ${32 * MIB}`) })
  return (await server.ended(build.id)).queue_items[0]
}

test('a viewer of a log who takes nothing does not keep the server', async (t) => {
  const server = await startReqpm(t)
  const item = await longLog(server)
  const viewer = await server.watch(`/ws/builds/queue/${item.id}/log/?offset=0`)
  viewer.ws.pause()
  let before
  await eventually(async () => {
    const sent = /^reqpm_ws_bytes_sent_total (\d+)$/m.exec((await server.api('/metrics')).text())[1]
    await new Promise((resolve) => setTimeout(resolve, 300))
    const rests = sent !== '0' && sent === before
    before = sent
    return rests
  }, 'the socket is full')
  await stopsSoon(server, 0, 15_000)
})

test('downloads and uploads that stand still do not keep the server', async (t) => {
  const server = await startReqpm(t)
  const item = await longLog(server)
  const upload = await server.upload({})
  const head = (line) => `${line} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${server.token}\r\n`
  stuck(t, server, `${head(`GET /api/queue/${item.id}/log`)}\r\n`)
  stuck(t, server, `${head(`PUT /api/uploads/${upload}/files/whole`)}Content-Length: ${MIB}\r\n\r\n${'x'.repeat(1000)}`)
  stuck(t, server, `${head(`POST /api/builds`)}Content-Length: 1000\r\n\r\n{`)
  await eventually(async () => (await server.api('/api/status')).json(), 'they are there')
  await stopsSoon(server, 4000, 20_000)
})

test('a follower of a running log is told that the server restarts, and the log goes on afterwards', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload({ 'packages.json': JSON.stringify({ packages: [{ name: 'a', version: '1', ...gated('echo done') }] }) })
  const build = await server.submit(upload)
  const item = build.queue_items?.[0] ?? (await eventually(async () => (await server.api(`/api/builds/${build.id}`)).json().queue_items[0], 'the item'))
  const viewer = await server.watch(`/ws/builds/queue/${item.id}/log/?offset=0`)
  await stopsSoon(server, 0, 15_000)
  assert.equal((await viewer.closed).code, 1012)
  assert.ok(viewer.messages.at(-1).retry_ms)
  openGate(server, upload)
  await server.restart()
  assert.equal((await server.ended(build.id)).status, 'completed')
})
