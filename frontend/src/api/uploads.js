// SPDX-License-Identifier: MIT
import { post, request } from './client.js'

/** @returns {Promise<{ id: number }>} */
export const createUpload = () => post('/api/uploads')

/** @param {string} path each part is encoded, the slashes stay */
const encodePath = (path) => path.split('/').map(encodeURIComponent).join('/')

/**
 * @param {number} id
 * @param {string} path inside the upload
 * @param {Blob} body
 * @param {AbortSignal} [signal]
 * @returns {Promise<{ path: string, size: number, sha256: string }>}
 */
export const putFile = (id, path, body, signal) =>
	request(`/api/uploads/${id}/files/${encodePath(path)}`, {
		method: 'PUT',
		headers: { 'Content-Type': 'application/octet-stream' },
		body,
		signal,
	})
