// SPDX-License-Identifier: MIT
import { useEffect } from 'react'
import { createPace } from '../lib/beat.js'

const ICONS = /** @type {Record<string, string>} */ (
	import.meta.glob('../icons/*.svg', { eager: true, query: '?url', import: 'default' })
)

let wanted = ''
const title = createPace(() => void (document.title = wanted), 2) // the browser draws it anew each time, in every window

/** The tab's words and picture. @param {string} text @param {string} [icon] a file of icons/, without its ending */
export function usePageTitle(text, icon = 'idle') {
	useEffect(() => {
		wanted = `${text} · reqpm`
		title.ask()
	}, [text])
	useEffect(() => {
		const link = /** @type {HTMLLinkElement | null} */ (document.querySelector('link[rel="icon"]'))
		const url = ICONS[`../icons/${icon}.svg`]
		if (link && url) link.href = url
	}, [icon])
}
