// SPDX-License-Identifier: MIT
//
// What launcher and sandbox add: plain rpmbuild of a small spec is the floor, the same rpmbuild as a `command` package is that in our
// sandbox, from claim to end. Beside it, for scale: a command that does nothing, and the whole attempt of the rpmbuild builder
// (which also reads the spec, solves the build root, describes the RPMs and publishes them).
//   REQPM_BIN=out/release/reqpm node tests/bench/sandbox.mjs [RUNS]      prints one JSON line
import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startReqpm } from '../harness.mjs'

const runs = Number(process.argv[2] ?? 20)
const spec = `Name: tiny\nVersion: 1\nRelease: 1\nSummary: t\nLicense: MIT\nBuildArch: noarch\n%description\nt\n%install\nmkdir -p %{buildroot}/usr/share/tiny\necho 1 >%{buildroot}/usr/share/tiny/one\n%files\n/usr/share/tiny\n`
const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]

const cleanups = []
const t = { after: (fn) => cleanups.push(fn), diagnostic: () => {} }
const server = await startReqpm(t, { args: ['--jobs', '1'] })

async function attempts(files, name) {
  const build = await server.submit(await server.upload(files), { name })
  await (await server.watch(`/ws/builds/${build.id}/`)).closed
  const answer = await server.api(`/api/builds/${build.id}`)
  const items = (answer.json instanceof Function ? await answer.json() : answer).queue_items
  if (items.some((i) => i.status !== 'completed')) throw new Error(`${name} did not complete`)
  return items.map((i) => new Date(i.completed_at) - new Date(i.started_at))
}

const repeat = (command) => JSON.stringify({ packages: Array.from({ length: runs }, (_, i) => ({ name: `n${i}`, version: '1', command })) })
const rpmbuild = (top, file) => ['rpmbuild', '-bb', '--define', `_topdir ${top}`, '--define', `_dbpath ${top}/db`, file]
const empty = median(await attempts({ 'packages.json': repeat(['true']) }, 'nothing'))

const dir = mkdtempSync(join(tmpdir(), 'reqpm-plain-'))
writeFileSync(join(dir, 'tiny.spec'), spec)
// In a folder of its own each time, as ours are: rpmbuild makes its database anew.
const plain = median(Array.from({ length: runs }, (_, i) => {
  const start = performance.now()
  const [program, ...args] = rpmbuild(join(dir, String(i)), join(dir, 'tiny.spec'))
  const r = spawnSync(program, args)
  if (r.status !== 0) throw new Error(r.stderr.toString())
  return performance.now() - start
}))
const sandboxed = median(await attempts({ 'packages.json': repeat(rpmbuild('/build', '/sources/tiny.spec')), 'tiny.spec': spec }, 'sandboxed'))
const rpms = []
for (let i = 0; i < Math.min(runs, 6); i++) rpms.push(...(await attempts({ 'tiny.spec': spec }, `tiny ${i}`)))
console.log(JSON.stringify({
  benchmark: 'sandbox', runs, plain_rpmbuild_ms: Math.round(plain), sandboxed_rpmbuild_ms: sandboxed, added_ms: Math.round(sandboxed - plain),
  ratio: +(sandboxed / plain).toFixed(2), empty_command_ms: empty, rpm_attempt_ms: median(rpms.slice(1)),
}))
for (const fn of cleanups.reverse()) await fn()
process.exit(0)
