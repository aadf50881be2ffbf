// SPDX-License-Identifier: MIT
import { useState } from 'react'
import { Button } from '@patternfly/react-core'
import { storedTheme, storeTheme } from '../lib/theme.js'

/** @type {Record<string, { next: import('../lib/theme.js').Theme, symbol: string, word: string }>} */
const THEMES = {
	system: { next: 'light', symbol: '◐', word: 'as the system' },
	light: { next: 'dark', symbol: '☀', word: 'light' },
	dark: { next: 'system', symbol: '☾', word: 'dark' },
}

export function ThemeSwitch() {
	const [theme, setTheme] = useState(storedTheme)
	const { next, symbol, word } = THEMES[theme]
	function choose() {
		storeTheme(next)
		setTheme(next)
	}
	return (
		<Button variant="plain" onClick={choose} aria-label={`Theme: ${word}. Change to ${THEMES[next].word}`} title={`Theme: ${word}`}>
			<span aria-hidden="true" className="theme-symbol">{symbol}</span>
		</Button>
	)
}
