// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually, Program, startReqpm, within } from '../harness.mjs'
import { openGate, spec } from '../sets.mjs'

const slowSpec = (name) => spec(name, '', { version: '%(until test -e /sources/gate; do sleep 0.05; done; echo 1)' })

for (const names of [['slow'], ['one', 'two', 'three']]) {
  test(`a reading of specs that this machine broke is done again, of ${names.length} at once`, async (t) => {
    const server = await startReqpm(t)
    const upload = await server.upload(Object.fromEntries(names.map((name) => [`${name}.spec`, slowSpec(name)])))
    const build = await server.submit(upload)
    process.kill(await server.launcher(), 'SIGKILL')
    await eventually(() => /tried again/.test(server.log), 'a line about it')
    openGate(server, upload)
    assert.equal((await server.ended(build.id)).status, 'completed')
  })
}

test('how many specs have been read is told while they are read', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload({ 'a.spec': spec('a'), 'b.spec': spec('b'), 'slow.spec': slowSpec('slow') })
  const build = await server.submit(upload, { dry_run: true })
  const viewer = await server.watch(`/ws/builds/${build.id}/`)
  const told = await viewer.until((m) => m.data?.specs_read === 2)
  assert.deepEqual([told.data.status, told.data.specs_total], ['preparing', 3])
  openGate(server, upload)
  const { specs_total: total, status } = await server.ended(build.id)
  assert.deepEqual([total, status], [undefined, 'completed'])
})

for (const [what, change] of [['begin', 'preparing'], ['end', 'running']]) {
  test(`what the database refuses at the ${what} of preparing is written again after a pause, not at once`, async (t) => {
    const server = await startReqpm(t)
    server.sql(`CREATE TRIGGER refuse BEFORE UPDATE OF status ON build_jobs WHEN NEW.status = '${change}' BEGIN SELECT RAISE(ABORT, 'refused'); END`)
    const build = await server.submit({ a: {} })
    const tries = () => server.log.match(/tried again in/g)?.length ?? 0
    await eventually(() => tries() >= 2, 'two tries')
    assert.ok(tries() < 10, `${tries()} tries`)
    server.sql('DROP TRIGGER refuse')
    assert.equal((await server.ended(build.id)).status, 'completed')
  })
}

test('a build that waits to be written again can be cancelled, and a server that waits so can be stopped', async (t) => {
  const server = await startReqpm(t)
  server.sql(`CREATE TRIGGER refuse BEFORE UPDATE OF status ON build_jobs WHEN NEW.status = 'running' BEGIN SELECT RAISE(ABORT, 'refused'); END`)
  const first = await server.submit({ a: {} })
  await eventually(() => server.log.includes('tried again in'), 'a line about it')
  await server.api(`/api/builds/${first.id}/cancel`, { method: 'POST' })
  assert.equal((await server.ended(first.id)).status, 'cancelled')
  const second = await server.submit({ a: {} })
  await eventually(() => server.log.match(/tried again in/g).length > 1, 'a further line')
  assert.equal(await server.stop(), 0, server.log)
  server.sql('DROP TRIGGER refuse')
  await server.restart()
  assert.equal((await server.ended(second.id)).status, 'completed')
})

test('what a package took is unknown when the clock was set back meanwhile, and its next build is planned', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload({ 'a.spec': spec('a') })
  await server.ended((await server.submit(upload)).id)
  server.sql('UPDATE package_history SET duration_ms = -3596942')
  const again = await server.ended((await server.submit(await server.upload({ 'a.spec': spec('a') }))).id)
  assert.deepEqual([again.status, again.error, again.queue_items[0].last_duration_ms], ['completed', null, null])
})

const preparing = async (server, id) => {
  const viewer = await server.watch(`/ws/builds/${id}/`)
  await viewer.until((m) => m.data?.status === 'preparing')
}

test('a build that the server does not survive preparing is refused after the third time, with a sentence', async (t) => {
  const server = await startReqpm(t)
  const build = await server.submit(await server.upload({ 'slow.spec': slowSpec('slow') }))
  for (let n = 1; n <= 3; n++) {
    await preparing(server, build.id)
    await server.kill9()
    await server.restart()
  }
  const { status, error } = await server.ended(build.id)
  assert.equal(status, 'failed')
  assert.match(error.detail, /^the server died 3 times while it prepared this build, perhaps for want of memory: .*retry/)
})

test('a build that is being prepared survives any number of stops', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload({ 'slow.spec': slowSpec('slow') })
  const build = await server.submit(upload)
  for (let n = 1; n <= 4; n++) {
    await preparing(server, build.id)
    assert.equal(await server.stop(), 0, server.log)
    await server.restart()
  }
  openGate(server, upload)
  assert.equal((await server.ended(build.id)).status, 'completed')
})

const HOLD = `
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
database.execute('BEGIN IMMEDIATE')
print('held', flush=True)
sys.stdin.readline()
database.execute(sys.argv[2])
database.execute('COMMIT')
`

test('what is stopped between two steps of its preparation does not begin the next', async (t) => {
  const server = await startReqpm(t)
  // That it is being prepared is refused, then held up until the server has been told to stop, then written.
  server.sql(`CREATE TRIGGER refuse BEFORE UPDATE OF status ON build_jobs WHEN NEW.status = 'preparing' BEGIN SELECT RAISE(ABORT, 'refused'); END`)
  const upload = await server.upload({ 'slow.spec': slowSpec('slow') })
  const build = await server.submit(upload)
  await eventually(() => /tried again in/.test(server.log), 'a first try')
  const holder = new Program('/usr/bin/python3', ['-c', HOLD, join(server.dataDir, 'reqpm.db'), 'DROP TRIGGER refuse'], { stdio: ['pipe', 'pipe', 'pipe'] })
  await holder.until(/held/)
  await new Promise((r) => setTimeout(r, 3000)) // the next try has begun
  const stopped = server.stop()
  await eventually(() => /draining/.test(server.log), 'the server drains')
  holder.process.stdin.end('go on\n')
  assert.equal((await within(holder.ended, 'the end of the holder')).code, 0)
  assert.equal(await stopped, 0, server.log)
  await server.restart()
  await preparing(server, build.id)
  openGate(server, upload)
  assert.equal((await server.ended(build.id)).status, 'completed')
})

test('what needs no reading of specs does not wait for what does, and of the latter there is one at a time', async (t) => {
  const server = await startReqpm(t)
  const failed = await server.submit(await server.upload({ 'good.spec': spec('good'), 'bad.spec': spec('bad', '', { sections: '%build\nexit 1\n' }) }))
  assert.equal((await server.ended(failed.id)).status, 'failed')
  const upload = await server.upload({ 'slow.spec': slowSpec('slow') })
  const slow = await server.submit(upload)
  await preparing(server, slow.id)
  const next = await server.submit(await server.upload({ 'quick.spec': spec('quick') }))

  assert.equal((await server.ended((await server.submit({ a: {} })).id)).status, 'completed')
  const again = await server.api(`/api/builds/${failed.id}/retry`, { method: 'POST' })
  const retried = await server.ended(again.json().id)
  assert.deepEqual([retried.status, retried.completed_packages, retried.failed_packages], ['failed', 1, 1])
  const statuses = await Promise.all([slow, next].map(async ({ id }) => (await server.api(`/api/builds/${id}`)).json().status))
  assert.deepEqual(statuses, ['preparing', 'pending'])

  openGate(server, upload)
  for (const { id } of [slow, next]) assert.equal((await server.ended(id)).status, 'completed')
})
