// SPDX-License-Identifier: MIT
//
// The page in headless Chromium: frame times while one build of PACKAGES gets RATE messages a second, for each view, with the frames
// of an empty page as the floor; then the first content at a quarter of the processor's speed. Frames are drawn in software here.
//   REQPM_BIN=out/release/reqpm node tests/bench/page.mjs [PACKAGES] [RATE] [SECONDS] [VIEW…]      prints one JSON line each
//   PACKAGES may be several, as 2000,5000; in the view of a log its file grows by RATE lines a second beside
//   REQPM_STATIC=frontend/dist serves that folder in place of the page in the binary; PROFILE=FOLDER keeps a CPU profile of each view
import { readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { chromium } from '../../frontend/node_modules/playwright-core/index.mjs'
import { startReqpm } from '../harness.mjs'
import { Feed, serveFeed } from './page-feed.mjs'

const sizes = (process.argv[2] ?? '2000,5000').split(',').map(Number)
const [rate, seconds] = [1000, 20].map((usual, at) => Number(process.argv[3 + at] ?? usual))
const wanted = process.argv.slice(5)
const THROTTLE = 4
const LOADS = 5
const WARM_UP_MS = 3000
const SETTLE_MS = 2000 // a new window of Chromium loads parts of its own, beside the page
const SIZE = { width: 1280, height: 900 }

const ROW = '[role=row][id^=row-]'

const VIEWS = [
  { view: 'packages', see: ROW },
  { view: 'scrolling', see: ROW, scroll: '[role=grid]' },
  { view: 'panel', path: (build) => `?item=${build.queue_items[100].id}`, see: '.panel' },
  { view: 'timeline', path: '/timeline', see: '.timeline-chart rect' },
  { view: 'log', path: (build) => `/log/${build.queue_items[100].id}`, see: '.log-text' },
  { view: 'artefacts', path: '/artefacts', see: '.file-name' },
]

const round = (n) => Math.round(n * 10) / 10
const at = (sorted, share) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN)
const pause = (ms) => new Promise((done) => setTimeout(done, ms))

/** Runs in the page: for so many ms, the times from one frame's scripts to the next one's, the frames that were left out, and the long tasks. */
function watchFrames({ ms, scroll }) {
  return new Promise((done) => {
    const frames = [], shown = [], long = []
    const observer = new PerformanceObserver((list) => long.push(...list.getEntries().map((entry) => entry.duration)))
    observer.observe({ type: 'longtask' })
    const scroller = scroll && document.querySelector(scroll)
    const begin = performance.now()
    let last = begin, step = 40
    requestAnimationFrame(function frame(time) {
      const now = performance.now()
      frames.push(now - last)
      shown.push(time)
      last = now
      if (scroller) {
        if (scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 1) step = -40
        else if (scroller.scrollTop <= 0) step = 40
        scroller.scrollTop += step
      }
      if (now - begin < ms) requestAnimationFrame(frame)
      else {
        observer.disconnect()
        done({ frames: frames.slice(1), long, missed: Math.round((shown.at(-1) - shown[0]) / 16.667) + 1 - shown.length })
      }
    })
  })
}

/** What each renderer's main thread has had of the processor, and has waited for it, in ms; and what Chromium says of the page's time. */
async function metrics(browser, cdp) {
  const root = await browser.newBrowserCDPSession()
  const { processInfo } = await root.send('SystemInfo.getProcessInfo')
  await root.detach()
  const threads = new Map()
  for (const { type, id } of processInfo) {
    if (type !== 'renderer') continue
    const [cpu, waited] = readFileSync(`/proc/${id}/task/${id}/schedstat`, 'utf8').split(' ')
    threads.set(id, { cpu: cpu / 1e6, waited: waited / 1e6 })
  }
  const { metrics: all } = await cdp.send('Performance.getMetrics')
  const found = Object.fromEntries(all.map(({ name, value }) => [name, value * 1000]))
  return { threads, script: found.ScriptDuration, layout: found.RecalcStyleDuration + found.LayoutDuration }
}

async function measure(browser, page, cdp, options) {
  const before = await metrics(browser, cdp), begin = performance.now()
  const { frames, long, missed } = await page.evaluate(watchFrames, options)
  const after = await metrics(browser, cdp), ms = performance.now() - begin
  frames.sort((a, b) => a - b)
  // The page's renderer is the one that worked most: a window of Chromium has others.
  const [thread] = [...after.threads].map(([id, { cpu, waited }]) => ({ cpu: cpu - (before.threads.get(id)?.cpu ?? 0), waited: waited - (before.threads.get(id)?.waited ?? 0) }))
    .sort((a, b) => b.cpu - a.cpu)
  const percent = (spent) => round((spent / ms) * 100)
  return {
    frames: frames.length, missed_frames: missed, p50_ms: at(frames, 0.5), p95_ms: at(frames, 0.95), p99_ms: at(frames, 0.99), max_ms: at(frames, 1), long_tasks: long.length,
    longest_task_ms: Math.round(Math.max(0, ...long)), main_percent: percent(thread.cpu), main_waited_percent: percent(thread.waited),
    script_percent: percent(after.script - before.script), layout_percent: percent(after.layout - before.layout),
  }
}

async function openPage(browser, url) {
  const context = await browser.newContext({ viewport: SIZE })
  const page = await context.newPage()
  const cdp = await context.newCDPSession(page)
  await cdp.send('Performance.setTimeDomain', { timeDomain: 'threadTicks' })
  await cdp.send('Performance.enable')
  await page.goto(url)
  return { page, cdp, close: () => context.close() }
}

async function profiled(cdp, name, work) {
  if (!process.env.PROFILE) return work()
  await cdp.send('Profiler.enable')
  await cdp.send('Profiler.start')
  const result = await work()
  const { profile } = await cdp.send('Profiler.stop')
  writeFileSync(join(process.env.PROFILE, `${name}.cpuprofile`), JSON.stringify(profile))
  return result
}

/** Each package needs up to two before it, as in real sets; what the feed says of them does not depend on it. */
async function bigBuild(server, packages) {
  const names = Array.from({ length: packages }, (_, i) => `package-${String(i).padStart(5, '0')}`)
  const set = names.map((name, i) => ({ name, version: '1.0', requires: i < 16 ? [] : [names[i - 16], names[i >> 1]] }))
  const made = (await server.api('/api/builds', { method: 'POST', body: { builder: 'external', name: 'bench', packages: set } })).json()
  return (await server.api(`/api/builds/${made.id}`)).json()
}

async function emptyFrames(browser, server) {
  const { page, cdp, close } = await openPage(browser, `${server.url}/healthz`)
  const floor = await measure(browser, page, cdp, { ms: Math.min(5, seconds) * 1000 })
  await close()
  return floor
}

async function frames(browser, server, build, { view, path = '', see, scroll }, floor) {
  const feed = new Feed(structuredClone(build))
  const front = await serveFeed(server.url, feed, view === 'log' ? rate : 0)
  const { page, cdp, close } = await openPage(browser, `${front.url}/builds/${feed.build.id}${typeof path === 'string' ? path : path(build)}`)
  const stop = feed.run(rate)
  await page.waitForSelector(see, { state: 'attached' })
  await page.evaluate((what) => document.querySelector(what).scrollIntoView({ block: 'center' }), see)
  await pause(WARM_UP_MS)
  const sent = feed.sent, begin = performance.now()
  const found = await profiled(cdp, view, () => measure(browser, page, cdp, { ms: seconds * 1000, scroll }))
  const messages = ((feed.sent - sent) / (performance.now() - begin)) * 1000
  stop()
  // What has been sent is on the screen within two seconds (the title is set once a second), or the figures above are those of a page that fell behind.
  const { completed_packages: completed, failed_packages: failed } = feed.build
  const caughtUp = await page.waitForFunction(
    ([a, b]) => [...document.querySelectorAll('.legend li')].map((li) => li.textContent.replaceAll(',', '')).join().includes(`${a} completed`) && document.title.includes(`✗${b}`),
    [completed, failed], { timeout: 2000 }).then(() => true, () => false)
  await close()
  front.close()
  console.log(JSON.stringify({
    benchmark: 'page', view, packages: build.queue_items.length, messages_per_s: Math.round(messages), ...found, floor_p50_ms: floor.p50_ms, floor_p95_ms: floor.p95_ms,
    ratio: +(found.p95_ms / floor.p95_ms).toFixed(2), caught_up: caughtUp, load: round(loadavg()[0]),
  }))
}

/** Runs in the page from its first moment: when the first row can be seen. */
function watchFirstRow(row) {
  window.firstRow = new Promise((done) => {
    requestAnimationFrame(function look() {
      if ((document.querySelector(row)?.getBoundingClientRect().height ?? 0) > 0) requestAnimationFrame((now) => done(now))
      else requestAnimationFrame(look)
    })
  })
}

async function firstContent(browser, url, row) {
  const context = await browser.newContext({ viewport: SIZE })
  const page = await context.newPage()
  const cdp = await context.newCDPSession(page)
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: THROTTLE })
  await page.addInitScript(watchFirstRow, row)
  await pause(SETTLE_MS)
  await page.goto(url)
  const rowMs = await page.evaluate(() => window.firstRow)
  const paintMs = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime)
  await context.close()
  return { paintMs, rowMs }
}

async function firstContents(browser, what, url, row) {
  const all = []
  for (let i = 0; i < LOADS; i++) all.push(await firstContent(browser, url, row))
  const spread = (name) => {
    const sorted = all.map((each) => Math.round(each[name])).sort((a, b) => a - b)
    return { median: sorted[LOADS >> 1], least: sorted[0], most: sorted[LOADS - 1] }
  }
  return { what, paint_ms: spread('paintMs'), row_ms: spread('rowMs') }
}

async function main(browser, server, packages) {
  const build = await bigBuild(server, packages)
  const views = VIEWS.filter(({ view }) => wanted.length === 0 || wanted.includes(view))
  if (views.length > 0) {
    const floor = await emptyFrames(browser, server)
    for (const view of views) await frames(browser, server, build, view, floor)
  }
  if (wanted.length === 0 || wanted.includes('first')) {
    const floor = await firstContents(browser, 'text', `${server.url}/healthz`, 'pre')
    for (const [what, path, row] of [['build', `/builds/${build.id}`, ROW], ['builds', '/', 'tbody tr']]) {
      const found = await firstContents(browser, what, server.url + path, row)
      console.log(JSON.stringify({
        benchmark: 'page first content', ...found, packages, throttle: THROTTLE, loads: LOADS, floor_paint_ms: floor.paint_ms.median, load: round(loadavg()[0]),
      }))
    }
  }
}

const cleanups = []
const t = { after: (fn) => cleanups.push(fn), diagnostic: () => {} }
const server = await startReqpm(t, { args: process.env.REQPM_STATIC ? ['--static-dir', process.env.REQPM_STATIC] : [] })
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] })
cleanups.push(() => browser.close())
try {
  for (const packages of sizes) await main(browser, server, packages)
} finally {
  for (const fn of cleanups.reverse()) await fn()
}
