// SPDX-License-Identifier: MIT
import { useEffect } from 'react'

const ICONS = /** @type {Record<string, string>} */ (
	import.meta.glob('../icons/*.svg', { eager: true, query: '?url', import: 'default' })
)

/** The tab's words and picture. @param {string} title @param {string} [icon] a file of icons/, without its ending */
export function usePageTitle(title, icon = 'idle') {
	useEffect(() => {
		document.title = `${title} · reqpm`
	}, [title])
	useEffect(() => {
		const link = /** @type {HTMLLinkElement | null} */ (document.querySelector('link[rel="icon"]'))
		const url = ICONS[`../icons/${icon}.svg`]
		if (link && url) link.href = url
	}, [icon])
}
