// SPDX-License-Identifier: MIT
/**
 * Where in a long text a scroller stands. Browsers clamp an element's height, so the space that is scrolled ends at a cap; beyond it
 * a pixel of the scroll bar is more than a pixel of text. Positions are lines from 0, with fractions. Pure.
 */
export const LINE_PX = 20
export const SPACE_MAX_PX = 10_000_000

/** The height of a line, from 0, in px. @typedef {(line: number) => number} HeightOf */

/** @type {HeightOf} */
export const oneRow = () => LINE_PX

/**
 * How high a line stands when it is wrapped; near enough for scrolling, and nothing is measured.
 *
 * @param {string | undefined} text @param {number} columns
 */
export const wrappedHeight = (text, columns) => LINE_PX * Math.max(1, Math.ceil((text?.length ?? 0) / Math.max(1, columns)))

/**
 * @param {{ total: number, height: number, heightOf?: HeightOf }} pane lines, px of the viewport; `heightOf` where lines differ
 */
export function geometry({ total, height, heightOf }) {
	const visible = Math.max(1, height / LINE_PX)
	const last = heightOf ? movedBy(-height, total, total, heightOf) : Math.max(0, total - visible)
	const space = Math.min(SPACE_MAX_PX, last * LINE_PX + height)
	const travel = Math.max(0, space - height)
	return { visible, last, space, travel, scaled: last * LINE_PX > travel + 1 }
}

/** @typedef {ReturnType<typeof geometry>} Geometry */

/** @param {Geometry} g @param {number} top */
export const positionOf = (g, top) => (g.travel === 0 ? 0 : g.scaled ? (top / g.travel) * g.last : top / LINE_PX)

/** @param {Geometry} g @param {number} position */
export const topOf = (g, position) => (g.last === 0 ? 0 : g.scaled ? (position / g.last) * g.travel : position * LINE_PX)

/**
 * The position some px further, or back; through a line that is higher than others the way is longer.
 *
 * @param {number} px @param {number} position @param {number} total @param {HeightOf} heightOf
 */
export function movedBy(px, position, total, heightOf) {
	let at = position
	let left = px
	while (left > 0 && at < total) {
		const line = Math.floor(at)
		const rest = (1 - (at - line)) * heightOf(line)
		if (left < rest) return at + left / heightOf(line)
		at = line + 1
		left -= rest
	}
	while (left < 0 && at > 0) {
		const line = Math.ceil(at) - 1
		const above = (at - line) * heightOf(line)
		if (-left < above) return at + left / heightOf(line)
		at = line
		left += above
	}
	return at
}

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
