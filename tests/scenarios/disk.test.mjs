// SPDX-License-Identifier: MIT
//
// What a build writes must not fill the disk, and a disk that is full must not take the server from those who want to make room.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, rmSync, statSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually, startReqpm, within } from '../harness.mjs'
import { commands, gated, openGate, sh, shows, spec } from '../sets.mjs'

const KIB = 1024
const MIB = 1024 * KIB

const byName = (document) => Object.fromEntries(document.queue_items.map((item) => [item.package.name, item]))

test('a package whose log grows past its limit fails with that reason, at once and for good', async (t) => {
  const server = await startReqpm(t, { args: ['--max-log', '256K'] })
  const within = sh(`yes 0123456789abcde | head -c ${256 * KIB}`)
  const build = await server.submit({ endless: sh('yes 0123456789abcde'), after: { requires: ['endless'] }, within })
  const items = byName(await server.ended(build.id))
  const { id, status, reason, why, attempt, log_size } = items.endless
  assert.deepEqual([status, reason, why, attempt, log_size], ['failed', 'disk', 'its log grew past 256 KiB', 1, 256 * KIB])
  assert.deepEqual([items.after.status, items.within.status, items.within.log_size], ['blocked', 'completed', 256 * KIB])
  const log = await server.api(`/api/queue/${id}/log`)
  assert.equal(log.bytes.length, 256 * KIB)
  assert.equal(statSync(join(server.dataDir, 'builds', String(build.id), 'logs/endless.log')).size, 256 * KIB)
  await server.nothingLeft()
})

test('what rpmbuild prints has the same limit', async (t) => {
  const server = await startReqpm(t, { args: ['--max-log', '1M'] })
  const build = await server.submit(await server.upload({ 'endless.spec': spec('endless', '', { sections: '%build\nyes 0123456789abcde\n' }) }))
  const { endless } = byName(await server.ended(build.id))
  assert.deepEqual([endless.status, endless.reason, endless.why, endless.attempt], ['failed', 'disk', 'its log grew past 1 MiB', 1])
  assert.equal(endless.phase, '%build')
  await server.nothingLeft()
})

/** A server whose data folder is a disk of that size. NULL: there can be none. */
async function onSmallDisk(t, size, args = []) {
  const server = await startReqpm(t, { args })
  const { uid, gid } = statSync(server.dataDir)
  assert.equal(await server.stop(), 0)
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size},uid=${uid},gid=${gid},mode=0711`, 'small', server.dataDir])
  if (status !== 0) return null
  server.unmount = () => execFileSync('umount', ['-l', server.dataDir])
  server.free = () => {
    const { bavail, bsize } = statfsSync(server.dataDir)
    return bavail * bsize
  }
  try {
    return await server.restart()
  } catch (error) {
    server.unmount()
    throw error
  }
}

/** Like somebody else on that disk: takes all but so much of what is free. */
function fill(server, left = 0) {
  const fd = openSync(join(server.dataDir, 'filler'), 'a', 0o600)
  try {
    for (let size = MIB; size >= 4096; size /= 2)
      while (server.free() >= left + size && writeSync(fd, Buffer.alloc(size)) === size);
  } catch (error) {
    assert.equal(error.code, 'ENOSPC')
  } finally {
    closeSync(fd)
  }
}

const removeFiller = (server) => rmSync(join(server.dataDir, 'filler'))
const onlyRoot = { skip: process.getuid() !== 0 && 'only root makes a small disk' }
const held = (name) => (m) => {
  const is = (item) => item.package.name === name && item.status === 'queued' && /waits for room on the server's disk/.test(item.why)
  return Boolean(m.data?.queue_items?.some(is)) || (m.type === 'queue_update' && is(m.data))
}

test('a log that would fill the disk stops its build; whatever is ready waits for room, and says so', onlyRoot, async (t) => {
  const server = await onSmallDisk(t, '160m', ['--disk-floor', '72M'])
  if (!server) return t.skip('no file system can be mounted here')
  try {
    const upload = await server.upload(commands({ held: gated(), next: { requires: ['held'] } }))
    const other = await server.submit(upload)
    const viewer = await server.watch(`/ws/builds/${other.id}/`)
    await viewer.until(shows('held', 'building'))
    fill(server, 76 * MIB)
    const loud = await server.submit({ loud: sh('yes 0123456789abcde'), ready: {}, again: { requires: ['loud'] } })
    const watched = await server.watch(`/ws/builds/${loud.id}/`)
    await watched.until(held('loud'))
    assert.ok(server.free() > 60 * MIB && server.free() < 64 * MIB, `${server.free()} bytes are free`)
    const items = byName((await server.api(`/api/builds/${loud.id}`)).json())
    assert.match(items.loud.why, /the attempt before: its log could not be written: No space left/)
    assert.deepEqual([items.loud.status, items.loud.attempt, items.loud.reason], ['queued', 1, null])

    // What runs goes on to its end; what it releases waits, too.
    openGate(server, upload)
    await viewer.until(held('next'))
    const status = (await server.api('/api/status')).json()
    assert.deepEqual([status.healthy, status.status, status.queue.building], [false, 'disk full', 0])
    assert.match(status.queue.why, /below its floor/)

    // Without a step of anybody's own, once there is room: nobody asks the server for anything.
    assert.equal((await server.api(`/api/builds/${loud.id}/cancel`, { method: 'POST' })).status, 202)
    assert.equal((await server.ended(loud.id)).status, 'cancelled')
    assert.equal((await server.api(`/api/builds/${loud.id}`, { method: 'DELETE' })).status, 204)
    assert.equal((await within(viewer.closed, 'the end')).code, 1000)
    assert.equal((await server.api(`/api/builds/${other.id}`)).json().status, 'completed')
    assert.equal((await server.api('/api/status')).json().healthy, true)
    assert.equal(await server.stop(), 0)
  } finally {
    server.unmount()
  }
})

test('room that somebody else makes is found, and until then nothing begins', onlyRoot, async (t) => {
  const server = await onSmallDisk(t, '256m', ['--disk-floor', '128M'])
  if (!server) return t.skip('no file system can be mounted here')
  try {
    const upload = await server.upload(commands({ first: gated(), second: gated(), third: {} }))
    const { id } = await server.submit(upload)
    await (await server.watch(`/ws/builds/${id}/`)).until(shows('second', 'building'))
    fill(server, 100 * MIB)
    await server.kill9()
    await server.restart()
    const viewer = await server.watch(`/ws/builds/${id}/`)
    await viewer.until(held('first'))
    await viewer.until(held('third'))
    const before = viewer.messages.length
    removeFiller(server)
    const snapshot = await viewer.until((m) => m.snapshot && viewer.messages.indexOf(m) >= before && !held('third')(m))
    assert.equal(byName(snapshot.data).third.why, 'waits for a free slot')
    openGate(server, upload)
    assert.equal((await server.ended(id)).status, 'completed')
    assert.equal(await server.stop(), 0)
  } finally {
    server.unmount()
  }
})

test('on a full disk builds are cancelled, ended and deleted, and the server is stopped and started', onlyRoot, async (t) => {
  const server = await onSmallDisk(t, '192m', ['--disk-floor', '16M'])
  if (!server) return t.skip('no file system can be mounted here')
  try {
    const old = await server.submit({ a: sh('head -c 1M /dev/zero >results/zero') })
    assert.equal((await server.ended(old.id)).status, 'completed')
    const gate = await server.upload(commands({ a: gated('while :; do cat /dev/zero >>results/zero 2>/dev/null; done'), b: { requires: ['a'] } }))
    const upload = await server.upload(commands({ a: gated(), b: { requires: ['a'] } }))
    const hog = await server.submit(gate)
    const ending = await server.submit(upload)
    const waiting = await server.submit({ a: {} })
    const [hogged, ended, waits] = [await server.watch(`/ws/builds/${hog.id}/`), await server.watch(`/ws/builds/${ending.id}/`), await server.watch(`/ws/builds/${waiting.id}/`)]
    await ended.until(shows('a', 'building'))
    openGate(server, gate)
    await eventually(() => server.free() === 0, 'the disk is full')
    openGate(server, upload)
    await ended.until(held('b'))
    await waits.until(held('a'))
    assert.equal(byName((await server.api(`/api/builds/${ending.id}`)).json()).a.status, 'completed')
    assert.equal((await server.api(`/api/builds/${hog.id}/cancel`, { method: 'POST' })).status, 202)
    assert.equal((await within(hogged.closed, 'the end')).code, 1000)
    assert.equal((await server.api(`/api/builds/${hog.id}`)).json().status, 'cancelled')
    // From here on somebody else takes whatever becomes free.
    fill(server)
    assert.equal(await server.stop(), 0)
    fill(server)
    assert.ok(existsSync(join(server.dataDir, 'reqpm.db-ballast')), 'it was kept for this start')
    await server.restart()
    fill(server)
    for (const { id } of [ending, waiting]) {
      assert.equal((await server.api(`/api/builds/${id}/cancel`, { method: 'POST' })).status, 202)
      assert.equal((await server.ended(id)).status, 'cancelled')
    }
    for (const { id } of [old, hog, ending, waiting]) assert.equal((await server.api(`/api/builds/${id}`, { method: 'DELETE' })).status, 204)
    assert.deepEqual((await server.api('/api/builds')).json().items, [])
    await eventually(() => server.free() > MIB, 'what was deleted is free')
    removeFiller(server)
    assert.equal(await server.stop(), 0)
  } finally {
    server.unmount()
  }
})
