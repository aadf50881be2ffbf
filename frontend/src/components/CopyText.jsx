// SPDX-License-Identifier: MIT
import { memo, useRef, useState } from 'react'
import { Button } from '@patternfly/react-core'
import CopyIcon from '@patternfly/react-icons/dist/esm/icons/copy-icon'
import { copyText } from '../lib/copy.js'

const SAID_MS = 4000

/** A line to copy. */
export const CopyText = memo(Line)

/** @param {{ text: string, label: string }} props */
function Line({ text, label }) {
	const [said, setSaid] = useState('')
	const code = useRef(/** @type {HTMLElement | null} */ (null))
	async function copy() {
		const copied = await copyText(text, /** @type {HTMLElement} */ (code.current))
		setSaid(copied ? 'copied' : 'selected: press Ctrl C')
		setTimeout(() => setSaid(''), SAID_MS)
	}
	return (
		<span className="copy-text">
			<code ref={code}>{text}</code>
			<Button variant="plain" size="sm" onClick={copy} aria-label={`${label}: copy`} title="Copy">
				{said === 'copied' ? <span aria-hidden="true">✓</span> : <CopyIcon />}
			</Button>
			<span role="status" className={said === 'copied' ? 'pf-v6-screen-reader' : 'copy-said'}>{said}</span>
		</span>
	)
}
