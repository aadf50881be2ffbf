// SPDX-License-Identifier: MIT
import { Button } from '@patternfly/react-core'
import { count, size } from '../lib/format.js'

const SHOWN = 200

/** @param {{ files: ReturnType<typeof import('../lib/files.js').arrange>['files'], onRemove: (source: string) => void }} props */
export function FileList({ files, onRemove }) {
	if (files.length === 0) return null
	const bytes = files.reduce((sum, { file }) => sum + file.size, 0)
	return (
		<details className="files" open={files.length <= 12}>
			<summary>{count(files.length, 'file')}, {size(bytes)}</summary>
			<ul>
				{files.slice(0, SHOWN).map(({ path, source, file }) => (
					<li key={source}>
						<span className="file-path">{path}</span> <span className="subtle">{size(file.size)}</span>
						<Button variant="plain" size="sm" aria-label={`Leave ${path} out`} onClick={() => onRemove(source)}>✕</Button>
					</li>
				))}
				{files.length > SHOWN && <li className="subtle">and {count(files.length - SHOWN, 'more file')}</li>}
			</ul>
		</details>
	)
}
