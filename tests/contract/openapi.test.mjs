// SPDX-License-Identifier: MIT
//
// Every answer of every route against /api/openapi.json; at the end every answer that the document promises was seen.
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { eventually } from '../harness.mjs'
import { startClient } from './client.mjs'

/** What this file does not bring about. */
const UNSEEN = [
  'createBuild 400', 'createBuild 422', 'getLog 400', 'putUploadFile 400', // bad-input.test.mjs
  'createBuild 409', // a file that is put in the very moment of the submission
  'getHealth 503', 'getRepositoryFile 206', 'getRepositoryFile 304', 'getRepositoryFile 416', 'getArtifact 304', 'putUploadFile 422', // limits.test.mjs
  'getLog 503', // a search while the server goes away: scenarios/searches.test.mjs
]

const seen = new Set()
let description

async function start(t, options) {
  const client = await startClient(t, options, seen)
  description = client.document
  return client
}

test('an upload makes one dry run and one build, and is sent once for both', async (t) => {
  const api = await start(t)
  const { id: upload } = (await api.call('createUpload')).json()
  const packages = [{ name: 'b', requires: ['a'], command: ['true'] }, { name: 'a', command: ['true'] }]
  await api.call('putUploadFile', { path: { id: upload, path: 'packages.json' }, body: JSON.stringify({ packages }) })
  const submit = async (status, more) => {
    const answer = await api.call('createBuild', { body: { upload, name: 'set', ...more } })
    assert.equal(answer.status, status)
    return answer.json()
  }
  const state = async () => (await api.call('getUpload', { path: { id: upload } })).json()

  const dry = await submit(201, { dry_run: true })
  assert.deepEqual([dry.dry_run, (await state()).build], [true, dry.id])
  assert.deepEqual((await api.server.ended(dry.id)).plan.levels, [['a'], ['b']])
  const build = await submit(201)
  assert.deepEqual([build.dry_run, build.builder, (await state()).build], [false, 'command', build.id])
  assert.notEqual(build.id, dry.id)
  assert.equal((await submit(200, { dry_run: true })).id, dry.id)
  assert.equal((await submit(200)).id, build.id)
  assert.equal((await state()).build, build.id)
  assert.equal((await api.call('putUploadFile', { path: { id: upload, path: 'late' }, body: 'x' })).status, 409)
  assert.equal((await api.server.ended(build.id)).completed_packages, 2)
})

test('a build from its upload to its artifacts', async (t) => {
  const api = await start(t)
  const { server } = api
  const packages = [
    { name: 'a', version: '1', command: ['sh', '-c', 'echo one; echo two; echo three; echo made > results/a.txt'] },
    { name: 'b', version: '2', requires: ['a'], command: ['sh', '-c', 'echo "error: no luck" >&2; exit 3'] },
    { name: 'c', version: '3', requires: ['b'], command: ['true'] },
  ]
  const { id: upload } = (await api.call('createUpload')).json()
  const put = await api.call('putUploadFile', { path: { id: upload, path: 'packages.json' }, body: JSON.stringify({ packages }) })
  await api.call('putUploadFile', { path: { id: upload, path: 'deep/er/n%C3%A4me' }, body: 'x' })
  const open = (await api.call('getUpload', { path: { id: upload } })).json()
  assert.deepEqual(open.files.map((f) => f.path), ['deep/er/näme', 'packages.json'])
  assert.equal(open.files[1].sha256, put.json().sha256)
  assert.equal(open.sealed, false)

  const request = { upload, name: 'three', fail_fast: false }
  const made = await api.call('createBuild', { body: request })
  const build = made.json()
  assert.equal(made.status, 201)
  assert.equal(made.headers.location, `/api/builds/${build.id}`)
  assert.equal(build.builder, 'command')
  const again = await api.call('createBuild', { body: request })
  assert.equal(again.status, 200)
  assert.equal(again.json().id, build.id)
  assert.equal((await api.call('putUploadFile', { path: { id: upload, path: 'late' }, body: 'x' })).status, 409)
  assert.equal((await api.call('getUpload', { path: { id: upload } })).json().build, build.id)

  const end = await server.ended(build.id)
  assert.deepEqual(end.queue_items.map((i) => i.status), ['completed', 'failed', 'blocked'])
  const got = await api.call('getBuild', { path: { id: build.id } })
  assert.equal(got.headers.etag, `W/"${end.epoch}-${build.id}-${end.seq}"`)
  const same = await api.call('getBuild', { path: { id: build.id }, headers: { 'if-none-match': got.headers.etag } })
  assert.equal(same.status, 304)
  const listed = await api.call('getBuild', { path: { id: build.id }, headers: { 'if-none-match': ['"other"', got.headers.etag] } })
  assert.equal(listed.status, 304, 'it may be in any of several lists')
  assert.equal((await api.call('getBuild', { path: { id: build.id }, headers: { 'if-match': got.headers.etag } })).status, 412, 'a weak one fits nothing')
  const head = await server.api(`/api/builds/${build.id}`, { method: 'HEAD' })
  assert.deepEqual([head.status, head.bytes.length, head.headers['content-length']], [200, 0, String(got.bytes.length)])

  const [a, b, c] = end.queue_items
  const item = (await api.call('getItem', { path: { id: b.id } })).json()
  assert.deepEqual([item.build, item.needs[0].name, item.attempts[0].outcome, item.exit_code], [build.id, 'a', 'failed', 3])
  assert.equal((await api.call('getItem', { path: { id: c.id } })).json().blocked_by.name, 'b')

  const [artifact] = (await api.call('listArtifacts', { path: { id: build.id } })).json().items
  assert.deepEqual([artifact.file, artifact.package, artifact.size, artifact.kind], ['a.txt', 'a', 5, 'file'])
  const file = { path: { id: build.id, item: a.id, file: 'a.txt' } }
  assert.equal(artifact.url, `/api/builds/${build.id}/artifacts/${a.id}/a.txt`)
  assert.equal((await api.call('getArtifact', file)).text(), 'made\n')
  assert.equal((await api.call('getArtifact', { ...file, headers: { range: 'bytes=1-2' } })).text(), 'ad')
  assert.equal((await api.call('getArtifact', { ...file, headers: { range: 'bytes=5-' } })).status, 416)
  assert.equal((await api.call('getArtifact', { ...file, headers: { range: 'bytes=1-2', 'if-match': '"other"' } })).status, 412)
  assert.equal((await api.call('getArtifact', { path: { ...file.path, file: 'b.txt' } })).status, 404)
  assert.match((await api.call('getRepositoryFile', { path: { id: build.id, path: 'reqpm.repo' } })).text(), new RegExp(`baseurl=${server.url}/api/builds/${build.id}/repo/`))
  assert.equal((await api.call('getRepositoryFile', { path: { id: build.id, path: 'reqpm.repo' }, headers: { 'if-match': '"other"' } })).status, 412)
  assert.equal((await api.call('getRepositoryFile', { path: { id: build.id, path: 'repodata/none.xml' } })).status, 404)

  const log = (options) => api.call('getLog', { path: { id: a.id }, ...options })
  assert.equal((await log()).text(), 'one\ntwo\nthree\n')
  assert.equal((await log({ headers: { range: 'bytes=4-6' } })).text(), 'two')
  assert.equal((await log({ headers: { range: 'bytes=-6' } })).text(), 'three\n')
  assert.equal((await log({ headers: { range: 'bytes=14-' } })).status, 416)
  assert.equal((await log({ headers: { range: 'bytes=0-3', 'if-match': '"zz"' } })).status, 412)
  assert.deepEqual((await log({ query: { from_line: 2, limit: 1 } })).json(), { from_line: 2, lines: ['two'], total_lines: 3, size: 14, final: true })
  assert.deepEqual((await log({ query: { q: 'TWO' } })).json(), { q: 'TWO', matches: [{ line: 2, text: 'two' }], truncated: false })
  assert.equal((await api.call('getLog', { path: { id: c.id } })).text(), '')
  assert.deepEqual((await api.call('getLog', { path: { id: c.id }, query: { from_line: 1 } })).json().lines, [])

  assert.equal((await api.call('cancelBuild', { path: { id: build.id } })).status, 409)
  const retry = await api.call('retryBuild', { path: { id: build.id } })
  assert.equal(retry.json().retry_of, build.id)
  const second = await server.ended(retry.json().id)
  assert.deepEqual(second.queue_items.map((i) => [i.status, i.attempt]), [['completed', 0], ['failed', 1], ['blocked', 0]])
  const taken = (await api.call('listArtifacts', { path: { id: second.id } })).json().items[0]
  assert.equal((await server.api(taken.url)).text(), 'made\n', 'what was taken over can be fetched')
})

test('the list of builds has pages and filters', async (t) => {
  const api = await start(t)
  const { server } = api
  const ids = []
  for (const name of ['first', 'second', 'third']) ids.unshift((await server.submit({ x: {} }, { name })).id)
  for (const id of ids) await server.ended(id)
  const page = (await api.call('listBuilds', { query: { limit: 2 } })).json()
  assert.deepEqual(page.items.map((b) => b.id), ids.slice(0, 2))
  const rest = (await api.call('listBuilds', { query: { limit: 2, after: page.next } })).json()
  assert.deepEqual([rest.items.map((b) => b.id), rest.next], [[ids[2]], null])
  assert.deepEqual((await api.call('listBuilds', { query: { q: 'SEC' } })).json().items.map((b) => b.name), ['second'])
  assert.deepEqual((await api.call('listBuilds', { query: { status: 'failed' } })).json().items, [])
  assert.equal((await api.call('listBuilds', { query: { status: 'completed' } })).json().items.length, 3)
  for (const query of [{ status: 'done' }, { limit: 0 }, { limit: 201 }, { limit: 'x' }, { after: -1 }, { q: 'x'.repeat(201) }])
    assert.equal((await api.call('listBuilds', { query })).status, 400, JSON.stringify(query))
})

test('cancel, while it runs', async (t) => {
  const api = await start(t)
  const { server } = api
  const build = await server.submit({ hold: { command: ['sh', '-c', 'echo held; exec sleep 600'] } })
  const log = (await eventually(async () => (await server.api(`/api/builds/${build.id}`)).json().queue_items[0], 'an item')).id
  await (await server.watch(`/ws/builds/queue/${log}/log/`)).until((m) => m.type === 'log')
  const [worker] = (await api.call('listWorkers')).json().items
  assert.deepEqual([worker.current, worker.slots, worker.building[0].package], [true, 2, 'hold'])
  assert.equal((await api.call('getStatus')).json().queue.building, 1)
  assert.equal((await api.call('retryBuild', { path: { id: build.id } })).status, 409)
  assert.equal((await api.call('cancelBuild', { path: { id: build.id } })).json().cancel_requested, true)
  const end = await server.ended(build.id)
  assert.deepEqual([end.status, end.queue_items[0].status], ['cancelled', 'cancelled'])
  assert.match((await api.call('getMetrics')).text(), /^reqpm_builds\{status="cancelled"\} 1$/m)
  assert.equal((await api.call('getHealth')).text(), 'ok\n')
  assert.equal((await api.call('getDescription')).json().openapi, '3.1.0')
})

test('an upload goes until a build is made of it, a build when it has ended', async (t) => {
  const api = await start(t)
  const { server } = api
  const { id: unused } = (await api.call('createUpload')).json()
  assert.equal((await api.call('deleteUpload', { path: { id: unused } })).status, 204)
  const upload = await server.upload({ 'packages.json': '{"packages":[{"name":"a","command":["sleep","600"]}]}' })
  const { id } = await server.submit(upload)
  assert.equal((await api.call('deleteUpload', { path: { id: upload } })).status, 409)
  assert.equal((await api.call('deleteBuild', { path: { id } })).status, 409)
  assert.equal((await api.call('cancelBuild', { path: { id } })).status, 202)
  await server.ended(id)
  assert.equal((await server.api(`/api/builds/${id}`, { method: 'DELETE', headers: { 'if-match': '"a guard"' } })).status, 412)
  assert.equal((await api.call('deleteBuild', { path: { id } })).status, 204)
  assert.equal((await api.call('getBuild', { path: { id } })).status, 404)
})

test('a build of somebody else is reported step by step', async (t) => {
  const api = await start(t)
  const packages = [{ name: 'x', version: '1' }, { name: 'y', requires: ['x'] }]
  const build = (await api.call('createBuild', { body: { builder: 'external', name: 'theirs', packages } })).json()
  assert.deepEqual([build.status, build.queue_items.map((i) => i.status)], ['running', ['queued', 'pending']])
  const [x, y] = build.queue_items.map((i) => i.id)
  const report = (id, body) => api.call('reportItem', { path: { id }, body })
  assert.equal((await report(x, { status: 'completed' })).status, 409, 'it did not start')
  assert.equal((await report(y, { status: 'building' })).status, 409, 'it waits')
  assert.equal((await report(x, { status: 'building' })).json().status, 'building')
  assert.equal((await report(x, { status: 'completed' })).json().status, 'completed')
  await report(y, { status: 'building' })
  assert.equal((await report(y, { status: 'failed', why: 'no luck' })).json().why, 'no luck')
  assert.equal((await api.call('getBuild', { path: { id: build.id } })).json().status, 'failed')
  for (const body of ['', '[]', { status: 'queued' }, { status: 'building', why: 'two\nlines' }, { why: 'x' }, { status: 1 }])
    assert.equal((await report(x, body)).status, 400, JSON.stringify(body))
  const ours = await api.server.submit({ a: {} })
  await api.server.ended(ours.id)
  const { id } = (await api.server.api(`/api/builds/${ours.id}`)).json().queue_items[0]
  assert.equal((await report(id, { status: 'building' })).status, 409)
})

test('what does not exist is 404, also under ids that none can have', async (t) => {
  const api = await start(t)
  const bodies = { createBuild: { upload: 99 }, reportItem: { status: 'building' }, putUploadFile: 'x' }
  for (const [name, { responses }] of Object.entries(api.operations)) {
    if (!responses[404]) continue
    const ids = name === 'createBuild' ? ['99'] : ['99', '0', '-1', 'abc', '9223372036854775808', '01', '1.5']
    for (const id of ids)
      assert.equal((await api.call(name, { path: { id, item: 1, path: 'x', file: 'x' }, body: bodies[name] })).status, 404, `${name} ${id}`)
  }
})

test('signing in', async (t) => {
  const api = await start(t)
  const { server } = api
  const origin = server.url
  assert.deepEqual((await api.call('getSession', { token: null })).json(), { signed_in: false, can_read: true, can_change: false })
  assert.equal((await api.call('getSession')).json().can_change, true)
  const link = (await api.call('createSignInLink')).json()
  assert.equal(link.url, `${server.url}/login#${link.code}`)
  const signIn = (body, headers = { origin }) => api.call('signIn', { token: null, headers, body })
  assert.equal((await signIn({ code: link.code }, {})).status, 403)
  assert.equal((await signIn({ code: 'wrong' })).status, 401)
  assert.equal((await signIn('{')).status, 400)
  const signed = await signIn({ code: link.code })
  assert.equal(signed.status, 204)
  assert.equal((await signIn({ code: link.code })).status, 401, 'a code serves once')
  const cookie = signed.headers['set-cookie'][0].split(';')[0]
  assert.equal((await api.call('createUpload', { token: null, headers: { cookie, origin } })).status, 201)
  assert.equal((await api.call('createUpload', { token: null, headers: { cookie } })).status, 401, 'a cookie without an origin changes nothing')
  assert.equal((await api.call('createSignInLink', { token: null, headers: { cookie, origin } })).status, 403, 'only the token makes links')
})

test('every route refuses strangers and foreign names', async (t) => {
  const api = await start(t, { args: ['--public-url', 'http://reqpm.test'] })
  for (const [name, { method, security, responses }] of Object.entries(api.operations)) {
    const body = method === 'get' ? undefined : '{}'
    assert.equal((await api.call(name, { body, headers: { host: 'evil.test' } })).status, 421, name)
    assert.equal((await api.call(name, { body, headers: { origin: 'http://evil.test' } })).status, 403, name)
    if (responses[401] && name !== 'signIn') {
      const answer = await api.call(name, { body, token: null, headers: method === 'get' ? { host: 'reqpm.test' } : {} })
      assert.equal(answer.status, 401, name)
      assert.equal(answer.headers['www-authenticate'], 'Bearer')
      assert.equal((await api.call(name, { body, token: 'wrong', headers: { host: 'reqpm.test' } })).status, 401, name)
    }
    if (security?.length === 0) assert.notEqual((await api.call(name, { body, token: null, headers: { host: 'reqpm.test', origin: 'http://reqpm.test' } })).status, 401)
  }
})

test('bodies that are too large are refused', async (t) => {
  const api = await start(t, { args: ['--max-upload', '1000'] })
  for (const [name, { method, responses }] of Object.entries(api.operations)) {
    if (method === 'get' || !responses[413]) continue
    // The server answers before it has read so much.
    const answer = await api.call(name, { path: { path: 'x' }, body: Buffer.alloc(1_100_000, ' '), headers: { origin: api.server.url } })
    assert.equal(answer.status, 413, name)
  }
  const { id } = (await api.call('createUpload')).json()
  const put = (size) => api.call('putUploadFile', { path: { id, path: 'x' }, body: Buffer.alloc(size) })
  assert.equal((await put(1001)).status, 413)
  assert.equal((await put(1000)).status, 201)
  const chunked = await api.call('putUploadFile', { path: { id, path: 'y' }, body: 'y', headers: { 'transfer-encoding': 'chunked' } })
  assert.equal(chunked.status, 411)
})

test('a disk below the floor is 507', async (t) => {
  const rich = await start(t)
  const { server } = rich
  const build = await server.submit({ a: { command: ['false'] } })
  await server.ended(build.id)
  const upload = await server.upload({ 'packages.json': '{"packages":[{"name":"a","command":["true"]}]}' })
  assert.equal(await server.stop(), 0)
  server.args = ['--disk-floor', '100000T']
  await server.restart()
  for (const [name, options] of [
    ['createUpload', {}],
    ['putUploadFile', { path: { id: upload, path: 'x' }, body: 'x' }],
    ['createBuild', { body: { upload } }],
    ['createBuild', { body: { builder: 'external', packages: [{ name: 'a' }] } }],
    ['retryBuild', { path: { id: build.id } }],
  ])
    assert.equal((await rich.call(name, options)).status, 507, name)
  assert.deepEqual((await rich.call('getUpload', { path: { id: upload } })).json().files.map((f) => f.path), ['packages.json'])
  assert.equal((await rich.call('getStatus')).json().healthy, false)
})

test('the page, or that there is none', async (t) => {
  const { server } = await start(t)
  for (const path of ['/', '/login', '/builds/1']) {
    const answer = await server.api(path)
    assert.equal(answer.status, 200)
    assert.match(answer.headers['content-type'], /^text\/html/)
  }
  for (const path of ['/api/nothing', '/ws/nothing', '/missing.js']) {
    const answer = await server.api(path)
    assert.equal(answer.status, 404, path)
    assert.equal(answer.headers['content-type'], 'application/problem+json')
  }
  const wrong = await server.api('/api/builds', { method: 'DELETE' })
  assert.deepEqual([wrong.status, wrong.headers.allow.split(', ').sort()], [405, ['GET', 'HEAD', 'POST']])
})

after(() => {
  const promised = []
  for (const methods of Object.values(description.paths))
    for (const operation of Object.values(methods)) promised.push(...Object.keys(operation.responses).map((status) => `${operation.operationId} ${status}`))
  assert.deepEqual(promised.filter((answer) => !seen.has(answer)).sort(), [...UNSEEN].sort(), 'every promised answer was seen, but these')
})
