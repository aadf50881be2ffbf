// SPDX-License-Identifier: MIT
//
// Names that are none: one sentence that says what there is, and exit 2.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startReqpm } from '../harness.mjs'

test('a name that is mistyped is refused with what was probably meant', async (t) => {
  const server = await startReqpm(t)
  const build = await server.submit({ zlib: {}, 'zlib-ng': {}, curl: {} })
  await server.ended(build.id)
  const id = String(build.id)
  const cases = [
    [['log', id, 'zlip'], `build ${id} has no package "zlip"; did you mean zlib?`],
    [['log', id, 'zli', '--follow'], `build ${id} has no package "zli"; did you mean zlib or zlib-ng?`],
    [['log', id, 'crul', '--json'], `build ${id} has no package "crul"; did you mean curl?`],
    [['log', id, 'wholly-other'], `build ${id} has no package "wholly-other"; "reqpm show ${id}" lists them`],
    [['log', 'zlib', id], '"zlib" is not the id of a build: a number from 1 on'],
    [['wacth', id], 'there is no command wacth; did you mean watch?'],
    [['frobnicate'], 'there is no command frobnicate; `reqpm help` lists them'],
    [['watch', id, '--progres=plain'], 'unknown option --progres; did you mean --progress?'],
    [['list', '--status', 'complete'], '--status is not one of pending preparing running completed failed cancelled but "complete"'],
    [['build', server.dir, '--builder', 'comand'], '--builder is not one of rpmbuild command but "comand"'],
    [['list', '--server', 'nowhere'], 'the server\'s address "nowhere" is none; it looks like http://127.0.0.1:8000'],
  ]
  for (const [args, sentence] of cases) {
    const { code, stdout, stderr } = await server.cli(args)
    assert.deepEqual([code, stdout, stderr], [2, '', `reqpm: ${sentence}\n`], args.join(' '))
  }
  assert.deepEqual((await server.cli(['show', '77'])).code, 5)
})
