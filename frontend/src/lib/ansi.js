// SPDX-License-Identifier: MIT
/** A line of a log as runs of one colour. Text stays text: nothing here makes markup. */
import Anser from 'anser'

/** @typedef {{ text: string, className?: string, style?: { color?: string, backgroundColor?: string } }} Run */

/** @param {string | null} name such as ansi-red, ansi-palette-208, ansi-truecolor @param {string | null} rgb @param {'fg' | 'bg'} side */
function colour(name, rgb, side) {
	if (!name) return {}
	if (name === 'ansi-truecolor') return { rgb: `rgb(${rgb})` }
	const palette = /^ansi-palette-(\d+)$/.exec(name)
	if (palette) return { rgb: paletteRgb(Number(palette[1])) }
	return { className: `${name}-${side}` }
}

/** The cube and the greys of the 256 colours. @param {number} n */
function paletteRgb(n) {
	if (n >= 232) {
		const grey = 8 + (n - 232) * 10
		return `rgb(${grey}, ${grey}, ${grey})`
	}
	const level = (/** @type {number} */ x) => (x === 0 ? 0 : 55 + x * 40)
	const at = n - 16
	return `rgb(${level(Math.floor(at / 36))}, ${level(Math.floor(at / 6) % 6)}, ${level(at % 6)})`
}

/** @param {string} line @param {string} [before] the state in which it begins, as in sgr.js @returns {Run[]} */
export function runs(line, before = '') {
	if (!before && !line.includes('\u001b[')) return [{ text: line }]
	return Anser.ansiToJson(before + line, { json: true, remove_empty: true, use_classes: true }).map((part) => {
		const fg = colour(part.fg, part.fg_truecolor, 'fg')
		const bg = colour(part.bg, part.bg_truecolor, 'bg')
		const decorations = part.decorations.map((name) => `ansi-${name}`)
		const className = [fg.className, bg.className, ...decorations].filter(Boolean).join(' ')
		const style = fg.rgb || bg.rgb ? { ...(fg.rgb && { color: fg.rgb }), ...(bg.rgb && { backgroundColor: bg.rgb }) } : undefined
		return { text: part.content, className: className || undefined, style }
	})
}
