// SPDX-License-Identifier: MIT
//
// What page.mjs puts between the browser and the server: HTTP goes through, the build's room is spoken here, by docs/protocol.md and
// as fast as one likes. The server itself cannot be the source: an item is reported twice in its life, so 2,000 of them last for 8 s
// of 1,000 messages, and the time that its store takes would be the browser's loss.
import { createServer, request } from 'node:http'
import { WebSocketServer } from 'ws'

const SLOTS = 16
const TICK_MS = 4
const FAILS_EVERY = 400 // few: failed rows come first, and those that change shall be in sight
const PHASES = ['setup', '%prep', '%generate_buildrequires', '%build', '%install', '%check', 'collect']
const DONE = 1 / 4 // of the items, when a feed begins
const HOUR_MS = 3_600_000

/** A build in the middle: each step is one item's queue_update and the job's build_update. After the last item it begins anew, so it has no end. */
export class Feed {
  sent = 0
  #viewers = new Set()
  #slots = Array(SLOTS).fill(null)
  #next = 0
  #messages = []

  /** The build is the feed's own from here on. */
  constructor({ seq, epoch, plan: _, ...build }) {
    this.build = build
    this.items = build.queue_items
    this.seq = seq + 1
    this.epoch = epoch
    Object.assign(build, { status: 'running', started_at: new Date(Date.now() - HOUR_MS).toISOString() })
    for (const item of build.queue_items) item.status = 'queued'
    const rounds = Math.floor((this.items.length * DONE) / SLOTS)
    for (this.#next = 0; this.#next < rounds * SLOTS; this.#next++) this.#didBefore(rounds)
    this.#count()
  }

  /** The next item was built in the hour before. */
  #didBefore(rounds) {
    const round = Math.floor(this.#next / SLOTS), slot = this.#next % SLOTS
    const [from, to] = [round, round + 0.9].map((at) => new Date(Date.now() - HOUR_MS + (at * HOUR_MS) / rounds).toISOString())
    Object.assign(this.items[this.#next], { status: 'completed', attempt: 1, worker: 'build1', slot, started_at: from, completed_at: to, why: null })
  }

  #say(type, data, more) {
    return JSON.stringify({ type, seq: this.seq, epoch: this.epoch, ...more, data })
  }

  join(socket) {
    socket.send(this.#say('build_update', this.build, { snapshot: true }))
    this.#viewers.add(socket)
    socket.on('close', () => this.#viewers.delete(socket))
  }

  #count() {
    const n = { completed: 0, failed: 0, building: 0, queued: 0 }
    for (const { status } of this.items) n[status]++
    const job = {
      completed_packages: n.completed, failed_packages: n.failed, building_packages: n.building, waiting_packages: n.queued,
      progress: Math.round(((n.completed + n.failed) / this.items.length) * 1000) / 10,
    }
    Object.assign(this.build, job)
    return { id: this.build.id, status: 'running', total_packages: this.items.length, blocked_packages: 0, cancelled_packages: 0, cancel_requested: false, ...job }
  }

  /** The next thing that happens in a slot: its item goes on to the next phase, ends, or another one begins. */
  #step() {
    const slot = Math.floor(this.seq / 2) % SLOTS
    const now = new Date().toISOString()
    let item = this.#slots[slot]
    if (!item) {
      item = this.#slots[slot] = this.items[this.#next++ % this.items.length]
      Object.assign(item, { status: 'building', attempt: item.attempt + 1, worker: 'build1', slot, phase: PHASES[0], why: null, started_at: now, completed_at: null })
    } else if (item.phase !== PHASES.at(-1)) {
      item.phase = PHASES[PHASES.indexOf(item.phase) + 1]
    } else {
      const failed = item.id % FAILS_EVERY === 0
      Object.assign(item, { status: failed ? 'failed' : 'completed', phase: failed ? '%check' : null, why: failed ? '%check failed' : null, completed_at: now, log_size: 81_234 })
      this.#slots[slot] = null
    }
    this.seq++
    const { needs: _, ...data } = item
    this.#messages.push(this.#say('queue_update', data))
    this.seq++
    this.#messages.push(this.#say('build_update', this.#count()))
  }

  /** So many messages a second until the returned function is called, which says what the last step has left to say. */
  run(rate) {
    const begin = performance.now()
    let due = 0
    const timer = setInterval(() => {
      for (const end = ((performance.now() - begin) / 1000) * rate; due < end; due++) {
        if (this.#messages.length === 0) this.#step()
        this.#send()
      }
    }, TICK_MS)
    return () => {
      clearInterval(timer)
      while (this.#messages.length > 0) this.#send()
    }
  }

  #send() {
    const text = this.#messages.shift()
    for (const viewer of this.#viewers) viewer.send(text)
    this.sent++
  }
}

const LINE = 'gcc -O2 -g -pipe -Wall -Wextra -c -o src/some/object.o src/some/source.c'
const OLD_LINES = 100_000
const LOG_TICK_MS = 20

/** A log that has OLD_LINES lines and grows by so many a second: its socket and its windows, by docs/protocol.md. */
class Log {
  #lines = OLD_LINES
  #text = (line) => `[${line}] ${line % 10 ? LINE : `\u001b[33m${LINE}\u001b[0m`}`

  join(socket, rate) {
    let offset = this.#lines * LINE.length
    const say = (n) => {
      const data = Array.from({ length: n }, (_, at) => `${this.#text(this.#lines + at + 1)}\n`).join('')
      socket.send(JSON.stringify({ type: 'log', offset, next: offset + data.length, line: this.#lines + 1, data }))
      offset += data.length
      this.#lines += n
    }
    say(100)
    const timer = setInterval(() => say(Math.round((rate * LOG_TICK_MS) / 1000)), LOG_TICK_MS)
    socket.on('close', () => clearInterval(timer))
  }

  window(query) {
    const from = Number(query.get('from_line')), limit = Number(query.get('limit'))
    return { from_line: from, lines: Array.from({ length: limit }, (_, at) => this.#text(from + at)), total_lines: this.#lines, size: 0, final: false }
  }
}

/** Two files of each package, whatever it is at. */
const results = ({ queue_items: items }) => ({
  items: items.flatMap(({ id, package: { name } }) => ['x86_64', 'src'].map((arch) => (
    { queue_item: id, package: name, file: `${name}-1.0-1.${arch}.rpm`, kind: 'rpm', size: 81_234, sha256: 'a'.repeat(64), nevra: `${name}-1.0-1.${arch}`, url: `/${name}.${arch}` }))),
})

/** The server at `upstream` with the feed in place of its build's room, its results and its logs: {url, close()}. */
export async function serveFeed(upstream, feed, logRate = 0) {
  const { hostname, port, host } = new URL(upstream)
  const log = new Log()
  const made = (url) => {
    const { pathname, searchParams } = new URL(url, upstream)
    if (pathname === `/api/builds/${feed.build.id}/artifacts`) return results(feed.build)
    return /^\/api\/queue\/\d+\/log$/.test(pathname) ? log.window(searchParams) : null
  }
  const server = createServer((req, res) => {
    const own = made(req.url)
    if (own) return void res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(own))
    const { origin: _, ...headers } = req.headers // another port is another origin
    const on = request({ hostname, port, method: req.method, path: req.url, headers: { ...headers, host } }, (answer) => {
      res.writeHead(answer.statusCode, answer.headers)
      answer.pipe(res)
    })
    on.on('error', () => res.destroy())
    req.pipe(on)
  })
  const rooms = new WebSocketServer({ server })
  rooms.on('connection', (socket, { url }) => {
    if (url.startsWith(`/ws/builds/${feed.build.id}/`)) feed.join(socket)
    else if (url.startsWith('/ws/builds/queue/')) log.join(socket, logRate)
    else socket.close(4404)
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      for (const socket of rooms.clients) socket.terminate()
      server.closeAllConnections()
      server.close()
    },
  }
}
