// SPDX-License-Identifier: MIT
import { useSpoken } from '../hooks/useSpoken.js'
import { buildLook, isEnded } from '../api/statuses.js'

/** Says to a screen reader what a build is at; failures and the end at once. @param {{ build: import('../api/types.js').Build }} props */
export function Announcer({ build }) {
	const { progress, failed_packages: failed, status } = build
	const words = `${buildLook(status).word}, ${progress} percent${failed ? `, ${failed} failed` : ''}`
	const spoken = useSpoken(words, `${failed} ${isEnded(status)}`)
	return <p role="status" aria-live="polite" className="pf-v6-screen-reader">{spoken}</p>
}
