// SPDX-License-Identifier: MIT
/**
 * At once, then at most once in so many ms; what was asked for in between is done at the end of them.
 *
 * @param {() => void} act
 * @param {number} apartMs
 */
export function createThrottle(act, apartMs) {
	let timer = /** @type {ReturnType<typeof setTimeout> | undefined} */ (undefined)
	let asked = false

	function run() {
		asked = false
		act()
		timer = setTimeout(() => {
			timer = undefined
			if (asked) run()
		}, apartMs)
	}
	return {
		ask() {
			if (timer === undefined) run()
			else asked = true
		},
		stop: () => clearTimeout(timer),
	}
}
