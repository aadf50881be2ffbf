// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict'
import { truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startReqpm, within } from '../harness.mjs'
import { commands, sh, spec } from '../sets.mjs'

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
