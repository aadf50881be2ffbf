// SPDX-License-Identifier: MIT
//
// Words of specs and of what they run are cut before they are stored: everybody who looks at the list of builds is sent them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startReqpm } from '../harness.mjs'
import { sh, spec } from '../sets.mjs'

const SENTENCE_MAX = 2048, EDGES_MAX = 50
const bytes = (text) => Buffer.byteLength(text)
const needs = (count) => `%{lua: for i = 1, ${count} do print("BuildRequires: nothing-has-" .. i .. "\\n") end}`

test('megabytes that a spec prints behind "error:" are no part of the list of builds', async (t) => {
  const server = await startReqpm(t)
  const loud = `%(printf 'error: ' >&2; head -c 8000000 /dev/zero | tr '\\0' A >&2; exit 1)\nColour: red`
  const end = await server.ended((await server.submit(await server.upload({ 'loud.spec': spec('loud', loud) }))).id)
  assert.equal(end.status, 'failed')
  assert.match(end.error.detail, /^loud\.spec does not parse: A+… \(rpmspec -P loud\.spec says the same\)$/)
  assert.ok(bytes(end.error.detail) <= SENTENCE_MAX, `${bytes(end.error.detail)} bytes`)
  const { bytes: list } = await server.api('/api/builds')
  assert.ok(list.length < 2 * SENTENCE_MAX, `${list.length} bytes`)
})

test('of thousands of needs that nothing provides ten are told, and how many more there are', async (t) => {
  const server = await startReqpm(t)
  const end = await server.ended((await server.submit(await server.upload({ 'greedy.spec': spec('greedy', needs(9000)) }))).id)
  assert.equal(end.status, 'failed')
  const [{ why }] = end.queue_items
  assert.match(why, /^nothing provides nothing-has-\d+, .* and 8990 more needed by greedy; add the package/)
  assert.ok(bytes(why) <= SENTENCE_MAX, `${bytes(why)} bytes`)
  assert.deepEqual(end.plan.excluded, [{ package: 'greedy', why }])
})

test('a circle of hundreds of packages is told by its first steps and its last', async (t) => {
  const server = await startReqpm(t)
  const count = 400, name = (i) => `p${i}`
  const set = Object.fromEntries(Array.from({ length: count }, (_, i) => [name(i), sh('true', { requires: [name((i + 1) % count)] })]))
  const { status, error } = await server.ended((await server.submit(set)).id)
  assert.equal(status, 'failed')
  assert.match(error.detail, /p0 needs p1 \(p1\), .*, 390 more such steps, p399 needs p0 \(p0\); take one of these needs out/)
  assert.equal(error.edges.length, EDGES_MAX)
  assert.deepEqual([error.edges[48].package, error.edges[49].package, error.edges[49].needs], ['p48', 'p399', 'p0'])
})
