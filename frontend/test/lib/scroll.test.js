// SPDX-License-Identifier: MIT
// @vitest-environment node
import { expect, it } from 'vitest'
import { runs } from '../../src/lib/ansi.js'
import { geometry, hashOf, LINE_PX, linesOf, movedBy, oneRow, positionOf, SPACE_MAX_PX, topOf, wrappedHeight } from '../../src/lib/scroll.js'

it('a log that fits the browser’s heights scrolls line by line', () => {
	const pane = geometry({ total: 1000, height: 400 })
	expect(pane).toMatchObject({ space: 1000 * LINE_PX, last: 980, scaled: false })
	expect(positionOf(pane, 10 * LINE_PX)).toBe(10)
})
it('a log of ten million lines is scrolled in a space that browsers can have, from its first line to its last', () => {
	const pane = geometry({ total: 10_000_000, height: 400 })
	expect(pane).toMatchObject({ space: SPACE_MAX_PX, scaled: true })
	expect(positionOf(pane, 0)).toBe(0)
	expect(positionOf(pane, pane.space - 400)).toBe(10_000_000 - 20)
	expect(positionOf(pane, topOf(pane, 1_234_567))).toBeCloseTo(1_234_567)
})
it('a short log does not scroll', () => {
	expect(geometry({ total: 3, height: 400 })).toMatchObject({ last: 0, travel: 0, scaled: false })
})
it('where lines are wrapped the end is where the last of them reaches the lower edge', () => {
	const heightOf = (/** @type {number} */ line) => (line === 99 ? 300 : line === 98 ? 80 : LINE_PX)
	expect(geometry({ total: 100, height: 400, heightOf }).last).toBe(97)
	expect(geometry({ total: 100, height: 150, heightOf }).last).toBe(99.5)
	expect(geometry({ total: 1, height: 400, heightOf }).last).toBe(0)
})
it('rows are moved by, through lines that are higher than the window', () => {
	const heightOf = (/** @type {number} */ line) => (line === 1 ? 1000 : LINE_PX)
	expect(movedBy(10, 0, 5, heightOf)).toBe(0.5)
	expect(movedBy(120, 0, 5, heightOf)).toBe(1.1)
	expect(movedBy(1020, 0, 5, heightOf)).toBe(2)
	expect(movedBy(-500, 2, 5, heightOf)).toBe(1.5)
	expect(movedBy(-1e9, 4, 5, heightOf)).toBe(0)
	expect(movedBy(1e9, 4, 5, heightOf)).toBe(5)
	expect(movedBy(-30, 3, 5, oneRow)).toBe(1.5)
	expect([undefined, '', 'x'.repeat(80), 'x'.repeat(81)].map((text) => wrappedHeight(text, 80) / LINE_PX)).toEqual([1, 1, 1, 2])
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
