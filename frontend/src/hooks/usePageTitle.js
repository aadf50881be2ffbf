// SPDX-License-Identifier: MIT
import { useEffect } from 'react'
import { useThrottled } from './useThrottled.js'

const ICONS = /** @type {Record<string, string>} */ (
	import.meta.glob('../icons/*.svg', { eager: true, query: '?url', import: 'default' })
)

const TITLE_MS = 1000

/** The tab's words and picture. @param {string} title @param {string} [icon] a file of icons/, without its ending */
export function usePageTitle(title, icon = 'idle') {
	const shown = useThrottled(title, TITLE_MS) // the browser draws it anew each time, in every window
	useEffect(() => {
		document.title = `${shown} · reqpm`
	}, [shown])
	useEffect(() => {
		const link = /** @type {HTMLLinkElement | null} */ (document.querySelector('link[rel="icon"]'))
		const url = ICONS[`../icons/${icon}.svg`]
		if (link && url) link.href = url
	}, [icon])
}
