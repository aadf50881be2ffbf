// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { BIN, Program, startReqpm, within } from '../harness.mjs'

const USER = process.getuid() === 0 ? ['--user', 'nobody'] : []

function folder(t) {
  const dir = mkdtempSync(join(tmpdir(), 'reqpm-test-'))
  chmodSync(dir, 0o755)
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** `reqpm serve` that must not start: its one sentence. */
async function refused(args, env = {}) {
  const program = new Program(BIN, ['serve', ...args], { env: { ...process.env, ...env } })
  const { code, signal, stdout, stderr } = await within(program.ended, `the end of serve ${args.join(' ')}`, 20_000).finally(() => program.process.kill('SIGTERM'))
  assert.equal(signal, null)
  assert.ok(code !== 0, stdout + stderr)
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
