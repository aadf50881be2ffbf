// SPDX-License-Identifier: MIT
// @vitest-environment node
import { describe, expect, it } from 'vitest'
import { arrange, faultOf, filesOfDrop, filesOfInput } from '../../src/lib/files.js'

const chosen = (...paths) => paths.map((path) => ({ path, file: null }))
const paths = (...all) => arrange(chosen(...all)).files.map(({ path }) => path)
const fault = (...all) => faultOf(arrange(chosen(...all)).files)

describe('a set', () => {
	it('is what lies in its one folder, which names it', () => {
		expect(paths('set/sub/b', 'set/a.spec')).toEqual(['a.spec', 'sub/b'])
		expect(arrange(chosen('set/a.spec')).folder).toBe('set')
		expect(paths('apple/apple.spec', 'fix.patch')).toEqual(['apple.spec', 'fix.patch'])
	})
	it('of several folders keeps the name of each, also of the one that was chosen first', () => {
		expect(paths('apple/pkg.spec', 'pear/pkg.spec')).toEqual(['apple/pkg.spec', 'pear/pkg.spec'])
		expect(arrange(chosen('apple/pkg.spec', 'pear/pkg.spec')).folder).toBe('')
	})
	it('is refused where two files would be one', () => {
		expect(fault('apple/a.spec', 'apple/fix.patch', 'fix.patch')).toBe('apple/fix.patch and fix.patch would both be fix.patch in the build: leave one of them out.')
	})
	it('is refused where a loose spec would hide folders of specs', () => {
		expect(fault('apple/a.spec', 'pear/b.spec', 'c.spec')).toMatch(/^c.spec cannot be built together with folders/)
	})
	it('needs something that can be built', () => {
		expect(fault('notes.txt')).toMatch(/None of these/)
		expect(fault('a.src.rpm')).toBeNull()
		expect(fault()).toBeNull()
	})
})

describe('hidden files', () => {
	const file = (name, webkitRelativePath = '') => ({ name, webkitRelativePath })
	it('are left out of what is chosen, as the command line does', () => {
		const list = [file('a.spec', 'set/a.spec'), file('config', 'set/.git/config'), file('.gitignore', 'set/.gitignore'), file('.DS_Store'), file('b.spec', '.mine/b.spec')]
		expect(filesOfInput(list).map(({ path }) => path)).toEqual(['set/a.spec', '.mine/b.spec'])
	})
	it('are not even read from a folder that is dropped', async () => {
		const entry = (name) => ({ name, isFile: true, file: (done) => done(file(name)) })
		const folder = (name, entries) => ({ name, isFile: false, createReader: () => ({ readEntries: (done) => done(entries.splice(0, 2)) }) })
		const git = { ...folder('.git', []), createReader: () => { throw new Error('read') } }
		const drop = { items: [folder('set', [entry('a.spec'), git, entry('a.c'), entry('.hidden')])].map((each) => ({ webkitGetAsEntry: () => each })) }
		expect((await filesOfDrop(drop)).map(({ path }) => path)).toEqual(['set/a.spec', 'set/a.c'])
	})
})
