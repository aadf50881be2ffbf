// SPDX-License-Identifier: MIT
import { createBuild } from '../api/builds.js'
import { createUpload, putFile } from '../api/uploads.js'

const AT_ONCE = 3

/** @typedef {{ path: string, file: File }} Chosen */

/**
 * Uploads the files and makes the build of them.
 *
 * @param {Chosen[]} files
 * @param {Record<string, unknown>} submission
 * @param {(done: number) => void} progress bytes
 * @returns {Promise<import('../api/types.js').Build>}
 */
export async function submitFiles(files, submission, progress) {
	const { id } = await createUpload()
	const waiting = [...files]
	let done = 0
	const work = async () => {
		for (let next = waiting.shift(); next; next = waiting.shift()) {
			await putFile(id, next.path, next.file)
			done += next.file.size
			progress(done)
		}
	}
	await Promise.all(Array.from({ length: AT_ONCE }, work))
	return createBuild({ ...submission, upload: id })
}
