// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually, startReqpm, within } from '../harness.mjs'
import { commands, openGate, sh, spec } from '../sets.mjs'

const states = (document) => Object.fromEntries(document.queue_items.map((item) => [item.package.name, item.status]))

async function retry(server, id) {
  const answer = await server.api(`/api/builds/${id}/retry`, { method: 'POST' })
  assert.equal(answer.status, 201, answer.text())
  return answer.json()
}

async function external(server, packages, options = {}) {
  const answer = await server.api('/api/builds', { method: 'POST', body: { builder: 'external', packages, ...options } })
  assert.equal(answer.status, 201, answer.text())
  return answer.json()
}

const report = (server, item, body) => server.api(`/api/queue/${item.id}`, { method: 'PATCH', body })

test('a retry of a build that was refused reads its packages again', async (t) => {
  const server = await startReqpm(t)
  // It does not parse until the gate is there.
  const version = '%(test -e /sources/gate && echo 1)'
  const upload = await server.upload({ 'late.spec': spec('late', '', { version }) })
  const first = await server.submit(upload)
  const refused = await server.ended(first.id)
  assert.deepEqual([refused.status, refused.plan], ['failed', null])
  writeFileSync(join(server.dataDir, 'uploads', String(upload), 'files', 'gate'), '')

  const again = await retry(server, first.id)
  const second = await server.ended(again.id)
  assert.equal(second.retry_of, first.id)
  assert.deepEqual(second.plan.levels, [['late']], 'its order can be read')
  assert.deepEqual(states(second), { late: 'completed' })
})

const remove = async (server, id) => (await server.api(`/api/builds/${id}`, { method: 'DELETE' })).status

test('what was built is taken over also by a retry of a retry that ended before it had a plan', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload(commands({ good: sh('echo said; echo made >results/made'), bad: sh('test -e /sources/gate') }))
  const first = await server.submit(upload)
  assert.deepEqual(states(await server.ended(first.id)), { good: 'completed', bad: 'failed' })
  // Nothing is prepared for now.
  server.sql(`CREATE TRIGGER refuse BEFORE UPDATE OF status ON build_jobs WHEN NEW.status = 'preparing' BEGIN SELECT RAISE(ABORT, 'refused'); END`)
  const second = await retry(server, first.id)
  await server.api(`/api/builds/${second.id}/cancel`, { method: 'POST' })
  assert.equal((await server.ended(second.id)).status, 'cancelled')
  const third = await retry(server, second.id)
  assert.equal(third.retry_of, second.id)
  assert.deepEqual([await remove(server, first.id), await remove(server, second.id)], [409, 204], 'its results are held')

  openGate(server, upload)
  server.sql('DROP TRIGGER refuse')
  const end = await server.ended(third.id)
  assert.deepEqual(states(end), { good: 'completed', bad: 'completed' })
  const good = (await server.api(`/api/queue/${end.queue_items[0].id}`)).json()
  assert.equal(good.attempts.length, 0, 'it was not built again')
  assert.match((await server.api(`/api/queue/${good.id}/log`)).text(), /said/)
  assert.equal(await remove(server, first.id), 204)
})

/** The files of a build in which `good` completes and `bad` fails. */
const halfGood = () => ({ 'good.spec': spec('good'), 'bad.spec': spec('bad', '', { sections: '%build\nexit 1\n' }) })

for (const what of ['taken over', 'published']) {
  test(`what this machine does not let be ${what} is tried again, and nothing is lost`, async (t) => {
    const server = await startReqpm(t)
    const first = await server.submit(await server.upload(halfGood()))
    assert.deepEqual(states(await server.ended(first.id)), { bad: 'failed', good: 'completed' })
    const builds = join(server.dataDir, 'builds'), next = join(builds, String(first.id + 1)), { uid, gid, mode } = statSync(builds)
    if (what === 'published') {
      mkdirSync(next)
      chownSync(next, uid, gid)
      writeFileSync(join(next, 'repos'), 'no folder')
    } else {
      chmodSync(builds, 0o500)
    }
    const second = await retry(server, first.id)
    await eventually(() => new RegExp(`built before cannot be ${what}: .*tried again`).test(server.log), 'a line about it')
    rmSync(join(next, 'repos'), { force: true })
    chmodSync(builds, mode)
    const end = await server.ended(second.id)
    assert.deepEqual(states(end), { bad: 'failed', good: 'completed' }, JSON.stringify(end.error))
    const good = (await server.api(`/api/queue/${end.queue_items[1].id}`)).json()
    assert.equal(good.attempts.length, 0, 'it was not built again')
    const { items } = (await server.api(`/api/builds/${second.id}/artifacts`)).json()
    assert.ok(items.some((file) => file.file === 'good-1.0-1.noarch.rpm'), JSON.stringify(items))
  })
}

test('what this machine never lets be taken over is refused after some tries, and still there for the next retry', async (t) => {
  const server = await startReqpm(t)
  const first = await server.submit({ good: sh('echo said'), bad: sh('false') })
  await server.ended(first.id)
  const builds = join(server.dataDir, 'builds'), { mode } = statSync(builds)
  chmodSync(builds, 0o500)
  const second = await server.ended((await retry(server, first.id)).id)
  assert.equal(second.status, 'failed')
  assert.match(second.error.detail, /built before cannot be taken over: .*tried 10 times: retry when it is mended/)
  chmodSync(builds, mode)
  const third = await server.ended((await retry(server, second.id)).id)
  assert.deepEqual(states(third), { good: 'completed', bad: 'failed' })
  assert.equal((await server.api(`/api/queue/${third.queue_items[0].id}`)).json().attempts.length, 0)
})

test('a retry of an external build runs at once and takes over what was reported', async (t) => {
  const server = await startReqpm(t)
  const first = await external(server, [{ name: 'a' }, { name: 'b', requires: ['a'] }, { name: 'c' }])
  const [a, b, c] = first.queue_items
  for (const [item, end] of [[a, 'completed'], [b, 'failed'], [c, 'completed']]) {
    assert.equal((await report(server, item, { status: 'building' })).status, 200)
    assert.equal((await report(server, item, { status: end })).status, 200)
  }
  const failed = await server.ended(first.id)
  assert.deepEqual(states(failed), { a: 'completed', b: 'failed', c: 'completed' })
  assert.match(failed.queue_items[1].why, /without a reason/)

  const second = await retry(server, first.id)
  assert.equal(second.status, 'running')
  assert.deepEqual(states(second), { a: 'completed', b: 'queued', c: 'completed' })
  const again = second.queue_items[1]
  await report(server, again, { status: 'building' })
  await report(server, again, { status: 'completed' })
  assert.equal((await server.ended(second.id)).status, 'completed')
})

test('who comes back with the last number of an ended build is told that nothing follows, also after a restart', async (t) => {
  const server = await startReqpm(t)
  const build = await server.submit({ a: {} })
  const { seq, epoch } = await server.ended(build.id)
  for (const restarted of [false, true]) {
    if (restarted) {
      assert.equal(await server.stop(), 0, server.log)
      await server.restart()
    }
    const viewer = await server.watch(`/ws/builds/${build.id}/?since=${seq}&epoch=${epoch}`)
    const { code } = await within(viewer.closed, 'the close')
    assert.equal(code, 1000)
    assert.deepEqual(viewer.messages.map((m) => [m.type, m.seq]), [['heartbeat', seq]], `restarted: ${restarted}`)
  }
})

test('a viewer that missed nothing goes on after a restart without a snapshot', async (t) => {
  const server = await startReqpm(t)
  const build = await external(server, [{ name: 'a' }, { name: 'b' }])
  assert.equal(await server.stop(), 0, server.log)
  await server.restart()
  const { seq, epoch } = (await server.api(`/api/builds/${build.id}`)).json()
  const viewer = await server.watch(`/ws/builds/${build.id}/?since=${seq}&epoch=${epoch}`)
  await viewer.until((m) => m.type === 'heartbeat' && m.seq === seq)
  await report(server, build.queue_items[0], { status: 'building' })
  await viewer.until((m) => m.type === 'build_update')
  assert.deepEqual(viewer.messages.map((m) => [m.type, m.seq]), [['heartbeat', seq], ['queue_update', seq + 1], ['build_update', seq + 2]])
})

test('who has the newest document is told so, and each answer says how new it is', async (t) => {
  const server = await startReqpm(t)
  const build = await external(server, [{ name: 'a' }])
  const first = await server.api(`/api/builds/${build.id}`)
  const tag = first.headers.etag
  const same = await server.api(`/api/builds/${build.id}`, { headers: { 'if-none-match': tag } })
  assert.deepEqual([same.status, same.text(), same.headers.etag], [304, '', tag])
  await report(server, build.queue_items[0], { status: 'building' })
  const newer = await server.api(`/api/builds/${build.id}`, { headers: { 'if-none-match': tag } })
  assert.equal(newer.status, 200)
  const { seq, epoch } = newer.json()
  assert.ok(seq > first.json().seq)
  const item = (await server.api(`/api/queue/${build.queue_items[0].id}`)).json()
  assert.deepEqual([item.seq, item.epoch], [seq, epoch])
  const list = (await server.api('/api/builds')).json()
  assert.deepEqual([list.items[0].seq, list.epoch], [seq, epoch])
})

test('a file that is not whole any more is refused by name when its upload is submitted', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload({ ...commands({ a: sh('true') }), 'data.txt': 'twelve bytes' })
  truncateSync(join(server.dataDir, 'uploads', String(upload), 'files', 'data.txt'))
  const answer = await server.api('/api/builds', { method: 'POST', body: { upload } })
  assert.equal(answer.status, 422, answer.text())
  assert.match(answer.json().detail, /data\.txt.*put it again/)
  await server.api(`/api/uploads/${upload}/files/data.txt`, { method: 'PUT', body: 'twelve bytes' })
  const build = await server.submit(upload)
  assert.equal((await server.ended(build.id)).status, 'completed')
})
