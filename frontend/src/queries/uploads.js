// SPDX-License-Identifier: MIT
import { createBuild } from '../api/builds.js'
import { createUpload, putFile } from '../api/uploads.js'

const AT_ONCE = 3
const TRIES = 5 // for each file
const FIRST_DELAY_MS = 500

/** @typedef {{ path: string, file: File }} Chosen */

/** Worth another try: no answer, or a server that is not itself. A disk that is full will be so in a second, too. @param {any} error */
const isPassing = ({ status }) => status === 0 || (status >= 500 && status !== 507)

/** @param {number} ms @param {AbortSignal} signal ends it */
const pause = (ms, signal) =>
	new Promise((/** @type {(value: void) => void} */ done) => {
		setTimeout(done, ms)
		signal.addEventListener('abort', () => done(), { once: true })
	})

/** A file may be sent as often as one likes: the one that is whole last stays. @param {number} id @param {Chosen} chosen @param {AbortSignal} signal */
async function send(id, { path, file }, signal) {
	for (let tries = 1; ; tries++) {
		try {
			return await putFile(id, path, file, signal)
		} catch (error) {
			if (!isPassing(error) || tries === TRIES || signal.aborted) throw error
			await pause(FIRST_DELAY_MS * 2 ** (tries - 1), signal)
			if (signal.aborted) throw error
		}
	}
}

/** @param {Chosen[]} files @param {(done: number) => void} progress bytes @returns {Promise<number>} the upload */
async function upload(files, progress) {
	const { id } = await createUpload()
	const waiting = [...files]
	const failed = new AbortController() // what cannot become whole is not sent on
	let done = 0
	const work = async () => {
		for (let next = waiting.shift(); next && !failed.signal.aborted; next = waiting.shift()) {
			await send(id, next, failed.signal)
			done += next.file.size
			progress(done)
		}
	}
	try {
		await Promise.all(Array.from({ length: AT_ONCE }, work))
	} catch (error) {
		failed.abort()
		throw error
	}
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
