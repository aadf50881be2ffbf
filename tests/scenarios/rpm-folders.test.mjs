// SPDX-License-Identifier: MIT
//
// Packages side by side, each in a folder of its own, as they are checked out.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { startReqpm, USERS } from '../harness.mjs'
import { spec } from '../sets.mjs'

function put(folder, files) {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), content)
  }
}

/** A spec that fails when its file `list` is not the one beside it. */
const own = (name, more = '') => spec(name, `Source0: list\n${more}`, { sections: `%install\ntest "$(cat %{SOURCE0})" = ${name}\ninstall -D -m 644 %{_sourcedir}/list %{buildroot}/usr/share/${name}/list` }) + `/usr/share/${name}\n`

for (const { who, uid } of USERS) {
  test(`folders of packages are built together, each with its own sources, ${who}`, async (t) => {
    const server = await startReqpm(t, { uid })
    const parent = join(server.dir, 'parent')
    put(parent, {
      'README': 'two packages',
      'apple/apple.spec': own('apple'),
      'apple/list': 'apple\n',
      'apple/tests/other.spec': 'no package of the set',
      'fruit/pear/pear.spec': own('pear', 'BuildRequires: apple'),
      'fruit/pear/list': 'pear\n',
    })
    const { code, stdout, stderr } = await server.cli(['build', '--progress=plain', parent])
    const document = (await server.api('/api/builds/1')).json()
    assert.equal(code, 0, stdout + stderr + JSON.stringify(document.error))
    assert.deepEqual(document.plan.levels, [['apple'], ['pear']])
    const { items } = (await server.api('/api/builds/1/artifacts')).json()
    assert.deepEqual(items.map((item) => `${item.package} ${item.kind}`).sort(), ['apple rpm', 'apple srpm', 'pear rpm', 'pear srpm'])

    const dry = await server.cli(['build', '--dry-run', '--progress=plain', join(parent, 'apple'), join(parent, 'fruit')])
    assert.equal(dry.code, 0, dry.stdout + dry.stderr)
    assert.match(dry.stdout, /level 0: apple\nlevel 1: pear\n/)
    await server.nothingLeft()
  })
}
