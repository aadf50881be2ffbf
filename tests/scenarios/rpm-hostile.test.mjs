// SPDX-License-Identifier: MIT
//
// Packages that try to reach, by what is in their RPM, beyond the build root of what needs them.
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startStacking, USERS } from '../harness.mjs'
import { spec } from '../sets.mjs'

const files = (...lines) => ({ sections: lines.join('\n') })

async function completed(server, set) {
  const build = await server.submit(await server.upload(set))
  const document = await server.ended(build.id)
  const failed = document.queue_items.find((item) => item.status === 'failed')
  assert.equal(document.status, 'completed', failed && failed.why + (await server.api(`/api/queue/${failed.id}/log`)).text())
}

for (const { who, uid } of USERS) {
  test(`a package whose /etc is a link shows nothing of the host to what needs it, ${who}`, async (t) => {
    const server = await startStacking(t, { uid })
    if (!server) return
    const host = join(server.dir, 'host')
    mkdirSync(host)
    writeFileSync(join(host, 'of-the-host'), 'secret\n')
    chmodSync(host, 0o755)
    chmodSync(server.dir, 0o755)
    await completed(server, {
      'linked.spec': spec('linked', '', files('%install', `mkdir -p %{buildroot}; ln -s ${host} %{buildroot}/etc`)) + '/etc\n',
      'user.spec': spec('user', 'BuildRequires: linked', files('%build', 'rpm -q linked', 'ls /etc', 'test -e /etc/passwd', 'test ! -e /etc/of-the-host')),
    })
    const [layer] = readdirSync(join(server.dataDir, 'layers'))
    assert.deepEqual(readdirSync(join(server.dataDir, 'layers', layer)), ['usr'], 'the link is not even kept')
    await server.nothingLeft()
  })
}

test('an RPM writes nothing into the files of another', async (t) => {
  const server = await startStacking(t)
  if (!server) return
  await completed(server, {
    'a-victim.spec': spec('a-victim', '', files('%install', 'install -D -m 644 /dev/null %{buildroot}/usr/share/a-victim')) + '/usr/share/a-victim\n',
    'b-poison.spec': spec('b-poison', 'Requires: a-victim', files('%install', 'mkdir -p %{buildroot}', 'cd %{buildroot}', 'ln -s .. up', 'mkdir ../0', 'echo evil >../0/evil')) + '/up\n/up/0/evil\n',
    'user.spec': spec('user', 'BuildRequires: b-poison a-victim', files('%build', 'test -e /usr/share/a-victim')),
  })
  const layers = readdirSync(join(server.dataDir, 'layers')).map((name) => join(server.dataDir, 'layers', name))
  assert.equal(layers.length, 2)
  const victim = layers.find((layer) => readdirSync(join(layer, 'usr')).length)
  assert.deepEqual(readdirSync(victim), ['usr'])
  await server.nothingLeft()
})
