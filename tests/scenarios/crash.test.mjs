// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startReqpm, USERS, within } from '../harness.mjs'
import { Follower } from '../recording.mjs'
import { commands, gated, openGate, sh, shows, spec } from '../sets.mjs'

const KILLS = 10

/** Fails when two attempts of one item are alive, or one whose server is dead after the next one serves. */
class Witness {
  seen = new Set()

  constructor(server) {
    this.server = server
    this.timer = setInterval(() => this.look(), 50).unref()
  }

  look() {
    const alive = [...this.server.attempts()]
    const items = alive.map((name) => name.replace(/-\d+$/, ''))
    for (const name of alive) this.seen.add(name)
    if (new Set(items).size < items.length) this.fault ??= `two attempts at once: ${alive.join(' ')}`
    return alive
  }

  stop() {
    clearInterval(this.timer)
    assert.equal(this.fault, undefined)
    assert.ok(this.seen.size > 0, 'it never saw an attempt: what it says means nothing')
  }
}

function assertOneAfterAnother(item) {
  for (const [i, attempt] of item.attempts.entries()) {
    assert.equal(attempt.number, i + 1)
    assert.ok(Date.parse(attempt.started_at) <= Date.parse(attempt.ended_at), JSON.stringify(item.attempts))
    if (i) assert.ok(Date.parse(item.attempts[i - 1].ended_at) <= Date.parse(attempt.started_at), JSON.stringify(item.attempts))
  }
  assert.deepEqual(item.attempts.map((a) => a.outcome), item.attempts.map((_, i, all) => (i === all.length - 1 ? 'completed' : 'lost')))
}

for (const { who, uid } of USERS) {
  test(`ten times kill -9 during one build: it completes, its watcher exits 0 and nothing is left, ${who}`, async (t) => {
    const server = await startReqpm(t, { uid })
    const set = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`p${i}`, sh(`echo begin ${i}; sleep ${i % 5 ? 0.1 : 0.7}; echo end ${i}; echo ${i} >results/number`, { requires: i < 4 ? [] : [`p${i - 4}`] })]))
    const folder = join(server.dir, 'set')
    mkdirSync(folder)
    writeFileSync(join(folder, 'packages.json'), commands(set)['packages.json'])
    const watcher = server.cliStart(['build', '--progress=plain', folder])
    const id = Number((await watcher.until(/build (\d+): /))[1])
    const follower = new Follower(server, id)
    const witness = new Witness(server)

    for (let n = 0; n < KILLS; n++) {
      const viewer = await server.watch(`/ws/builds/${id}/`)
      const { seq } = await viewer.until((m) => m.snapshot)
      await viewer.until((m) => m.seq > seq + (n % 4))
      const before = witness.look()
      await server.kill9({ keeper: n % 2 === 1 })
      await server.restart()
      assert.deepEqual(witness.look().filter((name) => before.includes(name)), [], 'attempts of the dead server')
    }
    const { code, stdout, stderr } = await within(watcher.ended, 'the end of the watcher', 120_000)
    assert.equal(code, 0, stdout + stderr)
    const document = (await server.api(`/api/builds/${id}`)).json()
    assert.equal(document.status, 'completed')
    assert.equal(document.completed_packages, 40)
    const recording = await follower.end()
    recording.assertIs(document)
    witness.stop()
    let lost = 0
    for (const { id: itemId, package: { name } } of document.queue_items) {
      const item = (await server.api(`/api/queue/${itemId}`)).json()
      assertOneAfterAnother(item)
      lost += item.attempts.length - 1
      const { bytes } = await server.api(`/api/queue/${itemId}/log`)
      assert.equal(createHash('sha256').update(bytes).digest('hex'), item.log_sha256)
      assert.match(bytes.toString(), new RegExp(`begin ${name.slice(1)}\nend ${name.slice(1)}\n$`))
    }
    assert.ok(lost > 0, 'no kill came while something was built')
    await server.nothingLeft()
  })
}

test('a killed launcher costs an attempt, not the package', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload(commands({ held: gated() }))
  const build = await server.submit(upload)
  const viewer = await server.watch(`/ws/builds/${build.id}/`)
  await viewer.until(shows('held', 'building'))
  const launcher = await server.launcher()
  process.kill(launcher, 'SIGKILL')
  await viewer.until((m) => m.type === 'queue_update' && m.data.status === 'queued' && m.data.attempt === 1)
  openGate(server, upload)
  const document = await server.ended(build.id)
  assert.equal(document.status, 'completed')
  const item = (await server.api(`/api/queue/${document.queue_items[0].id}`)).json()
  assert.deepEqual(item.attempts.map((a) => a.outcome), ['infrastructure', 'completed'])
  await server.nothingLeft()
})

test('SIGTERM sends viewers away, puts what runs back into the queue and exits 0; the next start completes it', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload(commands({ done: {}, one: gated('true', { requires: ['done'] }), two: gated('true', { requires: ['done'] }), after: { requires: ['one', 'two'] } }))
  const build = await server.submit(upload)
  const follower = new Follower(server, build.id)
  const watcher = server.cliStart(['watch', String(build.id), '--progress=plain'])
  const viewer = await server.watch(`/ws/builds/${build.id}/`)
  await Promise.all([viewer.until(shows('one', 'building')), viewer.until(shows('two', 'building'))])
  await watcher.until(/two/)

  assert.equal(await server.stop(), 0, server.log)
  assert.equal((await within(viewer.closed, 'the close')).code, 1012)
  assert.equal(viewer.messages.at(-1).type, 'heartbeat')
  assert.ok(viewer.messages.at(-1).retry_ms > 0)
  await server.nothingLeft(100)

  await server.restart()
  const again = await server.watch(`/ws/builds/${build.id}/`)
  const snapshot = await again.until((m) => m.snapshot)
  assert.equal(snapshot.data.status, 'running')
  await Promise.all([again.until(shows('one', 'building')), again.until(shows('two', 'building'))])
  openGate(server, upload)
  const document = await server.ended(build.id)
  assert.equal(document.status, 'completed')
  for (const name of ['one', 'two']) {
    const { id } = document.queue_items.find((item) => item.package.name === name)
    const item = (await server.api(`/api/queue/${id}`)).json()
    assert.deepEqual(item.attempts.map((a) => a.outcome), ['stopped', 'completed'])
  }
  const recording = await follower.end()
  recording.assertIs(document)
  const { code, stdout, stderr } = await within(watcher.ended, 'the end of the watcher')
  assert.equal(code, 0, stdout + stderr)
})

test('SIGTERM while a spec is read ends the server soon, and the build is prepared by the next', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload({ 'slow.spec': spec('slow', '', { version: '%(until test -e /sources/gate; do sleep 0.05; done; echo 1)' }) })
  const build = await server.submit(upload, { dry_run: true })
  const viewer = await server.watch(`/ws/builds/${build.id}/`)
  await viewer.until((m) => m.data?.status === 'preparing')
  const before = Date.now()
  assert.equal(await server.stop(), 0, server.log)
  assert.ok(Date.now() - before < 10_000, `it took ${Date.now() - before} ms`)
  await server.restart()
  const snapshot = await (await server.watch(`/ws/builds/${build.id}/`)).until((m) => m.snapshot)
  assert.match(snapshot.data.status, /^(pending|preparing)$/)
  await server.api(`/api/builds/${build.id}/cancel`, { method: 'POST' })
  assert.equal((await server.ended(build.id)).status, 'cancelled')
})
