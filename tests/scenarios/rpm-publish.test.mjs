// SPDX-License-Identifier: MIT
//
// What stands in a build's repository, and what build roots are made from: the packages that completed, and nothing else.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startReqpm } from '../harness.mjs'
import { spec } from '../sets.mjs'

const rpmsOf = (server, build) => readdirSync(join(server.dataDir, 'builds', String(build.id), 'rpms')).sort()

test('a retry publishes what the first build had published, and no source package', async (t) => {
  const server = await startReqpm(t)
  const first = await server.submit(await server.upload({
    'bad.spec': spec('bad', '', { sections: '%build\nfalse' }),
    'good.spec': spec('good', 'Source0: large.tar\nNoSource: 0'),
    'large.tar': 'not for everybody',
  }))
  await server.ended(first.id)
  const results = readdirSync(join(server.dataDir, 'builds', String(first.id), 'results', 'good')).sort()
  assert.deepEqual(results, ['good-1.0-1.noarch.rpm', 'good-1.0-1.nosrc.rpm'])
  assert.deepEqual(rpmsOf(server, first), ['good-1.0-1.noarch.rpm'])
  const again = (await server.api(`/api/builds/${first.id}/retry`, { method: 'POST' })).json()
  await server.ended(again.id)
  assert.deepEqual(rpmsOf(server, again), ['good-1.0-1.noarch.rpm'])
})
