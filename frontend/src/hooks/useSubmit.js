// SPDX-License-Identifier: MIT
import { useState } from 'react'
import { useMutation } from '@tanstack/react-query'
import { submitFiles } from '../queries/uploads.js'

/** @typedef {import('../lib/files.js').Chosen} Chosen */

/** Uploads and submits; `sent` tells how much is there. @param {(build: import('../api/types.js').Build) => void} onDone */
export function useSubmit(onDone) {
	const [sent, setSent] = useState(0)
	const { mutate, isPending, error, reset } = useMutation({
		mutationFn: (/** @type {{ files: Chosen[], submission: Record<string, unknown> }} */ { files, submission }) => {
			setSent(0)
			return submitFiles(files, submission, setSent)
		},
		onSuccess: onDone,
	})
	return { submit: mutate, isPending, error, sent, reset }
}
