// SPDX-License-Identifier: MIT
//
// What stands in a build's repository, and what build roots are made from: the packages that completed, and nothing else.
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { eventually, Program, startReqpm, USERS } from '../harness.mjs'
import { openGate, shows, spec } from '../sets.mjs'

const GATE = 'until test -e /sources/gate; do sleep 0.05; done'

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

const HOLD = `
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
database.execute('BEGIN IMMEDIATE')
print('held', flush=True)
sys.stdin.read()
`

/** Nobody else commits anything until the answer is called: what is published then is not committed. */
async function holdCommits(t, server) {
  const holder = new Program('/usr/bin/python3', ['-c', HOLD, join(server.dataDir, 'reqpm.db')], { stdio: ['pipe', 'pipe', 'pipe'] })
  t.after(() => holder.process.kill('SIGKILL'))
  await holder.until(/held/)
  return () => {
    holder.process.stdin.end()
    return holder.ended
  }
}

const status = async (server, build, file) => (await server.api(`/api/builds/${build.id}/repo/${file}`)).status

/** Builds `rp` and `other` until rp is published, but for the commit that it completed; then the server dies. */
async function dieAfterPublishing(t, server, sections) {
  const upload = await server.upload({ 'rp.spec': spec('rp', '', { sections: `%build\n${GATE}\n${sections}` }), 'other.spec': spec('other') })
  const build = await server.submit(upload)
  const viewer = await server.watch(`/ws/builds/${build.id}/`)
  await Promise.all([viewer.until(shows('other', 'completed')), viewer.until((m) => m.type === 'queue_update' && m.data.phase === '%build' && m.data.package.name === 'rp')])
  const release = await holdCommits(t, server)
  openGate(server, upload)
  await eventually(async () => (await status(server, build, 'rp-1.0-1.noarch.rpm')) === 200, 'the publishing')
  const document = (await server.api(`/api/builds/${build.id}`)).json()
  await server.kill9({ keeper: true })
  await release()
  return { build: document, files: join(server.dataDir, 'uploads', String(upload), 'files') }
}

for (const { who, uid } of USERS) {
  test(`what was published of a package that fails after the server died is taken back, ${who}`, async (t) => {
    const server = await startReqpm(t, { uid })
    const { build, files } = await dieAfterPublishing(t, server, 'test ! -e /sources/fail')
    writeFileSync(join(files, 'fail'), '')
    await server.restart()
    const document = await server.ended(build.id)
    assert.deepEqual(document.queue_items.map((item) => [item.package.name, item.status]).sort(), [['other', 'completed'], ['rp', 'failed']])
    assert.deepEqual(rpmsOf(server, build), ['other-1.0-1.noarch.rpm'])
    assert.deepEqual([await status(server, build, 'rp-1.0-1.noarch.rpm'), await status(server, build, 'other-1.0-1.noarch.rpm')], [404, 200])
    const primary = readdirSync(join(server.dataDir, 'builds', String(build.id), 'repo', 'repodata')).find((name) => name.endsWith('primary.xml.gz'))
    const names = gunzipSync(readFileSync(join(server.dataDir, 'builds', String(build.id), 'repo', 'repodata', primary))).toString().match(/<name>[^<]*/g)
    assert.deepEqual(names, ['<name>other'])
    await server.nothingLeft()
  })
}

test('a package whose commit was lost is built again without its own files in its build root, and published', async (t) => {
  const server = await startReqpm(t)
  const { build, files } = await dieAfterPublishing(t, server, 'true')
  rmSync(join(files, 'gate'))
  await server.restart()
  const { id } = build.queue_items.find((item) => item.package.name === 'rp')
  const again = ({ attempts, phase }) => attempts.length === 2 && phase === '%build'
  await eventually(async () => again((await server.api(`/api/queue/${id}`)).json()), 'the second attempt')
  assert.deepEqual(rpmsOf(server, build), ['other-1.0-1.noarch.rpm'])
  assert.equal(await status(server, build, 'rp-1.0-1.noarch.rpm'), 404)
  writeFileSync(join(files, 'gate'), '')
  assert.equal((await server.ended(build.id)).status, 'completed')
  assert.deepEqual(rpmsOf(server, build), ['other-1.0-1.noarch.rpm', 'rp-1.0-1.noarch.rpm'])
  assert.equal(await status(server, build, 'rp-1.0-1.noarch.rpm'), 200)
})

test('a package whose repository cannot be made is in no build root until it can', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload({ 'rp.spec': spec('rp', '', { sections: `%build\n${GATE}` }), 'other.spec': spec('other') })
  const build = await server.submit(upload)
  const viewer = await server.watch(`/ws/builds/${build.id}/`)
  await Promise.all([viewer.until(shows('other', 'completed')), viewer.until(shows('rp', 'building'))])
  const inTheWay = join(server.dataDir, 'builds', String(build.id), 'repo.new')
  mkdirSync(inTheWay)
  openGate(server, upload)
  const { data } = await viewer.until((m) => m.type === 'queue_update' && m.data.status === 'queued' && m.data.attempt === 1)
  assert.match(data.why, /the repository could not be made/)
  assert.deepEqual(rpmsOf(server, build), ['other-1.0-1.noarch.rpm'])
  rmdirSync(inTheWay)
  assert.equal((await server.ended(build.id)).status, 'completed')
  assert.deepEqual(rpmsOf(server, build), ['other-1.0-1.noarch.rpm', 'rp-1.0-1.noarch.rpm'])
})
