// SPDX-License-Identifier: MIT
// @vitest-environment node
import { expect, it } from 'vitest'
import { runs } from '../../src/lib/ansi.js'
import { geometry, hashOf, LINE_PX, linesOf, positionOf, SPACE_MAX_PX, topOf } from '../../src/lib/scroll.js'

it('a log that fits the browser’s heights scrolls line by line', () => {
	const pane = geometry({ total: 1000, height: 400, wrap: false })
	expect(pane).toMatchObject({ space: 1000 * LINE_PX, last: 980, scaled: false })
	expect(positionOf(pane, 10 * LINE_PX)).toBe(10)
})
it('a log of ten million lines is scrolled in a space that browsers can have, from its first line to its last', () => {
	const pane = geometry({ total: 10_000_000, height: 400, wrap: false })
	expect(pane).toMatchObject({ space: SPACE_MAX_PX, scaled: true })
	expect(positionOf(pane, 0)).toBe(0)
	expect(positionOf(pane, pane.space - 400)).toBe(10_000_000 - 20)
	expect(positionOf(pane, topOf(pane, 1_234_567))).toBeCloseTo(1_234_567)
})
it('a short log does not scroll', () => {
	expect(geometry({ total: 3, height: 400, wrap: false })).toMatchObject({ last: 0, travel: 0, scaled: false })
})
it('links name a line or some, in any order, and nothing else', () => {
	expect(linesOf('#L120')).toEqual({ from: 120, to: 120 })
	expect(linesOf('#L140-L120')).toEqual({ from: 120, to: 140 })
	for (const odd of ['', '#L', '#L0', '#x', '#L1-', '#L12x']) expect(linesOf(odd)).toBeNull()
	expect([hashOf(3, 3), hashOf(9, 3)]).toEqual(['#L3', '#L3-L9'])
})
it('colours become class names, those of the palette and true ones styles, and text stays text', () => {
	expect(runs('plain <b>')).toEqual([{ text: 'plain <b>' }])
	expect(runs('\u001b[1;31mred\u001b[0m <i>')).toEqual([
		{ text: 'red', className: 'ansi-red-fg ansi-bold', style: undefined },
		{ text: ' <i>', className: undefined, style: undefined },
	])
	expect(runs('\u001b[38;5;208mx')[0].style).toEqual({ color: 'rgb(255, 135, 0)' })
	expect(runs('\u001b[48;2;1;2;3mx')[0].style.backgroundColor.replaceAll(' ', '')).toBe('rgb(1,2,3)')
})
