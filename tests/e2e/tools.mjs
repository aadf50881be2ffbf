// SPDX-License-Identifier: MIT
// A server of a test's own, a browser that is signed in, and a list of everything that a page may not do.
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test as base } from '../../frontend/node_modules/@playwright/test/index.mjs'

export { expect }
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const BINARY = process.env.REQPM_BINARY ?? ['out/release/reqpm', 'out/dev/reqpm'].map((path) => join(ROOT, path)).find(existsSync)

const freePort = () =>
	new Promise((done) => {
		const server = createServer().listen(0, '127.0.0.1', () => {
			const { port } = server.address()
			server.close(() => done(port))
		})
	})

export class Server {
	/** @param {{ page?: string }} [options] `page`: a folder that is served in place of the page in the binary */
	static async start({ page = process.env.REQPM_STATIC } = {}) {
		const server = new Server()
		server.page = page
		server.folder = await mkdtemp(join(tmpdir(), 'reqpm-e2e-'))
		await chmod(server.folder, 0o755)
		server.data = join(server.folder, 'data')
		server.port = await freePort()
		server.url = `http://127.0.0.1:${server.port}`
		await server.run()
		return server
	}

	async run() {
		const log = openSync(join(this.folder, 'server.log'), 'a')
		this.process = spawn(
			BINARY,
			['serve', '--port', this.port, '--data-dir', this.data, '--jobs', '2', ...(this.page ? ['--static-dir', this.page] : [])].map(String),
			{ detached: true, stdio: ['ignore', log, log] },
		)
		closeSync(log)
		this.ended = new Promise((done) => this.process.once('exit', done))
		await expect.poll(() => fetch(`${this.url}/healthz`).then((answer) => answer.ok, () => false)).toBe(true)
		this.token = (await readFile(join(this.data, 'token'), 'utf8')).trim()
	}

	/** Everything of it at once, as a power cut would. */
	async kill() {
		process.kill(-this.process.pid, 'SIGKILL')
		await this.ended
		await expect.poll(() => fetch(`${this.url}/healthz`).then(() => true, () => false)).toBe(false)
	}

	async stop() {
		this.process.kill('SIGTERM')
		await this.ended
		await rm(this.folder, { recursive: true, force: true })
	}

	async api(path, options = {}) {
		const answer = await fetch(this.url + path, { ...options, headers: { Authorization: `Bearer ${this.token}`, ...options.headers } })
		if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
		return answer.json()
	}

	post(path, body) {
		return this.api(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body ?? {}) })
	}

	/** @param {{ name: string, requires?: string[], command: string[] }[]} packages @returns {Promise<number>} the build */
	async build(packages, more = {}) {
		const upload = await this.post('/api/uploads')
		const body = JSON.stringify({ packages: packages.map((each) => ({ version: '1.0', ...each })) })
		await this.api(`/api/uploads/${upload.id}/files/packages.json`, { method: 'PUT', body })
		return (await this.post('/api/builds', { upload: upload.id, name: 'set', ...more })).id
	}
}

export const shell = (name, script, requires = []) => ({ name, requires, command: ['/bin/sh', '-c', script] })

export const test = base.extend({
	// eslint-disable-next-line no-empty-pattern
	server: [async ({}, use) => {
		const server = await Server.start()
		await use(server)
		await server.stop()
	}, { scope: 'worker' }],

	/** Starts a server that the test may kill, change and leave behind. */
	// eslint-disable-next-line no-empty-pattern
	startServer: async ({}, use) => {
		const servers = []
		await use(async (options) => {
			servers.push(await Server.start(options))
			return servers.at(-1)
		})
		for (const server of servers) await server.stop()
	},

	/** What the page complained of, a broken content security policy too. Every test ends well only when it is empty, but for what was expected. */
	complaints: [async ({ page }, use) => {
		const complaints = [], expected = []
		page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complaints.push(message.text()))
		page.on('pageerror', (error) => complaints.push(String(error)))
		await use({ expect: (words) => expected.push(words) })
		expect(complaints.filter((words) => !expected.some((each) => each.test(words)))).toEqual([])
	}, { auto: true }],

	signIn: async ({ page, server }, use) => {
		await use(async () => {
			const { code } = await server.post('/api/login/code')
			await page.goto(`${server.url}/login#${code}`)
			await page.waitForURL(`${server.url}/`)
		})
	},
})

/** The row of a package: others name it, too, while they wait for it. */
export const row = (page, name) => page.locator('.row', { has: page.locator('.cell-package', { hasText: name }) })

/** What Chromium says when a server goes away under a page. */
export const GONE = /net::ERR_|WebSocket connection to .* failed/

/** Every /api/ request of a page from the 101 of a build's socket to its close, in the order in which the browser saw them. */
export async function countRequests(page) {
	const seen = { open: 0, closed: 0, between: [] }
	const sockets = new Set()
	const cdp = await page.context().newCDPSession(page)
	await cdp.send('Network.enable')
	cdp.on('Network.webSocketCreated', ({ requestId, url }) => /\/ws\/builds\/\d+\//.test(url) && sockets.add(requestId))
	cdp.on('Network.webSocketHandshakeResponseReceived', ({ requestId, response }) => sockets.has(requestId) && response.status === 101 && seen.open++)
	cdp.on('Network.webSocketClosed', ({ requestId }) => sockets.has(requestId) && seen.closed++)
	cdp.on('Network.requestWillBeSent', ({ request }) => request.url.includes('/api/') && seen.open > seen.closed && seen.between.push(request.url))
	return seen
}
