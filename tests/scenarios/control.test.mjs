// SPDX-License-Identifier: MIT
//
// The control script as an operator uses it, on a machine where `./reqpm.sh setup` was run before: with a port, a data folder
// and a log folder of its own, so that a server which runs here anyway is left alone.
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { BIN, Program, eventually, freePort, keysIn, processes, within } from '../harness.mjs'

const ROOT = new URL('../..', import.meta.url).pathname
const SCRIPT = join(ROOT, 'reqpm.sh')
const OWN = join(ROOT, 'out/release/reqpm')
const MINUTES = 5 * 60_000
// The script knows one binary only.
const skip = !existsSync(OWN) || realpathSync(BIN) !== realpathSync(OWN) ? 'the control script uses out/release/reqpm' : false

function listening(port, answer = (req, res) => res.end('{}')) { // it says yes to everything
  const server = createServer(answer)
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)))
}

/** The script with surroundings of its own; what it started is stopped with the test. */
async function control(t) {
  const dir = mkdtempSync(join(tmpdir(), 'reqpm-control-'))
  chmodSync(dir, 0o755) // the user that root becomes must get in
  const port = await freePort()
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('REQPM_')))
  const c = { dir, port, url: `http://127.0.0.1:${port}`, data: join(dir, 'data'), logs: join(dir, 'logs'), ports: [port], keys: new Set() }
  c.env = { ...clean, REQPM_PORT: String(port), REQPM_DATA_DIR: c.data, REQPM_LOG_DIR: c.logs }
  c.start = (args, { env = {}, cwd = dir } = {}) => new Program(SCRIPT, args, { cwd, env: { ...c.env, ...env } })
  c.run = async (args, options) => {
    const ended = await within(c.start(args, options).ended, `./reqpm.sh ${args.join(' ')}`, MINUTES)
    for (const key of keysIn(ended.stdout + ended.stderr)) c.keys.add(key)
    return ended
  }
  c.is = async (expected, args, options) => {
    const ended = await c.run(args, options)
    assert.equal(ended.code, expected, `./reqpm.sh ${args.join(' ')}: ${ended.code}\n${ended.stdout}${ended.stderr}`)
    return ended
  }
  /** What `logs` with these arguments shows, as soon as it has shown each of the patterns. */
  c.logged = async (args, ...patterns) => {
    const tail = c.start(['logs', ...args])
    try {
      for (const pattern of patterns) await tail.until(pattern)
    } finally {
      tail.process.kill('SIGTERM')
    }
    return (await tail.ended).stdout
  }
  c.pid = () => Number(readFileSync(join(c.logs, `server-${port}.pid`), 'utf8').split('\n')[0])
  t.after(async () => {
    for (const used of c.ports) await c.run(['stop'], { env: { REQPM_PORT: String(used) } })
    const logs = existsSync(c.logs) ? readdirSync(c.logs).filter((name) => name.endsWith('.log')).map((name) => readFileSync(join(c.logs, name), 'utf8')) : []
    if (existsSync(join(c.data, 'token'))) c.keys.add(readFileSync(join(c.data, 'token'), 'utf8').trim())
    assert.deepEqual([...c.keys].filter((key) => logs.some((log) => log.includes(key))), [], 'a log tells what opens the server')
    rmSync(dir, { recursive: true, force: true, maxRetries: 20 })
  })
  return c
}

function folder(dir, name, packages) {
  mkdirSync(join(dir, name), { recursive: true })
  writeFileSync(join(dir, name, 'packages.json'), JSON.stringify({ packages }))
}

/** A folder with links to all programs but these, to be the PATH. */
function pathWithout(dir, names) {
  const bin = join(dir, 'bin')
  mkdirSync(bin)
  for (const from of process.env.PATH.split(':').filter((folder) => existsSync(folder)))
    for (const name of readdirSync(from)) if (!names.includes(name) && !existsSync(join(bin, name))) symlinkSync(join(from, name), join(bin, name))
  return bin
}

const oneSentence = (text, pattern) => {
  assert.match(text, /^reqpm(\.sh)?: [^\n]+\n$/)
  assert.match(text, pattern)
}
const stamps = () => ['out/release/reqpm', 'out/release/build.ninja', 'out/page/stamp', 'out/page/page.c'].map((file) => existsSync(join(ROOT, file)) && statSync(join(ROOT, file)).mtimeMs)

test('what is set up already is not set up again, and paths are those of the folder it is called in', { skip }, async (t) => {
  const c = await control(t)
  await c.is(0, ['setup'])
  const before = stamps()
  // A folder and an option's value of the same name, and one that a shell would take apart.
  folder(c.dir, 'my sets/stack', [{ name: 'a', command: ['true'] }])
  folder(c.dir, 'my sets/bad', [{ name: 'b', command: ['false'] }])
  const built = await c.is(0, ['build', 'stack', '--name', 'stack'], { cwd: join(c.dir, 'my sets') })
  assert.match(built.stdout, /build 1 completed: 1 of 1 package completed/)
  assert.match(built.stderr, new RegExp(`^reqpm\\.sh: the server runs: ${c.url} \\(data in ${c.data}, logs in ${c.logs}\\)\n$`), 'nothing else was to be done')
  const again = await c.is(0, ['build', '--detach', 'my sets/stack'])
  assert.equal(again.stderr, '', 'the server runs')
  assert.deepEqual(stamps(), before)
  assert.equal(JSON.parse((await c.is(0, ['show', '1', '--json'])).stdout).name, 'stack')

  const failed = await c.is(1, ['build', './bad'], { cwd: join(c.dir, 'my sets') })
  assert.ok(failed.stdout.includes(`\n      ${SCRIPT} log 3 b\n`), 'what it says to type can be typed')
  assert.ok(existsSync(join(c.data, 'token')))

  const did = [/build 1: a starts in slot 1, attempt 1/, /build 1: a completed/, /build 3: b the command ended with exit status 1/]
  const worker = await c.logged(['worker'], ...did)
  const server = await c.logged(['server'], /serves http/)
  for (const pattern of did) assert.doesNotMatch(server, pattern)
  assert.doesNotMatch(worker, /serves http/)
  assert.match(await c.logged(['all'], /serves http/, ...did), /==> .*server\.log <==[\s\S]*==> .*worker\.log <==/)
})

test('a server is started, asked, restarted and stopped', { skip }, async (t) => {
  const c = await control(t)
  assert.equal((await c.is(4, ['status'])).stdout, '')
  oneSentence((await c.is(4, ['login'])).stderr, /no reqpm server can be reached .* \.\/reqpm\.sh start|start one with "\.\/reqpm\.sh start"/)
  oneSentence((await c.is(1, ['logs'])).stderr, /server\.log/)

  const link = /sign a browser in \(once, within 10 minutes\): (http:\S+\/login#\S+)\n$/
  const links = new Set()
  const take = (text) => links.add(link.exec(text)?.[1] ?? assert.fail(text))
  take((await c.is(0, ['start'])).stderr)
  const pid = c.pid()
  const second = (await c.is(0, ['start'])).stderr
  assert.match(second, new RegExp(`the server runs already \\(process ${pid}, ${c.url}\\)\n`))
  take(second)
  take((await c.is(0, ['login'])).stdout)
  assert.equal(links.size, 3, 'each link is a new one')
  for (const url of links) {
    const body = JSON.stringify({ code: url.split('#')[1] })
    const answer = await fetch(`${c.url}/api/login`, { method: 'POST', headers: { 'content-type': 'application/json', origin: c.url }, body })
    assert.ok(answer.ok && answer.headers.get('set-cookie'), `${url}: ${answer.status}`)
    for (const key of keysIn(answer.headers.get('set-cookie'))) c.keys.add(key)
  }
  assert.match((await c.is(0, ['status'])).stdout, /^healthy: yes$/m)
  assert.match((await c.is(0, ['list'])).stdout, /no builds/)

  oneSentence((await c.is(2, ['logs', 'everything'])).stderr, /server, worker or all/)

  take((await c.is(0, ['restart', '--disk-floor', '1000T'])).stderr)
  assert.notEqual(c.pid(), pid)
  assert.match((await c.is(1, ['status'])).stdout, /^healthy: no$/m)
  assert.match((await c.is(0, ['stop'])).stderr, /stopped/)
  await c.is(4, ['status'])
  assert.match((await c.is(0, ['stop'])).stderr, /no server runs on port/)

  assert.match((await c.is(0, ['build', '--help'])).stdout, /^usage: reqpm build/)
  oneSentence((await c.is(2, ['build'])).stderr, /build PATH/)
  await c.is(4, ['status'])
})

test('two that start at once end with one server, which both know', { skip }, async (t) => {
  const c = await control(t)
  const both = await Promise.all([c.run(['start']), c.run(['start'])])
  assert.deepEqual(both.map(({ code }) => code), [0, 0], JSON.stringify(both))
  assert.equal(both.filter(({ stderr }) => /the server runs already/.test(stderr)).length, 1)
  await c.is(0, ['status'])
})

test('the server holds nothing open that its caller had open', { skip }, async (t) => {
  const c = await control(t)
  const started = new Program(SCRIPT, ['start'], { cwd: c.dir, env: c.env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] })
  started.process.stdio[3].resume()
  const { code, stderr } = await within(started.ended, 'the end of all that the script was given')
  assert.equal(code, 0, stderr)
  await c.is(0, ['status'])
})

test('what the command line says of port, data and address counts', { skip }, async (t) => {
  const c = await control(t)
  const other = await freePort()
  const env = { REQPM_PORT: String(other) }
  c.ports.push(other)
  const url = `http://127.0.0.2:${other}`
  const started = await c.is(0, ['start', '--port', String(other), '--data-dir=mine', '--bind', '127.0.0.2', '--public-url', url])
  assert.match(started.stderr, new RegExp(`the server runs: ${url} \\(data in ${c.dir}/mine,`))
  assert.ok(started.stderr.includes(`${url}/login#`))
  await c.is(0, ['status'], { env })
  folder(c.dir, 'set', [{ name: 'a', command: ['true'] }])
  await c.is(0, ['build', 'set'], { env })
  await c.is(4, ['status'])
  assert.match((await c.is(0, ['stop'], { env })).stderr, /stopped/)
  oneSentence((await c.is(2, ['status'], { env: { REQPM_PORT: 'http' } })).stderr, /a number between 1 and 65535, not "http"/)
  oneSentence((await c.is(2, ['start', '--prot', '1'])).stderr, /--prot; did you mean --port/)
})

test('a server on another port has the data folder that was meant for it, and keeps it over a restart', { skip }, async (t) => {
  const c = await control(t)
  const other = await freePort()
  c.ports.push(other)
  await c.is(0, ['start'])
  const meant = join(c.dir, 'other')
  const env = { REQPM_DATA_DIR: meant }
  assert.match((await c.is(0, ['start', '--port', String(other)], { env })).stderr, new RegExp(`data in ${meant},`))
  assert.match((await c.is(0, ['restart', '--port', String(other)], { env })).stderr, new RegExp(`stopped\n[^]*data in ${meant},`))
  assert.match((await c.is(0, ['restart', '--port', String(other)])).stderr, new RegExp(`data in ${meant},`), 'without a word about it, too')
  for (const port of [c.port, other]) await c.is(0, ['status'], { env: { REQPM_PORT: String(port) } })
  assert.match((await c.is(0, ['start', '--help'])).stdout, /^usage: reqpm serve/)
})

test('who has neither a home nor a data folder is told so, and no folder of his becomes one', { skip }, async (t) => {
  const c = await control(t)
  const { bin } = pretenders(c, { id: as(1000) })
  const program = new Program(SCRIPT, ['status'], { cwd: c.dir, env: { PATH: `${bin}:${process.env.PATH}`, REQPM_PORT: String(c.port), REQPM_LOG_DIR: c.logs } })
  const { code, stderr } = await within(program.ended, 'the script without a home')
  assert.equal(code, 1)
  oneSentence(stderr, /HOME is not set: say in REQPM_DATA_DIR/)
  assert.deepEqual(readdirSync(c.dir).sort(), ['calls', 'pretenders'])
})

test('a process that got the number of a server is left alone', { skip }, async (t) => {
  const c = await control(t)
  await c.is(0, ['start'])
  const notes = join(c.logs, `server-${c.port}.pid`), lines = readFileSync(notes, 'utf8').split('\n')
  await c.is(0, ['stop'])
  const foreign = spawn('sh', ['-c', 'read never', 'serve'])
  t.after(() => foreign.kill('SIGKILL'))
  writeFileSync(notes, [foreign.pid, ...lines.slice(1)].join('\n'))
  assert.match((await c.is(0, ['stop'])).stderr, /no server runs on port/)
  assert.equal(foreign.exitCode ?? foreign.signalCode, null)
  await c.is(0, ['start'])
})

test('a port that somebody else has is one sentence, whatever answers there', { skip }, async (t) => {
  const c = await control(t)
  const foreign = await listening(c.port)
  t.after(() => foreign.close())
  oneSentence((await c.is(1, ['start'])).stderr, new RegExp(`port ${c.port} .*in use`))
  assert.ok(!existsSync(join(c.logs, `server-${c.port}.pid`)))
  folder(c.dir, 'set', [{ name: 'a', command: ['true'] }])
  oneSentence((await c.is(4, ['build', 'set'])).stderr, /no reqpm server/)
  assert.match((await c.is(0, ['stop'])).stderr, /no server runs/)
  assert.equal((await fetch(c.url)).status, 200, 'it is still there')
})

test('what does not compile leaves the server that runs', { skip }, async (t) => {
  const c = await control(t)
  await c.is(0, ['start'])
  const pid = c.pid()
  mkdirSync(join(c.dir, 'broken'))
  writeFileSync(join(c.dir, 'broken/ninja'), '#!/bin/sh\necho "x.c:1: error: no"\nexit 1\n', { mode: 0o755 })
  const { stderr } = await c.is(1, ['restart'], { env: { PATH: `${join(c.dir, 'broken')}:${process.env.PATH}` } })
  assert.match(stderr, /x\.c:1: error: no\nreqpm\.sh: reqpm does not compile\n$/)
  assert.equal(c.pid(), pid)
  await c.is(0, ['status'])
})

test('a tool that is missing is named where nothing can install it', { skip }, async (t) => {
  const c = await control(t)
  const PATH = pathWithout(c.dir, ['apt-get', 'dnf', 'bwrap', 'createrepo_c'])
  oneSentence((await c.is(1, ['start'], { env: { PATH } })).stderr, /no createrepo_c, bwrap here/)
  rmSync(PATH, { recursive: true })
  await c.is(0, ['setup'], { env: { PATH: pathWithout(c.dir, ['apt-get', 'dnf']) } })
})

/** Programs for the front of the PATH that note in `calls` how they were called; what they do besides is a line of shell. */
function pretenders(c, programs) {
  const bin = join(c.dir, 'pretenders')
  mkdirSync(bin)
  const calls = join(c.dir, 'calls')
  for (const [name, does] of Object.entries(programs)) writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >>${calls}\n${does}\n`, { mode: 0o755 })
  return { bin, calls: () => readFileSync(calls, 'utf8').trimEnd().split('\n') }
}

/** What docs/operations.md says is needed: [to compile, to build packages], each a list of packages. */
function documented(system) {
  const rows = [...readFileSync(join(ROOT, 'docs/operations.md'), 'utf8').matchAll(/^\| to (?:compile|build packages) \| `(.*)` \| `(.*)` \|$/gm)]
  return rows.map((row) => row[system === 'Debian' ? 1 : 2])
}

const as = (uid) => `[ "$*" = -u ] && echo ${uid}`
const APT = { 'apt-get': '', 'dpkg-query': 'shift 3; for p; do case " $LACKING " in *" $p "*) ;; *) echo "ii  $p" ;; esac; done', getent: '' }
const INSTALL = 'apt-get install -y -qq --no-install-recommends'

test('setup says what it installs and why, and as root installs just that', { skip }, async (t) => {
  const c = await control(t)
  const fake = pretenders(c, { ...APT, id: as(0) })
  const PATH = `${fake.bin}:${process.env.PATH}`
  const some = await c.is(0, ['setup'], { env: { PATH, LACKING: 'libuv1-dev meson bubblewrap' } })
  assert.equal(some.stderr, `reqpm.sh: installing meson libuv1-dev (to compile reqpm)\nreqpm.sh: installing bubblewrap (to build packages)\nreqpm.sh: ready: ${OWN}\n`)
  const asked = () => fake.calls().filter((call) => call.startsWith('apt-get'))
  assert.deepEqual(asked(), ['apt-get update -qq', `${INSTALL} meson libuv1-dev`, 'apt-get update -qq', `${INSTALL} bubblewrap`])
  const [compile, build] = documented('Debian')
  await c.is(0, ['setup'], { env: { PATH, LACKING: `${compile} ${build} curl` } })
  assert.deepEqual(asked().slice(4), ['apt-get update -qq', `${INSTALL} ${compile}`, 'apt-get update -qq', `${INSTALL} ${build} curl`], 'as documented, and curl for the script itself')
})

test('setup installs with sudo for who is not root, and without sudo says what root would type', { skip }, async (t) => {
  const c = await control(t)
  const fake = pretenders(c, { ...APT, id: as(1000), sudo: 'exec "$@"' })
  const bin = pathWithout(c.dir, ['sudo'])
  await c.is(0, ['setup'], { env: { PATH: `${fake.bin}:${bin}`, LACKING: 'meson' } })
  const [sudo, ...asked] = fake.calls().filter((call) => /^(sudo|apt-get)/.test(call))
  assert.match(sudo, /^sudo env DEBIAN_FRONTEND=noninteractive sh -c apt-get update .* meson$/)
  assert.deepEqual(asked, ['apt-get update -qq', `${INSTALL} meson`])
  rmSync(join(fake.bin, 'sudo'))
  const alone = await c.is(1, ['setup'], { env: { PATH: `${fake.bin}:${bin}`, LACKING: 'meson bubblewrap' } })
  oneSentence(alone.stderr, /missing to compile reqpm: meson; .*needs root, and sudo is not here; as root: apt-get install meson$/m)
  writeFileSync(join(fake.bin, 'sudo'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  assert.match((await c.is(1, ['setup'], { env: { PATH: `${fake.bin}:${bin}`, LACKING: 'meson' } })).stderr, /\nreqpm\.sh: apt-get could not install: meson\n$/)
})

test('setup installs with dnf where there is no apt-get', { skip }, async (t) => {
  const c = await control(t)
  const lacks = 'for p; do :; done; case " $LACKING " in *" $p "*) exit 1 ;; esac'
  const fake = pretenders(c, { dnf: '', rpm: lacks, id: as(0), getent: '' })
  const [compile, build] = documented('Fedora')
  await c.is(0, ['setup'], { env: { PATH: `${fake.bin}:${pathWithout(c.dir, ['apt-get'])}`, LACKING: `${compile} ${build} curl` } })
  assert.deepEqual(fake.calls().filter((call) => call.startsWith('dnf')), [`dnf -q -y install ${compile}`, `dnf -q -y install ${build} curl`])
})

test('the script knows the data folder that server and client have by themselves', { skip }, async (t) => {
  const c = await control(t)
  const refusing = await listening(0, (req, res) => res.writeHead(401, { 'content-type': 'application/problem+json' }).end('{"detail":"no"}'))
  t.after(() => refusing.close())
  const bin = pretenders(c, { id: '[ "$*" = -u ] && echo $AS' }).bin
  const env = { REQPM_DATA_DIR: '', REQPM_PORT: String(refusing.address().port), PATH: `${bin}:${process.env.PATH}`, HOME: '/a', XDG_STATE_HOME: '' }
  const token = async (more) => (await c.is(2, ['cancel', '1'], { env: { ...env, ...more } })).stderr
  assert.match(await token({ AS: '0', XDG_STATE_HOME: '/b' }), / \/var\/lib\/reqpm\/token/)
  assert.match(await token({ AS: '1000', XDG_STATE_HOME: '/b' }), / \/b\/reqpm\/token/)
  assert.match(await token({ AS: '1000' }), / \/a\/\.local\/state\/reqpm\/token/)
})

test('a log folder without room for a line is one sentence, and no server stays', { skip: skip || (process.getuid() !== 0 && 'only root makes a small disk') }, async (t) => {
  const c = await control(t)
  mkdirSync(c.logs)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=0755', 'small', c.logs]).status !== 0) return t.skip('no file system can be mounted here')
  try {
    spawnSync('dd', ['if=/dev/zero', `of=${join(c.logs, 'filler')}`])
    oneSentence((await c.is(1, ['start'])).stderr, /full/)
    assert.deepEqual([...processes('cmdline')].filter(([, text]) => text.includes(c.data)), [])
  } finally {
    execFileSync('umount', ['-l', c.logs])
  }
})

test('a folder that cannot be used is one sentence', { skip }, async (t) => {
  const c = await control(t)
  oneSentence((await c.is(1, ['start'], { env: { REQPM_LOG_DIR: '/dev/null/logs' } })).stderr, /REQPM_LOG_DIR/)
  oneSentence((await c.is(1, ['start'], { env: { REQPM_DATA_DIR: '/dev/null/data' } })).stderr, /\/dev\/null/)
})

test('what is installed is one file, which needs nothing else of the checkout', { skip }, async (t) => {
  const c = await control(t)
  await c.is(0, ['setup'])
  const to = join(c.dir, 'installed')
  execFileSync('meson', ['install', '-C', join(ROOT, 'out/release'), '--no-rebuild'], { env: { ...c.env, DESTDIR: to }, stdio: 'pipe' })
  const files = readdirSync(to, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  assert.deepEqual(files.map(({ name }) => name), ['reqpm'])
  const { code, stdout } = await new Program(join(files[0].parentPath ?? files[0].path, 'reqpm'), ['--version'], { cwd: '/' }).ended
  assert.deepEqual([code, /^reqpm \d/.test(stdout)], [0, true], stdout)
})

test('a server that was killed is not taken for one that runs', { skip }, async (t) => {
  const c = await control(t)
  await c.is(0, ['start'])
  const pid = c.pid()
  process.kill(pid, 'SIGKILL')
  await eventually(() => fetch(c.url).then(() => false, () => true), 'the end of the server')
  assert.match((await c.is(0, ['start'])).stderr, /the server runs: /)
  assert.notEqual(c.pid(), pid)
})
