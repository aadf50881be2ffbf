// SPDX-License-Identifier: MIT
/**
 * Where in a long text a scroller stands. Browsers clamp an element's height, so the space that is scrolled ends at a cap; beyond it
 * a pixel of the scroll bar is more than a pixel of text. Positions are lines from 0, with fractions. Pure.
 */
export const LINE_PX = 20
export const SPACE_MAX_PX = 10_000_000

/**
 * @param {{ total: number, height: number, wrap: boolean }} pane lines, px of the viewport, lines have different heights
 */
export function geometry({ total, height, wrap }) {
	const visible = Math.max(1, height / LINE_PX)
	const last = wrap ? Math.max(0, total - 1) : Math.max(0, total - visible)
	const space = Math.min(SPACE_MAX_PX, last * LINE_PX + height)
	const travel = Math.max(0, space - height)
	return { visible, last, space, travel, scaled: last * LINE_PX > travel + 1 }
}

/** @typedef {ReturnType<typeof geometry>} Geometry */

/** @param {Geometry} g @param {number} top */
export const positionOf = (g, top) => (g.travel === 0 ? 0 : g.scaled ? (top / g.travel) * g.last : top / LINE_PX)

/** @param {Geometry} g @param {number} position */
export const topOf = (g, position) => (g.last === 0 ? 0 : g.scaled ? (position / g.last) * g.travel : position * LINE_PX)

/** @param {Geometry} g @param {number} position */
export const clamp = (g, position) => Math.min(g.last, Math.max(0, position))

/** #L120 and #L120-L140. @param {string} hash @returns {{ from: number, to: number } | null} */
export function linesOf(hash) {
	const match = /^#L(\d{1,15})(?:-L?(\d{1,15}))?$/.exec(hash)
	if (!match) return null
	const a = Number(match[1])
	const b = Number(match[2] ?? match[1])
	return a < 1 || b < 1 ? null : { from: Math.min(a, b), to: Math.max(a, b) }
}

/** @param {number} from @param {number} to */
export const hashOf = (from, to) => (from === to ? `#L${from}` : `#L${Math.min(from, to)}-L${Math.max(from, to)}`)
