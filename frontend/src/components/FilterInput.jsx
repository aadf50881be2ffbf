// SPDX-License-Identifier: MIT
import { useEffect, useRef } from 'react'

/**
 * A filter whose value stands in the URL. The input itself holds what is typed: the URL changes later, and letters would be lost.
 *
 * @param {{ value: string, onChange: (value: string) => void, label: string, placeholder: string, hotkey?: string }} props
 */
export function FilterInput({ value, onChange, label, placeholder, hotkey }) {
	const input = useRef(/** @type {HTMLInputElement | null} */ (null))
	useEffect(() => {
		if (input.current && input.current !== document.activeElement) input.current.value = value
	}, [value])
	useEffect(() => {
		/** @param {KeyboardEvent} event */
		function focus(event) {
			const typing = event.target instanceof HTMLElement && event.target.closest('input, textarea, select')
			if (event.key !== hotkey || typing || event.ctrlKey || event.metaKey || event.altKey) return
			event.preventDefault()
			input.current?.focus()
		}
		document.addEventListener('keydown', focus)
		return () => document.removeEventListener('keydown', focus)
	}, [hotkey])
	return (
		<input ref={input} type="search" className="field" placeholder={placeholder} aria-label={label} defaultValue={value}
			onChange={(event) => onChange(event.target.value)} />
	)
}
