// SPDX-License-Identifier: MIT
import { useMemo, useState } from 'react'
import { Button } from '@patternfly/react-core'
import { useNavigate } from 'react-router'
import { DropZone } from '../components/DropZone.jsx'
import { FileList } from '../components/FileList.jsx'
import { PlanPreview } from '../components/PlanPreview.jsx'
import { Problem } from '../components/Problem.jsx'
import { usePageTitle } from '../hooks/usePageTitle.js'
import { useSession } from '../hooks/useSession.js'
import { useSubmit } from '../hooks/useSubmit.js'
import { arrange, faultOf } from '../lib/files.js'
import { count, size } from '../lib/format.js'

/** @typedef {import('../lib/files.js').Chosen} Chosen */

/** Files in, the order shown, the build begun. */
export function NewBuild() {
	const navigate = useNavigate()
	const { canChange } = useSession()
	const [chosen, setChosen] = useState(/** @type {Chosen[]} */ ([]))
	const [replaced, setReplaced] = useState(0)
	const { files, folder } = useMemo(() => arrange(chosen), [chosen])
	const [name, setName] = useState('')
	const [failFast, setFailFast] = useState(false)
	const [preview, setPreview] = useState(/** @type {number | null} */ (null))
	const { submit, isPending, error, sent, reset } = useSubmit((build) => (build.dry_run ? setPreview(build.id) : navigate(`/builds/${build.id}`)))
	usePageTitle('New build')

	/** @param {Chosen[]} more of a file that is chosen again the newest stands, and that is said */
	function add(more) {
		const all = new Map([...chosen, ...more].map((each) => [each.path, each]))
		change([...all.values()], chosen.length + more.length - all.size)
	}

	/** @param {Chosen[]} next another set has another order @param {number} again how many of them were chosen before */
	function change(next, again = 0) {
		setChosen(next)
		setReplaced(again)
		setPreview(null)
		reset()
	}

	const bytes = files.reduce((sum, { file }) => sum + file.size, 0)
	const problem = faultOf(files)
	const ready = files.length > 0 && !problem && !isPending && canChange
	const submission = { name: name.trim() || folder || 'upload', fail_fast: failFast }
	return (
		<>
			<div className="page-head"><h1>New build</h1></div>
			{!canChange && <p role="note" className="hint">Starting a build needs a sign-in: <code>./reqpm.sh login</code>, on the server, prints a link for it.</p>}
			<div className="new-build">
				<form className="new-form" onSubmit={(event) => {
					event.preventDefault()
					submit({ files, submission })
				}}>
					<DropZone onFiles={add} small={files.length > 0} />
					<FileList files={files} onRemove={(source) => change(chosen.filter((each) => each.path !== source))} />
					{replaced > 0 && <p role="status" className="subtle">{count(replaced, 'file')} had been chosen before: what was chosen last stands.</p>}
					{problem && <p role="alert" className="field-error">{problem}</p>}
					<label className="form-row"><span>Name</span>
						<input className="field" value={name} maxLength={200} placeholder={folder || 'upload'} onChange={(event) => setName(event.target.value)} />
					</label>
					<label className="form-check">
						<input type="checkbox" checked={failFast} onChange={(event) => setFailFast(event.target.checked)} /> Stop at the first failure
					</label>
					<div className="form-actions">
						<Button variant="secondary" isDisabled={!ready} onClick={() => submit({ files, submission: { ...submission, dry_run: true } })}>
							Show the order
						</Button>
						<Button variant="primary" type="submit" isDisabled={!ready}>Start the build</Button>
						<span role="status" className="subtle">{isPending && sent < bytes ? `uploading ${size(sent)} of ${size(bytes)}` : ''}</span>
					</div>
					{error && <Problem error={error} what="The set" retried={false} />}
				</form>
				<section className="card new-preview" aria-labelledby="order-title">
					<h2 id="order-title">The order</h2>
					{preview ? <PlanPreview id={preview} />
						: <p className="subtle">Before it starts you can see in which order the packages would be built, which need each other in a circle, and what the host must supply.</p>}
				</section>
			</div>
		</>
	)
}
