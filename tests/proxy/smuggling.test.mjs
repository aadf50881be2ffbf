// SPDX-License-Identifier: MIT
//
// Do proxy and server agree where a request ends? Malformed and doubtful requests go through each proxy while what passes
// between it and the server is counted: for each request that the proxy forwards it opens a connection of its own, so a second
// answer on one of these is a request that the proxy took for part of the first.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { startReqpm, within } from '../harness.mjs'
import { missing, NAME, PUBLIC_URL, startProxy } from './proxies.mjs'

const SILENCE_MS = 250 // after which a proxy is taken to wait for more of a request
const AT_ONCE = 8

/** The requests that the unit tests hold against the server itself, as if they were for NAME. */
function malformed(dir) {
  const source = join(dir, 'malformed.c')
  const header = new URL('../unit/core/http/malformed.h', import.meta.url).pathname
  writeFileSync(source, `#include <stdio.h>
#include "${header}"
int main(void)
{
  for (size_t i = 0; i < sizeof(malformed) / sizeof(*malformed); i++) {
    for (size_t k = 0; k < malformed[i].len; k++) printf("%02x", (unsigned char)malformed[i].data[k]);
    putchar('\\n');
  }
}
`)
  execFileSync('cc', ['-o', join(dir, 'malformed'), source])
  const lines = execFileSync(join(dir, 'malformed'), { encoding: 'utf8' }).trim().split('\n')
  return lines.map((hex) => Buffer.from(hex, 'hex').toString('latin1').replaceAll('localhost:8000', NAME))
}

const SECRET = `GET /api/smuggled HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`
const chunk = (text) => `${text.length.toString(16)}\r\n${text}\r\n`

/** Bodies that hold a request, and every way to be unclear about their length. */
function* doubtful() {
  const codings = ['Transfer-Encoding: chunked', 'transfer-encoding: chunked', 'Transfer-Encoding: Chunked', 'Transfer-Encoding:chunked', 'Transfer-Encoding : chunked', ' Transfer-Encoding: chunked',
    'Transfer-Encoding:\tchunked', 'Transfer-Encoding: \x0bchunked', 'Transfer-Encoding: \x00chunked', 'Transfer-Encoding: chunked\x00', 'Transfer-Encoding: xchunked', 'Transfer-Encoding: chunked, identity',
    'Transfer-Encoding: identity, chunked', 'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: x', 'Transfer-Encoding:\r\n chunked', 'X: y\r\n Transfer-Encoding: chunked',
    'X: y\nTransfer-Encoding: chunked', 'X: y\rTransfer-Encoding: chunked', 'Transfer_Encoding: chunked', 'Transfer-Encoding: "chunked"', 'Transfer-Encoding: chunked;q=1', 'Transfer-Encoding\x00: chunked', 'TE: chunked', 'Transfer-Encoding:  chunked  ']
  for (const version of ['1.1', '1.0'])
    for (const method of ['POST /api/uploads', 'GET /api/builds', 'PUT /api/uploads/1/files/x', 'OPTIONS /'])
      for (const coding of codings) {
        const head = `${method} HTTP/${version}\r\nHost: ${NAME}\r\n${coding}\r\n`
        yield `${head}Content-Length: ${5 + SECRET.length}\r\n\r\n0\r\n\r\n${SECRET}`
        yield `${head}Content-Length: 4\r\n\r\n${chunk(SECRET)}0\r\n\r\n`
      }
  const lengths = (value) => `POST /api/uploads HTTP/1.1\r\nHost: ${NAME}\r\n${value}\r\n\r\n${SECRET}`
  for (const [first, second] of [['0', `${SECRET.length}`], [`${SECRET.length}`, '0'], ['0', '0']]) {
    yield lengths(`Content-Length: ${first}\r\nContent-Length: ${second}`)
    yield lengths(`Content-Length: ${first}, ${second}`)
    yield lengths(`Content-Length: ${first}\r\nX: y\nContent-Length: ${second}`)
    yield lengths(`Content-Length: ${first}\r\n${second}`)
    yield lengths(`Content-Length: ${first}\r\n\t${second}`)
    yield lengths(`Content-Length : ${first}\r\nContent-Length: ${second}`)
    yield lengths(`Content_Length: ${first}\r\nContent-Length: ${second}`)
  }
  for (const value of ['+0', '-0', '00', '0x0', '0_0', ' 0 ', '0;', '1e1', '0\x0b', '0\x00', `${2 ** 32}`, '18446744073709551616', '٠']) yield lengths(`Content-Length: ${value}`)
  const chunked = (body) => `POST /api/uploads HTTP/1.1\r\nHost: ${NAME}\r\nTransfer-Encoding: chunked\r\n\r\n${body}`
  for (const body of [`${chunk(SECRET)}0\r\n\r\n`, `${chunk(`0\r\n\r\n${SECRET}`)}0\r\n\r\n`, `0\n\n${SECRET}`, `0\r\n\n${SECRET}`, `0;\nx\r\n\r\n${SECRET}`, `0;x\r\r\n\r\n${SECRET}`, `00000000000000000\r\n\r\n${SECRET}`, `0x0\r\n\r\n${SECRET}`, `-0\r\n\r\n${SECRET}`, `+0\r\n\r\n${SECRET}`, `1_0\r\n\r\n${SECRET}`,
    `10000000000000000\r\n\r\n${SECRET}`, `0 \r\n\r\n${SECRET}`, ` 0\r\n\r\n${SECRET}`, `1\r\nxx\r\n0\r\n\r\n${SECRET}`, `1\r\nx0\r\n\r\n${SECRET}`, `0\r\nX: y\r\n\r\n${SECRET}`, `0\r\nContent-Length: 9\r\n\r\n${SECRET}`, `0\r\n${SECRET}`])
    yield chunked(body)
  for (const field of ['Upgrade: websocket\r\nConnection: Upgrade', 'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA', 'Expect: 100-continue', 'Expect: 200-ok', 'Connection: Content-Length', 'Connection: Transfer-Encoding', 'Connection: Host'])
    for (const length of [`Content-Length: ${SECRET.length}`, 'Transfer-Encoding: chunked', 'Content-Length: 0'])
      yield `POST /api/uploads HTTP/1.1\r\nHost: ${NAME}\r\n${field}\r\n${length}\r\n\r\n${SECRET}`
}

/** Cuts a stream of the server's answers. Every one of them has a length, but 1xx. */
function answers(bytes) {
  const found = []
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\r\n\r\n', at)
    if (end < 0) break
    const head = bytes.toString('latin1', at, end)
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1])
    assert.ok(status, `no answer begins with ${JSON.stringify(head.slice(0, 80))}`)
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
    found.push({ status, body: bytes.toString('latin1', end + 4, end + 4 + length) })
    at = end + 4 + (status < 200 || status === 304 ? 0 : length)
  }
  return found
}

/** Between proxy and server: hands on all bytes, but keeps the server from closing where the proxy has it closed. Its connections. */
async function listener(t, to) {
  const connections = []
  const server = createServer({ allowHalfOpen: true }, (proxy) => {
    const one = { sent: Buffer.alloc(0), said: Buffer.alloc(0) }
    connections.push(one)
    const back = connect({ port: to, host: '127.0.0.1', allowHalfOpen: true })
    one.over = new Promise((resolve) => back.on('close', resolve))
    proxy.on('data', (part) => {
      one.sent = Buffer.concat([one.sent, part])
      back.write(Buffer.from(part.toString('latin1').replace(/^connection: close\r$/im, 'x-onnection: close\r'), 'latin1'))
    })
    back.on('data', (part) => {
      one.said = Buffer.concat([one.said, part])
      if (!proxy.destroyed) proxy.write(part)
    })
    // What the proxy has sent is looked at to its end.
    proxy.on('end', () => back.end())
    proxy.on('close', () => setTimeout(() => back.destroy(), SILENCE_MS))
    back.on('end', () => proxy.end())
    for (const socket of [proxy, back]) socket.on('error', () => {})
  })
  const port = await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)))
  t.after(() => server.close())
  return { port, connections }
}

/** All that comes back for these bytes until the other end closes or waits for more. */
function exchange(port, text) {
  return new Promise((resolve) => {
    let said = Buffer.alloc(0), timer
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(text, 'latin1')))
    const quiet = () => {
      clearTimeout(timer)
      timer = setTimeout(() => socket.destroy(), SILENCE_MS)
    }
    quiet()
    socket.on('data', (part) => {
      said = Buffer.concat([said, part])
      quiet()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearTimeout(timer)
      resolve(said)
    })
  })
}

async function each(list, handle) {
  const left = [...list]
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let one; (one = left.pop()) !== undefined; ) await handle(one)
  }))
}

for (const kind of ['nginx', 'caddy', 'haproxy']) {
  test(`${kind} and the server agree where every request ends`, { skip: missing(kind) }, async (t) => {
    const server = await startReqpm(t, { args: ['--public-url', PUBLIC_URL, '--public-url', `http://${NAME}`, '--public-read'] })
    const between = await listener(t, server.port)
    const proxy = await startProxy(t, kind, between.port, server.dir, { keep: false })
    const good = answers(await exchange(proxy.port, `GET /healthz HTTP/1.1\r\nHost: ${NAME}\r\n\r\n`))
    assert.deepEqual(good.map(({ status }) => status), [200])
    assert.equal(between.connections.length, 1)

    const requests = [...malformed(server.dir), ...doubtful()]
    await each(requests, (text) => exchange(proxy.port, text))
    await within(Promise.all(between.connections.map(({ over }) => over)), 'the end of all connections')
    let forwarded = 0
    for (const { sent, said } of between.connections) {
      const final = answers(said).filter(({ status }) => status >= 200)
      forwarded++
      assert.ok(final.length <= 1, `${final.length} answers to what ${kind} sent as one request:\n${JSON.stringify(sent.toString('latin1'))}`)
      assert.ok(!said.includes('/api/smuggled') || /^GET \/api\/smuggled /.test(sent.toString('latin1')), JSON.stringify(sent.toString('latin1')))
    }
    assert.ok(forwarded > 20)
    t.diagnostic(`${requests.length} requests, ${forwarded} forwarded`)
  })

  test(`no answer goes astray when ${kind} uses its connections again`, { skip: missing(kind) }, async (t) => {
    const server = await startReqpm(t, { args: ['--public-url', PUBLIC_URL, '--public-url', `http://${NAME}`, '--public-read'] })
    const proxy = await startProxy(t, kind, server.port, server.dir, { keep: true })
    const requests = [...malformed(server.dir), ...doubtful()].entries()
    await each(requests, async ([i, text]) => {
      const [said, mine] = await Promise.all([exchange(proxy.port, text), pause(i % 20).then(() => exchange(proxy.port, `GET /api/mine-${i} HTTP/1.1\r\nHost: ${NAME}\r\nConnection: close\r\n\r\n`))])
      assert.match(mine.toString('latin1'), new RegExp(`nothing is at /api/mine-${i}"`), `after ${JSON.stringify(text)}`)
      assert.ok(!said.includes('/api/mine-'), `somebody else's answer to ${JSON.stringify(text)}`)
    })
    assert.equal((await server.api('/healthz')).status, 200)
  })
}
