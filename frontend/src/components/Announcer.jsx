// SPDX-License-Identifier: MIT
import { useEffect, useRef, useState } from 'react'
import { buildLook, isEnded } from '../api/statuses.js'

const PAUSE_MS = 30_000

/**
 * Says to a screen reader what a build is at: at most once in 30 s, failures and the end at once.
 *
 * @param {{ build: import('../api/types.js').Build }} props
 */
export function Announcer({ build }) {
	const [text, setText] = useState('')
	const last = useRef({ at: -Infinity, failed: build.failed_packages, status: build.status })
	const { progress, failed_packages: failed, status } = build

	useEffect(() => {
		const said = last.current
		const urgent = failed > said.failed || (status !== said.status && isEnded(status))
		const words = `${buildLook(status).word}, ${progress} percent${failed ? `, ${failed} failed` : ''}`
		const speak = () => {
			last.current = { at: Date.now(), failed, status }
			setText(words)
		}
		const timer = setTimeout(speak, urgent ? 0 : Math.max(0, said.at + PAUSE_MS - Date.now()))
		return () => clearTimeout(timer)
	}, [progress, failed, status])

	return <p role="status" aria-live="polite" className="pf-v6-screen-reader">{text}</p>
}
