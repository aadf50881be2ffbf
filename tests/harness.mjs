// SPDX-License-Identifier: MIT
//
// A real server of one's own for a test: startReqpm(t) starts the binary REQPM_BIN on a free port with an empty data folder, and
// ends it with the test. A server that does not end well with SIGTERM fails its test.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'

const BIN = process.env.REQPM_BIN ?? new URL('../out/release/reqpm', import.meta.url).pathname
export const PATIENCE_MS = 60_000 // for what must happen; nothing waits this long when all is well

/** Rejects with `what` when the promise has not settled in time. */
export function within(promise, what, ms = PATIENCE_MS) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms / 1000} s`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** Calls look() until it answers something true: for what nobody announces. */
export async function eventually(look, what, ms = PATIENCE_MS) {
  for (const end = Date.now() + ms; Date.now() < end; await new Promise((r) => setTimeout(r, 50))) {
    const found = await look()
    if (found) return found
  }
  throw new Error(`${what}: not within ${ms / 1000} s`)
}

function userArgs() {
  if (process.getuid() !== 0) return []
  const known = readFileSync('/etc/passwd', 'utf8').split('\n').some((line) => line.startsWith('reqpm:'))
  return ['--user', known ? 'reqpm' : 'nobody']
}

/** The process that faces the network: the child of the one that was started. */
function serverPid(keeper) {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      const ppid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
      if (ppid === keeper && readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes('serve')) return Number(pid)
    } catch {
      /* it ended while we looked */
    }
  }
  throw new Error(`process ${keeper} has no server`)
}

/** One WebSocket and all that came on it. */
class Viewer {
  messages = []
  bytes = 0
  #waiting = []

  constructor(url, options) {
    this.ws = new WebSocket(url, options)
    this.opened = new Promise((resolve, reject) => {
      this.ws.on('open', resolve)
      this.ws.on('error', reject)
    })
    this.opened.catch(() => {})
    this.closed = new Promise((resolve) => {
      this.ws.on('close', (code, reason) => {
        this.closeCode = code
        resolve({ code, reason: reason.toString() })
        this.#look()
      })
    })
    this.ws.on('message', (data) => {
      this.bytes += data.length
      this.messages.push(JSON.parse(data.toString()))
      this.#look()
    })
  }

  #look() {
    for (const waiting of [...this.#waiting]) waiting()
  }

  types() {
    return this.messages.map((m) => m.type)
  }

  /** The first message that is like this; rejects when the socket closes without one. */
  until(like, what = String(like)) {
    const found = new Promise((resolve, reject) => {
      const look = () => {
        const message = this.messages.find(like)
        if (message) resolve(message)
        else if (this.closeCode !== undefined) reject(new Error(`${what}: closed ${this.closeCode} before`))
        else return
        this.#waiting.splice(this.#waiting.indexOf(look), 1)
      }
      this.#waiting.push(look)
      look()
    })
    return within(found, what)
  }

  close() {
    this.ws.close()
    return within(this.closed, 'the close')
  }
}

class Server {
  constructor(args, env) {
    this.dir = mkdtempSync(join(tmpdir(), 'reqpm-test-'))
    chmodSync(this.dir, 0o755) // the user that root becomes must get in
    this.dataDir = join(this.dir, 'data')
    this.args = args
    this.env = env
    this.port = 0
    this.log = ''
  }

  async start() {
    const args = ['serve', '--port', String(this.port), '--data-dir', this.dataDir, '--jobs', '2', ...userArgs(), ...this.args]
    this.process = spawn(BIN, args, { env: { ...process.env, ...this.env }, stdio: ['ignore', 'pipe', 'pipe'] })
    this.process.stderr.on('data', (text) => (this.log += text))
    this.exited = new Promise((resolve) => this.process.on('exit', (code, signal) => resolve({ code, signal })))
    const ready = new Promise((resolve) => {
      let out = ''
      this.process.stdout.on('data', (text) => {
        out += text
        const line = /^reqpm serves (\S+)$/m.exec(out)
        if (line) resolve(true)
      })
    })
    const up = await within(Promise.race([ready, this.exited]), 'the start')
    assert.equal(up, true, `the server did not start:\n${this.log}`)
    if (!this.port) this.port = Number(/serves http:\/\/[^ ,"]+:(\d+)/.exec(this.log)[1])
    this.url = `http://127.0.0.1:${this.port}`
    this.token = readFileSync(join(this.dataDir, 'token'), 'utf8').trim()
    return this
  }

  /** SIGTERM, the good end: the exit code. */
  async stop() {
    this.process.kill('SIGTERM')
    const { code, signal } = await within(this.exited, 'the end after SIGTERM')
    return signal ?? code
  }

  /** The server dies; who keeps root notices and ends, too. */
  async kill9() {
    process.kill(serverPid(this.process.pid), 'SIGKILL')
    await within(this.exited, 'the end after SIGKILL')
  }

  restart() {
    return this.start()
  }

  /** One request, its path sent as it is written here. body: an object goes as JSON. token: null sends none. */
  api(path, { method = 'GET', body, headers = {}, token = this.token } = {}) {
    const json = body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body)
    const content = json ? JSON.stringify(body) : (body ?? '')
    const all = { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers }
    if (method !== 'GET' && method !== 'HEAD' && !('content-length' in all)) all['content-length'] = Buffer.byteLength(content)
    const answer = new Promise((resolve, reject) => {
      const req = request({ host: '127.0.0.1', port: this.port, method, path, headers: all, agent: false }, (res) => {
        const parts = []
        res.on('data', (part) => parts.push(part))
        res.on('error', reject)
        res.on('end', () => {
          const bytes = Buffer.concat(parts)
          resolve({ status: res.statusCode, headers: res.headers, bytes, text: () => bytes.toString(), json: () => JSON.parse(bytes.toString()) })
        })
      })
      req.on('error', reject)
      req.end(content)
    })
    return within(answer, `${method} ${path}`)
  }

  /** The id of a new upload that holds these files: {name: content}. */
  async upload(files) {
    const made = await this.api('/api/uploads', { method: 'POST' })
    assert.equal(made.status, 201, made.text())
    const { id } = made.json()
    for (const [name, content] of Object.entries(files)) {
      const path = name.split('/').map(encodeURIComponent).join('/')
      const put = await this.api(`/api/uploads/${id}/files/${path}`, { method: 'PUT', body: content })
      assert.equal(put.status, 201, put.text())
    }
    return id
  }

  /** The new build of an upload, or of commands: submit({a: {command: ['true']}, b: {requires: ['a'], …}}). */
  async submit(what, options = {}) {
    const packages = typeof what === 'object' && Object.entries(what).map(([name, p]) => ({ name, command: ['true'], ...p }))
    const upload = packages ? await this.upload({ 'packages.json': JSON.stringify({ packages }) }) : what
    const made = await this.api('/api/builds', { method: 'POST', body: { upload, ...options } })
    assert.equal(made.status, 201, made.text())
    return made.json()
  }

  /** A connected viewer; its `closed` tells the code. */
  async watch(path, options = {}) {
    const viewer = new Viewer(`ws://127.0.0.1:${this.port}${path}`, options)
    await within(viewer.opened, `the connection to ${path}`)
    return viewer
  }

  /** The build when it has ended. */
  async ended(id) {
    const viewer = await this.watch(`/ws/builds/${id}/`)
    assert.equal((await within(viewer.closed, `the end of build ${id}`)).code, 1000)
    return (await this.api(`/api/builds/${id}`)).json()
  }
}

/** args: further ones for `serve`; env: further variables. */
export async function startReqpm(t, { args = [], env = {} } = {}) {
  const server = new Server(args, env)
  t.after(async () => {
    try {
      if (server.process.exitCode === null && server.process.signalCode === null) assert.equal(await server.stop(), 0, server.log)
      assert.doesNotMatch(server.log, /Sanitizer|runtime error/, server.log)
    } finally {
      server.process.kill('SIGKILL')
      rmSync(server.dir, { recursive: true, force: true })
    }
  })
  return server.start()
}
