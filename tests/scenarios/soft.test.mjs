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

test('what can do with either of two packages is built when one of them fails', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload({
    'either.spec': spec('either', 'BuildRequires: (one or other)', 'test -f /usr/share/other/name'),
    'one.spec': spec('one', '', 'exit 1'),
    'other.spec': spec('other', '', 'true'),
    'needy.spec': spec('needy', 'BuildRequires: one', 'true'),
  })
  const build = await server.submit(upload)
  const end = await server.ended(build.id)
  const states = Object.fromEntries(end.queue_items.map((item) => [item.package.name, item.status]))
  assert.deepEqual(states, { either: 'completed', one: 'failed', other: 'completed', needy: 'blocked' }, JSON.stringify(end.queue_items))
})

test('what can do with either of two packages says what it lacks when both fail', async (t) => {
  const server = await startReqpm(t)
  const upload = await server.upload({
    'either.spec': spec('either', 'BuildRequires: (one or other)', 'true'),
    'one.spec': spec('one', '', 'exit 1'),
    'other.spec': spec('other', '', 'exit 1'),
  })
  const end = await server.ended((await server.submit(upload)).id)
  const either = end.queue_items.find((item) => item.package.name === 'either')
  assert.equal(either.status, 'failed')
  assert.match(either.why, /nothing provides.*\(one or other\)/)
})
