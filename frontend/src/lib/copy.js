// SPDX-License-Identifier: MIT
/**
 * Puts a text where it can be pasted from. Browsers have a clipboard on https and localhost only; a server on plain http has many
 * readers, for whom the text is selected and the old way is tried.
 *
 * @param {string} text
 * @param {HTMLElement} shown where it stands
 * @returns {Promise<boolean>} false: it is selected, and the reader has to copy it himself
 */
export async function copyText(text, shown) {
	try {
		await navigator.clipboard.writeText(text)
		return true
	} catch {
		getSelection()?.selectAllChildren(shown)
		try {
			return document.execCommand('copy')
		} catch {
			return false
		}
	}
}
