// SPDX-License-Identifier: MIT
//
// Viewers that come, stall, are cut off and come back while builds run and are deleted and the server is killed: whatever happens,
// each recording is without gap, repeat or step back, and ends as the database does. REQPM_SEED=<n> replays the same decisions.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { eventually, startReqpm, within } from '../harness.mjs'
import { Follower } from '../recording.mjs'
import { sh } from '../sets.mjs'

const seed = Number(process.env.REQPM_SEED ?? randomInt(2 ** 31))
const BUILDS = 8
const PACKAGES = 14
const STEPS = 300
const FOLLOWERS_MAX = 60
const LIST_FOLLOWERS = 6
const KILLS_MAX = 10

/** mulberry32 */
function randomOf(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

test(`every viewer of a server that is killed sees each build as the database has it (REQPM_SEED=${seed})`, async (t) => {
  const random = randomOf(seed)
  const below = (n) => Math.floor(random() * n)
  const pick = (list) => list[below(list.length)]
  const chance = (p) => random() < p
  const server = await startReqpm(t)
  const builds = [], followers = [], deleted = new Set()
  let kills = 0

  async function submit() {
    const packages = Object.fromEntries(Array.from({ length: PACKAGES }, (_, i) => {
      const requires = i ? [...new Set(Array.from({ length: below(3) }, () => `p${below(i)}`))] : []
      const script = `seq ${below(400)}; sleep 0.${below(3)}; ${chance(0.1) ? 'exit 1' : 'echo $REQPM_PACKAGE >results/name'}`
      return [`p${i}`, sh(script, { requires })]
    }))
    const build = await server.submit(packages, { name: `build ${builds.length}`, fail_fast: chance(0.2) })
    builds.push(build.id)
  }
  function join(id = pick(builds)) {
    followers.push(new Follower(server, id))
    followers.at(-1).deleted = deleted.has(id)
  }
  const left = () => builds.filter((id) => !deleted.has(id))

  async function remove(id) {
    const its = followers.filter((follower) => follower.id === id)
    for (const follower of its) follower.deleted = true
    const { status } = await server.api(`/api/builds/${id}`, { method: 'DELETE' })
    assert.ok([204, 404, 409].includes(status), `${status}`)
    assert.equal(status === 404, deleted.has(id))
    if (status === 204) deleted.add(id)
    for (const follower of its) follower.deleted = deleted.has(id)
  }
  const actions = [
    [30, () => followers.length < FOLLOWERS_MAX && join()],
    [25, () => followers.length && pick(followers).cut()],
    [15, () => followers.length && void pick(followers).stall(50 + below(400))],
    [8, () => followers.length && (pick(followers).forgets = chance(0.5))],
    [6, () => builds.length < BUILDS && submit()],
    [6, () => deleted.size < BUILDS / 2 && builds.length && remove(pick(builds))],
    [2, () => builds.length === BUILDS && server.api(`/api/builds/${pick(builds)}/cancel`, { method: 'POST' })],
    [4, async () => {
      if (kills >= KILLS_MAX) return
      kills++
      await server.kill9({ keeper: chance(0.5) })
      await server.restart()
    }],
  ]
  const weights = actions.reduce((sum, [weight]) => sum + weight, 0)

  for (let i = 0; i < LIST_FOLLOWERS; i++) followers.push(new Follower(server))
  await submit()
  for (let step = 0; step < STEPS; step++) {
    let at = below(weights)
    const [, action] = actions.find(([weight]) => (at -= weight) < 0)
    await action()
    await pause(below(60))
  }
  while (builds.length < BUILDS) await submit()
  for (const id of left()) for (let i = 0; i < 2; i++) join(id)

  const documents = new Map()
  for (const id of left()) documents.set(id, await within(server.ended(id), `the end of build ${id}`, 120_000))
  await remove(pick(left()))
  const { items } = (await server.api('/api/builds?limit=200')).json()
  assert.deepEqual(items.map(({ id }) => id), left().reverse())
  const totals = { connections: 0, snapshots: 0, resumed: 0, updates: 0 }
  for (const follower of followers.filter(({ id }) => id !== undefined)) {
    const recording = await follower.end()
    if (!deleted.has(follower.id)) recording.assertIs(documents.get(follower.id))
    totals.connections += follower.connections
    for (const key of ['snapshots', 'resumed', 'updates']) totals[key] += recording[key]
  }
  const lists = followers.filter(({ id }) => id === undefined)
  for (const follower of lists) {
    const same = async () => (await follower.well(), isDeepStrictEqual(follower.recording.list, items))
    await eventually(same, 'a list as the database has it').catch(() => assert.deepEqual(follower.recording.list, items))
  }
  assert.ok(lists.some(({ recording }) => recording.removed.size), 'a removal came as a message')
  t.diagnostic(`seed ${seed}: ${kills} kills, ${deleted.size} deleted, ${followers.length} viewers, ${JSON.stringify(totals)}`)
  assert.ok(totals.updates > 0)
  await server.nothingLeft()
})
