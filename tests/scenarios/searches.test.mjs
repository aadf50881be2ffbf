// SPDX-License-Identifier: MIT
//
// Reading huge logs is work that others must not wait for, and that costs no more memory the more do it.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync, readlinkSync, truncateSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually, startReqpm, within } from '../harness.mjs'
import { commands, gated, openGate, sh, shows } from '../sets.mjs'

const HUGE = 8 * 2 ** 30
const MIB = 2 ** 20
const QUICK = process.env.REQPM_QUICK === '1'
const SEARCHES = 12 // three for each thread that works on files

/** The most memory that the server has had, in bytes. */
const peak = (server) => 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${server.pid}/status`, 'latin1'))[1])

/** A build whose log was made huge: its end is one line of NULs, which takes no space on the disk. */
async function hugeLog(server, begin = 'echo begin') {
  const { id: build } = await server.submit({ a: sh(begin) })
  const [{ id }] = (await server.ended(build)).queue_items
  const log = join(server.dataDir, 'builds', String(build), 'logs/a.log')
  truncateSync(log, HUGE)
  const open = () => readdirSync(`/proc/${server.pid}/fd`).filter((fd) => {
    try {
      return readlinkSync(`/proc/${server.pid}/fd/${fd}`) === log
    } catch {
      return false // closed while we looked
    }
  }).length
  return { id, open }
}

/** Searches that would take seconds each; `answered` grows when one is over, and cut() ends them all. */
async function searchAll(server, { id, open }, { count = SEARCHES, q = 'never' } = {}) {
  const cut = new AbortController()
  const answered = []
  const over = Array.from({ length: count }, () => fetch(`${server.url}/api/queue/${id}/log?q=${q}`, { signal: cut.signal }).then(({ status }) => answered.push(status), () => {}))
  const asked = async () => Number(/^reqpm_http_requests_total (\d+)$/m.exec((await server.api('/metrics')).text())[1])
  await eventually(async () => open() >= 2 && (await asked()) > count, 'the searches begin')
  return { answered, cut: () => cut.abort(), over: within(Promise.all(over), 'the end of the searches') }
}

/** Who goes away counts as no fault of the server. */
async function nobodyLetDown(server) {
  assert.match((await server.api('/metrics')).text(), /^reqpm_http_responses_total\{status="5xx"\} 0$/m)
  assert.doesNotMatch(server.log, /answered 5/)
}

test('while many search huge logs, an upload is taken and a build is built', async (t) => {
  const server = await startReqpm(t)
  const log = await hugeLog(server)
  const searches = await searchAll(server, log)
  const upload = await server.upload({ 'packages.json': JSON.stringify({ packages: [{ name: 'b', command: ['seq', '1000'] }] }), big: Buffer.alloc(2 ** 20) })
  const build = await server.submit(upload)
  assert.equal((await server.ended(build.id)).status, 'completed')
  assert.ok(searches.answered.length <= SEARCHES / 2, `an upload and a build waited for ${searches.answered.length} of ${SEARCHES} searches`)
  const [{ id }] = (await server.api(`/api/builds/${build.id}`)).json().queue_items
  assert.deepEqual((await server.api(`/api/queue/${id}/log?q=1000`)).json().matches, [{ line: 1000, text: '1000' }], 'a short log is searched in between')
  assert.equal((await server.api(`/api/queue/${id}/log?from_line=999`)).json().lines.length, 2)
  assert.ok(searches.answered.length < SEARCHES)
  searches.cut()
  await searches.over
  await eventually(() => log.open() === 0, 'nobody searches for who has gone')
  await nobodyLetDown(server)
})

test('a search whose asker goes ends without an answer, whichever way he went', async (t) => {
  const server = await startReqpm(t)
  const log = await hugeLog(server)
  for (const go of ['destroy', 'resetAndDestroy']) {
    const socket = connect(server.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`GET /api/queue/${log.id}/log?q=never HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\n\r\n`)
    await eventually(() => log.open() === 1, 'the search begins')
    socket[go]()
    await eventually(() => log.open() === 0, `it ends after ${go}()`)
  }
  await nobodyLetDown(server)
})

test('a few of many searches hold what they have found', async (t) => {
  const server = await startReqpm(t)
  // Each finds 3 MiB in its first turn, and nothing in hundreds more.
  const log = await hugeLog(server, "yes here-$(printf '%016000d' 0) | head -n 192")
  const short = await server.submit({ b: sh('echo here') })
  const [{ id }] = (await server.ended(short.id)).queue_items
  const before = peak(server)
  const searches = await searchAll(server, log, { count: 300, q: 'here' })
  // First in, first out: whoever is answered comes after all of those.
  assert.deepEqual((await server.api(`/api/queue/${id}/log?q=here`)).json().matches, [{ line: 1, text: 'here' }])
  assert.equal(searches.answered.length, 0)
  assert.ok(log.open() <= 10, `${log.open()} of them are open`)
  if (!QUICK) assert.ok(peak(server) - before < 150 * MIB, `they take ${Math.round((peak(server) - before) / MIB)} MiB`)
  searches.cut()
  await searches.over
  await eventually(() => log.open() === 0, 'nobody searches for who has gone')
})

test('who waits at the end of a log costs little', { skip: QUICK && 'REQPM_QUICK is set' }, async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload(commands({ a: gated(), loud: sh(`yes 0123456789abcdef | head -c ${MIB}; until test -e /sources/gate; do sleep 0.05; done`) }))
  const build = await server.submit(upload)
  const viewer = await server.watch(`/ws/builds/${build.id}/`)
  const shown = await viewer.until(shows('loud', 'building'))
  const { id } = (shown.data.queue_items ?? [shown.data]).find((item) => item.package.name === 'loud')
  const path = `/ws/builds/queue/${id}/log/`
  const reach = (log, next) => log.until((m) => m.next >= next)
  await reach(await server.watch(`${path}?offset=0`), MIB)
  const resident = () => 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${server.pid}/status`, 'latin1'))[1])
  const before = resident()
  const idle = []
  for (let i = 0; i < 300; i++) idle.push(await server.watch(`${path}?offset=${MIB - 65536}`))
  for (const log of idle) await reach(log, MIB)
  const each = (resident() - before) / idle.length
  assert.ok(each < 24 * 1024, `each takes ${Math.round(each / 1024)} KiB`)
  openGate(server, upload)
  for (const log of idle) assert.equal((await within(log.closed, 'the end of the log')).code, 1000)
})

test('a server that is stopped waits for no search, and says so to who asked', async (t) => {
  const server = await startReqpm(t)
  const searches = await searchAll(server, await hugeLog(server))
  assert.equal(await server.stop(), 0)
  await searches.over
  assert.ok(searches.answered.includes(503), `the answers: ${searches.answered}`)
})
