// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startReqpm } from '../harness.mjs'
import { commands, sh } from '../sets.mjs'

const byName = (document) => Object.fromEntries(document.queue_items.map((item) => [item.package.name, item]))
const states = (document) => Object.fromEntries(document.queue_items.map((item) => [item.package.name, item.status]))

function folderOf(server, files) {
  const folder = join(server.dir, 'set')
  mkdirSync(folder, { recursive: true })
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return folder
}

test('a failed package blocks what needs it, with the reason; the rest is built', async (t) => {
  const server = await startReqpm(t)
  const folder = folderOf(server, commands({
    base: sh('echo one; echo "x.c:3:1: error: expected a miracle" >&2; exit 7'),
    needs: { requires: ['base'] },
    far: { requires: ['needs'] },
    alone: {},
    beside: { requires: ['alone'] },
  }))
  const { code, stdout, stderr } = await server.cli(['build', '--progress=plain', folder])
  assert.equal(code, 1, stdout + stderr)
  assert.match(stdout, /expected a miracle/)
  assert.match(stdout, /reqpm log 1 base/)

  const document = (await server.api('/api/builds/1')).json()
  const { base, needs, far } = byName(document)
  assert.equal(document.status, 'failed')
  assert.equal(document.error, null)
  assert.deepEqual(states(document), { base: 'failed', needs: 'blocked', far: 'blocked', alone: 'completed', beside: 'completed' })
  assert.deepEqual([document.failed_packages, document.blocked_packages, document.completed_packages, document.progress], [1, 2, 2, 60])
  assert.deepEqual([base.reason, base.exit_code, base.error_line, base.error_text], ['build', 7, 2, 'x.c:3:1: error: expected a miracle'])
  assert.match(base.why, /exit status 7/)
  assert.equal(typeof base.phase, 'string')
  for (const item of [needs, far]) {
    assert.equal(item.reason, 'blocked')
    assert.deepEqual(item.blocked_by, { id: base.id, name: 'base' })
    assert.match(item.why, /base/)
  }
})

test('with --fail-fast nothing more starts after a failure', async (t) => {
  const server = await startReqpm(t, { args: ['--jobs', '1'] })
  const folder = folderOf(server, commands({ a: sh('exit 1'), ...Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`b${i}`, {}])) }))
  const { code, stdout, stderr } = await server.cli(['build', '--fail-fast', folder])
  assert.equal(code, 1, stdout + stderr)
  const document = (await server.api('/api/builds/1')).json()
  assert.deepEqual([document.status, document.fail_fast, document.failed_packages], ['failed', true, 1])
  const after = document.queue_items.filter((item) => item.status === 'cancelled')
  assert.ok(after.length > 0, JSON.stringify(states(document)))
  for (const item of after) assert.equal(item.reason, 'fail_fast')
})

test('a retry builds only what is left and takes over the rest, its log and its files', async (t) => {
  const server = await startReqpm(t)
  // What the first build may not have is there for the second: /sources is what both read.
  const upload = await server.upload(commands({
    good: sh('seq 1 3000; echo result >results/good.txt'),
    bad: sh('test -e /sources/gate && echo now >results/bad.txt'),
    after: { requires: ['bad', 'good'] },
  }))
  const first = await server.submit(upload, { name: 'twice' })
  const failed = await server.ended(first.id)
  assert.deepEqual(states(failed), { good: 'completed', bad: 'failed', after: 'blocked' })
  writeFileSync(join(server.dataDir, 'uploads', String(upload), 'files', 'gate'), '')

  const { code, stdout, stderr } = await server.cli(['retry', String(first.id), '--progress=plain'])
  assert.equal(code, 0, stdout + stderr)
  const second = (await server.api(`/api/builds/${first.id + 1}`)).json()
  assert.deepEqual([second.retry_of, second.name, second.status], [first.id, 'twice', 'completed'])
  assert.deepEqual(states(second), { good: 'completed', bad: 'completed', after: 'completed' })
  assert.deepEqual(states((await server.api(`/api/builds/${first.id}`)).json()), states(failed), 'the first build stays as it was')

  const good = (await server.api(`/api/queue/${byName(second).good.id}`)).json()
  const before = (await server.api(`/api/queue/${byName(failed).good.id}`)).json()
  assert.deepEqual([good.log_size, good.log_sha256, good.completed_at], [before.log_size, before.log_sha256, before.completed_at])
  assert.equal((await server.api(`/api/queue/${good.id}/log`)).text(), (await server.api(`/api/queue/${before.id}/log`)).text())
  const lines = (await server.api(`/api/queue/${good.id}/log?from_line=2500&limit=2`)).json()
  assert.deepEqual([lines.lines, lines.total_lines], [['2500', '2501'], 3000])
  const { items } = (await server.api(`/api/builds/${second.id}/artifacts`)).json()
  assert.deepEqual(items.map((item) => item.file).sort(), ['bad.txt', 'good.txt'])
  assert.equal((await server.api(items.find((item) => item.file === 'good.txt').url)).text(), 'result\n')

  const again = await server.api(`/api/builds/${second.id}/retry`, { method: 'POST' })
  assert.equal(again.status, 409, again.text())
})
