// SPDX-License-Identifier: MIT
// What a first visit loads must stay small: `node scripts/budget.mjs DIST` fails when it does not.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const BUDGET_KB = { js: 170, css: 95 } // gzip, kB of 1000 bytes; of what index.html names

const dist = process.argv[2] ?? 'dist'
const html = readFileSync(join(dist, 'index.html'), 'utf8')
if (/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=/i.test(html)) {
	console.error('index.html has an inline script or style, which the content security policy forbids')
	process.exit(1)
}
const inlined = readdirSync(join(dist, 'assets')).filter((name) => name.endsWith('.css') && /url\(["']?data:/.test(readFileSync(join(dist, 'assets', name), 'utf8')))
if (inlined.length > 0) {
	console.error(`${inlined.join(', ')}: a data: URL, which the content security policy forbids`)
	process.exit(1)
}

const initial = [...html.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map((match) => match[1])
let over = false
for (const [kind, budget] of Object.entries(BUDGET_KB)) {
	const files = initial.filter((name) => name.endsWith(`.${kind}`))
	const bytes = files.reduce((sum, name) => sum + gzipSync(readFileSync(join(dist, name)), { level: 9 }).length, 0)
	const fits = files.length > 0 && bytes <= budget * 1000
	over ||= !fits
	console.log(`initial ${kind}: ${(bytes / 1000).toFixed(1)} kB gzip of ${budget} kB${fits ? '' : ': OVER'}`)
}
process.exit(over ? 1 : 0)
