// SPDX-License-Identifier: MIT
import { createBuild } from '../api/builds.js'
import { createUpload, putFile } from '../api/uploads.js'

const AT_ONCE = 3

/** @typedef {{ path: string, file: File }} Chosen */

/** @param {Chosen[]} files @param {(done: number) => void} progress bytes @returns {Promise<number>} the upload */
async function upload(files, progress) {
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
	return id
}

/** An upload that nobody built is forgotten after a while. @param {any} error @returns {null} */
function unlessForgotten(error) {
	if (error.status === 404) return null
	throw error
}

/**
 * Makes a build of the files. They are sent once: what was sent for a dry run is built.
 *
 * @param {Chosen[]} files
 * @param {Record<string, unknown>} submission
 * @param {number | null} sent the upload that holds them already
 * @param {(done: number) => void} progress bytes
 * @returns {Promise<{ build: import('../api/types.js').Build, upload: number }>}
 */
export async function submitFiles(files, submission, sent, progress) {
	const build = sent && (await createBuild({ ...submission, upload: sent }).catch(unlessForgotten))
	if (build) return { build, upload: /** @type {number} */ (sent) }
	const id = await upload(files, progress)
	return { build: await createBuild({ ...submission, upload: id }), upload: id }
}
