// SPDX-License-Identifier: MIT
import { memo, useState } from 'react'
import { Button } from '@patternfly/react-core'
import { count, size } from '../lib/format.js'

const SHOWN = 500 // a large set has ten thousand, and a browser takes seconds for them

/** The files that a build made. */
export const Results = memo(
	/** @param {{ artifacts: import('../api/types.js').Artifact[] }} props */
	function Results({ artifacts }) {
		const [all, setAll] = useState(false)
		return (
			<>
				<div className="scroll-x" tabIndex={0} role="region" aria-label="Results">
					<table className="plain-table">
						<thead>
							<tr><th scope="col">File</th><th scope="col">Package</th><th scope="col">Kind</th><th scope="col" className="number">Size</th><th scope="col">SHA-256</th></tr>
						</thead>
						<tbody>
							{(all ? artifacts : artifacts.slice(0, SHOWN)).map((artifact) => <Result key={`${artifact.queue_item} ${artifact.file}`} artifact={artifact} />)}
						</tbody>
					</table>
				</div>
				{!all && artifacts.length > SHOWN && <p><Button variant="link" isInline onClick={() => setAll(true)}>Show all {count(artifacts.length, 'file')}</Button></p>}
			</>
		)
	},
)

const Result = memo(
	/** @param {{ artifact: import('../api/types.js').Artifact }} props */
	function Result({ artifact: { file, url, nevra, package: name, kind, size: bytes, sha256 } }) {
		return (
			<tr>
				<td className="file-name" title={nevra ?? undefined}>{url ? <a href={url}>{file}</a> : file}</td>
				<td>{name}</td>
				<td>{kind}</td>
				<td className="number">{size(bytes)}</td>
				<td><code className="hash" title={sha256}>{sha256}</code></td>
			</tr>
		)
	},
)
