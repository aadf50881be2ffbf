// SPDX-License-Identifier: MIT
//
// What only an RPM shows: a set is built on the first try whatever order its specs suggest, and in the right order from then on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startReqpm, startStacking, within } from '../harness.mjs'
import { openGate, shows, spec } from '../sets.mjs'

const byName = (document) => Object.fromEntries(document.queue_items.map((item) => [item.package.name, item]))
const states = (document) => Object.fromEntries(document.queue_items.map((item) => [item.package.name, item.status]))
const outcomes = async (server, item) => (await server.api(`/api/queue/${item.id}`)).json().attempts.map((a) => a.outcome)

/** Of a message: this item, when it waits for a capability. */
const lacking = (m, name) => [m.data?.package ? m.data : [], m.data?.queue_items ?? []].flat()
  .find((item) => item.package.name === name && item.status === 'pending' && /^waits for perl/.test(item.why))

const files = (...lines) => ({ sections: lines.join('\n') })
const gate = '%build\nuntil test -e /sources/gate; do sleep 0.05; done'

/** Its RPM has perl(Our::Thing) = 2.0, which the spec does not say. */
const maker = (more = '', before = '') => spec('maker', more, files(before, '%install', 'mkdir -p %{buildroot}/usr/share/perl5/Our',
  `printf 'package Our::Thing;\\nour $VERSION = "2.0";\\n1;\\n' >%{buildroot}/usr/share/perl5/Our/Thing.pm`)) + '/usr/share/perl5/Our\n'
const user = (need = 'perl(Our::Thing) >= 1.5') => spec('a-user', `BuildRequires: ${need}`, files('%install', 'test -e /usr/share/perl5/Our/Thing.pm'))

test('what only an RPM shows is waited for on the first try and ordered from then on', async (t) => {
  const server = await startStacking(t, { args: ['--jobs', '1'] })
  if (!server) return
  const set = { 'a-user.spec': user(), 'maker.spec': maker(), 'end.spec': spec('end', 'BuildRequires: a-user') }
  const first = await server.submit(await server.upload(set))
  const viewer = await server.watch(`/ws/builds/${first.id}/`)
  const waits = lacking(await viewer.until((m) => lacking(m, 'a-user')), 'a-user')
  assert.match(waits.why, /^waits for perl\(Our::Thing\) >= 1\.5, which no spec of the set names/)
  assert.deepEqual([waits.phase ?? null, waits.worker ?? null, waits.started_at], [null, null, null])
  const document = await server.ended(first.id)
  assert.equal(document.status, 'completed', JSON.stringify(states(document)))
  assert.deepEqual(document.plan.edges.map((e) => `${e.package} ${e.needs} ${e.kind}`), ['end a-user build'])
  assert.deepEqual(await outcomes(server, byName(document)['a-user']), ['lacking', 'completed'])

  const dry = await server.ended((await server.submit(await server.upload(set), { dry_run: true })).id)
  assert.deepEqual(dry.plan.levels, [['maker'], ['a-user'], ['end']])
  const second = await server.ended((await server.submit(await server.upload(set))).id)
  assert.deepEqual(second.plan.edges.map((e) => `${e.package} ${e.needs} ${e.kind}`).sort(), ['a-user maker learned', 'end a-user build'])
  assert.equal(second.status, 'completed')
  for (const item of second.queue_items) assert.deepEqual(await outcomes(server, item), ['completed'])

  // Learned, but now the maker needs the user: the old knowledge gives way.
  const turned = await server.upload({ 'a-user.spec': spec('a-user', 'BuildRequires: perl(Our::Thing)'), 'maker.spec': maker('BuildRequires: a-user') })
  const circle = await server.ended((await server.submit(turned, { dry_run: true })).id)
  assert.deepEqual([circle.plan.cycles, circle.plan.levels], [[], [['a-user'], ['maker']]])
  assert.deepEqual(circle.plan.dropped.map((e) => `${e.package} ${e.needs} ${e.kind}`), ['a-user maker learned'])
  await server.nothingLeft()
})

test('a program that a package of the set installs is waited for by its path', async (t) => {
  const server = await startStacking(t, { args: ['--jobs', '1'] })
  if (!server) return
  const set = {
    'a-user.spec': spec('a-user', 'BuildRequires: /usr/bin/our-tool', files('%build', 'test "$(our-tool)" = works')),
    'maker.spec': spec('maker', '', files('%install', 'mkdir -p %{buildroot}/usr/bin', `printf '#!/bin/sh\\necho works\\n' >%{buildroot}/usr/bin/our-tool`, 'chmod 755 %{buildroot}/usr/bin/our-tool')) + '/usr/bin/our-tool\n',
  }
  const document = await server.ended((await server.submit(await server.upload(set))).id)
  assert.equal(document.status, 'completed', JSON.stringify(document.queue_items.map((item) => item.why)))
  assert.deepEqual(await outcomes(server, byName(document)['a-user']), ['lacking', 'completed'])
  const dry = await server.ended((await server.submit(await server.upload(set), { dry_run: true })).id)
  assert.deepEqual(dry.plan.levels, [['maker'], ['a-user']])
})

test('who waits for an RPM survives kill -9, and gets it from the next server', async (t) => {
  const server = await startStacking(t)
  if (!server) return
  const upload = await server.upload({ 'a-user.spec': user(), 'maker.spec': maker('', gate) })
  const build = await server.submit(upload)
  const viewer = await server.watch(`/ws/builds/${build.id}/`)
  await viewer.until((m) => lacking(m, 'a-user'))
  await viewer.until(shows('maker', 'building'))
  await server.kill9()
  await server.restart()
  const again = await server.watch(`/ws/builds/${build.id}/`)
  const snapshot = await again.until((m) => m.snapshot)
  assert.ok(lacking(snapshot, 'a-user'), JSON.stringify(snapshot.data))
  openGate(server, upload)
  const document = await server.ended(build.id)
  assert.equal(document.status, 'completed', JSON.stringify(states(document)))
  assert.deepEqual(await outcomes(server, byName(document)['a-user']), ['lacking', 'completed'])
  assert.deepEqual(await outcomes(server, byName(document).maker), ['lost', 'completed'])
})

test('what nobody brings fails in the end with the remedy, and blocks what needs it; a cancel does not wait for it', async (t) => {
  const server = await startStacking(t)
  if (!server) return
  const set = { 'a-user.spec': user('perl(Our::Thing) >= 3'), 'maker.spec': maker('', gate), 'end.spec': spec('end', 'BuildRequires: a-user') }
  const upload = await server.upload(set)
  const build = await server.submit(upload)
  const viewer = await server.watch(`/ws/builds/${build.id}/`)
  await viewer.until((m) => lacking(m, 'a-user'))
  openGate(server, upload)
  const document = await server.ended(build.id)
  assert.equal(document.status, 'failed')
  assert.deepEqual(states(document), { 'a-user': 'failed', maker: 'completed', end: 'blocked' })
  const item = byName(document)['a-user']
  assert.deepEqual([item.reason, item.phase], ['build', 'buildrequires'])
  assert.match(item.why, /nothing provides perl\(Our::Thing\) >= 3 needed by a-user.*add the package/)

  const other = await server.submit(await server.upload({ ...set, 'a-user.spec': user('perl(Never::Heard)') }))
  const second = await server.watch(`/ws/builds/${other.id}/`)
  await second.until((m) => lacking(m, 'a-user'))
  assert.equal((await server.api(`/api/builds/${other.id}/cancel`, { method: 'POST' })).status, 202)
  assert.equal((await within(second.closed, 'the end')).code, 1000)
  assert.equal((await server.ended(other.id)).status, 'cancelled')
})

test('a plain name that nothing provides ends its item before anything is built, and a dry run says so', async (t) => {
  const server = await startReqpm(t, { args: ['--provide', 'host-thing = 2'] })
  const set = {
    'lost.spec': spec('lost', 'BuildRequires: never-heard-of >= 3, host-thing >= 3, other >= 2'),
    'needs.spec': spec('needs', 'BuildRequires: lost'),
    'other.spec': spec('other', 'BuildRequires: host-thing >= 2, make, /usr/bin/sh'),
    'soft.spec': spec('soft', '%if 0%{!?_without_check:1}\nBuildRequires: (never-heard-of if other)\n%endif\nBuildRequires: pkgconfig(never-heard-of)'),
  }
  const upload = await server.upload(set)
  const dry = await server.ended((await server.submit(upload, { dry_run: true })).id)
  const why = /^nothing provides host-thing >= 3, never-heard-of >= 3, other >= 2 \(the set has another version\) needed by lost; add the package .*--provide NAME/
  assert.deepEqual(dry.plan.excluded.map((e) => e.package), ['lost'])
  assert.match(dry.plan.excluded[0].why, why)
  const build = await server.submit(upload)
  const viewer = await server.watch(`/ws/builds/${build.id}/`)
  await viewer.until((m) => m.data?.status === 'running')
  const document = (await server.api(`/api/builds/${build.id}`)).json()
  const { lost, needs } = byName(document)
  assert.deepEqual([lost.status, lost.reason, lost.attempt, needs.status, needs.blocked_by.name], ['failed', 'build', 0, 'blocked', 'lost'])
  assert.match(lost.why, why)
  const end = await server.ended(build.id)
  // What generators make, and rich needs, only a build root can tell.
  assert.deepEqual(states(end), { lost: 'failed', needs: 'blocked', other: 'completed', soft: 'failed' })
  assert.ok(byName(end).soft.attempt > 0)
})

test('a spec for another architecture is not started, what needs it is blocked and the rest is built', async (t) => {
  const server = await startReqpm(t)
  const set = {
    'only.spec': spec('only', 'ExclusiveArch: s390x'),
    'not.spec': spec('not', `ExcludeArch: ${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}`),
    'needs.spec': spec('needs', 'BuildRequires: only'),
    'rest.spec': spec('rest'),
  }
  const upload = await server.upload(set)
  const dry = await server.ended((await server.submit(upload, { dry_run: true })).id)
  assert.deepEqual(dry.plan.excluded.map((e) => e.package), ['not', 'only'])
  const build = await server.submit(await server.upload(set))
  const document = await server.ended(build.id)
  const items = byName(document)
  assert.equal(document.status, 'failed')
  assert.deepEqual(states(document), { only: 'failed', not: 'failed', needs: 'blocked', rest: 'completed' })
  assert.match(items.only.why, /only does not build on \S+: its ExclusiveArch does not name it/)
  assert.match(items.not.why, /not does not build on \S+: its ExcludeArch names it/)
  assert.deepEqual([items.only.reason, items.needs.blocked_by.name, items.only.attempt], ['architecture', 'only', 0])

  const none = await server.submit(await server.upload({ 'only.spec': set['only.spec'] }))
  assert.equal((await server.ended(none.id)).status, 'failed')
})
