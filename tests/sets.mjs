// SPDX-License-Identifier: MIT
//
// Small sets of packages to build in tests, and the gates that hold them.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The files of an upload of commands: commands({a: {}, b: {requires: ['a'], command: […]}}); without a command it is `true`. */
export function commands(packages) {
  const list = Object.entries(packages).map(([name, p]) => ({ name, command: ['true'], ...p }))
  return { 'packages.json': JSON.stringify({ packages: list }) }
}

/** A package whose shell script this is. */
export const sh = (script, rest = {}) => ({ command: ['sh', '-c', script], ...rest })

/** It waits until openGate(), then runs the script. */
export const gated = (script = 'true', rest = {}) => sh(`until test -e /sources/gate; do sleep 0.05; done; ${script}`, rest)

/** For all builds of an upload. */
export function openGate(server, upload) {
  writeFileSync(join(server.dataDir, 'uploads', String(upload), 'files', 'gate'), '')
}

/** A spec of the least that rpm takes, with more lines before %description. */
export const spec = (name, more = '', { version = '1.0', sections = '' } = {}) =>
  `Name: ${name}\nVersion: ${version}\nRelease: 1\nSummary: ${name}\nLicense: MIT\nBuildArch: noarch\n${more}\n%description\nA package.\n${sections}\n%files\n`

/** The sentence "this item is so" for Viewer.until(): true of the message that first shows it. */
export const shows = (name, status) => {
  const is = (item) => item.package.name === name && item.status === status
  return (m) => (m.type === 'queue_update' && is(m.data)) || Boolean(m.data?.queue_items?.some(is))
}
