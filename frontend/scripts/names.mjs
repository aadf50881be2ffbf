// SPDX-License-Identifier: MIT
// The closed vocabularies have one name table each, backend/apps/builds/statuses.c. This makes the page's types and lists of them:
//   node scripts/names.mjs           writes src/api/names.js
//   node scripts/names.mjs --check   fails when it is not what would be written
import { readFileSync, writeFileSync } from 'node:fs'

const TABLES = { BuildStatus: 'build_status_name', ItemStatus: 'queue_status_name', ItemReason: 'queue_reason_name' }
const source = readFileSync(new URL('../../backend/apps/builds/statuses.c', import.meta.url), 'utf8')
const target = new URL('../src/api/names.js', import.meta.url)

/** @param {string} table @returns {string[]} in the order of the enum */
function namesIn(table) {
	const text = source.match(new RegExp(`\\b${table}\\[\\] = {([^}]*)}`))?.[1]
	const names = [...(text ?? '').matchAll(/"(\w+)"/g)].map((match) => match[1])
	if (names.length === 0) throw new Error(`statuses.c has no table ${table}`)
	return names
}

const types = Object.entries(TABLES).map(([type, table]) => ` * @typedef {${namesIn(table).map((name) => `'${name}'`).join('|')}} ${type}`)
const text = `// SPDX-License-Identifier: MIT
/**
 * Made by scripts/names.mjs of backend/apps/builds/statuses.c, the one table of these names: \`npm run names\` after a change there.
 *
${types.join('\n')}
 */
export {}
`

if (!process.argv.includes('--check')) {
	writeFileSync(target, text)
} else if (readFileSync(target, 'utf8') !== text) {
	console.error('src/api/names.js is not of these tables: run `npm run names`')
	process.exit(1)
}
