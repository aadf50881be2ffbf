// SPDX-License-Identifier: MIT
//
// A server is reached where it says that it is, whatever it was bound to; and what is set to nothing is not set.
import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { BIN, Program, eventually, startReqpm, within } from '../harness.mjs'

const HAS_IPV6 = Object.values(networkInterfaces()).flat().some(({ address }) => address === '::1')

/** Reads, signs in and changes something there, as a browser does. */
async function isReachedAt(url, token) {
  const headers = { origin: url, 'content-type': 'application/json' }
  assert.equal((await fetch(`${url}/api/builds`)).status, 200)
  const link = await (await fetch(`${url}/api/login/code`, { method: 'POST', headers: { authorization: `Bearer ${token}` } })).json()
  assert.equal(link.url, `${url}/login#${link.code}`)
  const signed = await fetch(`${url}/api/login`, { method: 'POST', headers, body: JSON.stringify({ code: link.code }) })
  assert.equal(signed.status, 204)
  const cookie = signed.headers.get('set-cookie').split(';')[0]
  assert.equal((await fetch(`${url}/api/uploads`, { method: 'POST', headers: { ...headers, cookie } })).status, 201)
}

async function serves(t, binds, addresses, args = []) {
  const server = await startReqpm(t, { args: [...binds.flatMap((bind) => ['--bind', bind]), ...args] })
  const [, url, port] = await eventually(() => / serves (http:\S+:(\d+)),/.exec(server.log), 'its address')
  assert.equal(url, `http://${addresses[0]}:${port}`)
  await isReachedAt(url, server.token)
  for (const address of addresses) assert.equal((await fetch(`http://${address}:${port}/healthz`)).status, 200, address)
}

test('a server is reached under each loopback address that it is bound to, and names the first', async (t) => {
  await serves(t, [], ['127.0.0.1'])
  await serves(t, ['localhost'], ['127.0.0.1'])
  await serves(t, ['127.0.0.2'], ['127.0.0.2'])
  await serves(t, ['127.0.0.3', '127.0.0.1'], ['127.0.0.3', '127.0.0.1'])
  await serves(t, ['127.0.0.1', '127.0.0.3'], ['127.0.0.1', '127.0.0.3'], ['--port', '0'])
})

test('a server that is bound to ::1 says so', { skip: !HAS_IPV6 && 'there is no ::1 here' }, async (t) => {
  await serves(t, ['::1'], ['[::1]'])
  await serves(t, ['127.0.0.2', '::1'], ['127.0.0.2', '[::1]'])
})

test('variables that are set to nothing count as not set', async (t) => {
  const empty = { REQPM_PORT: '', REQPM_DATABASE_URL: '', REQPM_REDIS_URL: '', REQPM_DATA_DIR: '', REQPM_LOG_LEVEL: '', REQPM_TRACE: '' }
  const { dir, userArgs } = await startReqpm(t, { env: empty })
  // The usual port may be taken: here it is not used either, but only because of what is checked after it.
  const other = new Program(BIN, ['serve', '--data-dir', join(dir, 'other'), '--bind', '192.0.2.1', '--public-url', 'http://build.example.org', ...userArgs], { env: { ...process.env, ...empty } })
  const { stderr } = await within(other.ended, 'the refusal')
  assert.match(stderr, /192\.0\.2\.1 is no address of this machine/)
})
