// SPDX-License-Identifier: MIT
import { memo, useState } from 'react'
import { Button } from '@patternfly/react-core'
import CopyIcon from '@patternfly/react-icons/dist/esm/icons/copy-icon'

/** A line to copy. */
export const CopyText = memo(Line)

/** @param {{ text: string, label: string }} props */
function Line({ text, label }) {
	const [copied, setCopied] = useState(false)
	async function copy() {
		try {
			await navigator.clipboard.writeText(text)
			setCopied(true)
			setTimeout(() => setCopied(false), 2000)
		} catch {
			setCopied(false) // no permission, or plain http: the text stands there to be selected
		}
	}
	return (
		<span className="copy-text">
			<code>{text}</code>
			<Button variant="plain" size="sm" onClick={copy} aria-label={`${label}: copy`} title="Copy">
				{copied ? <span aria-hidden="true">✓</span> : <CopyIcon />}
			</Button>
			<span role="status" className="pf-v6-screen-reader">{copied ? 'copied' : ''}</span>
		</span>
	)
}
