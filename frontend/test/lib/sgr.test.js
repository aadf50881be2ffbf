// SPDX-License-Identifier: MIT
// @vitest-environment node
import { describe, expect, test } from 'vitest'
import { runs } from '../../src/lib/ansi.js'
import { colourAfter, createColours } from '../../src/lib/sgr.js'

const E = '\u001b['

describe('the state after a line', () => {
	test.each([
		['', 'plain', ''],
		['', `${E}31mred`, `${E}31m`],
		[`${E}31m`, 'still', `${E}31m`],
		[`${E}31m`, `done${E}0m`, ''],
		[`${E}31m`, `done${E}m`, ''],
		[`${E}31m`, `${E}92mgreen`, `${E}92m`],
		[`${E}1;31m`, `${E}22mthin`, `${E}31m`],
		[`${E}1;31m`, `${E}39mbold`, `${E}1m`],
		['', `${E}38;5;208mx${E}48;2;1;2;3my`, `${E}38;5;208;48;2;1;2;3m`],
		['', `${E}38;5;1mx${E}4m`, `${E}38;5;1;4m`],
		[`${E}31m`, `${E}0;4mx`, `${E}4m`],
		[`${E}31m`, `${E}2J is no colour`, `${E}31m`],
	])('%j and %j leave %j', (before, line, after) => expect(colourAfter(before, line)).toBe(after))

	test('does not grow with the number of changes', () => {
		let state = ''
		for (let at = 0; at < 1000; at++) state = colourAfter(state, `${E}${31 + (at % 6)}m${E}${41 + (at % 6)}m${E}1m`)
		expect(state.length).toBeLessThan(16)
	})
})

test('a line without a sequence of its own is shown in the colour that holds', () => {
	expect(runs('in colour', `${E}31m`)).toEqual([{ text: 'in colour', className: 'ansi-red-fg', style: undefined }])
	expect(runs('', `${E}31m`)).toEqual([])
})

describe('colours of a log of which pieces are here', () => {
	/** @param {Record<number, string>} coloured @param {(line: number) => boolean} here */
	function logOf(coloured, here) {
		let asked = 0
		const line = (/** @type {number} */ at) => (asked++, here(at) ? coloured[at] ?? `line ${at}` : undefined)
		return { colours: createColours({ line, pieceLines: 10 }), asked: () => asked }
	}
	const red = { 3: `${E}31mon`, 47: `${E}0moff` }

	test('a colour set on one line holds until it is reset, over pieces', () => {
		const { colours } = logOf(red, () => true)
		for (const at of [1, 3, 48, 60]) expect(colours.before(at)).toBe('')
		for (const at of [4, 10, 11, 25, 47]) expect(colours.before(at)).toBe(`${E}31m`)
	})

	test('what was read once is known, also when its lines have gone', () => {
		const held = new Set(Array.from({ length: 30 }, (_, at) => at + 1))
		const { colours } = logOf(red, (at) => held.has(at))
		expect(colours.before(21)).toBe(`${E}31m`)
		for (let at = 1; at <= 20; at++) held.delete(at)
		expect(colours.before(25)).toBe(`${E}31m`)
		colours.forget()
		expect(colours.before(25)).toBe('')
	})

	test('a piece that was jumped to begins without colour until the one before it is here', () => {
		const held = new Set([31, 32, 33])
		const { colours } = logOf({ ...red, 25: `${E}32mgreen` }, (at) => held.has(at))
		expect(colours.before(33)).toBe('')
		for (let at = 21; at <= 30; at++) held.add(at)
		expect(colours.before(33)).toBe(`${E}32m`)
	})

	test('looking back is bounded', () => {
		const { colours, asked } = logOf({}, (at) => at > 500)
		colours.before(100_000)
		expect(asked()).toBeLessThan(100)
	})
})
