// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startReqpm, USERS, within } from '../harness.mjs'
import { Follower } from '../recording.mjs'
import { gated, sh, shows, spec } from '../sets.mjs'

const CANCEL_MS = 5000

/** Its processes outlive their parent, leave their session, and end for nobody who asks politely. */
const stubborn = sh(`
trap '' TERM HUP INT
(trap '' TERM; setsid sh -c 'trap "" TERM; (sleep 600 &) ; sleep 600' &)
python3 - <<'END' || perl -e 'if (!fork) { setpgrp; if (!fork) { $SIG{TERM} = "IGNORE"; sleep 600 } exit }'
import os, signal, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        os.closerange(0, 3)
        time.sleep(600)
    os._exit(0)
os.wait()
END
echo ready
while :; do sleep 600; done`)

for (const { who, uid } of USERS) {
  test(`a cancel ends every process of a build within 5 s, then the build, ${who}`, async (t) => {
    const server = await startReqpm(t, { uid })
    const build = await server.submit({ one: stubborn, two: stubborn, waits: { requires: ['one'] }, ready: {} })
    const follower = new Follower(server, build.id)
    const watcher = server.cliStart(['watch', String(build.id), '--progress=plain'])
    const viewer = await server.watch(`/ws/builds/${build.id}/`)
    const items = await Promise.all(['one', 'two'].map((name) => viewer.until(shows(name, 'building'))))
    for (const message of items) {
      const item = message.snapshot ? message.data.queue_items.find((i) => i.status === 'building') : message.data
      const log = await server.watch(`/ws/builds/queue/${item.id}/log/?offset=0`)
      await log.until((m) => m.data?.includes('ready'))
      await log.close()
    }
    await watcher.until(/two/)

    const before = Date.now()
    const answer = await server.api(`/api/builds/${build.id}/cancel`, { method: 'POST' })
    assert.equal(answer.status, 202, answer.text())
    assert.equal((await within(viewer.closed, 'the end', CANCEL_MS)).code, 1000)
    assert.ok(Date.now() - before < CANCEL_MS, `it took ${Date.now() - before} ms`)
    assert.deepEqual(server.leftovers({ launchers: false }), [])
    await server.nothingLeft()

    const document = (await server.api(`/api/builds/${build.id}`)).json()
    assert.equal(document.status, 'cancelled')
    assert.deepEqual(document.queue_items.map((item) => [item.package.name, item.status, item.reason]), ['one', 'two', 'waits', 'ready'].map((name) => [name, 'cancelled', 'cancelled']))
    assert.ok(viewer.messages.some((m) => m.data?.cancel_requested && m.data.status === 'running'), 'until then it says that a cancel was asked for')
    const recording = await follower.end()
    recording.assertIs(document)
    const { code, stdout, stderr } = await within(watcher.ended, 'the end of the watcher')
    assert.equal(code, 3, stdout + stderr)
    assert.equal((await server.api(`/api/builds/${build.id}/cancel`, { method: 'POST' })).status, 409)
  })
}

test('a command that ends while its children live on has ended, and they with it', async (t) => {
  const server = await startReqpm(t)
  const build = await server.submit({ daemon: sh('setsid sleep 600 >/dev/null 2>&1 </dev/null & echo started') })
  const document = await server.ended(build.id)
  assert.equal(document.status, 'completed')
  await server.nothingLeft()
})

test('a build that waits or is prepared is cancelled at once', async (t) => {
  const server = await startReqpm(t)
  const endless = await server.upload({ 'endless.spec': spec('endless', '', { version: '%(while :; do sleep 1; done)' }) })
  const preparing = await server.submit(endless)
  const pending = await server.submit(await server.upload({ 'behind.spec': spec('behind') }))
  const viewers = await Promise.all([preparing, pending].map(({ id }) => server.watch(`/ws/builds/${id}/`)))
  await viewers[0].until((m) => m.data?.status === 'preparing')
  for (const { id } of [pending, preparing]) assert.equal((await server.api(`/api/builds/${id}/cancel`, { method: 'POST' })).status, 202)
  for (const viewer of viewers) {
    assert.equal((await within(viewer.closed, 'the end', CANCEL_MS)).code, 1000)
    assert.equal(viewer.messages.at(-1).data.status, 'cancelled')
  }
  const next = await server.submit({ b: {} })
  assert.equal((await within(server.ended(next.id), 'the build behind it', CANCEL_MS)).status, 'completed')
  await server.nothingLeft()
})

test('a cancel at any moment of the first attempts cancels', async (t) => {
  const server = await startReqpm(t)
  for (let i = 0; i < 15; i++) {
    const build = await server.submit({ a: gated(), b: gated() })
    const viewer = await server.watch(`/ws/builds/${build.id}/`)
    await viewer.until((m) => m.seq > i % 6)
    assert.equal((await server.api(`/api/builds/${build.id}/cancel`, { method: 'POST' })).status, 202)
    assert.equal((await within(viewer.closed, 'the end', CANCEL_MS)).code, 1000)
    const document = (await server.api(`/api/builds/${build.id}`)).json()
    assert.deepEqual([document.status, ...document.queue_items.map((item) => item.status)], ['cancelled', ...document.queue_items.map(() => 'cancelled')])
  }
  await server.nothingLeft()
})
