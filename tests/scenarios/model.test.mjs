// SPDX-License-Identifier: MIT
//
// Viewers that come, stall, are cut off and come back while builds run and the server is killed: whatever happens, each
// recording is without gap, repeat or step back, and ends as the database does. REQPM_SEED=<n> replays the same decisions.
import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { startReqpm, within } from '../harness.mjs'
import { Follower } from '../recording.mjs'
import { sh } from '../sets.mjs'

const seed = Number(process.env.REQPM_SEED ?? randomInt(2 ** 31))
const BUILDS = 8
const PACKAGES = 14
const STEPS = 300
const FOLLOWERS_MAX = 60
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
  const builds = [], followers = []
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
  const join = () => followers.push(new Follower(server, pick(builds)))
  const actions = [
    [30, join],
    [25, () => followers.length && pick(followers).cut()],
    [15, () => followers.length && void pick(followers).stall(50 + below(400))],
    [8, () => followers.length && (pick(followers).forgets = chance(0.5))],
    [6, () => builds.length < BUILDS && submit()],
    [2, () => builds.length === BUILDS && server.api(`/api/builds/${pick(builds)}/cancel`, { method: 'POST' })],
    [4, async () => {
      if (kills >= KILLS_MAX) return
      kills++
      await server.kill9({ keeper: chance(0.5) })
      await server.restart()
    }],
  ]
  const weights = actions.reduce((sum, [weight]) => sum + weight, 0)

  await submit()
  for (let step = 0; step < STEPS; step++) {
    let at = below(weights)
    const [, action] = actions.find(([weight]) => (at -= weight) < 0)
    if (action !== join || followers.length < FOLLOWERS_MAX) await action()
    await pause(below(60))
  }
  while (builds.length < BUILDS) await submit()
  for (const id of builds) for (let i = 0; i < 2; i++) followers.push(new Follower(server, id))

  const documents = new Map()
  for (const id of builds) documents.set(id, await within(server.ended(id), `the end of build ${id}`, 120_000))
  const totals = { connections: 0, snapshots: 0, resumed: 0, updates: 0 }
  for (const follower of followers) {
    const recording = await follower.end()
    const document = documents.get(follower.id)
    recording.assertIs(document)
    totals.connections += follower.connections
    for (const key of ['snapshots', 'resumed', 'updates']) totals[key] += recording[key]
  }
  t.diagnostic(`seed ${seed}: ${kills} kills, ${followers.length} viewers, ${JSON.stringify(totals)}`)
  assert.ok(totals.updates > 0)
  await server.nothingLeft()
})
