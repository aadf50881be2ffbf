// SPDX-License-Identifier: MIT
import { useState } from 'react'
import { filesOfDrop, filesOfInput } from '../lib/files.js'

/** Drop, or choose files or a whole folder. @param {{ onFiles: (files: import('../lib/files.js').Chosen[]) => void, small: boolean }} props */
export function DropZone({ onFiles, small }) {
	const [over, setOver] = useState(false)
	/** @param {import('react').ChangeEvent<HTMLInputElement>} event */
	function chosen(event) {
		if (event.target.files) onFiles(filesOfInput(event.target.files))
		event.target.value = '' // the same file may be chosen again
	}
	return (
		<div className={`drop${over ? ' drop-over' : ''}${small ? ' drop-small' : ''}`}
			onDragOver={(event) => {
				event.preventDefault()
				setOver(true)
			}}
			onDragLeave={() => setOver(false)}
			onDrop={async (event) => {
				event.preventDefault()
				setOver(false)
				onFiles(await filesOfDrop(event.dataTransfer))
			}}>
			<p><strong>{small ? 'Drop more here' : 'Drop the set here'}</strong></p>
			{!small && <p className="subtle">Spec files with their sources, source RPMs, or a packages.json; a whole folder is fine.</p>}
			<p className="drop-choices">
				<label className="button-link button-quiet">Choose files<input type="file" multiple className="pf-v6-screen-reader" onChange={chosen} /></label>
				<label className="button-link button-quiet">Choose a folder
					<input type="file" className="pf-v6-screen-reader" onChange={chosen} ref={(input) => input?.setAttribute('webkitdirectory', '')} />
				</label>
			</p>
		</div>
	)
}
