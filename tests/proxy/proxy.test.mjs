// SPDX-License-Identifier: MIT
//
// The configurations of docs/operations.md as they stand there: everything works through them, with TLS, and nobody becomes a
// neighbour by coming through a proxy of this machine.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { request } from 'node:https'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { startReqpm, within } from '../harness.mjs'
import { recordingOf } from '../recording.mjs'
import { commands, gated, openGate } from '../sets.mjs'
import { missing, NAME, PUBLIC_URL, startProxy } from './proxies.mjs'

/** One request through the proxy: {status, headers, bytes}. */
function ask({ port, ca }, path, { method = 'GET', headers = {}, body } = {}) {
  const answer = new Promise((resolve, reject) => {
    const req = request({ host: '127.0.0.1', port, path, method, ca, servername: NAME, headers: { host: NAME, ...headers }, agent: false }, (res) => {
      const parts = []
      res.on('data', (part) => parts.push(part))
      res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, bytes: Buffer.concat(parts) }))
      res.on('error', reject)
    })
    req.on('error', reject)
    req.end(body)
  })
  return within(answer, `${method} ${path}`)
}

function watch({ port, ca }, path, headers) {
  const messages = []
  const ws = new WebSocket(`wss://127.0.0.1:${port}${path}`, { ca, servername: NAME, headers: { host: NAME, ...headers } })
  ws.on('message', (text) => messages.push(JSON.parse(text)))
  const closed = new Promise((resolve, reject) => {
    ws.on('close', resolve)
    ws.on('error', reject)
  })
  closed.catch(() => {})
  return { messages, closed }
}

for (const kind of ['nginx', 'caddy'])
  test(`${kind} as documented: page, API, uploads, downloads and WebSockets, with TLS`, { skip: missing(kind) }, async (t) => {
    const server = await startReqpm(t, { args: ['--public-url', PUBLIC_URL] })
    const proxy = await startProxy(t, kind, server.port, server.dir)
    const token = { authorization: `Bearer ${server.token}` }

    const page = await ask(proxy, '/')
    assert.equal(page.status, 200)
    assert.match(page.headers['content-type'], /^text\/html/)
    assert.match(page.headers['content-security-policy'], /default-src 'self'/)
    assert.equal((await ask(proxy, '/healthz')).status, 200)

    // Who comes through a proxy is no neighbour, whatever it says.
    for (const headers of [{}, { 'x-forwarded-for': '127.0.0.1' }, { 'x-forwarded-host': `localhost:${server.port}` }, { forwarded: 'for=127.0.0.1;host=localhost' }, { 'x-real-ip': '127.0.0.1' }])
      assert.equal((await ask(proxy, '/api/builds', { headers })).status, 401, JSON.stringify(headers))
    for (const host of [`localhost:${server.port}`, `127.0.0.1:${server.port}`]) {
      const { status, bytes } = await ask(proxy, '/api/builds', { headers: { host } })
      assert.ok([401, 421].includes(status) || !bytes.length, `Host: ${host} is answered ${status}: ${bytes}`)
    }
    assert.ok([421, 200].includes((await ask(proxy, '/healthz', { headers: { host: 'evil.test' } })).status))
    assert.equal((await ask(proxy, '/api/uploads', { method: 'POST', headers: { ...token, origin: 'https://evil.test' } })).status, 403)

    // 20 MB, more than any buffer of a proxy.
    const { id: upload } = JSON.parse((await ask(proxy, '/api/uploads', { method: 'POST', headers: token })).bytes)
    const big = Buffer.alloc(20 * 2 ** 20, 'reqpm')
    const files = { ...commands({ a: gated('cp /sources/big results/; seq 50000'), b: { requires: ['a'] } }), big }
    for (const [name, body] of Object.entries(files)) {
      const put = await ask(proxy, `/api/uploads/${upload}/files/${name}`, { method: 'PUT', headers: { ...token, 'content-length': Buffer.byteLength(body) }, body })
      assert.equal(put.status, 201, put.bytes.toString())
    }
    const made = await ask(proxy, '/api/builds', { method: 'POST', headers: { ...token, origin: PUBLIC_URL }, body: JSON.stringify({ upload }) })
    assert.equal(made.status, 201, made.bytes.toString())
    const build = JSON.parse(made.bytes)

    const stranger = watch(proxy, `/ws/builds/${build.id}/`)
    assert.equal(await within(stranger.closed, 'the close of a stranger'), 4401)
    const viewer = watch(proxy, `/ws/builds/${build.id}/`, { ...token, origin: PUBLIC_URL })
    openGate(server, upload)
    assert.equal(await within(viewer.closed, 'the end of the build'), 1000)
    const document = JSON.parse((await ask(proxy, `/api/builds/${build.id}`, { headers: token })).bytes)
    assert.equal(document.status, 'completed')
    recordingOf(viewer.messages).assertIs(document)

    const item = document.queue_items[0].id
    const log = watch(proxy, `/ws/builds/queue/${item}/log/?offset=0`, token)
    assert.equal(await within(log.closed, 'the end of the log'), 1000)
    const raw = await ask(proxy, `/api/queue/${item}/log`, { headers: token })
    assert.equal(log.messages.at(-1).sha256, createHash('sha256').update(raw.bytes).digest('hex'))
    const file = await ask(proxy, `/api/builds/${build.id}/artifacts/${item}/big`, { headers: token })
    assert.ok(file.bytes.equals(big))
    const part = await ask(proxy, `/api/builds/${build.id}/artifacts/${item}/big`, { headers: { ...token, range: 'bytes=5-9', 'if-range': file.headers.etag } })
    assert.deepEqual([part.status, part.bytes.toString()], [206, 'reqpm'])

    // Signing in is the browser's way: the cookie is for TLS alone.
    const { code } = JSON.parse((await ask(proxy, '/api/login/code', { method: 'POST', headers: token })).bytes)
    const signed = await ask(proxy, '/api/login', { method: 'POST', headers: { origin: PUBLIC_URL }, body: JSON.stringify({ code }) })
    assert.equal(signed.status, 204)
    const [cookie, ...attributes] = signed.headers['set-cookie'][0].split('; ')
    assert.ok(attributes.includes('Secure') && attributes.includes('HttpOnly'))
    assert.equal((await ask(proxy, '/api/builds', { headers: { cookie } })).status, 200)
    const signedIn = watch(proxy, `/ws/builds/${build.id}/`, { cookie, origin: PUBLIC_URL })
    assert.equal(await within(signedIn.closed, 'the end'), 1000)
  })
