// SPDX-License-Identifier: MIT
/** The server's clock as this page knows it: elapsed times follow the server, however wrong the reader's own clock is. */
export const serverClock = {
	/** Server minus own, in ms. */
	offset: 0,
	/** @param {string | null | undefined} stamp a Date header or a heartbeat's `now` */
	learn(stamp) {
		const at = stamp ? Date.parse(stamp) : NaN
		if (!Number.isNaN(at)) this.offset = at - Date.now()
	},
	now() {
		return Date.now() + this.offset
	},
}
