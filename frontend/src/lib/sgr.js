// SPDX-License-Identifier: MIT
/**
 * Colours that outlive a line. A log says "red" on one line and "as before" some lines later; what is between them is red, too. The
 * state between two lines is the one SGR sequence that would set it again, '' when nothing is set. Pure.
 */
const ESCAPE = '\u001b['

/** code that ends: what it ends @type {Record<number, number[]>} */
const ENDS = { 22: [1, 2], 23: [3], 24: [4, 21], 25: [5, 6], 27: [7], 28: [8], 29: [9], 39: [38], 49: [48] }

/** Colours of one side share a place, other attributes have one each. @param {number} code */
function placeOf(code) {
	if ((code >= 30 && code <= 38) || (code >= 90 && code <= 97)) return 38
	if ((code >= 40 && code <= 48) || (code >= 100 && code <= 107)) return 48
	return code
}

/** @param {Map<number, string>} set place: codes @param {string[]} codes of one sequence */
function take(set, codes) {
	for (let at = 0; at < codes.length; at++) {
		const code = Number(codes[at]) // an empty one is 0
		if (code === 0) set.clear()
		else if (ENDS[code]) for (const place of ENDS[code]) set.delete(place)
		else if (code === 38 || code === 48) {
			const length = codes[at + 1] === '2' ? 5 : 3
			set.set(code, codes.slice(at, at + length).join(';'))
			at += length - 1
		} else set.set(placeOf(code), codes[at])
	}
}

/**
 * @param {string} before the state in which the line begins
 * @param {string} line
 * @returns {string} the state in which it ends
 */
export function colourAfter(before, line) {
	if (!line.includes(ESCAPE)) return before
	const set = /** @type {Map<number, string>} */ (new Map())
	for (const piece of (before + line).split(ESCAPE).slice(1)) {
		const sequence = /^([\d;]*)m/.exec(piece)
		if (sequence) take(set, sequence[1].split(';'))
	}
	return set.size === 0 ? '' : `${ESCAPE}${[...set.values()].join(';')}m`
}

const PIECES_BACK = 4

/**
 * The state before any line of a log of which only pieces are here. A piece begins as the one before it ended, when that is known or
 * can be worked out from a few pieces that are here; else without colour.
 *
 * @param {{ line: (line: number) => string | undefined, pieceLines: number }} log lines from 1; undefined: not here
 */
export function createColours({ line, pieceLines }) {
	/** @type {Map<number, string>} piece: the state in which it ends, of those that are known for good */
	const ends = new Map()

	/** @param {number} from @param {number} to both included @param {string} state @returns {{ state: string, whole: boolean }} */
	function walk(from, to, state) {
		let whole = true
		let now = state
		for (let at = from; at <= to; at++) {
			const text = line(at)
			if (text === undefined) whole = false
			else now = colourAfter(now, text)
		}
		return { state: now, whole }
	}

	/** @param {number} piece from 0 */
	function startOf(piece) {
		let first = piece
		while (first > 0 && !ends.has(first - 1) && piece - first < PIECES_BACK && line(first * pieceLines) !== undefined) first--
		let known = first === 0 || ends.has(first - 1)
		let state = ends.get(first - 1) ?? ''
		for (let at = first; at < piece; at++) {
			const walked = walk(at * pieceLines + 1, (at + 1) * pieceLines, state)
			state = walked.state
			known &&= walked.whole
			if (known) ends.set(at, state)
		}
		return state
	}

	return {
		/** @param {number} at a line, from 1 */
		before(at) {
			const piece = Math.floor((at - 1) / pieceLines)
			return walk(piece * pieceLines + 1, at - 1, startOf(piece)).state
		},
		/** Another log stands in the place of this one. */
		forget: () => ends.clear(),
	}
}
