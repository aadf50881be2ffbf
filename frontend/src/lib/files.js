// SPDX-License-Identifier: MIT
/** Files that a reader dropped or chose, with their paths in the set. @typedef {{ path: string, file: File }} Chosen */

/** @param {FileSystemDirectoryEntry} folder @returns {Promise<FileSystemEntry[]>} a reader gives at most 100 at a time */
async function entriesOf(folder) {
	const reader = folder.createReader()
	/** @type {FileSystemEntry[]} */
	const all = []
	for (;;) {
		const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))
		if (some.length === 0) return all
		all.push(...some)
	}
}

/** @param {FileSystemEntry} entry @param {string} under @returns {Promise<Chosen[]>} */
async function filesOf(entry, under) {
	if (entry.isFile) {
		const file = await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject))
		return [{ path: under + entry.name, file }]
	}
	const entries = await entriesOf(/** @type {FileSystemDirectoryEntry} */ (entry))
	return (await Promise.all(entries.map((each) => filesOf(each, `${under}${entry.name}/`)))).flat()
}

/** @param {DataTransfer} transfer @returns {Promise<Chosen[]>} */
export async function filesOfDrop(transfer) {
	const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry?.() ?? [])
	if (entries.length === 0) return filesOfInput(transfer.files)
	return (await Promise.all(entries.map((entry) => filesOf(entry, '')))).flat()
}

/** @param {FileList} list @returns {Chosen[]} */
export const filesOfInput = (list) => [...list].map((file) => ({ path: file.webkitRelativePath || file.name, file }))

/**
 * One folder around everything is no part of the set; its name is what the build may be called.
 *
 * @param {Chosen[]} files
 * @returns {{ files: Chosen[], folder: string }}
 */
export function withoutFolder(files) {
	const slash = files[0]?.path.indexOf('/') ?? -1
	const top = slash > 0 ? files[0].path.slice(0, slash + 1) : ''
	if (!top || !files.every(({ path }) => path.startsWith(top))) return { files, folder: '' }
	return { files: files.map(({ path, file }) => ({ path: path.slice(top.length), file })), folder: top.slice(0, -1) }
}

/** What a set lacks, in words; null when it can be built. @param {Chosen[]} files */
export function lacks(files) {
	if (files.length === 0) return null
	const usable = files.some(({ path }) => /\.spec$|\.src\.rpm$/.test(path) || path === 'packages.json')
	return usable ? null : 'None of these files is a .spec, a .src.rpm or a packages.json.'
}
