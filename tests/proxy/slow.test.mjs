// SPDX-License-Identifier: MIT
//
// slowhttptest against the server: heads, bodies and readers that take for ever, while everybody else is served.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { Program, startReqpm, within } from '../harness.mjs'

const here = spawnSync('sh', ['-c', 'command -v slowhttptest']).status === 0
const CONNECTIONS = 1000
const SECONDS = 20

const ATTACKS = {
  'heads that never end': ['-H', '-i', '2', '-x', '24'],
  'bodies that come byte by byte': ['-B', '-i', '2', '-s', '4000', '-t', 'POST'],
  'readers that take a byte at a time': ['-X', '-w', '10', '-y', '20', '-z', '32', '-k', '3'],
}

for (const [what, args] of Object.entries(ATTACKS))
  test(`${CONNECTIONS} ${what} keep nobody from being served`, { skip: !here && 'slowhttptest is not here' }, async (t) => {
    const server = await startReqpm(t)
    const path = args[0] === '-X' ? '/api/openapi.json' : '/api/login'
    const attack = new Program('slowhttptest', [...args, '-c', String(CONNECTIONS), '-r', '500', '-l', String(SECONDS), '-p', '3', '-u', `${server.url}${path}`])
    t.after(() => attack.process.kill('SIGKILL'))
    const metric = async (name) => Number(new RegExp(`^reqpm_${name} (\\d+)$`, 'm').exec((await server.api('/metrics')).text())[1])
    let served = 0, most = 0
    while (!attack.closed) {
      most = Math.max(most, await metric('http_connections'))
      const build = await server.submit({ a: {} })
      assert.equal((await server.ended(build.id)).status, 'completed')
      served++
    }
    const { code, stdout } = await within(attack.ended, 'the end of the attack')
    assert.equal(code, 0)
    assert.ok(most > CONNECTIONS / 4, `${most} connections at most`)
    const available = [...stdout.replace(/\x1b\[[\d;]*[A-Za-z]/g, '').matchAll(/service available: *(\w+)/g)].map(([, word]) => word)
    assert.ok(available.length > 1 && available.every((word) => word === 'YES'), `the service is available: ${available}`)
    t.diagnostic(`${served} builds meanwhile, ${most} connections at most`)
    assert.equal((await server.api('/healthz')).status, 200)
  })
