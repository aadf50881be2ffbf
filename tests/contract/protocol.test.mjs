// SPDX-License-Identifier: MIT
//
// docs/protocol.md against a real server: every named example is checked field by field, and what it says of order and closing.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { eventually, startReqpm, within } from '../harness.mjs'
import { shows } from '../sets.mjs'

const document = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8')
const examples = Object.fromEntries(
  [...document.matchAll(/^```json name=(\w+)\n([\s\S]*?)^```/gm)].map(([, name, text]) => [name, JSON.parse(text)])
)
const checked = new Set()

const typeOf = (value) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)

function sameShape(example, real, where) {
  if (example === null) {
    assert.notEqual(real, undefined, `${where} is missing`)
    return
  }
  assert.equal(typeOf(real), typeOf(example), `the type of ${where}`)
  if (typeOf(example) === 'array' && example.length) {
    assert.ok(real.length, `${where} is empty, so nothing was compared`)
    for (const one of real) sameShape(example[0], one, `${where}[]`)
  } else if (typeOf(example) === 'object') {
    for (const key of Object.keys(example)) sameShape(example[key], real[key], `${where}.${key}`)
  } else if (/_at$|\.now$/.test(where)) {
    assert.match(real, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/, where)
  }
}

function like(name, real) {
  checked.add(name)
  assert.ok(examples[name], `docs/protocol.md has no example ${name}`)
  sameShape(examples[name], real, name)
}

/** Builds until the build is cancelled. */
const gate = { command: ['sh', '-c', 'echo held; exec sleep 600'] }
const echo = (text) => ({ command: ['sh', '-c', `echo ${text}`] })

/** The items of a build as soon as one of them is in this state. */
async function itemsWhen(server, id, name, status) {
  const viewer = await server.watch(`/ws/builds/${id}/`)
  const is = (item) => item.package.name === name && item.status === status
  await viewer.until((m) => (m.type === 'queue_update' && is(m.data)) || m.data.queue_items?.some(is))
  await viewer.close()
  return (await server.api(`/api/builds/${id}`)).json().queue_items
}

test('a snapshot, updates and the end of a build look like their examples', async (t) => {
  const server = await startReqpm(t)
  const list = await server.watch('/ws/builds/')
  // Nothing of it starts before it is watched: both slots are taken.
  const before = await server.submit({ one: gate, two: gate })
  await Promise.all([itemsWhen(server, before.id, 'one', 'building'), itemsWhen(server, before.id, 'two', 'building')])
  const build = await server.submit({ zlib: { version: '1.3', ...echo('made') } })
  const viewer = await server.watch(`/ws/builds/${build.id}/`)
  await viewer.until((m) => m.data?.queue_items?.length)
  assert.equal((await server.api(`/api/builds/${before.id}/cancel`, { method: 'POST' })).status, 202)
  assert.equal((await within(viewer.closed, 'the end')).code, 1000)
  like('build_update', viewer.messages.find((m) => m.type === 'build_update' && !m.snapshot && m.data.status === 'running'))
  like('queue_update', viewer.messages.find((m) => m.type === 'queue_update' && m.data.status === 'completed'))

  // Both slots are taken, so that what was built before waits for one.
  const held = await server.submit({ one: gate, two: gate, three: { requires: ['one', 'two'] }, zlib: echo('again') })
  await Promise.all([itemsWhen(server, held.id, 'one', 'building'), itemsWhen(server, held.id, 'two', 'building')])
  const late = await server.watch(`/ws/builds/${held.id}/`)
  const snapshot = await late.until((m) => m.snapshot)
  const zlib = snapshot.data.queue_items.find((i) => i.package.name === 'zlib')
  assert.equal(zlib.status, 'queued')
  like('snapshot', { ...snapshot, data: { ...snapshot.data, queue_items: [zlib] } })
  const always = ['id', 'status', 'package', 'attempt', 'level', 'position', 'needs']
  for (const item of snapshot.data.queue_items) for (const field of always) assert.ok(item[field] !== undefined, `${field} of ${item.package.name}`)

  const newcomer = await server.watch('/ws/builds/')
  like('build_list', await newcomer.until((m) => m.type === 'build_list'))
  const answer = (await server.api(`/api/builds/${held.id}`)).json()
  assert.deepEqual(answer.plan.host, [], 'a set of commands needs nothing of the host')
  like('plan', { ...answer.plan, host: ['gcc'] })

  assert.equal((await server.api(`/api/builds/${held.id}/cancel`, { method: 'POST' })).status, 202)
  assert.equal((await within(late.closed, 'the end')).code, 1000)
  const last = late.messages.at(-1)
  assert.equal(last.type, 'build_update')
  assert.equal(last.data.status, 'cancelled')
  assert.equal(last.data.queue_items, undefined)
  await list.until((m) => m.type === 'build_update' && m.data.id === held.id && m.seq === last.seq)
  assert.equal((await server.api(`/api/builds/${held.id}`, { method: 'DELETE' })).status, 204)
  const removed = await list.until((m) => m.type === 'build_removed')
  like('build_removed', removed)
  assert.deepEqual([removed.data.id, removed.seq], [held.id, last.seq + 1])
})

test('after a snapshot the numbers rise by one, and a resume goes on where it was', async (t) => {
  const server = await startReqpm(t)
  const build = await server.submit(Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`p${i}`, i ? { requires: [`p${i - 1}`] } : {}])))
  const viewer = await server.watch(`/ws/builds/${build.id}/`)
  const seen = await viewer.until((m) => m.seq >= 10)
  await viewer.close()
  const resumed = await server.watch(`/ws/builds/${build.id}/?since=${seen.seq}&epoch=${seen.epoch}`)
  assert.equal((await within(resumed.closed, 'the end')).code, 1000)
  const heartbeat = resumed.messages[0]
  if (heartbeat.type === 'heartbeat') {
    like('heartbeat', heartbeat)
    assert.equal(heartbeat.seq, seen.seq)
  } else {
    assert.equal(heartbeat.snapshot, true)
  }
  for (const messages of [viewer.messages, resumed.messages]) {
    for (const [i, m] of messages.entries()) {
      assert.equal(m.epoch, seen.epoch)
      if (i) assert.equal(m.seq, messages[i - 1].seq + 1, `the message after ${messages[i - 1].seq}`)
    }
  }
  const end = (await server.api(`/api/builds/${build.id}`)).json()
  assert.equal(resumed.messages.at(-1).seq, end.seq)
  assert.equal(end.status, 'completed')

  const other = await server.watch(`/ws/builds/${build.id}/?since=1&epoch=0000000000000000`)
  assert.equal((await within(other.closed, 'the end')).code, 1000)
  assert.equal(other.messages[0].snapshot, true, 'another epoch gets a snapshot')
})

test('a resume of an active build is answered with a heartbeat', async (t) => {
  const server = await startReqpm(t)
  const build = await server.submit({ hold: gate })
  const viewer = await server.watch(`/ws/builds/${build.id}/`)
  await viewer.until((m) => m.data.building_packages === 1)
  const { seq, epoch } = viewer.messages.at(-1)
  const resumed = await server.watch(`/ws/builds/${build.id}/?since=${seq}&epoch=${epoch}`)
  const heartbeat = await resumed.until(() => true)
  assert.equal(heartbeat.type, 'heartbeat')
  like('heartbeat', heartbeat)
})

test('a log comes as it grows and whole, with its size and hash at the end', async (t) => {
  const server = await startReqpm(t)
  const made = await server.submit({ a: { command: ['sh', '-c', "printf 'one\\ntwo \\033[31mred\\033[0m\\n\\033[2J\\377\\n'; sleep 1; seq 1 20000"] } })
  const { data } = await (await server.watch(`/ws/builds/${made.id}/`)).until(shows('a', 'building'))
  const { id } = data.queue_items?.[0] ?? data
  const path = `/ws/builds/queue/${id}/log/`
  const live = await server.watch(`${path}?offset=0`)
  assert.equal((await within(live.closed, 'the end of the log')).code, 1000)

  const raw = (await server.api(`/api/queue/${id}/log`)).bytes
  const logs = live.messages.filter((m) => m.type === 'log')
  const end = live.messages.at(-1)
  assert.ok(logs.length > 1, 'it came in more than one piece')
  like('log', logs[0])
  like('log_end', end)
  assert.equal(end.size, raw.length)
  assert.equal(end.sha256, createHash('sha256').update(raw).digest('hex'))
  assert.equal(logs[0].offset, 0)
  for (const [i, m] of logs.entries()) {
    if (i) assert.equal(m.offset, logs[i - 1].next, 'no byte is missing')
    assert.equal(m.line, raw.subarray(0, m.offset).filter((byte) => byte === 10).length + 1)
  }
  assert.equal(logs.at(-1).next, raw.length)
  const text = logs.map((m) => m.data).join('')
  assert.ok(text.startsWith('one\ntwo \x1b[31mred\x1b[0m\n\u241b[2J\ufffd\n1\n2\n'), JSON.stringify(text.slice(0, 60)))

  const tail = await server.watch(path)
  assert.equal((await within(tail.closed, 'the end of the log')).code, 1000)
  const first = tail.messages[0]
  assert.ok(first.offset >= raw.length - 65536 && first.offset < raw.length)
  assert.equal(raw[first.offset - 1], 10, 'it begins with a line')
  const beyond = await server.watch(`${path}?offset=999999999`)
  await within(beyond.closed, 'the end of the log')
  assert.deepEqual(beyond.types(), ['log_end'])
})

test('who takes nothing of a log is dropped, and the others get it whole', async (t) => {
  const server = await startReqpm(t)
  const made = await server.submit({ a: { command: ['sh', '-c', 'seq -f %01000g 16000'] } })
  const [item] = (await server.ended(made.id)).queue_items
  const stalled = await server.watch(`/ws/builds/queue/${item.id}/log/?offset=0`)
  stalled.ws.pause()
  const other = await server.watch(`/ws/builds/queue/${item.id}/log/?offset=0`)
  assert.equal((await within(other.closed, 'the end of the log')).code, 1000)
  assert.equal(other.messages.at(-2).next, item.log_size)
  // A ping may fall into that time, and who reads nothing answers none.
  await eventually(async () => /^reqpm_ws_closed_(slow|no_pong)_total 1$/m.test((await server.api('/metrics')).text()), 'the drop of the stalled viewer')
  stalled.ws.resume()
  await within(stalled.closed, 'the end of the stalled viewer')
  assert.ok(stalled.bytes < item.log_size)
})

test('a log of a package that never started ends when the package does', async (t) => {
  const server = await startReqpm(t)
  const build = await server.submit({ hold: gate, never: { requires: ['hold'] } })
  const running = await itemsWhen(server, build.id, 'hold', 'building')
  const viewer = await server.watch(`/ws/builds/queue/${running.find((i) => i.package.name === 'never').id}/log/`)
  await server.api(`/api/builds/${build.id}/cancel`, { method: 'POST' })
  assert.equal((await within(viewer.closed, 'the end of the log')).code, 1000)
  const end = viewer.messages.at(-1)
  assert.deepEqual([end.type, end.size, end.status], ['log_end', 0, 'cancelled'])
  assert.equal(end.sha256, createHash('sha256').digest('hex'))
})

test('every socket has heartbeats', async (t) => {
  const server = await startReqpm(t)
  const build = await server.submit({ hold: gate })
  const [hold] = await itemsWhen(server, build.id, 'hold', 'building')
  const viewers = await Promise.all(['/ws/builds/', `/ws/builds/${build.id}/`, `/ws/builds/queue/${hold.id}/log/`].map((path) => server.watch(path)))
  const [list, room, log] = await Promise.all(viewers.map((v) => v.until((m) => m.type === 'heartbeat')))
  like('heartbeat', room)
  assert.equal(list.seq, undefined)
  assert.equal(log.seq, undefined)
  for (const heartbeat of [list, log]) assert.equal(heartbeat.epoch, room.epoch)
})

test('viewers are sent away with a time to come back when the server stops', async (t) => {
  const server = await startReqpm(t)
  const build = await server.submit({ hold: gate })
  const [hold] = await itemsWhen(server, build.id, 'hold', 'building')
  const viewers = await Promise.all(['/ws/builds/', `/ws/builds/${build.id}/`, `/ws/builds/queue/${hold.id}/log/`].map((path) => server.watch(path)))
  await viewers[0].until((m) => m.type === 'build_list')
  await viewers[1].until((m) => m.snapshot)
  await viewers[2].until((m) => m.type === 'log')
  assert.equal(await server.stop(), 0)
  for (const viewer of viewers) {
    assert.equal((await within(viewer.closed, 'the close')).code, 1012, viewer.ws.url)
    assert.equal(viewer.messages.at(-1).type, 'heartbeat')
    assert.ok(viewer.messages.at(-1).retry_ms > 0)
  }
})

test('what is not there closes 4404, and who may not read 4401', async (t) => {
  const server = await startReqpm(t, { args: ['--public-url', 'http://reqpm.test'] })
  for (const id of ['1', '0', '-1', 'abc', '9223372036854775808', '9007199254740992', '1.5']) {
    for (const path of [`/ws/builds/${id}/`, `/ws/builds/queue/${id}/log/`]) {
      const viewer = await server.watch(path)
      assert.equal((await within(viewer.closed, path)).code, 4404, path)
    }
  }
  for (const path of ['/ws/builds/', '/ws/builds/1/', '/ws/builds/queue/1/log/']) {
    const viewer = await server.watch(path, { headers: { host: 'reqpm.test' } })
    assert.equal((await within(viewer.closed, path)).code, 4401, path)
    const answer = await server.api(path)
    assert.equal(answer.status, 426, path)
  }
  await assert.rejects(server.watch('/ws/builds/', { headers: { host: 'evil.test' } }), /421/)
  await assert.rejects(server.watch('/ws/builds/', { origin: 'http://evil.test' }), /403/)
})

test('every named example was checked', () => {
  assert.deepEqual([...checked].sort(), Object.keys(examples).sort())
})
