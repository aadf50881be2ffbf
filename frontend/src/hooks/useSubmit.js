// SPDX-License-Identifier: MIT
import { useRef, useState } from 'react'
import { useMutation } from '@tanstack/react-query'
import { submitFiles } from '../queries/uploads.js'

/** @typedef {import('../lib/files.js').Chosen} Chosen */
/** @typedef {import('../api/types.js').Build} Build */

/**
 * Uploads a set, once, and submits it: as a dry run, as a build, or as one after the other.
 *
 * @param {(build: Build) => void} onDone
 */
export function useSubmit(onDone) {
	const [sent, setSent] = useState(0)
	const held = useRef(/** @type {{ files: Chosen[], upload: number } | null} */ (null))
	const { mutate, isPending, error, reset } = useMutation({
		mutationFn: (/** @type {{ files: Chosen[], submission: Record<string, unknown> }} */ { files, submission }) => {
			const upload = held.current?.files === files ? held.current.upload : null
			setSent(0)
			return submitFiles(files, submission, upload, setSent).then((done) => {
				held.current = { files, upload: done.upload }
				return done.build
			})
		},
		onSuccess: onDone,
	})
	return { submit: mutate, isPending, error, sent, reset }
}
