// SPDX-License-Identifier: MIT
// @vitest-environment node
import { expect, test } from 'vitest'
import { openNeeds, whyText } from '../../src/lib/why.js'
import { item } from '../fakes.js'

const named = (id, name, status) => ({ ...item(id), status, package: { id, name, version: '1' } })
const all = [named(1, 'zlib', 'queued'), named(2, 'openssl', 'building'), named(3, 'gcc', 'pending'), named(4, 'perl', 'pending'), named(5, 'glibc', 'completed')]
const byId = new Map(all.map((each) => [each.id, each]))
const waiting = (needs) => ({ ...item(9), status: 'pending', why: 'waits for packages that it needs', needs })

test.each([
	[[1], 'waits for zlib'],
	[[5, 1], 'waits for zlib'],
	[[1, 2], 'waits for openssl and zlib'],
	[[1, 2, 3], 'waits for openssl, zlib and gcc'],
	[[1, 2, 3, 4, 5], 'waits for openssl, zlib and 2 more'],
	[[5], 'waits for packages that it needs'],
	[[77], 'waits for packages that it needs'],
	[undefined, 'waits for packages that it needs'],
])('a waiting package that needs %j says "%s"', (needs, text) => expect(whyText(waiting(needs), byId)).toBe(text))

test('any other state says what the server says', () => {
	expect(whyText({ ...waiting([1]), status: 'blocked', why: 'needs zlib, which failed' }, byId)).toBe('needs zlib, which failed')
	expect(whyText({ ...waiting([1]), status: 'completed', why: null }, byId)).toBe('')
})

test('what is nearest to being done is named first', () => {
	expect(openNeeds(waiting([4, 3, 1, 2]), byId).map((need) => need.id)).toEqual([2, 1, 4, 3])
})
