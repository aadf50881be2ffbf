// SPDX-License-Identifier: MIT
//
// Every limit that a client can reach: what is within is taken, what is beyond gets an answer that names it. Also what is rare in
// answers: parts of a repository's files, and a server that is not well.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually, within } from '../harness.mjs'
import { sh } from '../sets.mjs'
import { startClient } from './client.mjs'

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

test('an upload has 100,000 files and not one more', async (t) => {
  const api = await startClient(t)
  const { server } = api
  const { id } = (await api.call('createUpload')).json()
  server.sql('INSERT INTO upload_files VALUES (?, ?, 0, ?)', Array.from({ length: 99_999 }, (_, i) => [id, `f${i}`, sha256('')]))
  server.sql('UPDATE uploads SET file_count = 99999 WHERE id = ?', [[id]])
  const put = (path) => api.call('putUploadFile', { path: { id, path }, body: 'x' })
  assert.equal((await put('last')).status, 201)
  const refused = await put('more')
  assert.equal(refused.status, 422)
  assert.match(refused.json().detail, /100000 files/)
  assert.equal((await put('last')).status, 201, 'a file that is there already may come again')
  assert.equal((await api.call('getUpload', { path: { id } })).json().files.length, 100_000)
  assert.deepEqual(readdirSync(join(server.dataDir, 'uploads', String(id), 'files')), ['last'])
  assert.deepEqual(readdirSync(join(server.dataDir, 'uploads', String(id), 'incoming')), [])
})

/** A file on its way: begun, and with the rest still to come. */
async function sending(server, id, path, content) {
  const socket = connect(server.port, '127.0.0.1')
  let text = ''
  socket.on('data', (part) => (text += part))
  const over = new Promise((resolve) => socket.on('close', () => resolve(text)))
  const head = `PUT /api/uploads/${id}/files/${path} HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${server.token}\r\n`
  const incoming = () => readdirSync(join(server.dataDir, 'uploads', String(id), 'incoming')).length
  const before = incoming()
  socket.write(`${head}Content-Length: ${content.length}\r\nConnection: close\r\n\r\n${content.slice(0, -1)}`)
  await eventually(() => incoming() > before, 'the beginning of the file')
  return {
    finish: () => (socket.write(content.slice(-1)), within(over, 'the answer to the file')),
    cut: () => (socket.end(), within(over, 'the answer to part of a file')),
  }
}

test('of two files of one name at once the one that is whole last stays, as it was said to each', async (t) => {
  const api = await startClient(t)
  const { server } = api
  const { id } = (await api.call('createUpload')).json()
  const [one, two] = ['1'.repeat(100_000), '2'.repeat(50_000)]
  for (const order of [[one, two], [two, one]]) {
    const files = [await sending(server, id, 'd/x', order[0]), await sending(server, id, 'd/x', order[1])]
    for (const [i, file] of files.entries()) {
      const answer = await file.finish()
      assert.match(answer, /^HTTP\/1\.1 201 /)
      assert.ok(answer.includes(sha256(order[i])))
    }
    const [listed] = (await api.call('getUpload', { path: { id } })).json().files
    assert.deepEqual(listed, { path: 'd/x', size: order[1].length, sha256: sha256(order[1]) })
    assert.equal(readFileSync(join(server.dataDir, 'uploads', String(id), 'files/d/x'), 'utf8'), order[1])
  }
  assert.deepEqual(readdirSync(join(server.dataDir, 'uploads', String(id), 'incoming')), [])
})

test('a file that is on its way when the upload is submitted does not come into it', async (t) => {
  const api = await startClient(t)
  const { server } = api
  const id = await server.upload({ 'packages.json': '{"packages":[{"name":"a","command":["true"]}]}' })
  const late = await sending(server, id, 'packages.json', '{"packages":[{"name":"other","command":["true"]}]}')
  const build = await server.submit(id)
  const answer = await late.finish()
  assert.match(answer, /^HTTP\/1\.1 409 [\s\S]*upload-sealed/)
  assert.deepEqual((await server.ended(build.id)).queue_items.map((item) => item.package.name), ['a'])
  await eventually(() => readdirSync(join(server.dataDir, 'uploads', String(id))).join() === 'files', 'nothing of it is left')
})

test('a file that is cut off is not kept, and no fault of the server', async (t) => {
  const api = await startClient(t)
  const { server } = api
  const { id } = (await api.call('createUpload')).json()
  const answer = await (await sending(server, id, 'part', 'x'.repeat(5000))).cut()
  assert.match(answer, /^(HTTP\/1\.1 400 [\s\S]*cut-off|$)/)
  await eventually(() => readdirSync(join(server.dataDir, 'uploads', String(id), 'incoming')).length === 0, 'nothing of it is left')
  assert.deepEqual((await api.call('getUpload', { path: { id } })).json().files, [])
  assert.doesNotMatch(server.log, /answered 5/)
})

test('the server is well while its database answers', async (t) => {
  const api = await startClient(t)
  assert.equal((await api.call('getHealth')).status, 200)
  api.server.sql('ALTER TABLE build_jobs RENAME TO elsewhere')
  const sick = await api.call('getHealth')
  assert.equal(sick.status, 503)
  assert.match(sick.json().detail, /database/)
  assert.equal((await api.server.api('/api/builds')).status, 500)
  api.server.sql('ALTER TABLE elsewhere RENAME TO build_jobs')
  assert.equal((await api.call('getHealth')).status, 200)
})

test('files of a repository are given in parts and not twice, each as one that was published', async (t) => {
  const api = await startClient(t)
  const { server } = api
  const { id } = await server.submit({ a: {} })
  await server.ended(id)
  const folder = join(server.dataDir, 'builds', String(id), 'repos/1')
  mkdirSync(folder, { recursive: true })
  symlinkSync('repos/1', join(server.dataDir, 'builds', String(id), 'repo'))
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251))
  writeFileSync(join(folder, 'a.rpm'), content)
  const get = (headers) => api.call('getRepositoryFile', { path: { id, path: 'a.rpm' }, headers })
  const whole = await get({})
  assert.deepEqual([whole.status, whole.headers['accept-ranges']], [200, 'bytes'])
  const { etag } = whole.headers
  assert.match(etag, /^"[\x21\x23-\x7e]+"$/, 'a strong one')
  const part = async (range, more) => {
    const answer = await get({ range, ...more })
    return [answer.status, answer.headers['content-range'], answer.headers.etag, answer.status === 416 || content.includes(answer.bytes) && answer.bytes.length]
  }
  assert.deepEqual(await part('bytes=100-199'), [206, 'bytes 100-199/300000', etag, 100])
  assert.deepEqual(await part('bytes=299999-'), [206, 'bytes 299999-299999/300000', etag, 1])
  assert.deepEqual(await part('bytes=-250000'), [206, 'bytes 50000-299999/300000', etag, 250_000])
  assert.deepEqual((await part('bytes=300000-')).slice(0, 2), [416, 'bytes */300000'])
  assert.deepEqual(await part('bytes=1-2,5-6'), [200, undefined, etag, 300_000])
  assert.deepEqual(await part('bytes=100-199', { 'if-range': etag }), [206, 'bytes 100-199/300000', etag, 100])
  assert.deepEqual(await part('bytes=100-199', { 'if-range': '"another"' }), [200, undefined, etag, 300_000])
  assert.deepEqual(await part('bytes=100-199', { 'if-match': etag }), [206, 'bytes 100-199/300000', etag, 100])
  assert.equal((await get({ 'if-none-match': etag })).status, 304)
  writeFileSync(join(folder, 'a.rpm'), content.subarray(1))
  const other = await get({ range: 'bytes=0-9', 'if-range': etag, 'if-none-match': etag })
  assert.equal(other.status, 200, 'what was published since is another file')
  assert.notEqual(other.headers.etag, etag)
  const resumed = await get({ range: 'bytes=100-', 'if-match': etag })
  assert.deepEqual([resumed.status, resumed.headers.etag], [412, other.headers.etag], 'its parts do not go together with those of the one before')
})

test('artifacts are known by their hash', async (t) => {
  const api = await startClient(t)
  const { id } = await api.server.submit({ a: sh('echo made >results/file') })
  await api.server.ended(id)
  const [artifact] = (await api.call('listArtifacts', { path: { id } })).json().items
  const get = (headers) => api.call('getArtifact', { path: { id, item: artifact.queue_item, file: 'file' }, headers })
  const { etag } = (await get({})).headers
  assert.equal(etag, `"${artifact.sha256}"`)
  assert.equal((await get({ 'if-none-match': etag })).status, 304)
  assert.equal((await get({ range: 'bytes=0-1', 'if-range': etag })).text(), 'ma')
})

test('lists and their room have the newest 50, and what goes on besides', async (t) => {
  const api = await startClient(t)
  const report = (id, status) => api.server.api(`/api/queue/${id}`, { method: 'PATCH', body: { status } })
  const ids = []
  for (let i = 0; i < 52; i++) {
    const answer = await api.server.api('/api/builds', { method: 'POST', body: { builder: 'external', packages: [{ name: 'x' }] } })
    const build = answer.json()
    ids.unshift(build.id)
    if (!i) continue
    await report(build.queue_items[0].id, 'building')
    assert.equal((await report(build.queue_items[0].id, 'completed')).status, 200)
  }
  const page = (await api.call('listBuilds')).json()
  assert.deepEqual(page.items.map((build) => build.id), ids.slice(0, 50))
  assert.deepEqual((await api.call('listBuilds', { query: { after: page.next } })).json().items.map((build) => build.id), ids.slice(50))
  assert.equal((await api.call('listBuilds', { query: { limit: 200 } })).json().items.length, 52)
  const viewer = await api.server.watch('/ws/builds/')
  const list = await viewer.until((m) => m.type === 'build_list')
  assert.deepEqual(list.data.map((build) => build.id), [...ids.slice(0, 50), ids[51]])
})

test('a report says why in 500 bytes, and no more is taken', async (t) => {
  const api = await startClient(t)
  const build = (await api.call('createBuild', { body: { builder: 'external', packages: [{ name: 'x' }] } })).json()
  const [{ id }] = build.queue_items
  await api.call('reportItem', { path: { id }, body: { status: 'building' } })
  const failed = (why) => api.call('reportItem', { path: { id }, body: { status: 'failed', why } })
  const refused = await failed('x'.repeat(501))
  assert.equal(refused.status, 400)
  assert.match(refused.json().detail, /500/)
  assert.equal((await failed('x'.repeat(500))).json().why, 'x'.repeat(500))
})

test('windows of a log have 1,000 lines unless more are wanted, pieces of it 64 KiB', async (t) => {
  const api = await startClient(t)
  const { id } = await api.server.submit({ a: sh('seq -f %0100g 6000') })
  const [item] = (await api.server.ended(id)).queue_items
  const read = async (query) => (await api.call('getLog', { path: { id: item.id }, query })).json()
  assert.equal((await read({ from_line: 1 })).lines.length, 1000)
  assert.equal((await read({ from_line: 1, limit: 5000 })).lines.length, 5000)
  const end = await read({ from_line: 5999, limit: 5000 })
  assert.deepEqual([end.lines.length, end.total_lines], [2, 6000])
  for (const from_line of [6001, 2 ** 53 - 1]) {
    const beyond = await read({ from_line })
    assert.deepEqual([beyond.lines, beyond.from_line, beyond.total_lines, beyond.size], [[], from_line, 6000, 606_000])
  }
  const found = await read({ q: '0' })
  assert.deepEqual([found.matches.length, found.truncated], [1000, true])
  assert.deepEqual((await read({ q: 'y'.repeat(200) })).matches, [])
  const viewer = await api.server.watch(`/ws/builds/queue/${item.id}/log/?offset=0`)
  assert.equal((await within(viewer.closed, 'the end of the log')).code, 1000)
  const sizes = viewer.messages.filter((m) => m.type === 'log').map((m) => m.next - m.offset)
  assert.equal(Math.max(...sizes), 65536)
  assert.equal(sizes.reduce((a, b) => a + b), 606_000)
})

test('a disk that fills up while a file comes is 507, and nothing of the file stays', { skip: process.getuid() !== 0 && 'only root makes a small disk' }, async (t) => {
  const api = await startClient(t)
  const { server } = api
  const uploads = join(server.dataDir, 'uploads')
  await api.call('createUpload')
  const { uid, gid } = statSync(uploads)
  assert.equal(await server.stop(), 0)
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=8m,uid=${uid},gid=${gid},mode=0755`, 'small', uploads])
  if (status !== 0) return t.skip('no file system can be mounted here')
  try {
    await server.restart()
    const { id } = (await api.call('createUpload')).json()
    const put = (path, size) => api.call('putUploadFile', { path: { id, path }, body: Buffer.alloc(size) })
    assert.equal((await put('small', 2 ** 20)).status, 201)
    const refused = await put('big', 12 * 2 ** 20)
    assert.equal(refused.status, 507)
    assert.match(refused.json().detail, /disk/)
    await eventually(() => !readdirSync(join(uploads, String(id), 'incoming')).length, 'nothing of it is left')
    assert.equal((await put('other', 6 * 2 ** 20)).status, 201, 'what fits is taken')
    assert.deepEqual((await api.call('getUpload', { path: { id } })).json().files.map((file) => file.path), ['other', 'small'])
    assert.equal(await server.stop(), 0)
  } finally {
    execFileSync('umount', ['-l', uploads])
  }
})
