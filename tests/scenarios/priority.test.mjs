// SPDX-License-Identifier: MIT
//
// With one slot the order in which packages begin is the order of their priorities: the longest path first, by what each took before.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually, startReqpm } from '../harness.mjs'
import { gated, openGate } from '../sets.mjs'

const CHAIN = { x: {}, y: { requires: ['x'] }, z: { requires: ['y'] } }
const took = (item) => Date.parse(item.completed_at) - Date.parse(item.started_at)

/** The names of an ended build's packages in the order in which the one slot took them. */
function order(document) {
  assert.equal(document.status, 'completed', JSON.stringify(document.queue_items))
  return [...document.queue_items].sort((a, b) => Date.parse(a.started_at) - Date.parse(b.started_at)).map((item) => item.package.name)
}

/** Builds a package alone, which takes longer than so many milliseconds by the server's own account. */
async function buildSlowly(server, name, ms) {
  const upload = await server.upload({ 'packages.json': JSON.stringify({ packages: [{ name, ...gated() }] }) })
  const { id } = await server.submit(upload)
  const item = async () => (await server.api(`/api/builds/${id}`)).json().queue_items[0]
  await eventually(async () => Date.now() - Date.parse((await item())?.started_at) > ms, `${name} is slow`)
  openGate(server, upload)
  return server.ended(id)
}

test('what the longest path waits for is built first, and what took long counts as long', async (t) => {
  const server = await startReqpm(t, { args: ['--jobs', '1'] })
  // Nothing is known of any: a path of three is longer than one package, though that one stands first. Of two that are alike it is.
  const first = await server.ended((await server.submit({ short: {}, ...CHAIN })).id)
  assert.deepEqual(order(first), ['x', 'y', 'short', 'z'])

  const chain = first.queue_items.filter((item) => item.package.name !== 'short').reduce((sum, item) => sum + took(item), 0)
  const slow = await buildSlowly(server, 'short', 2 * chain)
  assert.ok(took(slow.queue_items[0]) > 2 * chain)
  const last = await server.ended((await server.submit({ ...CHAIN, short: {} })).id)
  assert.deepEqual(order(last), ['short', 'x', 'y', 'z'])
})
