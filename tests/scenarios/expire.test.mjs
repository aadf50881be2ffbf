// SPDX-License-Identifier: MIT
//
// What is kept for a while only: uploads that nobody submits, and dry runs. Their rows and folders go together, also when the
// server dies in between.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventually, startReqpm } from '../harness.mjs'
import { commands } from '../sets.mjs'

const HOUR_MS = 3600_000

/** The folders in DATA/uploads or DATA/builds. */
const folders = (server, kind) => readdirSync(join(server.dataDir, kind)).sort((a, b) => a - b)
const status = async (server, path) => (await server.api(path)).status

/** The server is restarted, and these uploads and builds are then so old. */
async function restartLater(server, { uploads = {}, builds = {} }) {
  assert.equal(await server.stop(), 0)
  const times = (ages) => Object.entries(ages).map(([id, age]) => [Date.now() - age, Number(id)])
  server.sql('UPDATE uploads SET created_at = ? WHERE id = ?', times(uploads))
  server.sql('UPDATE build_jobs SET completed_at = ? WHERE id = ?', times(builds))
  await server.restart()
}

test('uploads that nobody submits go after a day, dry runs after an hour, and nothing else goes', async (t) => {
  const server = await startReqpm(t)
  const upload = () => server.upload(commands({ a: {} }))
  const [old, young, used, builtUpload, dryUpload, youngDryUpload] = [await upload(), await upload(), await upload(), await upload(), await upload(), await upload()]
  const build = await server.submit(used)
  const dry = await server.submit(dryUpload, { dry_run: true })
  const youngDry = await server.submit(youngDryUpload, { dry_run: true })
  const builtDry = await server.submit(builtUpload, { dry_run: true })
  const built = await server.submit(builtUpload)
  for (const { id } of [build, dry, youngDry, builtDry, built]) await server.ended(id)

  const [before, after] = [HOUR_MS - 120_000, HOUR_MS + 120_000]
  const days = 23 * HOUR_MS
  await restartLater(server, {
    uploads: { [old]: days + after, [young]: days + before, [used]: 100 * days, [builtUpload]: 100 * days },
    builds: { [dry.id]: after, [youngDry.id]: before, [builtDry.id]: after, [build.id]: 1000 * days },
  })
  const left = [young, used, builtUpload, youngDryUpload].map(String)
  await eventually(() => folders(server, 'uploads').join() === left.join(), `only the uploads ${left}`)
  for (const id of [old, dryUpload]) assert.equal(await status(server, `/api/uploads/${id}`), 404)
  for (const id of left) assert.equal(await status(server, `/api/uploads/${id}`), 200)
  for (const { id } of [dry, builtDry]) {
    assert.equal(await status(server, `/api/builds/${id}`), 404)
    assert.ok(!existsSync(join(server.dataDir, 'builds', String(id))))
  }
  for (const { id } of [build, youngDry, built]) assert.equal(await status(server, `/api/builds/${id}`), 200)
  assert.equal((await server.api(`/api/uploads/${young}/files/b`, { method: 'PUT', body: 'x' })).status, 201)
  assert.equal((await server.api(`/api/uploads/${old}/files/b`, { method: 'PUT', body: 'x' })).status, 404)
})

test('a dry run that is tried again stays one, and keeps its upload when the first is forgotten', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload(commands({ a: { requires: ['b'] }, b: { requires: ['a'] } }))
  const dry = await server.submit(upload, { dry_run: true })
  assert.equal((await server.ended(dry.id)).status, 'failed')
  const answer = await server.api(`/api/builds/${dry.id}/retry`, { method: 'POST' })
  assert.equal(answer.status, 201)
  const again = answer.json()
  assert.deepEqual([again.dry_run, again.retry_of], [true, dry.id])
  await server.ended(again.id)
  await restartLater(server, { builds: { [dry.id]: 2 * HOUR_MS } })
  await eventually(async () => (await status(server, `/api/builds/${dry.id}`)) === 404, 'the first is forgotten')
  assert.equal((await server.api(`/api/uploads/${upload}`)).json().files.length, 1)
  await restartLater(server, { builds: { [again.id]: 2 * HOUR_MS } })
  await eventually(() => !folders(server, 'uploads').length, 'the upload goes with the last that used it')
})

test('a server that dies while it forgets leaves nothing, wherever that was', async (t) => {
  const server = await startReqpm(t)
  const uploads = []
  for (let i = 0; i < 4; i++) uploads.push(await server.upload({ x: 'x' }))
  const [hidden, big, gone, young] = uploads
  const folder = (id) => join(server.dataDir, 'uploads', String(id))
  for (let i = 0; i < 4000; i++) writeFileSync(join(folder(big), 'files', `f${i}`), '')
  assert.equal(await server.stop(), 0)
  const old = Date.now() - 25 * HOUR_MS
  server.sql('UPDATE uploads SET created_at = ? WHERE id = ?', [hidden, big, gone].map((id) => [old, id]))
  // It died before the rows went, and another time after that.
  renameSync(folder(hidden), folder(`expired-${hidden}`))
  renameSync(folder(gone), folder(`expired-${gone}`))
  server.sql(`DELETE FROM uploads WHERE id = ${gone}`)
  for (let i = 0; i < 3; i++) {
    await server.restart()
    await server.kill9({ keeper: i % 2 === 1 })
  }
  await server.restart()
  await eventually(() => folders(server, 'uploads').join() === String(young), 'only what is young is left')
  for (const id of [hidden, big, gone]) assert.equal(await status(server, `/api/uploads/${id}`), 404)
  assert.equal(await status(server, `/api/uploads/${young}`), 200)
})
