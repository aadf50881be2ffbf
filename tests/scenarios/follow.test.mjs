// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Program, startReqpm, USERS, within } from '../harness.mjs'
import { Follower, recordingOf } from '../recording.mjs'
import { commands, gated, openGate, sh, shows, spec } from '../sets.mjs'

for (const { who, uid } of USERS) {
  test(`a build goes from upload to completed while it is watched, ${who}`, async (t) => {
    const server = await startReqpm(t, { uid })
    const upload = await server.upload({ ...commands({
      base: { version: '1.0', ...sh('cp /sources/greeting results/; echo made $REQPM_PACKAGE $REQPM_VERSION') },
      app: { requires: ['base'] },
      tool: { requires: ['base'] },
      all: { requires: ['app', 'tool'] },
    }), greeting: 'hello\n' })
    const build = await server.submit(upload, { name: 'four' })
    assert.deepEqual([build.name, build.builder], ['four', 'command'])
    const viewer = await server.watch(`/ws/builds/${build.id}/`)
    assert.equal((await within(viewer.closed, 'the end')).code, 1000)

    const recording = recordingOf(viewer.messages)
    const last = viewer.messages.at(-1)
    assert.equal(last.type, 'build_update')
    assert.equal(last.data.status, 'completed')
    assert.equal(last.data.progress, 100)
    const document = (await server.api(`/api/builds/${build.id}`)).json()
    recording.assertIs(document)
    assert.deepEqual(document.plan.levels.map((level) => [...level].sort()), [['base'], ['app', 'tool'], ['all']])

    const ended = Object.fromEntries(document.queue_items.map((item) => [item.id, Date.parse(item.completed_at)]))
    for (const item of document.queue_items) for (const need of item.needs) assert.ok(ended[need] <= Date.parse(item.started_at), `${item.package.name} began before ${need} had ended`)
    const base = document.queue_items.find((item) => item.package.name === 'base')
    assert.equal((await server.api(`/api/queue/${base.id}/log`)).text(), 'made base 1.0\n')
    await server.nothingLeft()
  })
}

test('what a command leaves in results can be fetched', async (t) => {
  const server = await startReqpm(t)
  const build = await server.submit({ a: sh('mkdir results/doc; echo one > results/doc/page; printf two > results/file') })
  await server.ended(build.id)
  const { items } = (await server.api(`/api/builds/${build.id}/artifacts`)).json()
  assert.deepEqual(items.map(({ package: name, file, kind, size }) => [name, file, kind, size]).sort(), [['a', 'doc/page', 'file', 4], ['a', 'file', 'file', 3]])
  const page = items.find((item) => item.file === 'doc/page')
  assert.equal((await server.api(page.url)).text(), 'one\n')
})

test('a viewer that comes before the plan learns of every item when it is made', async (t) => {
  const server = await startReqpm(t)
  // The specs of one build are read at a time, and reading this one takes a while. What waits for it need not be built here.
  const slow = await server.submit(await server.upload({ 'slow.spec': spec('slow', '', { version: '%(sleep 0.3; echo 1)' }) }), { dry_run: true })
  const build = await server.submit(await server.upload({ 'one.spec': spec('one', 'ExclusiveArch: sparc'), 'two.spec': spec('two', 'BuildRequires: one') }))
  const first = await server.watch(`/ws/builds/${slow.id}/`)
  const viewer = await server.watch(`/ws/builds/${build.id}/`)
  const snapshot = await viewer.until((m) => m.snapshot)
  assert.deepEqual([snapshot.data.status, snapshot.data.queue_items], ['pending', []])
  assert.match((await first.until((m) => m.snapshot)).data.status, /^(pending|preparing)$/)
  assert.equal((await within(first.closed, 'the end')).code, 1000)
  assert.equal((await within(viewer.closed, 'the end')).code, 1000)
  const recording = recordingOf(viewer.messages)
  recording.assertIs((await server.api(`/api/builds/${build.id}`)).json())
  assert.deepEqual(recording.build.queue_items.map((item) => item.status), ['failed', 'blocked'])
})

test('a viewer that joins in the middle sees the same and goes on live', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload(commands({ first: {}, held: gated('true', { requires: ['first'] }), last: { requires: ['held'] } }))
  const build = await server.submit(upload)
  const early = new Follower(server, build.id)
  const waiting = await server.watch(`/ws/builds/${build.id}/`)
  await waiting.until(shows('held', 'building'))

  const late = await server.watch(`/ws/builds/${build.id}/`)
  const snapshot = await late.until((m) => m.snapshot)
  assert.deepEqual(snapshot.data.queue_items.map((item) => item.status), ['completed', 'building', 'pending'])
  recordingOf([snapshot]).assertIs({ ...(await server.api(`/api/builds/${build.id}`)).json(), seq: snapshot.seq })
  const resumed = await server.watch(`/ws/builds/${build.id}/?since=${snapshot.seq - 2}&epoch=${snapshot.epoch}`)
  await resumed.until((m) => m.seq === snapshot.seq && m.type !== 'heartbeat')
  const foreign = await server.watch(`/ws/builds/${build.id}/?since=${snapshot.seq}&epoch=0123456789abcdef`)
  assert.ok((await foreign.until(() => true)).snapshot, 'another epoch gets a snapshot')
  const beyond = await server.watch(`/ws/builds/${build.id}/?since=${snapshot.seq + 1000}&epoch=${snapshot.epoch}`)
  assert.ok((await beyond.until(() => true)).snapshot, 'a number that is not reached yet gets a snapshot')
  openGate(server, upload)

  const document = await server.ended(build.id)
  assert.equal(document.status, 'completed')
  for (const viewer of [late, foreign, beyond]) {
    assert.equal((await within(viewer.closed, 'the end')).code, 1000)
    recordingOf(viewer.messages).assertIs(document)
  }
  assert.equal((await within(resumed.closed, 'the end')).code, 1000)
  assert.deepEqual(resumed.messages.map((m) => m.seq), [snapshot.seq - 2, ...Array.from({ length: document.seq - snapshot.seq + 2 }, (_, i) => snapshot.seq - 1 + i)])
  assert.equal(resumed.messages[0].type, 'heartbeat')
  const recording = await early.end()
  recording.assertIs(document)
})

const PYTHON = `
import asyncio, json, sys, websockets
async def follow():
    async with websockets.connect(sys.argv[1]) as socket:
        seq = None
        try:
            while True:
                message = json.loads(await socket.recv())
                if message["type"] == "heartbeat":
                    continue
                assert seq is None or message.get("snapshot") or message["seq"] == seq + 1, (seq, message)
                seq = message["seq"]
                print(message["type"], message["data"]["status"], flush=True)
        except websockets.ConnectionClosed as closed:
            print("closed", closed.rcvd.code)
asyncio.run(follow())
`

test("Debian's python3-websockets follows a build from start to close 1000", async (t) => {
  const check = await new Program('/usr/bin/python3', ['-c', 'import websockets']).ended.catch(() => ({ code: 1 }))
  if (check.code !== 0) return t.skip('python3-websockets is not here')
  const server = await startReqpm(t)
  const upload = await server.upload(commands({ held: gated(), next: { requires: ['held'] } }))
  const build = await server.submit(upload)
  const python = new Program('/usr/bin/python3', ['-c', PYTHON, `${server.url.replace('http', 'ws')}/ws/builds/${build.id}/`])
  await python.until(/^build_update/m)
  openGate(server, upload)
  const { stdout, stderr } = await within(python.ended, 'the end of the Python viewer')
  const lines = stdout.trim().split('\n')
  assert.deepEqual(lines.slice(-2), ['build_update completed', 'closed 1000'], stdout + stderr)
  assert.ok(lines.filter((line) => line === 'queue_update completed').length >= 2, stdout)
})
