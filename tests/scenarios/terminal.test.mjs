// SPDX-License-Identifier: MIT
//
// The terminal client as somebody meets it who has read no more than `reqpm help`.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { BIN, startReqpm, within } from '../harness.mjs'
import { recordingOf } from '../recording.mjs'
import { commands, gated, openGate, sh, spec } from '../sets.mjs'

function folderOf(server, name, files) {
  const folder = join(server.dir, name)
  mkdirSync(folder, { recursive: true })
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content)
  return folder
}

/** Opens the gate of the upload that this build was made of. */
function openGateOf(server, build) {
  openGate(server, build) // builds and uploads are made in pairs here
}

async function ok(server, args, options) {
  const { code, stdout, stderr } = await server.cli(args, options)
  assert.equal(code, 0, `reqpm ${args.join(' ')}: ${code}\n${stdout}${stderr}`)
  return stdout
}

async function refusal(server, args, expected, options) {
  const { code, stdout, stderr } = await server.cli(args, options)
  assert.equal(code, expected, `reqpm ${args.join(' ')}: ${code}\n${stdout}${stderr}`)
  assert.match(stderr, /^reqpm: [^\n]+\n$/, `reqpm ${args.join(' ')} says one sentence`)
  return stderr
}

const SET = commands({ base: { version: '1.0', ...sh('echo hello from $REQPM_PACKAGE; echo file >results/file') }, app: { requires: ['base'] } })

test('every command does what its help says, for people and as JSON', async (t) => {
  const server = await startReqpm(t)
  const folder = folderOf(server, 'greetings', SET)

  const built = await ok(server, ['build', folder])
  assert.match(built, /build 1: http:\/\/127\.0\.0\.1:\d+\/builds\/1\n/)
  assert.match(built, /build 1 completed: 2 of 2 packages completed/)
  assert.match(built, /page: http.*\/builds\/1\n/)
  assert.match(await ok(server, ['list']), /1 .*greetings.*completed|1 .*completed.*greetings/)
  assert.match(await ok(server, ['show', '1']), /base 1\.0[\s\S]*app/)
  assert.equal(await ok(server, ['log', '1', 'base']), 'hello from base\n')
  assert.match(await ok(server, ['watch', '1']), /build 1 completed/)
  assert.match(await ok(server, ['status']), /./)
  const dry = await ok(server, ['build', '--dry-run', '--name', 'order', folder])
  assert.match(dry, /level 0: base\nlevel 1: app\n/)

  const api = (await server.api('/api/builds/1')).json()
  assert.deepEqual(JSON.parse(await ok(server, ['show', '1', '--json'])), api)
  assert.deepEqual(JSON.parse(await ok(server, ['list', '--json'])).items.map((b) => b.id), [1], 'a dry run is not listed')
  const [said, status] = [JSON.parse(await ok(server, ['status', '--json'])), (await server.api('/api/status')).json()]
  assert.deepEqual([Object.keys(said), said.workers.map((w) => w.name)], [Object.keys(status), status.workers.map((w) => w.name)], 'the object of the API')
  const lines = (await ok(server, ['build', '--json', '--name', 'as JSON', '--fail-fast', folder])).trimEnd().split('\n').map((line) => JSON.parse(line))
  const end = lines.pop()
  assert.deepEqual(end, { type: 'end', status: 'completed' })
  const recording = recordingOf(lines)
  recording.assertIs((await server.api(`/api/builds/${recording.build.id}`)).json())
  assert.deepEqual([recording.build.name, recording.build.fail_fast], ['as JSON', true])
  const log = (await ok(server, ['log', '1', 'base', '--json', '--follow'])).trimEnd().split('\n').map((line) => JSON.parse(line))
  assert.equal(log.filter((m) => m.type === 'log').map((m) => m.data).join(''), 'hello from base\n')

  for (const name of ['serve', 'build', 'watch', 'list', 'show', 'log', 'cancel', 'retry', 'status', 'login']) {
    assert.match(await ok(server, ['help']), new RegExp(`^ +${name} `, 'm'))
    assert.match(await ok(server, [name, '--help']), new RegExp(`^usage: reqpm ${name}`))
  }
  assert.match(await ok(server, ['--version']), /^reqpm \d/)
})

test('exit codes tell what became of a build', async (t) => {
  const server = await startReqpm(t)
  const held = folderOf(server, 'held', commands({ held: gated() }))
  const failing = folderOf(server, 'failing', commands({ bad: sh('exit 1'), next: { requires: ['bad'] } }))

  assert.equal((await server.cli(['build', failing])).code, 1)
  assert.equal((await server.cli(['watch', '1'])).code, 1)

  assert.match(await ok(server, ['build', '--detach', held]), /build 2/)
  const late = await server.cli(['watch', '2', '--timeout', '1s'])
  assert.equal(late.code, 124, late.stdout + late.stderr)
  assert.match(late.stderr, /goes on/)

  const watcher = server.cliStart(['watch', '2'])
  await watcher.until(/held/)
  watcher.process.kill('SIGINT')
  const interrupted = await within(watcher.ended, 'the end after Ctrl-C')
  assert.equal(interrupted.code, 130, interrupted.stdout + interrupted.stderr)
  assert.match(interrupted.stderr, /goes on/)
  assert.equal((await server.api('/api/builds/2')).json().status, 'running')

  assert.match(await ok(server, ['cancel', '2']), /./)
  assert.equal((await server.cli(['watch', '2'])).code, 3)
  await refusal(server, ['cancel', '2'], 2)
  assert.match(await refusal(server, ['watch', '99'], 5), /99|no such build/)
  assert.match(await refusal(server, ['show', '99'], 5), /99|no such build/)
  assert.match(await refusal(server, ['cancel', '99'], 5), /99|no such build/)
  assert.match(await refusal(server, ['retry', '99'], 5), /99|no such build/)
  assert.match(await refusal(server, ['log', '99', 'a'], 5), /99|no such build/)
  assert.match(await refusal(server, ['log', '1', 'nothing'], 2), /reqpm show 1/)

  const again = server.cliStart(['retry', '2', '--progress=plain'])
  const id = Number((await again.until(/build (\d+):/))[1])
  await again.until(/held/)
  openGateOf(server, 2)
  const retried = await within(again.ended, 'the end of the retry')
  assert.equal(retried.code, 0, retried.stdout + retried.stderr)
  assert.equal((await server.api(`/api/builds/${id}`)).json().retry_of, 2)
})

test('what is refused at the door is exit 2 and one sentence that says what to do, and leaves nothing', async (t) => {
  const server = await startReqpm(t, { args: ['--max-upload', '16M'] })
  const json = (name, value) => folderOf(server, name, { 'packages.json': typeof value === 'string' || Buffer.isBuffer(value) ? value : JSON.stringify(value) })
  const packages = (name, list) => json(name, { packages: list })
  const command = ['true']

  assert.match(await refusal(server, ['build', folderOf(server, 'empty', {})], 2), /empty/)
  assert.match(await refusal(server, ['build', join(server.dir, 'missing')], 2), /missing/)
  assert.match(await refusal(server, ['build', folderOf(server, 'pictures', { 'a.png': '' })], 2), /\.spec|packages\.json/)
  assert.match(await refusal(server, ['build', json('garbage', '{"packages": [')], 2), /packages\.json/)
  assert.match(await refusal(server, ['build', packages('typed', [{ name: 1, command }])], 2), /name/)
  assert.match(await refusal(server, ['build', packages('unknown', [{ name: 'a', command, requires: ['ghost'] }])], 2), /ghost/)
  assert.match(await refusal(server, ['build', packages('twins', [{ name: 'a', command }, { name: 'a', command }])], 2), /a/)
  assert.match(await refusal(server, ['build', packages('path', [{ name: '../a', command }])], 2), /\.\.\/a|name/)
  assert.match(await refusal(server, ['build', packages('idle', [{ name: 'a', command: [] }])], 2), /command/)
  assert.match(await refusal(server, ['build', json('latin', Buffer.from('{"packages": [{"name": "\xe9"}]}', 'latin1'))], 2), /packages\.json/)
  assert.match(await refusal(server, ['build', packages('many', Array.from({ length: 100_000 }, (_, i) => ({ name: `p${i}`, command })))], 2), /100000 packages, at most 10000/)
  assert.match(await refusal(server, ['build', folderOf(server, 'heavy', { ...SET, 'big.tar': Buffer.alloc(17 << 20) })], 2), /--max-upload/)
  assert.match(await refusal(server, ['build'], 2), /PATH/)
  assert.match(await refusal(server, ['build', '--no-such-option', server.dir], 2), /--no-such-option/)
  assert.match(await refusal(server, ['watch', 'abc'], 2), /abc/)
  assert.match(await refusal(server, ['watch', '0'], 2), /0/)
  assert.match(await refusal(server, ['watch', '9223372036854775808'], 2), /9223372036854775808/)
  assert.match(await refusal(server, ['no-such-command'], 2), /no-such-command/)
  const cycle = await server.cli(['build', packages('round', [{ name: 'hen', command, requires: ['egg'] }, { name: 'egg', command, requires: ['hen'] }])])
  assert.equal(cycle.code, 2, cycle.stdout + cycle.stderr)
  assert.match(cycle.stderr, /hen needs egg/)

  const list = (await server.api('/api/builds')).json().items
  assert.ok(list.every((build) => build.status === 'failed' && build.error), 'what was refused at the door is no build')
})

test('what the client can see to be refused it does not send', async (t) => {
  const server = await startReqpm(t)
  const sets = ['a', 'b'].map((name) => folderOf(server, name, SET))
  const nobody = ['--server', 'http://127.0.0.1:1'] // who sends something there ends with 4
  assert.match(await refusal(server, ['build', ...sets, ...nobody], 2), /a\/packages\.json .*build its folder by itself/)
  assert.match(await refusal(server, ['build', '--package-timeout', '9999h', sets[0], ...nobody], 2), /--package-timeout can be 168h at most/)
})

test('a disk below its floor is a refusal, not a server that is lost', async (t) => {
  const server = await startReqpm(t, { args: ['--disk-floor', '1000T'] })
  assert.match(await refusal(server, ['build', folderOf(server, 'set', SET)], 2), /disk .*make room/)
})

test('a server that is asked by a name which is not its own says how to give it that name', async (t) => {
  const server = await startReqpm(t)
  assert.match(await refusal(server, ['list', '--server', `http://0.0.0.0:${server.port}`], 2), /0\.0\.0\.0.*--public-url/)
})

test('a list goes on before the build where it ended, in lines of 80 columns', async (t) => {
  const server = await startReqpm(t)
  for (const name of ['one', '漢字のパッケージ', 'three']) await server.ended((await server.submit({ a: {} }, { name })).id)
  const listed = await ok(server, ['list', '--limit', '2'], { env: { LC_ALL: 'C.UTF-8' } })
  const [head, third, second, older] = listed.split('\n')
  const column = head.indexOf('NAME')
  assert.deepEqual([third.slice(column), second.slice(column)], ['three', '漢字のパッケージ'])
  assert.ok(Math.max(head.length, third.length, second.length + 8) <= 80, 'a wide character takes two columns')
  const [, before] = /^older builds: reqpm list --limit 2 --before (\d+)$/.exec(older)
  const rest = await ok(server, ['list', '--limit', '2', '--before', before])
  assert.match(rest, /\n1 .* one\n$/)
  assert.deepEqual(JSON.parse(await ok(server, ['list', '--before', '2', '--json'])).items.map((build) => build.id), [1])
})

test('the client knows the limits of the server', () => {
  const value = (file, name) => new RegExp(`#define ${name} ([\\w( *)]*[\\w)])`).exec(readFileSync(new URL(`../../backend/${file}`, import.meta.url), 'utf8'))[1]
  for (const [ours, theirs] of [['FILES_LIMIT', 'UPLOAD_FILES_MAX'], ['PATH_LIMIT', 'UPLOAD_PATH_MAX'], ['NAME_LIMIT', 'BUILD_NAME_MAX']])
    assert.equal(value('cli/upload.h', `UPLOAD_${ours}`), value('apps/builds/builds.h', theirs), ours)
  assert.equal(value('cli/upload.h', 'PACKAGE_TIMEOUT_LIMIT_S'), value('apps/packages/packages.h', 'PACKAGE_TIMEOUT_MAX_S'))
})

test('without the token nothing is changed, and the sentence says where it is looked for', async (t) => {
  const server = await startReqpm(t)
  const folder = folderOf(server, 'set', SET)
  const env = { REQPM_DATA_DIR: join(server.dir, 'elsewhere') }
  assert.match(await refusal(server, ['build', folder], 2, { env }), /token/)
  assert.match(await refusal(server, ['build', folder], 2, { env: { REQPM_TOKEN: 'wrong' } }), /token/i)
  assert.deepEqual((await server.api('/api/builds')).json().items, [])
  await ok(server, ['build', folder], { env: { ...env, REQPM_TOKEN: server.token } })
  await ok(server, ['list'], { env })
})

test('the link that login prints signs a browser in, once', async (t) => {
  const server = await startReqpm(t)
  const [, code] = /^sign a browser in \(once, within 10 minutes\): http:\/\/127\.0\.0\.1:\d+\/login#(\S+)\n$/.exec(await ok(server, ['login']))
  const signIn = () => server.api('/api/login', { method: 'POST', token: null, headers: { origin: server.url }, body: { code } })
  const answer = await signIn()
  assert.ok(answer.status < 300 && answer.headers['set-cookie'], answer.text())
  assert.ok((await signIn()).status >= 400, 'once only')
  assert.match(await refusal(server, ['login'], 2, { env: { REQPM_TOKEN: 'wrong' } }), /token/)
})

test('output that goes nowhere is exit 4 and one sentence', async (t) => {
  const server = await startReqpm(t)
  const folder = folderOf(server, 'set', SET)
  await ok(server, ['build', folder])
  const shell = (line) => spawnSync('sh', ['-c', line], { encoding: 'utf8', env: { ...process.env, BIN, REQPM_SERVER: server.url, REQPM_DATA_DIR: server.dataDir } })
  for (const command of ['list', 'list --json', 'show 1', 'log 1 base', 'log 1 base --follow', 'log 1 base --json', 'watch 1', 'status', 'login', 'list --help', 'help', '--version', 'serve --help']) {
    const { status, stderr } = shell(`"$BIN" ${command} >/dev/full`)
    assert.deepEqual([status, stderr], [4, 'reqpm: the output cannot be written: it is closed or full\n'], command)
  }
  // Without an output nothing is missing, and no connection takes its place.
  assert.deepEqual(shell('"$BIN" list >&- 2>&-').status, 0)
})

test('a log is whole over a restart, and nothing is complained of', async (t) => {
  const server = await startReqpm(t)
  const folder = folderOf(server, 'held', commands({ held: sh('echo early; until test -e /sources/gate; do sleep 0.05; done; echo late') }))
  await ok(server, ['build', '--detach', folder])
  const follower = server.cliStart(['log', '1', 'held', '--follow'])
  await follower.until(/early/)
  await server.kill9()
  await follower.until(/reconnecting/)
  await new Promise((resolve) => setTimeout(resolve, 2000)) // time to knock in vain
  openGateOf(server, 1)
  await server.restart()
  const { code, stdout, stderr } = await within(follower.ended, 'the end of the log')
  assert.equal(code, 0, stderr)
  assert.match(stdout, /late\n$/)
  assert.doesNotMatch(stderr, /can be reached/)
})

test('a server that is not there is exit 4 and one sentence', async (t) => {
  const server = await startReqpm(t)
  const folder = folderOf(server, 'held', commands({ held: gated() }))
  const watcher = server.cliStart(['build', folder, '--server-timeout', '1s'])
  await watcher.until(/held/)
  await server.kill9()
  const { code, stderr } = await within(watcher.ended, 'the end of the watcher')
  assert.equal(code, 4, stderr)
  assert.match(stderr, /gave up after 1s/)
  for (const args of [['status'], ['list'], ['build', folder], ['watch', '1']]) {
    const said = await refusal(server, [...args, '--server-timeout', '1s'], 4)
    assert.ok(said.includes(server.url), said)
  }
})

test('a log can be followed before its build is prepared', async (t) => {
  const server = await startReqpm(t)
  const endless = await server.submit(await server.upload({ 'endless.spec': 'Name: endless\nVersion: %(while :; do sleep 1; done)\n' }), { name: 'endless' })
  const folder = folderOf(server, 'next', { 'next.spec': spec('next', '', { sections: '%build\necho said' }) })
  await ok(server, ['build', '--detach', folder])
  assert.match(await refusal(server, ['log', '2', 'next'], 2), /build 2 is still being prepared/)
  const follower = server.cliStart(['log', '2', 'next', '--follow'])
  await ok(server, ['cancel', String(endless.id)])
  const { code, stdout, stderr } = await within(follower.ended, 'the end of the log')
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^said$/m)
})

test('a log is followed while it grows, to its end', async (t) => {
  const server = await startReqpm(t)
  const folder = folderOf(server, 'held', commands({ held: sh('echo early; until test -e /sources/gate; do sleep 0.05; done; echo late') }))
  await ok(server, ['build', '--detach', folder])
  const follower = server.cliStart(['log', '1', 'held', '--follow'])
  await follower.until(/early/)
  openGateOf(server, 1)
  const { code, stdout } = await within(follower.ended, 'the end of the log')
  assert.deepEqual([code, stdout], [0, 'early\nlate\n'])
  assert.equal(stdout, readFileSync(join(server.dataDir, 'builds/1/logs/held.log'), 'utf8'))
})

test('who follows can be interrupted while much comes, and while nobody reads what he says', async (t) => {
  const server = await startReqpm(t)
  const folder = folderOf(server, 'big', commands({ big: sh('seq 1 3000000') }))
  await ok(server, ['build', folder])
  const slowly = async (output) => {
    for await (const piece of output) if (piece) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  for (const read of [slowly, () => {}]) {
    for (const args of [['log', '1', 'big', '--follow'], ['log', '1', 'big', '--follow', '--json']]) {
      const follower = spawn(BIN, args, { env: { ...process.env, REQPM_SERVER: server.url }, stdio: ['ignore', 'pipe', 'ignore'] })
      t.after(() => follower.kill('SIGKILL'))
      const ended = new Promise((resolve) => follower.on('exit', (code, signal) => resolve(code ?? signal)))
      await within(new Promise((resolve) => follower.stdout.once('readable', resolve)), 'the first lines')
      read(follower.stdout)
      follower.kill('SIGINT')
      assert.equal(await within(ended, `the end of ${args.join(' ')}`), 130)
    }
  }
})
