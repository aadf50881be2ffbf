// SPDX-License-Identifier: MIT
//
// What launcher and sandbox add to a run: `command` packages that do nothing, one after the other in one slot, from claim to end; and the same
// program started RUNS times by a plain shell as the floor. Also one small RPM: our attempt against plain rpmbuild of the same spec.
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

const packages = Array.from({ length: runs }, (_, i) => ({ name: `n${i}`, version: '1', command: ['true'] }))
const command = median(await attempts({ 'packages.json': JSON.stringify({ packages }) }, 'nothing'))

const dir = mkdtempSync(join(tmpdir(), 'reqpm-plain-'))
writeFileSync(join(dir, 'tiny.spec'), spec)
const plain = median(Array.from({ length: runs }, () => {
  const start = performance.now()
  const r = spawnSync('rpmbuild', ['-bb', '--define', `_topdir ${dir}`, '--define', `_dbpath ${dir}/db`, join(dir, 'tiny.spec')])
  if (r.status !== 0) throw new Error(r.stderr.toString())
  return performance.now() - start
}))
const rpms = []
for (let i = 0; i < Math.min(runs, 6); i++) rpms.push(...(await attempts({ 'tiny.spec': spec }, `tiny ${i}`)))
console.log(JSON.stringify({
  benchmark: 'sandbox', runs, empty_command_ms: command, rpm_attempt_ms: median(rpms.slice(1)), plain_rpmbuild_ms: Math.round(plain),
  ratio: +(median(rpms.slice(1)) / plain).toFixed(2),
}))
for (const fn of cleanups.reverse()) await fn()
process.exit(0)
