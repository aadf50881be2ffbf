// SPDX-License-Identifier: MIT
import { useRef, useState } from 'react'
import { useMutation } from '@tanstack/react-query'
import { submitFiles } from '../queries/uploads.js'

/** @typedef {import('../lib/files.js').Chosen} Chosen */
/** @typedef {import('../api/types.js').Build} Build */
/** @typedef {{ files: Chosen[], submission: Record<string, unknown> }} Files */

/**
 * Uploads a set, once, and submits it: as a dry run, as a build, or as one after the other.
 *
 * @param {(build: Build) => void} onDone
 */
export function useSubmit(onDone) {
	const [sent, setSent] = useState(0)
	const held = useRef(/** @type {{ files: Chosen[], upload: number } | null} */ (null))
	const { mutate, isPending, error, reset } = useMutation({
		mutationFn: (/** @type {Files} */ { files, submission }) => {
			const upload = held.current?.files === files ? held.current.upload : null
			setSent(0)
			return submitFiles(files, submission, upload, setSent).then((done) => {
				held.current = { files, upload: done.upload }
				return done.build
			})
		},
	})
	/** Who has left the page meanwhile is not taken from where he is; the build is in the list. @param {Files} files */
	const submit = (files) => mutate(files, { onSuccess: onDone })
	return { submit, isPending, error, sent, reset }
}
