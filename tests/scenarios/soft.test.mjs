// SPDX-License-Identifier: MIT
//
// A need that only %check has gives way when it closes a circle.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startReqpm, within } from '../harness.mjs'

const spec = (name, head, check) => `Name: ${name}
Version: 1
Release: 1
Summary: ${name}
License: MIT
BuildArch: noarch
${head}
%description
${name}
%install
mkdir -p %{buildroot}/usr/share/${name}
echo ${name} >%{buildroot}/usr/share/${name}/name
%check
${check}
%files
/usr/share/${name}
`

test('a circle that only %check closes is opened there, and that package is built without %check', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload({
    'one.spec': spec('one', '%bcond_without check\n%if %{with check}\nBuildRequires: two\n%endif', 'test -f /usr/share/two/name'),
    'two.spec': spec('two', 'BuildRequires: one', 'test -f /usr/share/one/name'),
  })
  const build = await server.submit(upload, { name: 'circle' })
  await within((await server.watch(`/ws/builds/${build.id}/`)).closed, 'the end of the build')
  const end = (await server.api(`/api/builds/${build.id}`)).json()
  assert.equal(end.status, 'completed', JSON.stringify(end.error))
  assert.deepEqual(end.plan.levels, [['one'], ['two']])
  assert.deepEqual(end.plan.dropped.map(({ package: p, needs }) => [p, needs]), [['one', 'two']])
})
