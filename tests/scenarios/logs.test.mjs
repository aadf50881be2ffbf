// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startReqpm, within } from '../harness.mjs'
import { commands, openGate, sh, shows } from '../sets.mjs'

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')
const MIB = 1 << 20
const LINE = '0123456789abcdef'.repeat(4).slice(1)

/** The pieces of a log as a viewer got them, which must follow on one another: where they begin and end, and their text. */
function pieces(messages) {
  const logs = messages.filter((m) => m.type === 'log')
  for (const [i, m] of logs.entries()) if (i) assert.equal(m.offset, logs[i - 1].next, 'a piece begins where the one before ended')
  return { from: logs[0]?.offset, to: logs.at(-1)?.next, text: logs.map((m) => m.data).join('') }
}

async function itemOf(server, build, name, status) {
  const viewer = await server.watch(`/ws/builds/${build.id}/`)
  const m = await viewer.until(shows(name, status))
  await viewer.close()
  return m.snapshot ? m.data.queue_items.find((item) => item.package.name === name) : m.data
}

test('a package that takes longer than its timeout fails with that reason, others go on', async (t) => {
  const server = await startReqpm(t)
  const build = await server.submit({
    slow: sh('trap "" TERM; echo began; sleep 600 & wait; sleep 600', { timeout: 1 }),
    slower: { command: ['sleep', '600'] },
    after: { requires: ['slow'] },
    quick: {},
  }, { timeout_ms: 2000 })
  const document = await server.ended(build.id)
  const states = Object.fromEntries(document.queue_items.map((item) => [item.package.name, [item.status, item.reason]]))
  assert.deepEqual(states, { slow: ['failed', 'timeout'], slower: ['failed', 'timeout'], after: ['blocked', 'blocked'], quick: ['completed', null] })
  const slow = document.queue_items.find((item) => item.package.name === 'slow')
  assert.match(slow.why, /1 s|timeout|time/)
  const took = Date.parse(slow.completed_at) - Date.parse(slow.started_at)
  assert.ok(took >= 1000 && took < 1000 + 5000, `it took ${took} ms`)
  await server.nothingLeft()
})

test('20 MB of output: a viewer that stalls gets all of it, another follows from an offset, and hash and size are those of the log', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload(commands({ loud: sh(`echo begin; yes ${LINE} | head -c ${MIB}; until test -e /sources/gate; do sleep 0.05; done; yes ${LINE} | head -c ${19 * MIB}; echo end`) }))
  const build = await server.submit(upload)
  const item = await itemOf(server, build, 'loud', 'building')
  const path = `/ws/builds/queue/${item.id}/log/`
  const slow = await server.watch(`${path}?offset=0`)
  await slow.until((m) => m.next >= MIB)
  slow.ws.pause()
  const [brisk, later] = [await server.watch(`${path}?offset=0`), await server.watch(`${path}?offset=${MIB / 2}`)]
  openGate(server, upload)
  const viewer = await server.watch(`/ws/builds/${build.id}/`)
  // More than the buffers between them hold, and soon enough for who may stall 10 s.
  await brisk.until((m) => m.next >= 11 * MIB)
  slow.ws.resume()
  assert.equal((await within(viewer.closed, 'the end')).code, 1000)
  for (const log of [slow, brisk, later]) assert.equal((await within(log.closed, 'the end of the log')).code, 1000)

  const size = 'begin\n'.length + 20 * MIB + 'end\n'.length
  const raw = (await server.api(`/api/queue/${item.id}/log`)).bytes
  assert.equal(raw.length, size)
  const stored = (await server.api(`/api/queue/${item.id}`)).json()
  assert.deepEqual([stored.status, stored.log_size, stored.log_sha256], ['completed', size, sha256(raw)])
  for (const [log, from] of [[slow, 0], [brisk, 0], [later, MIB / 2]]) {
    const end = log.messages.at(-1)
    assert.deepEqual([end.type, end.size, end.sha256, end.status], ['log_end', size, sha256(raw), 'completed'])
    const got = pieces(log.messages)
    assert.deepEqual([got.from, got.to], [from, size])
    assert.equal(sha256(got.text), sha256(raw.subarray(from)))
  }
  const last = viewer.messages.findLast((m) => m.type === 'queue_update')
  assert.equal(last.data.log_size, size)
  assert.ok(Buffer.byteLength(last.data.build_log) <= 4096 && last.data.build_log.endsWith('end\n'))
})

test('a log can be fetched in parts: by bytes, by lines, by what is looked for', async (t) => {
  const server = await startReqpm(t)
  const build = await server.submit({ a: sh('seq 1 5000; echo "needle here"; seq 5002 6000') })
  const { queue_items: [{ id }] } = await server.ended(build.id)
  const raw = (await server.api(`/api/queue/${id}/log`)).bytes
  const range = async (value) => server.api(`/api/queue/${id}/log`, { headers: { range: value } })
  const part = await range('bytes=100-199')
  assert.deepEqual([part.status, part.headers['content-range']], [206, `bytes 100-199/${raw.length}`])
  assert.deepEqual(part.bytes, raw.subarray(100, 200))
  assert.deepEqual((await range('bytes=-10')).bytes, raw.subarray(-10))
  assert.deepEqual((await range(`bytes=${raw.length - 5}-`)).bytes, raw.subarray(-5))
  const beyond = await range(`bytes=${raw.length}-`)
  assert.deepEqual([beyond.status, beyond.headers['content-range']], [416, `bytes */${raw.length}`])

  const lines = (await server.api(`/api/queue/${id}/log?from_line=4999&limit=4`)).json()
  assert.deepEqual(lines, { ...lines, from_line: 4999, lines: ['4999', '5000', 'needle here', '5002'], total_lines: 6000, size: raw.length, final: true })
  const found = (await server.api(`/api/queue/${id}/log?q=needle`)).json()
  assert.deepEqual(found.matches, [{ line: 5001, text: 'needle here' }])
  assert.equal(found.truncated, false)
})

test('bytes that are no text reach nobody as they are, but for who downloads the log', async (t) => {
  const server = await startReqpm(t)
  const bytes = Buffer.concat([
    Buffer.from('plain \x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J \0 \b\r\n'),
    Buffer.from([0xff, 0xfe, 0x41, 0x0a, 0xc3, 0x28, 0x0a, 0xed, 0xa0, 0x80, 0x0a, 0xf4, 0x90, 0x80, 0x80, 0x0a, 0xc2, 0x9b, 0x33, 0x31, 0x6d, 0x0a]),
    Buffer.from('<script>alert(1)</script> \u00fc\u20ac\u{1f600}\u202e\n'),
    Buffer.alloc(300_000, 'x'),
    Buffer.from('\nlast line without its end'),
  ])
  const upload = await server.upload({ ...commands({ a: sh('cat /sources/odd') }), odd: bytes })
  const build = await server.submit(upload)
  const viewer = await server.watch(`/ws/builds/${build.id}/`)
  assert.equal((await within(viewer.closed, 'the end')).code, 1000)
  const { queue_items: [{ id }] } = (await server.api(`/api/builds/${build.id}`)).json()
  assert.deepEqual((await server.api(`/api/queue/${id}/log`)).bytes, bytes)

  const log = await server.watch(`/ws/builds/queue/${id}/log/?offset=0`)
  assert.equal((await within(log.closed, 'the end of the log')).code, 1000)
  const got = pieces(log.messages)
  assert.deepEqual([got.from, got.to], [0, bytes.length])
  const page = (await server.api(`/api/queue/${id}/log?from_line=1&limit=100`)).json()
  const tail = viewer.messages.findLast((m) => m.type === 'queue_update').data.build_log
  for (const text of [got.text, page.lines.join('\n'), tail]) {
    assert.deepEqual(text.match(/[\0-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f]/g), null)
    assert.deepEqual(text.match(/\x1b(?!\[[\d;:]*m)/g), null)
  }
  assert.match(got.text, /\x1b\[31mred\x1b\[0m/)
  assert.ok(got.text.includes('\ufffd\ufffdA\n\ufffd(\n'))
  assert.ok(got.text.includes('<script>alert(1)</script> \u00fc\u20ac\u{1f600}'))
  assert.equal(page.lines[0], got.text.split('\n')[0])
  assert.equal(page.total_lines, 9)

  const { code, stdout } = await server.cli(['log', String(build.id), 'a'])
  assert.equal(code, 0)
  assert.ok(stdout === bytes.toString(), 'into a pipe goes the log as it is')
})

test('viewers in the midst of huge logs delay nobody: not who joins the build, not who reads another log', async (t) => {
  const server = await startReqpm(t)
  const build = await server.submit({ huge: sh('echo one'), lost: sh('echo two'), small: sh('echo three') })
  const { queue_items: items } = await server.ended(build.id)
  const path = (name) => `/ws/builds/queue/${items.find((item) => item.package.name === name).id}/log/`
  // One whose lines have to be counted, one whose totals nobody knows: either takes minutes.
  for (const name of ['huge', 'lost']) truncateSync(join(server.dataDir, 'builds', String(build.id), 'logs', `${name}.log`), 2 ** 40)
  server.sql("UPDATE queue_items SET log_sha256 = NULL WHERE log_size = 4 AND id = ?", [[items.find((item) => item.package.name === 'lost').id]])
  const heavy = []
  for (let i = 0; i < 4; i++) heavy.push(await server.watch(`${path('huge')}?offset=${2 ** 39}`), await server.watch(`${path('lost')}?offset=0`))
  const viewer = await server.watch(`/ws/builds/${build.id}/`)
  assert.equal((await viewer.until((m) => m.type === 'build_update')).snapshot, true)
  const small = await server.watch(path('small'))
  assert.equal((await small.until((m) => m.type === 'log_end')).size, 6)
  for (const log of heavy) assert.deepEqual([log.messages.filter((m) => m.type !== 'heartbeat'), log.closeCode], [[], undefined])
  await Promise.all(heavy.slice(0, 4).map((log) => log.close()))
  // The others are still there when the server stops, which waits for none of them.
})
