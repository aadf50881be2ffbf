// SPDX-License-Identifier: MIT
//
// A real server of one's own for a test: startReqpm(t) starts the binary REQPM_BIN on a free port with an empty data folder, and
// ends it with the test. A server that does not end well with SIGTERM fails its test.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { WebSocket } from 'ws'

export const BIN = process.env.REQPM_BIN ?? new URL('../out/release/reqpm', import.meta.url).pathname
export const PATIENCE_MS = 60_000 // for what must happen; nothing waits this long when all is well

/** Whom a server is tried as: root with slots of their own, and an ordinary user. */
export const USERS = process.getuid() === 0 ? [{ who: 'as root' }, { who: 'as an ordinary user', uid: 65534 }] : [{ who: 'as an ordinary user' }]

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

export function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

/** Whom the server runs as: root becomes reqpm, an ordinary user stays what he is. */
function userArgs(uid) {
  if (uid !== 0) return []
  const known = readFileSync('/etc/passwd', 'utf8').split('\n').some((line) => line.startsWith('reqpm:'))
  return ['--user', known ? 'reqpm' : 'nobody']
}

/** The process that faces the network: the one child of the keeper that shows the command line which was typed. */
function serverPid(keeper) {
  const servers = [...processes('cmdline')].filter(([pid, text]) => text.split('\0').includes('serve') && parentOf(pid) === keeper)
  assert.equal(servers.length, 1, `the servers of process ${keeper}: ${JSON.stringify(servers)}`)
  return servers[0][0]
}

function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
  } catch {
    return undefined // it ended while we looked
  }
}

function isAlive(pid) {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
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
      this.ws.on('error', (error) => {
        this.error = error
        reject(error)
      })
    })
    this.opened.catch(() => {})
    this.closed = new Promise((resolve) => {
      this.ws.on('close', (code, reason) => {
        this.closeCode = code
        resolve({ code, reason: reason.toString() || String(this.error ?? '') })
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
    let seen = 0 // each message is looked at once, however many there are
    const found = new Promise((resolve, reject) => {
      const look = () => {
        while (seen < this.messages.length && !like(this.messages[seen])) seen++
        if (seen < this.messages.length) resolve(this.messages[seen])
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

/** A program that was started: `stdout` and `stderr` grow, `ended` tells {code, signal, stdout, stderr}. */
export class Program {
  stdout = ''
  stderr = ''
  #looks = new Set()

  constructor(file, args, options) {
    this.process = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    for (const name of ['stdout', 'stderr']) {
      this.process[name].setEncoding('utf8')
      this.process[name].on('data', (text) => {
        this[name] += text
        for (const look of [...this.#looks]) look()
      })
    }
    this.ended = new Promise((resolve, reject) => {
      this.process.on('error', reject)
      this.process.on('close', (code, signal) => {
        this.closed = true
        for (const look of [...this.#looks]) look()
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr })
      })
    })
    this.ended.catch(() => {})
  }

  /** Its output, as soon as it looks like this. */
  until(pattern) {
    const found = new Promise((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr)
        if (match) resolve(match)
        else if (this.closed) reject(new Error(`it ended without ${pattern}:\n${this.stdout}${this.stderr}`))
        else return
        this.#looks.delete(look)
      }
      this.#looks.add(look)
      look()
    })
    return within(found, String(pattern))
  }
}

/** The codes of sign-in links and the cookies of sessions in a text or a header: they open the server to whoever reads them. */
export function* keysIn(text) {
  for (const [, key] of text.matchAll(/(?:\/login#|\breqpm_\d+=)([0-9a-f]{16,})/g)) yield key
}

/** [pid, content of /proc/<pid>/<name>] of every process that there is. */
export function* processes(name) {
  for (const pid of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      yield [Number(pid), readFileSync(`/proc/${pid}/${name}`, 'latin1')]
    } catch {
      /* it ended while we looked */
    }
  }
}

function* cgroups(id, dir = '/sys/fs/cgroup', depth = 0) {
  let entries = []
  try {
    entries = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  } catch {
    /* removed while we looked */
  }
  for (const entry of entries) {
    if (entry.name.startsWith(`reqpm-${id}-`)) yield join(dir, entry.name)
    else if (depth < 8) yield* cgroups(id, join(dir, entry.name), depth + 1)
  }
}

const SQL = `
import json, sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout=30)
with database:
    database.executemany(sys.argv[2], json.load(sys.stdin))
database.close()
`

class Server {
  /** uid: whom it is started as; the one who runs the test when left out. */
  constructor(args, env, uid = process.getuid()) {
    this.dir = mkdtempSync(join(tmpdir(), 'reqpm-test-'))
    chmodSync(this.dir, 0o755) // the user that root becomes must get in
    this.bin = BIN
    if (uid !== process.getuid()) {
      chownSync(this.dir, uid, uid)
      // The checkout may be where only the one who runs the test can go.
      this.bin = join(this.dir, 'reqpm')
      copyFileSync(BIN, this.bin)
    }
    this.uid = uid
    this.userArgs = userArgs(uid)
    this.dataDir = join(this.dir, 'data')
    this.args = args
    this.env = env
    this.log = ''
    this.programs = []
    this.keys = new Set() // what no log may hold
    this.over = false // the test has ended: whoever comes back to this server need not any more
  }

  async start() {
    this.port ??= await freePort()
    const args = ['serve', '--port', String(this.port), '--data-dir', this.dataDir, '--jobs', '2', ...this.userArgs, ...this.args]
    const as = this.uid === process.getuid() ? {} : { uid: this.uid, gid: this.uid, cwd: this.dir }
    this.process = spawn(this.bin, args, { ...as, env: { ...process.env, HOME: this.dir, ...this.env }, stdio: ['ignore', 'pipe', 'pipe'] })
    this.process.stderr.on('data', (text) => (this.log += text))
    this.expectedEnd = false
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
    this.url = `http://127.0.0.1:${this.port}`
    this.token = readFileSync(join(this.dataDir, 'token'), 'utf8').trim()
    this.keys.add(this.token)
    return this
  }

  /** SIGTERM, the good end: the exit code. */
  async stop() {
    this.expectedEnd = true
    this.process.kill('SIGTERM')
    const { code, signal } = await within(this.exited, 'the end after SIGTERM')
    return signal ?? code
  }

  /** Changes the database by hand: to make things old, many or wrong. The statement runs once for each of these rows. */
  sql(statement, rows = [[]]) {
    execFileSync('/usr/bin/python3', ['-c', SQL, join(this.dataDir, 'reqpm.db'), statement], { input: JSON.stringify(rows), stdio: ['pipe', 'inherit', 'inherit'] })
  }

  /** The process that serves; its parent, which was started, is `process`. */
  get pid() {
    return serverPid(this.process.pid)
  }

  /** The server dies; who keeps root notices and ends, too. keeper: the other way round. */
  async kill9({ keeper = false } = {}) {
    const server = this.pid
    this.expectedEnd = true
    process.kill(keeper ? this.process.pid : server, 'SIGKILL')
    await within(this.exited, 'the end after SIGKILL')
    if (keeper) await eventually(() => !isAlive(server), 'the end of the server without its keeper')
  }

  restart() {
    return this.start()
  }

  /** One request, its path sent as it is written here. body: an object goes as JSON. token: null sends none. */
  api(path, { method = 'GET', body, headers = {}, token = this.token } = {}) {
    const json = body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body)
    const content = json ? JSON.stringify(body) : (body ?? '')
    const all = { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers }
    if (method !== 'GET' && method !== 'HEAD' && !all['transfer-encoding']) all['content-length'] = Buffer.byteLength(content)
    const answer = new Promise((resolve, reject) => {
      const req = request({ host: '127.0.0.1', port: this.port, method, path, headers: all, agent: false }, (res) => {
        const parts = []
        res.on('data', (part) => parts.push(part))
        res.on('error', reject)
        res.on('end', () => {
          const bytes = Buffer.concat(parts)
          this.#keep(String(res.headers['set-cookie'] ?? ''))
          if (path.startsWith('/api/login')) this.#keep(bytes.toString())
          resolve({ status: res.statusCode, headers: res.headers, bytes, text: () => bytes.toString(), json: () => JSON.parse(bytes.toString()) })
        })
      })
      req.on('error', reject)
      req.end(content)
    })
    return within(answer, `${method} ${path}`)
  }

  /** What the server says to these bytes until it closes. */
  raw(bytes) {
    const answer = new Promise((resolve, reject) => {
      let text = ''
      const socket = connect(this.port, '127.0.0.1', () => socket.write(bytes))
      socket.on('data', (part) => (text += part))
      socket.on('error', reject)
      socket.on('close', () => {
        this.#keep(text)
        resolve(text)
      })
    })
    return within(answer, 'the answer to raw bytes')
  }

  #keep(text) {
    for (const key of keysIn(text)) this.keys.add(key)
  }

  /** The keys that this server gave out and that its log tells. */
  toldKeys() {
    for (const { stdout, stderr } of this.programs) this.#keep(stdout + stderr)
    return [...this.keys].filter((key) => this.log.includes(key))
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

  /** A command of the terminal client, running. */
  cliStart(args, { env = {}, ...options } = {}) {
    const own = { REQPM_SERVER: this.url, REQPM_DATA_DIR: this.dataDir, ...env }
    const program = new Program(BIN, args, { env: { ...process.env, ...own }, ...options })
    this.programs.push(program)
    return program
  }

  /** What a command of the terminal client says in the end: {code, signal, stdout, stderr}. */
  cli(args, options) {
    return within(this.cliStart(args, options).ended, `reqpm ${args.join(' ')}`, 4 * PATIENCE_MS)
  }

  /** The attempts whose processes are alive: job1-item2-3, the last number its token. */
  attempts() {
    const found = new Set()
    for (const [, text] of processes('mountinfo'))
      for (const [, name] of text.matchAll(/\/data\/slots\/\d+\/(job\d+-item\d+-\d+) /g)) if (text.includes(`${basename(this.dir)}/data`)) found.add(name)
    return found
  }

  /** The process of a launcher, as soon as there is one. */
  launcher() {
    const look = () => [...processes('cmdline')].find(([, text]) => text.includes('--launcher') && text.includes(join(this.dataDir, 'slots')))?.[0]
    return eventually(look, 'a launcher')
  }

  /** What is left of builds: their processes, mounts, cgroups and files, each in words; and launchers, which end after their report. */
  leftovers({ launchers = true } = {}) {
    const left = [], slots = join(this.dataDir, 'slots'), name = basename(this.dir)
    for (const [pid, text] of processes('mountinfo')) {
      const line = text.split('\n').find((l) => l.includes(`${name}/data`))
      if (line) left.push(`process ${pid} has ${line}`)
    }
    for (const [pid, text] of processes('cmdline')) if (text.includes(slots) && (launchers || !text.includes('--launcher'))) left.push(`process ${pid}: ${text.replaceAll('\0', ' ')}`)
    for (const group of cgroups(readFileSync(join(this.dataDir, 'lock'), 'utf8').trim())) left.push(`cgroup ${group}`)
    for (const slot of readdirSync(slots)) for (const file of readdirSync(join(slots, slot))) left.push(join(slots, slot, file))
    return left
  }

  /** For what follows a report: nothing of any build is left. */
  async nothingLeft(ms = 5000) {
    let left
    await eventually(() => !(left = this.leftovers()).length, 'nothing is left', ms).catch(() => assert.deepEqual(left, []))
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

/** args: further ones for `serve`; env: further variables; uid: whom to start it as. */
export async function startReqpm(t, { args = [], env = {}, uid } = {}) {
  const server = new Server(args, env, uid)
  t.after(async () => {
    server.over = true
    for (const program of server.programs) program.process.kill('SIGKILL')
    try {
      const unwanted = server.process.exitCode === null && server.process.signalCode === null ? await server.stop() : !server.expectedEnd
      const well = !unwanted && !/Sanitizer|runtime error/.test(server.log)
      // Said apart, because of a test that has failed already only its first failure is told.
      if (!well) console.error(server.log)
      assert.ok(well, 'the server did not end well; its log is above')
      assert.deepEqual(server.toldKeys(), [], 'the log tells what opens the server')
    } finally {
      server.process.kill('SIGKILL')
      await within(server.exited, 'the end')
      rmSync(server.dir, { recursive: true, force: true, maxRetries: 20 })
    }
  })
  return server.start()
}

/** A server that can stack build roots; null, and the test is skipped, under ThreadSanitizer, whose thread keeps a process from making a user namespace. */
export async function startStacking(t, options) {
  const server = await startReqpm(t, options)
  if (!readFileSync(`/proc/${server.pid}/maps`, 'utf8').includes('libtsan')) return server
  t.skip('ThreadSanitizer')
  return null
}
