// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { BIN, Program, freePort, startReqpm, USERS, within } from '../harness.mjs'
import { commands } from '../sets.mjs'

const USER = process.getuid() === 0 ? ['--user', 'nobody'] : []

function folder(t) {
  const dir = mkdtempSync(join(tmpdir(), 'reqpm-test-'))
  chmodSync(dir, 0o755)
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** `reqpm serve` that must not start: its one sentence. */
async function refused(args, env = {}, expected) {
  const program = new Program(BIN, ['serve', ...args], { env: { ...process.env, ...env } })
  const { code, signal, stdout, stderr } = await within(program.ended, `the end of serve ${args.join(' ')}`, 20_000).finally(() => program.process.kill('SIGTERM'))
  assert.equal(signal, null)
  assert.ok(expected ? code === expected : code !== 0, `${code}\n${stdout}${stderr}`)
  assert.equal(stdout, '')
  const sentences = stderr.split('\n').filter((line) => line && !line.startsWith('{'))
  assert.equal(sentences.length, 1, stderr)
  assert.match(sentences[0], /^reqpm: /)
  return sentences[0]
}

test('ps tells the keeper from the server: only the server shows the command line that was typed', async (t) => {
  const server = await startReqpm(t)
  const shown = (pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').replace(/\0.*/s, '')
  assert.equal(shown(server.process.pid), `reqpm --keeper ${server.dataDir}`)
  assert.equal(shown(server.pid), BIN)
})

test('a second server on the same data folder is refused with one sentence, the first goes on', async (t) => {
  const server = await startReqpm(t)
  const sentence = await refused(['--port', '0', '--data-dir', server.dataDir, ...server.userArgs])
  assert.ok(sentence.includes(server.dataDir), sentence)
  assert.match(sentence, /another reqpm server/)
  const build = await server.submit({ a: {} })
  assert.equal((await server.ended(build.id)).status, 'completed')
})

test('a port in use is refused with one sentence that names it', async (t) => {
  const server = await startReqpm(t)
  const sentence = await refused(['--port', String(server.port), '--data-dir', join(folder(t), 'data'), ...server.userArgs])
  assert.ok(sentence.includes(String(server.port)), sentence)
  assert.match(sentence, /in use/)
})

test('what this version cannot do is refused with one sentence that says what to do', async (t) => {
  const dir = join(folder(t), 'data')
  const args = ['--port', '0', '--data-dir', dir, ...USER]
  assert.match(await refused([...args, '--redis-url', 'redis://localhost']), /Redis.*leave it out/)
  assert.match(await refused([...args, '--database-url', 'postgresql://localhost/x']), /PostgreSQL.*leave it out/)
  assert.match(await refused(args, { REQPM_REDIS_URL: 'redis://localhost' }), /REQPM_REDIS_URL/)
  assert.match(await refused(args, { REQPM_DATABASE_URL: 'postgresql://localhost' }), /REQPM_DATABASE_URL/)
})

test('options that make no sense are refused with one sentence that names them', async (t) => {
  const dir = folder(t)
  const data = join(dir, 'data')
  const file = join(dir, 'file')
  const foreign = join(dir, 'foreign')
  writeFileSync(file, '')
  mkdirSync(foreign)
  writeFileSync(join(foreign, 'thesis.tex'), '')
  const args = (...more) => ['--port', '0', '--data-dir', data, ...USER, ...more]
  assert.match(await refused(args('--jobs', '0')), /--jobs/)
  assert.match(await refused(args('--jobs', 'many')), /--jobs/)
  assert.match(await refused(args('--no-such-option')), /--no-such-option/)
  assert.match(await refused(args('stray')), /stray/)
  assert.match(await refused(['--port', '70000', '--data-dir', data, ...USER]), /port/)
  assert.match(await refused(['--data-dir', data, ...USER], { REQPM_PORT: 'http' }), /REQPM_PORT/)
  assert.match(await refused(['--port', '0', '--data-dir', file, ...USER]), /file/)
  assert.match(await refused(['--port', '0', '--data-dir', foreign, ...USER]), /foreign.*--data-dir/)
  assert.match(await refused(args('--static-dir', join(dir, 'missing'))), /missing/)
  assert.match(await refused(args('--public-url', 'not a url')), /public/)
  assert.match(await refused(args('--bind', '192.0.2.1', '--public-url', 'http://build.example.org:8000')), /192\.0\.2\.1 is no address of this machine/)
  if (process.getuid() === 0) {
    assert.match(await refused(['--port', '0', '--data-dir', data, '--user', 'nobody-of-this-name']), /nobody-of-this-name.*useradd/)
    assert.match(await refused(['--port', '0', '--data-dir', data, '--user', 'root']), /root/)
  }
})

/** A server of this user who is told by his surroundings alone where its data is; a build that finds the token there. */
async function finds(t, uid, surroundings, where) {
  const dir = folder(t)
  const bin = join(dir, 'reqpm') // the checkout may be where only the one who runs the test can go
  copyFileSync(BIN, bin)
  mkdirSync(join(dir, 'set'))
  writeFileSync(join(dir, 'set/packages.json'), commands({ a: {} })['packages.json'])
  if (uid !== undefined) chownSync(dir, uid, uid)
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^REQPM_|^XDG_/.test(name)))
  const port = await freePort()
  const options = { cwd: dir, env: { ...clean, HOME: join(dir, 'home'), ...surroundings(dir, port) }, ...(uid !== undefined && { uid, gid: uid }) }
  const server = new Program(bin, ['serve', ...(options.env.REQPM_PORT ? [] : ['--port', String(port)]), ...(uid === undefined ? USER : [])], options)
  t.after(() => server.process.kill('SIGKILL'))
  const [, url] = await server.until(/^reqpm serves (\S+)$/m)
  assert.equal(url, `http://127.0.0.1:${port}`)
  assert.ok(existsSync(join(dir, where, 'token')), server.stderr)
  const built = await within(new Program(bin, ['build', 'set', '--server', url], options).ended, 'the build')
  assert.equal(built.code, 0, built.stdout + built.stderr)
  server.process.kill('SIGTERM')
  assert.equal((await within(server.ended, 'the end of the server')).code, 0)
}

test('without --data-dir a server keeps its data where its user keeps such things, and his terminal finds the token there', async (t) => {
  const { uid } = USERS.at(-1)
  await finds(t, uid, (dir) => ({ XDG_STATE_HOME: join(dir, 'state') }), 'state/reqpm')
  await finds(t, uid, () => ({}), 'home/.local/state/reqpm')
  await finds(t, uid, () => ({ XDG_STATE_HOME: '' }), 'home/.local/state/reqpm')
})

test('REQPM_PORT and REQPM_DATA_DIR say where a server is and where its data is', async (t) => {
  const { uid } = USERS.at(-1) // a fault of root's would touch the data of this machine
  await finds(t, uid, (dir, port) => ({ REQPM_PORT: String(port), REQPM_DATA_DIR: join(dir, 'mine'), XDG_STATE_HOME: join(dir, 'state') }), 'mine')
})

test('a data or log folder without room is refused with one sentence', { skip: process.getuid() !== 0 && 'only root makes a small disk' }, async (t) => {
  const dir = folder(t)
  const small = join(dir, 'small')
  mkdirSync(small)
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,nr_inodes=8,mode=0755', 'small', small]).status !== 0) return t.skip('no file system can be mounted here')
  try {
    spawnSync('dd', ['if=/dev/zero', `of=${join(small, 'filler')}`])
    assert.match(await refused(['--port', '0', '--data-dir', join(small, 'data'), ...USER], {}, 1), /No space left|full/)
    rmSync(join(small, 'data'), { recursive: true, force: true })
    for (let i = 0; i < 8; i++) spawnSync('touch', [join(small, String(i))])
    assert.match(await refused(['--port', '0', '--data-dir', join(dir, 'data'), '--log-file', join(small, 'server.log'), ...USER], {}, 1), /server\.log.*No space left/)
    assert.match(await refused(['--port', '0', '--data-dir', join(dir, 'data'), '--worker-log-file', join(small, 'worker.log'), ...USER], {}, 1), /worker\.log.*No space left/)
  } finally {
    execFileSync('umount', ['-l', small])
  }
})

test('who lets others in must say by which name they come', async (t) => {
  const args = ['--port', '0', '--data-dir', join(folder(t), 'data'), ...USER]
  for (const bind of ['0.0.0.0', '::', '192.0.2.1', '::ffff:127.0.0.1'])
    assert.match(await refused([...args, '--bind', '127.0.0.1', '--bind', bind]), new RegExp(`--bind ${bind} .*--public-url`))
  const open = await startReqpm(t, { args: ['--bind', '0.0.0.0', '--public-url', 'http://build.example.org'] })
  const status = (host) => open.api('/healthz', { token: null, headers: { host } }).then((answer) => answer.status)
  assert.deepEqual([await status('build.example.org'), await status('192.0.2.1'), await status(`127.0.0.1:${open.port}`)], [200, 421, 200])
  for (const bind of ['localhost', '127.0.0.2', '127.0.0.1']) {
    const closed = await startReqpm(t, { args: ['--bind', bind] })
    assert.equal(await closed.stop(), 0)
  }
})

test('a server that is stopped and started keeps its token, its builds and its numbers', async (t) => {
  const server = await startReqpm(t)
  const { token } = server
  const first = await server.submit({ a: {} })
  const document = await server.ended(first.id)
  assert.equal(await server.stop(), 0)
  await server.restart()
  assert.equal(server.token, token)
  assert.deepEqual((await server.api(`/api/builds/${first.id}`)).json(), document)
  const second = await server.submit({ b: {} })
  assert.equal(second.id, first.id + 1)
  assert.equal((await server.ended(second.id)).epoch, document.epoch)
})
