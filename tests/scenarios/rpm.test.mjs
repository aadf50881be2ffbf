// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { Program, startReqpm, startStacking, USERS, within } from '../harness.mjs'
import { spec } from '../sets.mjs'

const EXAMPLES = new URL('../../examples/', import.meta.url).pathname
const QUICK = process.env.REQPM_QUICK === '1'
const byName = (document) => Object.fromEntries(document.queue_items.map((item) => [item.package.name, item]))

function run(file, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(file, args, { encoding: 'buffer', maxBuffer: 1 << 28, ...options })
  assert.equal(status, 0, `${file} ${args.join(' ')}: ${error ?? ''}${stderr}`)
  return stdout
}

function gunzipOrSo(bytes, name) {
  if (name.endsWith('.gz')) return gunzipSync(bytes)
  if (name.endsWith('.zst')) return run('zstd', ['-dc'], { input: bytes })
  return bytes
}

/** The packages of a build's repository, each fetched and held against its checksum: {name: bytes}. */
async function repository(server, id) {
  const get = async (path) => {
    const answer = await server.api(`/api/builds/${id}/repo/${path}`)
    assert.equal(answer.status, 200, `${path}: ${answer.text()}`)
    return answer.bytes
  }
  const repomd = (await get('repodata/repomd.xml')).toString()
  for (const [, data] of repomd.matchAll(/<data type="[^"]*">([\s\S]*?)<\/data>/g)) {
    const bytes = await get(/<location href="([^"]+)"/.exec(data)[1])
    assert.equal(createHash('sha256').update(bytes).digest('hex'), /<checksum type="sha256">(\w+)</.exec(data)[1])
  }
  const href = /<data type="primary">[\s\S]*?<location href="([^"]+)"/.exec(repomd)[1]
  const primary = gunzipOrSo(await get(href), href).toString()
  const packages = {}
  for (const [, entry] of primary.matchAll(/<package type="rpm">([\s\S]*?)<\/package>/g)) {
    const bytes = await get(/<location href="([^"]+)"/.exec(entry)[1])
    assert.equal(createHash('sha256').update(bytes).digest('hex'), /<checksum type="sha256"[^>]*>(\w+)</.exec(entry)[1])
    packages[/<name>([^<]+)</.exec(entry)[1]] = bytes
  }
  assert.equal(Object.keys(packages).length, Number(/<metadata[^>]* packages="(\d+)"/.exec(primary)[1]))
  assert.match((await get('reqpm.repo')).toString(), new RegExp(`^\\[[\\s\\S]*baseurl *= *${server.url}/api/builds/${id}/repo/`))
  return packages
}

function unpack(packages, folder) {
  mkdirSync(folder)
  for (const bytes of Object.values(packages)) run('cpio', ['-idm', '--quiet', '--no-absolute-filenames'], { cwd: folder, input: run('rpm2cpio', ['-'], { input: bytes }) })
}

test('examples/broken ends failed, with the line that shows the cause, and what needs it is blocked', async (t) => {
  const server = await startStacking(t)
  if (!server) return
  const { code, stdout, stderr } = await server.cli(['build', '--progress=plain', join(EXAMPLES, 'broken')])
  assert.equal(code, 1, stdout + stderr)
  assert.match(stdout, /libdial.*failed in %build/)
  const document = (await server.api('/api/builds/1')).json()
  const items = byName(document)
  assert.deepEqual([document.status, document.completed_packages, document.failed_packages, document.blocked_packages], ['failed', 4, 1, 2])
  const { libdial } = items
  assert.deepEqual([libdial.status, libdial.reason, libdial.phase], ['failed', 'build', '%build'])
  assert.match(libdial.error_text, /dial\.c:10:.*too few arguments to function .gauge_open./)
  const log = (await server.api(`/api/queue/${libdial.id}/log`)).text().split('\n')
  assert.equal(log[libdial.error_line - 1], libdial.error_text)
  for (const name of ['dialview', 'almanac-chart']) assert.deepEqual([items[name].status, items[name].blocked_by.name], ['blocked', 'libdial'])

  const repo = await repository(server, 1)
  assert.ok(repo['libgauge-devel'] && repo.gaugectl && !repo.libdial, Object.keys(repo).join(' '))
  await server.nothingLeft()
})

test('the programs of examples/stack run out of the RPMs, which dnf finds in the repository', { skip: QUICK && 'REQPM_QUICK is set' }, async (t) => {
  const server = await startStacking(t)
  if (!server) return
  const { code, stdout, stderr } = await server.cli(['build', '--progress=plain', join(EXAMPLES, 'stack')])
  assert.equal(code, 0, stdout + stderr)
  const document = (await server.api('/api/builds/1')).json()
  assert.deepEqual([document.status, document.total_packages, document.completed_packages], ['completed', 14, 14])
  assert.ok(document.plan.levels.length >= 4, JSON.stringify(document.plan.levels))
  const ended = Object.fromEntries(document.queue_items.map((item) => [item.id, Date.parse(item.completed_at)]))
  for (const item of document.queue_items) for (const need of item.needs) assert.ok(ended[need] <= Date.parse(item.started_at), `${item.package.name} began before ${need} had ended`)

  const repo = await repository(server, 1)
  const root = join(server.dir, 'root')
  unpack(repo, root)
  const env = { ...process.env, LD_LIBRARY_PATH: `${root}/usr/lib64:${root}/usr/lib`, HAMPER_DATA: `${root}/usr/share/hamper` }
  const file = join(server.dir, 'hello')
  writeFileSync(file, 'hello\n')
  for (const name of readdirSync(join(root, 'usr/bin'))) {
    const { status, stdout: said, stderr: wrong } = spawnSync(join(root, 'usr/bin', name), ['--version'], { env, encoding: 'utf8' })
    assert.ok(status === 0 && /\d+\.\d+/.test(said), `${name} --version: ${status} ${said}${wrong}`)
  }
  const sums = run(join(root, 'usr/bin/cairnsum'), [file], { env }).toString()
  assert.ok(sums.includes(run('sha256sum', [file]).toString().split(' ')[0]), sums)

  if (spawnSync('dnf', ['--version']).error) t.skip('dnf is not here')
  else {
    const dnf = new Program('dnf', ['--repofrompath', `built,${server.url}/api/builds/1/repo/`, '--repoid', 'built', '--setopt=reposdir=/dev/null', '--setopt=built.gpgcheck=0', `--setopt=cachedir=${server.dir}/dnf`, '--releasever=1', `--installroot=${server.dir}/installed`, 'repoquery', '--qf', '%{name}'])
    const listed = await within(dnf.ended, 'dnf repoquery')
    assert.equal(listed.code, 0, listed.stderr)
    assert.deepEqual(listed.stdout.trim().split('\n').sort(), Object.keys(repo).sort())
  }
  await server.nothingLeft()
})

test('examples/wide is ordered without being built: 185 packages with 443 needs on five levels', async (t) => {
  const server = await startReqpm(t)
  const { code, stdout, stderr } = await server.cli(['build', '--dry-run', '--progress=plain', join(EXAMPLES, 'wide')])
  assert.equal(code, 0, stdout + stderr)
  const levels = [...stdout.matchAll(/^level \d+: (.*)$/gm)].map(([, names]) => names.split(' '))
  assert.deepEqual([levels.length, new Set(levels.flat()).size], [5, 185])
  assert.equal((await server.api('/api/builds/1')).json().plan.edges.length, 443)
})

const files = (...lines) => ({ sections: lines.join('\n') })

for (const { who, uid } of USERS) {
  test(`a package is installed in the build root of what needs it, ${who}`, async (t) => {
    const server = await startStacking(t, { uid })
    if (!server) return
    const upload = await server.upload({
      'words.txt': 'one two three\n',
      'words.spec': spec('words', 'Source0: words.txt\nProvides: vocabulary = 3', files('%install', 'install -D -m 644 %{SOURCE0} %{buildroot}/usr/share/words/list')) + '/usr/share/words/list\n',
      'count.spec': spec('count', 'BuildRequires: (vocabulary >= 2 and coreutils)', files(
        '%build', 'wc -w </usr/share/words/list >count', 'test -z "$(ls -d /usr/share/later 2>/dev/null)"',
        '%install', 'install -D -m 644 count %{buildroot}/usr/share/count', '%check', 'test "$(cat count)" = 3')) + '/usr/share/count\n',
      'later.spec': spec('later', 'BuildRequires: count', files('%install', 'mkdir -p %{buildroot}/usr/share/later', 'rpm -q count words || :', 'test -e /usr/share/count', 'test ! -e /usr/share/words')) + '/usr/share/later\n',
    })
    const build = await server.submit(upload)
    assert.equal(build.builder, 'rpmbuild')
    const document = await server.ended(build.id)
    const failed = document.queue_items.find((item) => item.status === 'failed')
    assert.equal(document.status, 'completed', failed && (await server.api(`/api/queue/${failed.id}/log`)).text())
    assert.deepEqual(document.plan.edges.map(({ package: name, needs }) => `${name} ${needs}`).sort(), ['count words', 'later count'])

    const repo = await repository(server, build.id)
    assert.deepEqual(Object.keys(repo).sort(), ['count', 'later', 'words'])
    const root = join(server.dir, 'root')
    unpack(repo, root)
    assert.equal(readFileSync(join(root, 'usr/share/count'), 'utf8').trim(), '3')
    const { items } = (await server.api(`/api/builds/${build.id}/artifacts`)).json()
    assert.deepEqual(items.map((item) => `${item.package} ${item.kind}`).sort(), ['count', 'later', 'words'].flatMap((name) => [`${name} rpm`, `${name} srpm`]).sort())

    // What came out can go in: a source RPM, alone.
    const source = items.find((item) => item.package === 'words' && item.kind === 'srpm')
    const again = await server.submit(await server.upload({ [source.file]: (await server.api(source.url)).bytes }))
    const rebuilt = await server.ended(again.id)
    assert.equal(rebuilt.status, 'completed', JSON.stringify(rebuilt.queue_items))
    assert.deepEqual(Object.keys(await repository(server, again.id)), ['words'])
    await server.nothingLeft()
  })
}

test('a retry of RPM builds takes over the repository of what completed', async (t) => {
  const server = await startStacking(t)
  if (!server) return
  const upload = await server.upload({
    'good.spec': spec('good', '', files('%install', 'mkdir -p %{buildroot}/usr/share/good')) + '/usr/share/good\n',
    'gate.spec': spec('gate', 'BuildRequires: good', files('%install', 'mkdir -p %{buildroot}/usr/share/gate', 'test -e %{_sourcedir}/gate || test -e /sources/gate')) + '/usr/share/gate\n',
  })
  const first = await server.submit(upload)
  const failed = await server.ended(first.id)
  assert.deepEqual(failed.queue_items.map((item) => item.status).sort(), ['completed', 'failed'])
  const retry = await server.api(`/api/builds/${first.id}/retry`, { method: 'POST' })
  assert.equal(retry.status, 201, retry.text())
  const { id } = retry.json()
  const second = await server.ended(id)
  const items = byName(second)
  assert.deepEqual([items.good.status, items.good.attempt, items.gate.status], ['completed', 0, 'failed'])
  assert.match(items.gate.error_text ?? items.gate.why, /./)
  assert.notEqual(items.gate.phase, 'buildrequires', 'what was taken over is there for what needs it')
  assert.deepEqual(Object.keys(await repository(server, id)), ['good'])
})

test('a need that nobody supplies fails its package with the remedy', async (t) => {
  const server = await startReqpm(t)
  const build = await server.submit(await server.upload({ 'lonely.spec': spec('lonely', 'BuildRequires: no-such-thing-devel >= 2') }))
  const document = await server.ended(build.id)
  const [lonely] = document.queue_items
  assert.deepEqual([document.status, lonely.status, lonely.reason], ['failed', 'failed', 'build'])
  assert.match(lonely.why, /no-such-thing-devel >= 2.*add the package/)
  assert.ok(document.plan.host.some((need) => need.startsWith('no-such-thing-devel')), 'the plan had said so')
})
