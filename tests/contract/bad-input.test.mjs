// SPDX-License-Identifier: MIT
//
// What is refused at the door: a 4xx problem that says what is wrong, nothing kept, and the server goes on.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually } from '../harness.mjs'
import { startClient } from './client.mjs'

/** Every file and folder below the uploads. */
function uploaded(server) {
  const walk = (dir, prefix) =>
    readdirSync(dir, { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? walk(join(dir, e.name), `${prefix}${e.name}/`) : [prefix + e.name]))
  return walk(join(server.dataDir, 'uploads'), '').sort()
}

/** Nothing was made of it, and the server is well. */
async function nothingKept(api) {
  assert.deepEqual((await api.call('listBuilds')).json().items, [])
  assert.equal((await api.call('getHealth')).status, 200)
}

test('names of files that lead elsewhere or cannot be shown', async (t) => {
  const api = await startClient(t)
  const { server } = api
  const { id } = (await api.call('createUpload')).json()
  const bad = {
    'a leading slash': '%2Fetc/passwd', 'two leading slashes': '/etc/passwd', 'an empty segment': 'a//b', 'a last slash': 'a/', 'no name': '',
    '..': '..', '.. in the midst': 'a/../b', 'encoded dots': 'a/%2e%2e/b', 'an encoded slash with dots': '..%2fb', '.': './a', 'a newline': 'a%0Ab',
    'DEL': 'a%7F', 'C1': 'a%C2%85b', 'NUL': 'a%00b', 'bytes that are not UTF-8': 'a%FF', 'a long path': `${'d/'.repeat(512)}x`,
    'a long segment': 'x'.repeat(256),
  }
  for (const [what, path] of Object.entries(bad)) {
    const answer = await server.api(`/api/uploads/${id}/files/${path}`, { method: 'PUT', body: 'x' })
    assert.equal(answer.status, 400, `${what}: ${answer.status}`)
    api.check('putUploadFile', answer)
  }
  const good = [`${'d/'.repeat(511)}xx`, 'y'.repeat(255), '..a', 'a%20b', '%C3%A4']
  for (const path of good) assert.equal((await server.api(`/api/uploads/${id}/files/${path}`, { method: 'PUT', body: 'x' })).status, 201, path)
  assert.equal((await server.api(`/api/uploads/${id}/files/..a/b`, { method: 'PUT', body: 'x' })).status, 409, 'a file cannot be a folder')
  assert.equal((await server.api(`/api/uploads/${id}/files/d`, { method: 'PUT', body: 'x' })).status, 409, 'a folder cannot be a file')
  assert.equal((await api.call('getUpload', { path: { id } })).json().files.length, good.length)
  assert.equal(uploaded(server).length, good.length)
})

test('a file that is broken off leaves nothing', async (t) => {
  const api = await startClient(t)
  const { server } = api
  const { id } = (await api.call('createUpload')).json()
  const head = `PUT /api/uploads/${id}/files/x HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nAuthorization: Bearer ${server.token}\r\n`
  const { connect } = await import('node:net')
  const socket = connect(server.port, '127.0.0.1')
  socket.write(`${head}Content-Length: 1000000\r\n\r\n${'x'.repeat(300000)}`)
  await eventually(() => uploaded(server).length === 1, 'the beginning of the file')
  socket.destroy()
  await eventually(() => uploaded(server).length === 0, 'the end of what was broken off')
  assert.deepEqual((await api.call('getUpload', { path: { id } })).json().files, [])
  assert.match(await server.raw(`${head}Connection: close\r\n\r\n`), /^HTTP\/1\.1 411 /)
  const again = await api.call('putUploadFile', { path: { id, path: 'x' }, body: 'one' })
  const other = await api.call('putUploadFile', { path: { id, path: 'x' }, body: 'two' })
  assert.notEqual(again.json().sha256, other.json().sha256)
  assert.deepEqual(uploaded(server), [`${id}/files/x`])
})

test('uploads with nothing to build stay open', async (t) => {
  const api = await startClient(t)
  const { id } = (await api.call('createUpload')).json()
  const submit = async (body) => {
    const answer = await api.call('createBuild', { body: { upload: id, ...body } })
    assert.equal(answer.status, 422)
    return answer.json().detail
  }
  assert.match(await submit(), /empty/)
  await api.call('putUploadFile', { path: { id, path: 'README' }, body: 'x' })
  assert.match(await submit(), /nothing to build/)
  assert.match(await submit({ builder: 'command' }), /packages\.json/)
  await api.call('putUploadFile', { path: { id, path: 'a.spec' }, body: 'x' })
  assert.match(await submit({ builder: 'command' }), /packages\.json/)
  await nothingKept(api)
  assert.equal((await api.call('getUpload', { path: { id } })).json().sealed, false)
})

test('a packages.json that cannot be right', async (t) => {
  const api = await startClient(t)
  const { id } = (await api.call('createUpload')).json()
  const a = { name: 'a', command: ['true'] }
  const many = Array.from({ length: 100_000 }, (_, i) => ({ name: `p${i}`, command: ['true'] }))
  const bad = [
    ['no JSON', '{"packages":', /JSON/],
    ['an array', [a], /packages/],
    ['no packages', { packages: [] }, /package/],
    ['a wrong type', { packages: [{ ...a, requires: 'b' }] }, /"a".*requires/],
    ['a wrong type in it', { packages: [{ ...a, command: ['true', 1] }] }, /"a".*command/],
    ['a number as a name', { packages: [{ ...a, name: 7 }] }, /name/],
    ['an unknown need', { packages: [{ ...a, requires: ['ghost'] }] }, /ghost/],
    ['a path as a name', { packages: [{ ...a, name: '../../etc' }] }, /etc/],
    ['two of one name', { packages: [a, a] }, /"a"/],
    ['an empty command', { packages: [{ ...a, command: [] }] }, /command/],
    ['no command', { packages: [{ name: 'a' }] }, /command/],
    ['100,000 packages', { packages: many }, /10000|10,000/],
    ['invalid UTF-8', Buffer.from('{"packages":[{"name":"a","command":["\xff"]}]}', 'latin1'), /UTF-8|decode byte/],
    ['a key twice', '{"packages":[{"name":"a","name":"b","command":["true"]}]}', /name/],
  ]
  for (const [what, content, says] of bad) {
    const body = typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content)
    await api.call('putUploadFile', { path: { id, path: 'packages.json' }, body })
    const answer = await api.call('createBuild', { body: { upload: id } })
    assert.equal(answer.status, 422, what)
    assert.match(answer.json().detail, says, what)
  }
  await nothingKept(api)
  await api.call('putUploadFile', { path: { id, path: 'packages.json' }, body: JSON.stringify({ packages: [a] }) })
  const made = await api.call('createBuild', { body: { upload: id } })
  assert.equal(made.status, 201, 'the same upload, put right, is taken')
  assert.equal((await api.server.ended(made.json().id)).status, 'completed')
})

test('submissions that make no sense', async (t) => {
  const api = await startClient(t)
  const upload = await api.server.upload({ 'packages.json': '{"packages":[{"name":"a","command":["true"]}]}' })
  const bad = [
    ['', /JSON/], ['[]', /object/], ['{"upload":1,"upload":2}', /upload/], [Buffer.from('{"name":"\xff"}', 'latin1'), /UTF-8|decode byte/],
    [{}, /upload/], [{ upload: String(upload) }, /upload/], [{ upload: 0 }, /upload/], [{ upload: -1 }, /upload/], [{ upload: 1.5 }, /upload/],
    ['{"upload":9223372036854775808}', /JSON|upload/], [{ upload, name: '' }, /name/], [{ upload, name: 'x'.repeat(201) }, /name/],
    [{ upload, name: 'two\nlines' }, /name/], [{ upload, name: 'a\u0000b' }, /u0000/], [{ upload, builder: 'make' }, /builder/],
    [{ upload, fail_fast: 1 }, /fail_fast/], [{ upload, dry_run: 'yes' }, /dry_run/], [{ upload, timeout_ms: -1 }, /timeout_ms/],
    [{ upload, timeout_ms: 604800001 }, /timeout_ms/], [{ upload, colour: 'red' }, /colour/], [{ upload, packages: [] }, /packages/],
    [{ upload, builder: 'external', packages: [{ name: 'a' }] }, /upload/], [{ builder: 'external' }, /packages/],
  ]
  for (const [body, says] of bad) {
    const answer = await api.call('createBuild', { body })
    assert.equal(answer.status, 400, JSON.stringify(body))
    assert.match(answer.json().detail, says, JSON.stringify(body))
  }
  const external = [
    [[], /package/], [[{ name: 'a', requires: ['b'] }, { name: 'b', requires: ['a'] }], /circle/], [[{ name: '../x' }], /name/],
    [[{ name: 'a' }, { name: 'a' }], /"a"/], [[{ name: 'a', command: ['true'] }], /command/], [['a'], /package/],
  ]
  for (const [packages, says] of external) {
    const answer = await api.call('createBuild', { body: { builder: 'external', packages } })
    assert.equal(answer.status, 422, JSON.stringify(packages))
    assert.match(answer.json().detail, says)
    assert.doesNotMatch(answer.json().detail, /packages\.json/)
  }
  await nothingKept(api)
  assert.equal((await api.call('getUpload', { path: { id: upload } })).json().sealed, false)
})

test('questions to a log that make no sense', async (t) => {
  const api = await startClient(t)
  const build = await api.server.submit({ a: {} })
  const id = (await api.server.ended(build.id)).queue_items[0].id
  for (const query of [{ q: '' }, { q: 'x'.repeat(201) }, { from_line: 0 }, { from_line: 'x' }, { from_line: 1, limit: 0 }, { from_line: 1, limit: 5001 }])
    assert.equal((await api.call('getLog', { path: { id }, query })).status, 400, JSON.stringify(query))
})

test('a cycle ends the build in preparing, with its edges and no item started', async (t) => {
  const api = await startClient(t)
  const build = await api.server.submit({ a: { requires: ['b'] }, b: { requires: ['a'] }, c: {} })
  const end = await api.server.ended(build.id)
  assert.deepEqual([end.status, end.queue_items, end.total_packages], ['failed', [], 0])
  assert.match(end.error.detail, /circle/)
  assert.deepEqual(end.error.edges.map((e) => [e.package, e.needs]).sort(), [['a', 'b'], ['b', 'a']])
  assert.equal((await api.call('getBuild', { path: { id: build.id } })).json().error.package, end.error.package)
})
