// SPDX-License-Identifier: MIT

/** To the previous and the next of some lines. @param {{ what: string, lines: number[], top: number, onGo: (line: number) => void }} props */
export function Steps({ what, lines, top, onGo }) {
	if (lines.length === 0) return null
	const next = lines.find((line) => line > top) ?? lines[0]
	const previous = lines.findLast((line) => line < top) ?? lines[lines.length - 1]
	return (
		<span className="log-steps">
			<button type="button" className="tool" aria-label={`Previous ${what}`} onClick={() => onGo(previous)}>↑</button>
			<button type="button" className="tool" aria-label={`Next ${what}`} onClick={() => onGo(next)}>↓</button>
		</span>
	)
}
