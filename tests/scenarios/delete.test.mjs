// SPDX-License-Identifier: MIT
//
// Ended builds and uploads that nobody wants go when somebody says so, or by age: rows, folders and what the list shows together.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually, startReqpm } from '../harness.mjs'
import { commands, gated, openGate, sh, shows } from '../sets.mjs'

const DAY_MS = 24 * 3600_000

const folders = (server, kind) => readdirSync(join(server.dataDir, kind))
const remove = (server, path, options) => server.api(path, { method: 'DELETE', ...options })
const removed = (id) => (m) => m.type === 'build_removed' && m.data.id === id

test('a build is deleted with all that is its own, and every open list hears of it', async (t) => {
  const server = await startReqpm(t)
  const list = await server.watch('/ws/builds/')
  const upload = await server.upload(commands({ a: sh('echo out; echo x >results/x'), b: { requires: ['a'] } }))
  const made = await server.submit(upload)
  const { queue_items: items, seq } = await server.ended(made.id)
  assert.equal((await remove(server, `/api/builds/${made.id}`)).status, 204)

  const message = await list.until(removed(made.id))
  assert.ok(message.seq > seq)
  assert.match(message.epoch, /^\w+$/)
  for (const path of [`/api/builds/${made.id}`, `/api/builds/${made.id}/artifacts`, `/api/builds/${made.id}/repo/repodata/repomd.xml`, `/api/queue/${items[0].id}`, `/api/queue/${items[0].id}/log`, `/api/uploads/${upload}`])
    assert.equal((await server.api(path)).status, 404, path)
  assert.equal((await (await server.watch(`/ws/builds/${made.id}/`)).closed).code, 4404)
  assert.equal((await (await server.watch(`/ws/builds/queue/${items[0].id}/log/`)).closed).code, 4404)
  await eventually(() => !folders(server, 'builds').length && !folders(server, 'uploads').length, 'its folders are gone')

  // Who comes later never sees it, and no number is given out again.
  const later = await (await server.watch('/ws/builds/')).until((m) => m.type === 'build_list')
  assert.deepEqual(later.data, [])
  assert.equal((await remove(server, `/api/builds/${made.id}`)).status, 404)
  const next = await server.ended((await server.submit({ a: {} })).id)
  assert.ok(next.id > made.id)
  assert.ok(next.queue_items[0].id > items[1].id)
})

test('what has not ended stays, and so does what a caller may not change', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload(commands({ a: gated() }))
  const { id } = await server.submit(upload)
  const viewer = await server.watch(`/ws/builds/${id}/`)
  await viewer.until(shows('a', 'building'))
  const refusal = await remove(server, `/api/builds/${id}`)
  assert.equal(refusal.status, 409)
  assert.match(refusal.json().detail, /has not ended: cancel it first/)
  openGate(server, upload)
  assert.equal((await server.ended(id)).status, 'completed')
  assert.equal((await remove(server, `/api/builds/${id}`, { token: null })).status, 401)
  assert.equal((await remove(server, `/api/builds/${id}`, { headers: { origin: 'http://evil.example' } })).status, 403)
  for (const wrong of ['0', '-1', '9223372036854775808', 'x']) assert.equal((await remove(server, `/api/builds/${wrong}`)).status, 404, wrong)
  assert.equal((await server.api(`/api/builds/${id}`)).status, 200)
})

test('a retry keeps what it took over when the build before it is deleted', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload(commands({ good: sh('echo said; echo made >results/made'), bad: sh('test -e /sources/gate') }))
  const first = await server.submit(upload)
  assert.equal((await server.ended(first.id)).status, 'failed')
  openGate(server, upload)
  const again = (await server.api(`/api/builds/${first.id}/retry`, { method: 'POST' })).json()
  const ended = await server.ended(again.id)
  assert.equal(ended.status, 'completed')
  assert.equal((await remove(server, `/api/builds/${first.id}`)).status, 204)
  await eventually(() => folders(server, 'builds').join() === String(again.id), 'the first is gone')
  const good = ended.queue_items.find((item) => item.package.name === 'good')
  assert.match((await server.api(`/api/queue/${good.id}/log`)).text(), /said/)
  const [file] = (await server.api(`/api/builds/${again.id}/artifacts`)).json().items
  assert.equal((await server.api(file.url)).text(), 'made\n')
  assert.equal((await server.api(`/api/uploads/${upload}`)).status, 200)
  assert.equal((await remove(server, `/api/builds/${again.id}`)).status, 204)
  await eventually(() => !folders(server, 'uploads').length, 'the upload goes with the last build of it')
})

test('a build that was deleted stays so when the server dies at once', async (t) => {
  const server = await startReqpm(t)
  const ids = []
  for (let i = 0; i < 3; i++) ids.push((await server.submit({ a: {} })).id)
  for (const id of ids) await server.ended(id)
  const answers = await Promise.all(ids.slice(0, 2).map((id) => remove(server, `/api/builds/${id}`)))
  await server.kill9()
  assert.deepEqual(answers.map((answer) => answer.status), [204, 204])
  await server.restart()
  await eventually(() => folders(server, 'builds').join() === String(ids[2]), 'their folders are gone')
  const left = (await server.api('/api/builds')).json().items
  assert.deepEqual(left.map((build) => build.id), [ids[2]])
})

test('with --keep-builds old builds go by themselves, what runs never does', async (t) => {
  const server = await startReqpm(t, { args: ['--keep-builds', '7'] })
  const upload = await server.upload(commands({ a: gated() }))
  const running = await server.submit(upload)
  await (await server.watch(`/ws/builds/${running.id}/`)).until(shows('a', 'building'))
  // More than one transaction forgets, and one that is younger.
  const ids = []
  for (let i = 0; i < 23; i++) ids.push((await server.submit({ a: {} }, { name: `b${i}` })).id)
  for (const id of ids) await server.ended(id)
  const young = ids.pop()
  assert.equal(await server.stop(), 0)
  const now = Date.now()
  const times = [...ids.map((id) => [now - 7 * DAY_MS - 60_000, id]), [now - 7 * DAY_MS + 600_000, young]]
  server.sql('UPDATE build_jobs SET completed_at = ? WHERE id = ?', times)
  server.sql('UPDATE build_jobs SET created_at = 1 WHERE id = ?', [[running.id]])
  await server.restart()
  const list = async () => (await server.api('/api/builds?limit=200')).json().items.map((build) => build.id)
  await eventually(async () => (await list()).length === 2, 'the old ones are gone')
  assert.deepEqual(await list(), [young, running.id])
  openGate(server, upload)
  assert.equal((await server.ended(running.id)).status, 'completed')
})

test('an upload that will not be built is dropped on demand, a sealed one is its build’s', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload({ 'a.spec': 'x' })
  assert.equal((await remove(server, `/api/uploads/${upload}`, { token: null })).status, 401)
  assert.equal((await remove(server, `/api/uploads/${upload}`)).status, 204)
  await eventually(() => !folders(server, 'uploads').length, 'its folder is gone')
  assert.equal((await remove(server, `/api/uploads/${upload}`)).status, 404)
  assert.equal((await server.api(`/api/uploads/${upload}/files/b`, { method: 'PUT', body: 'x' })).status, 404)
  assert.equal((await server.api('/api/builds', { method: 'POST', body: { upload } })).status, 404)

  const sealed = await server.upload(commands({ a: {} }))
  const build = await server.submit(sealed)
  await server.ended(build.id)
  const refusal = await remove(server, `/api/uploads/${sealed}`)
  assert.equal(refusal.status, 409)
  assert.match(refusal.json().detail, /goes when the build is deleted/)
  assert.ok(existsSync(join(server.dataDir, 'uploads', String(sealed), 'files', 'packages.json')))
})

test('reqpm delete takes several builds, past those that cannot go, and says of each what became of it', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload(commands({ a: gated() }))
  const running = (await server.submit(upload)).id
  const [one, two, three] = [(await server.submit({ a: {} })).id, (await server.submit({ a: {} })).id, (await server.submit({ a: {} })).id]
  for (const id of [one, two, three]) await server.ended(id)
  const several = await server.cli(['delete', one, running, 99, two].map(String))
  assert.deepEqual([several.code, several.stdout], [2, `build ${one} is deleted\nbuild ${two} is deleted\n`])
  assert.match(several.stderr, new RegExp(`^reqpm: build ${running}: .*has not ended: cancel it first, or wait\nreqpm: build 99: there is no such build\n$`))
  const wrong = await server.cli(['delete', String(three), 'x'])
  assert.equal(wrong.code, 2)
  assert.equal((await server.api(`/api/builds/${three}`)).status, 200, 'a slip of the finger deletes nothing')
  const json = await server.cli(['delete', String(three), '--json'])
  assert.deepEqual(JSON.parse(json.stdout), { type: 'build_removed', data: { id: three } })
  openGate(server, upload)
  await server.ended(running)
})

test('what reqpm build sent for a build that is refused does not stay', async (t) => {
  const server = await startReqpm(t)
  const folder = join(server.dir, 'set')
  mkdirSync(folder)
  writeFileSync(join(folder, 'packages.json'), JSON.stringify({ packages: [{ name: 'a', version: '1', command: [] }] }))
  const refused = await server.cli(['build', folder])
  assert.equal(refused.code, 2, refused.stderr)
  await eventually(() => !folders(server, 'uploads').length, 'the upload is gone')
})
