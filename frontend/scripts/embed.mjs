// SPDX-License-Identifier: MIT
// Makes the page a part of the binary: `node scripts/embed.mjs DIST OUTDIR` writes page.S, page.c, page.h and the gzip files that
// page.S includes. A file is stored compressed as well where that makes it smaller.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { gzipSync } from 'node:zlib'

const TYPES = {
	html: 'text/html; charset=utf-8',
	js: 'text/javascript; charset=utf-8',
	css: 'text/css; charset=utf-8',
	svg: 'image/svg+xml',
	json: 'application/json',
	txt: 'text/plain; charset=utf-8',
	woff2: 'font/woff2',
	woff: 'font/woff',
	ttf: 'font/ttf',
	png: 'image/png',
	jpg: 'image/jpeg',
	ico: 'image/x-icon',
}

const [dist, out] = process.argv.slice(2)
if (!dist || !out) {
	console.error('usage: node scripts/embed.mjs DIST OUTDIR')
	process.exit(2)
}

/** @param {string} folder @returns {string[]} */
const filesIn = (folder) =>
	readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
		entry.isDirectory() ? filesIn(join(folder, entry.name)) : [join(folder, entry.name)],
	)

/** @param {string} text for C and the assembler alike */
const quoted = (text) => `"${text.replace(/[\\"]/g, '\\$&')}"`

/** @param {string} file @param {number} at */
function describe(file, at) {
	const name = relative(dist, file).split(sep).join('/')
	const ending = name.slice(name.lastIndexOf('.') + 1)
	const type = TYPES[ending]
	if (!type) throw new Error(`${name}: no content type is known for .${ending}: add it to scripts/embed.mjs`)
	const data = readFileSync(file)
	const gzip = gzipSync(data, { level: 9 })
	const smaller = gzip.length < data.length * 0.95
	const gzipFile = resolve(out, `page-${at}.gz`)
	if (smaller) writeFileSync(gzipFile, gzip)
	return {
		path: `/${name}`,
		type,
		etag: `"${createHash('sha256').update(data).digest('hex').slice(0, 32)}"`,
		file: resolve(file),
		size: data.length,
		gzipFile: smaller ? gzipFile : null,
		gzipSize: smaller ? gzip.length : 0,
		immutable: name.startsWith('assets/'),
		at,
	}
}

mkdirSync(out, { recursive: true })
const entries = filesIn(dist).sort().map(describe)

/** @param {string} symbol @param {string} file */
const include = (symbol, file) => `\t.balign 16\n\t.globl ${symbol}\n\t.hidden ${symbol}\n${symbol}:\n\t.incbin ${quoted(file)}\n\t.byte 0\n`

writeFileSync(
	join(out, 'page.S'),
	`/* Made by frontend/scripts/embed.mjs. */\n\t.section .rodata\n${entries
		.map(({ at, file, gzipFile }) => include(`page_${at}`, file) + (gzipFile ? include(`page_${at}_gz`, gzipFile) : ''))
		.join('')}\t.section .note.GNU-stack,"",%progbits\n`,
)

writeFileSync(
	join(out, 'page.h'),
	`/* Made by frontend/scripts/embed.mjs. */
#ifndef REQPM_PAGE_H
#define REQPM_PAGE_H

${entries.map(({ at, gzipFile }) => `extern const unsigned char page_${at}[]${gzipFile ? `, page_${at}_gz[]` : ''};`).join('\n')}

#endif
`,
)

writeFileSync(
	join(out, 'page.c'),
	`/* Made by frontend/scripts/embed.mjs. */
#include "core/http/embedded.h"
#include "page.h"

const struct embedded_file embedded_files[] = {
${entries
	.map(
		(e) => `	{
		.path = ${quoted(e.path)},
		.type = ${quoted(e.type)},
		.etag = ${quoted(e.etag)},
		.data = page_${e.at},
		.size = ${e.size},
		.gzip = ${e.gzipFile ? `page_${e.at}_gz` : '0'},
		.gzip_size = ${e.gzipSize},
		.immutable = ${e.immutable},
	},`,
	)
	.join('\n')}
};

const size_t embedded_file_count = ${entries.length};
`,
)
const sum = (key) => entries.reduce((total, entry) => total + entry[key], 0)
console.log(`${entries.length} files, ${sum('size')} bytes, ${sum('gzipSize')} bytes in gzip`)
