// SPDX-License-Identifier: MIT
//
// A whole build of many small commands with viewers, against `xargs -P` over the same commands in the same kind of sandbox.
//   REQPM_BIN=out/release/reqpm node tests/bench/wide.mjs [PACKAGES] [VIEWERS]      prints one JSON line
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync, chmodSync, mkdirSync } from 'node:fs'
import { tmpdir, cpus } from 'node:os'
import { join } from 'node:path'
import { startReqpm } from '../harness.mjs'

const wide = JSON.parse(readFileSync(new URL('../../examples/wide/packages.json', import.meta.url), 'utf8')).packages
const count = Number(process.argv[2] ?? wide.length)
const viewers = Number(process.argv[3] ?? 1)

/** The example's set, as often as it takes: linear growth shows as linear time. */
function packages(n) {
  const out = []
  for (let copy = 0; out.length < n; copy++) {
    for (const p of wide.slice(0, n - out.length)) {
      const rename = (name) => (copy ? `${name}-${copy}` : name)
      out.push({ ...p, name: rename(p.name), requires: (p.requires ?? []).map(rename) })
    }
  }
  return out
}


/** The floor: bubblewrap with the server's kind of sandbox, nothing else around the commands. */
function floor(set) {
  const dir = mkdtempSync(join(tmpdir(), 'reqpm-wide-'))
  const lines = set.map((p, i) => {
    const work = join(dir, String(i)), script = join(dir, `${i}.sh`)
    mkdirSync(join(work, 'results'), { recursive: true })
    chmodSync(work, 0o777)
    writeFileSync(script, `exec ${p.command.map((a) => `'${a.replaceAll("'", "'\\''")}'`).join(' ')}\n`)
    return `bwrap --unshare-all --die-with-parent --new-session --cap-drop ALL --clearenv --setenv PATH /usr/bin:/usr/sbin --setenv HOME /build ` +
      `--setenv REQPM_PACKAGE ${p.name} --ro-bind /usr /usr --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 ` +
      `--dir /etc --proc /proc --dev /dev --tmpfs /tmp --bind ${work} /build --ro-bind ${script} /run.sh --chdir /build sh /run.sh`
  })
  const start = performance.now()
  spawnSync('xargs', ['-P', String(cpus().length), '-I{}', 'sh', '-c', '{} >/dev/null 2>&1'], { input: lines.join('\n') })
  const seconds = (performance.now() - start) / 1000
  rmSync(dir, { recursive: true })
  return seconds
}

const cleanups = []
const t = { after: (fn) => cleanups.push(fn), diagnostic: () => {} }
const set = packages(count)
const server = await startReqpm(t, { args: ['--jobs', String(cpus().length)] })
const floorSeconds = floor(set)
const upload = await server.upload({ 'packages.json': JSON.stringify({ packages: set }) })
const watching = []
const start = performance.now()
const build = await server.submit(upload, { name: 'wide' })
for (let i = 0; i < viewers; i++) watching.push(server.watch(`/ws/builds/${build.id}/`))
const recordings = await Promise.all(watching.map(async (w) => (await w).closed))
const seconds = (performance.now() - start) / 1000
const bytes = (await Promise.all(watching)).map((w) => w.bytes)
const end = await (await server.api(`/api/builds/${build.id}`)).json()
console.log(JSON.stringify({
  benchmark: 'wide', packages: count, viewers, status: end.status, seconds: +seconds.toFixed(2), floor_seconds: +floorSeconds.toFixed(2),
  ratio: +(seconds / floorSeconds).toFixed(2), bytes_per_viewer: Math.round(bytes.reduce((a, b) => a + b, 0) / viewers),
  closes: recordings.length,
}))
for (const fn of cleanups.reverse()) await fn()
process.exit(end.status === 'completed' ? 0 : 1)
