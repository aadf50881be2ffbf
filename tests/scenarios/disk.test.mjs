// SPDX-License-Identifier: MIT
//
// What a build writes must not fill the disk, and a disk that is full must not take the server from those who want to make room.
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startReqpm } from '../harness.mjs'
import { gated, sh, spec } from '../sets.mjs'

const KIB = 1024

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
