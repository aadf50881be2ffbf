// SPDX-License-Identifier: MIT
/** Light, dark, or what the system prefers; the choice is kept in this browser. @typedef {'system' | 'light' | 'dark'} Theme */
const STORED = 'reqpm.theme'
const dark = matchMedia('(prefers-color-scheme: dark)')

/** @returns {Theme} */
export function storedTheme() {
	try {
		const theme = localStorage.getItem(STORED)
		return theme === 'light' || theme === 'dark' ? theme : 'system'
	} catch {
		return 'system' // storage is forbidden: the system's preference serves
	}
}

/** @param {Theme} theme */
export function applyTheme(theme) {
	const isDark = theme === 'dark' || (theme === 'system' && dark.matches)
	document.documentElement.classList.toggle('pf-v6-theme-dark', isDark)
	document.documentElement.style.colorScheme = isDark ? 'dark' : 'light'
}

/** @param {Theme} theme */
export function storeTheme(theme) {
	try {
		if (theme === 'system') localStorage.removeItem(STORED)
		else localStorage.setItem(STORED, theme)
	} catch {
		// Storage is forbidden: the choice lasts for this page.
	}
	applyTheme(theme)
}

dark.addEventListener('change', () => applyTheme(storedTheme()))
