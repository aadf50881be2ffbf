// SPDX-License-Identifier: MIT
import { post, request } from './client.js'

/** @returns {Promise<Record<string, any>>} */
export const fetchStatus = () => request('/api/status')

/** @returns {Promise<{ items: import('./types.js').Worker[] }>} */
export const fetchWorkers = () => request('/api/workers')

/** @returns {Promise<{ signed_in: boolean, can_change: boolean }>} */
export const fetchSession = () => request('/api/session')

/** @param {string} code of the one-time URL that the server prints */
export const login = (code) => post('/api/login', { code })
