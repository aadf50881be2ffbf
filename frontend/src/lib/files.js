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
	const entries = (await entriesOf(/** @type {FileSystemDirectoryEntry} */ (entry))).filter(({ name }) => !name.startsWith('.')) // .git alone may be thousands
	return (await Promise.all(entries.map((each) => filesOf(each, `${under}${entry.name}/`)))).flat()
}

/** @param {DataTransfer} transfer @returns {Promise<Chosen[]>} */
export async function filesOfDrop(transfer) {
	const entries = [...transfer.items].flatMap((item) => item.webkitGetAsEntry?.() ?? [])
	if (entries.length === 0) return filesOfInput(transfer.files)
	return withoutHidden((await Promise.all(entries.map((entry) => filesOf(entry, '')))).flat())
}

/** @param {FileList} list @returns {Chosen[]} */
export const filesOfInput = (list) => withoutHidden([...list].map((file) => ({ path: file.webkitRelativePath || file.name, file })))

/** Hidden files are no part of a set, as for the command line: editors, .git. What was chosen by its own name is. @param {string} path */
const isHidden = (path) => path.split('/').some((part, depth, all) => part.startsWith('.') && (depth > 0 || all.length === 1))

/** @param {Chosen[]} chosen */
export const withoutHidden = (chosen) => chosen.filter(({ path }) => !isHidden(path))

/** The folder that a reader named by choosing it. @param {string} path */
const topOf = (path) => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '')

/**
 * The set as it is uploaded, as the command line would: the one folder around everything is no part of it and names it; of several,
 * each keeps its name, so that the files of one never take the place of another's.
 *
 * @param {Chosen[]} chosen all of them, each with the path that it was chosen by
 * @returns {{ files: (Chosen & { source: string })[], folder: string }}
 */
export function arrange(chosen) {
	const tops = new Set(chosen.map(({ path }) => topOf(path)).filter(Boolean))
	const [folder] = tops.size === 1 ? tops : ['']
	const files = chosen.map(({ path, file }) => ({ path: folder && topOf(path) ? path.slice(folder.length + 1) : path, source: path, file }))
	return { files: files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)), folder }
}

/** Why a set cannot be uploaded, in words; null when it can be built. @param {{ path: string, source: string }[]} files as arranged */
export function faultOf(files) {
	if (files.length === 0) return null
	for (let at = 1; at < files.length; at++) {
		const [a, b] = [files[at - 1], files[at]]
		if (a.path === b.path) return `${a.source} and ${b.source} would both be ${b.path} in the build: leave one of them out.`
	}
	const loose = files.find(({ source }) => source.endsWith('.spec') && !topOf(source))
	if (loose && files.some(({ path }) => path.endsWith('.spec') && topOf(path)))
		return `${loose.source} cannot be built together with folders of specs as a single file: put it and its sources into a folder, too.`
	const usable = files.some(({ path }) => /\.spec$|\.src\.rpm$/.test(path) || path === 'packages.json')
	return usable ? null : 'None of these files is a .spec, a .src.rpm or a packages.json.'
}
