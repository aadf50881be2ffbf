// SPDX-License-Identifier: MIT
//
// What cannot be built ends `failed` in preparing, with the package and the remedy; the terminal says it in one sentence, and the
// server goes on.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startReqpm, USERS } from '../harness.mjs'
import { spec } from '../sets.mjs'

const CASES = [
  {
    what: 'a spec that does not parse',
    files: { 'bad.spec': `${spec('bad')}\n%if 1\n` },
    package: /^bad/,
    detail: /bad\.spec.*rpmspec -P/,
  },
  {
    what: 'a spec without a name',
    files: { 'nameless.spec': 'Version: 1\nRelease: 1\nSummary: s\nLicense: MIT\n%description\n' },
    package: /^nameless/,
    detail: /Name/,
  },
  {
    what: 'an empty spec',
    files: { 'empty.spec': '' },
    package: /^empty/,
    detail: /empty\.spec/,
  },
  {
    what: 'a spec whose Lua never ends',
    slow: true,
    files: { 'loop.spec': spec('loop', '%{lua: while true do end}') },
    package: /^loop/,
    detail: /10 s.*Lua|Lua.*10 s/,
  },
  {
    what: 'a spec that eats all memory',
    slow: true,
    files: { 'hungry.spec': spec('hungry', '%{lua: local t = {} for i = 1, 1e12 do t[i] = ("x"):rep(1 << 20) .. i end}') },
    package: /^hungry/,
    detail: /hungry\.spec/,
  },
  {
    what: 'a spec that crashes rpmspec',
    files: { 'crash.spec': spec('crash', '%(kill -SEGV $PPID)') },
    package: /^crash/,
    detail: /signal|killed/,
  },
  {
    what: 'a spec that expands itself for ever',
    files: { 'deep.spec': spec('deep', '%define again %{again}%{again}\n%{again}') },
    package: /^deep/,
    detail: /deep\.spec/,
  },
  {
    what: 'a source file that is missing',
    files: { 'needy.spec': spec('needy', 'Source0: needy.tar.gz\nSource1: there.txt'), 'there.txt': '' },
    package: /^needy$/,
    detail: /needy\.tar\.gz/,
  },
  {
    what: 'two specs of one name',
    files: { 'one.spec': spec('same'), 'two.spec': spec('same') },
    package: /^same$/,
    detail: /one\.spec.*two\.spec/,
  },
  {
    what: 'a source RPM that is none',
    files: { 'fake-1.0-1.src.rpm': 'not an RPM' },
    package: /^fake/,
    detail: /fake-1\.0-1\.src\.rpm/,
  },
  {
    what: 'a cycle',
    files: {
      'hen.spec': spec('hen', 'BuildRequires: egg-devel', { sections: '%package devel\nSummary: d\n%description devel\nD.\n%files devel' }),
      'egg.spec': spec('egg', 'BuildRequires: nest', { sections: '%package devel\nSummary: d\n%description devel\nD.\n%files devel' }),
      'nest.spec': spec('nest', 'BuildRequires: hen-devel'),
    },
    package: /^(hen|egg|nest)$/,
    detail: /circle.*take one of these/,
    edges: ['egg nest', 'hen egg', 'nest hen'],
  },
]

for (const { who, uid } of USERS) {
  test(`what cannot be built is refused with the package and the remedy, ${who}`, async (t) => {
    const server = await startReqpm(t, { uid, args: ['--jobs', '2'] })
    for (const refused of CASES.filter(({ slow }) => !slow || uid === undefined)) {
      await t.test(refused.what, async () => {
        const folder = join(server.dir, 'set', refused.what)
        mkdirSync(folder, { recursive: true })
        for (const [name, content] of Object.entries(refused.files)) writeFileSync(join(folder, name), content)
        const { code, stdout, stderr } = await server.cli(['build', folder])
        assert.equal(code, 2, stdout + stderr)
        assert.match(stderr, /^reqpm: .+\n/)
        const [sentence, ...more] = stderr.trimEnd().split('\n')
        assert.match(sentence, refused.detail)
        assert.equal(more.length, refused.edges?.length ?? 0, stderr)

        const [build] = (await server.api('/api/builds?limit=1')).json().items
        const { status, error, total_packages: total, queue_items: items, completed_at: ended } = (await server.api(`/api/builds/${build.id}`)).json()
        assert.deepEqual([status, total, items], ['failed', 0, []])
        assert.ok(ended)
        assert.match(error.package ?? '', refused.package)
        assert.match(error.detail, refused.detail)
        assert.deepEqual(error.edges.map((edge) => `${edge.package} ${edge.needs}`).sort(), refused.edges ?? [])
      })
    }
    const good = await server.submit({ a: {} })
    assert.equal((await server.ended(good.id)).status, 'completed')
    await server.nothingLeft()
  })
}
