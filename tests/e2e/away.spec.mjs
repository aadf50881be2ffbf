// SPDX-License-Identifier: MIT
// Bad days: the server is away, or another one.
import { chmod, cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, GONE, row, shell, test } from './tools.mjs'

const DIST = process.env.REQPM_STATIC ?? fileURLToPath(new URL('../../frontend/dist', import.meta.url))
const header = (page) => page.locator('.build-title h1')

/** The page as its next version would be: each of its files has another name. */
async function nextVersion() {
	const folder = await mkdtemp(join(tmpdir(), 'reqpm-page-'))
	await chmod(folder, 0o755) // the server may have another user
	await cp(DIST, folder, { recursive: true })
	const assets = join(folder, 'assets')
	const names = (await readdir(assets)).filter((name) => /\.(js|css)$/.test(name))
	const files = [join(folder, 'index.html'), ...names.map((name) => join(assets, name))]
	for (const file of files) {
		let text = await readFile(file, 'utf8')
		for (const name of names) text = text.replaceAll(name, `next-${name}`)
		await writeFile(file, text)
	}
	for (const name of names) await rename(join(assets, name), join(assets, `next-${name}`))
	return folder
}

test('a tab that is first wanted while the server is away comes when it is back, and the rest stays', async ({ page, startServer, complaints }) => {
	complaints.expect(GONE)
	const server = await startServer()
	const id = await server.build([shell('one', 'echo hello')])
	await page.goto(`${server.url}/builds/${id}`)
	await expect(row(page, 'one')).toContainText('completed')
	await server.kill()
	await page.getByRole('link', { name: 'Timeline' }).click()
	await expect(page.getByText('The server does not answer')).toBeVisible()
	await expect(header(page)).toHaveText('set')
	await page.getByRole('link', { name: 'Packages' }).click()
	await expect(row(page, 'one')).toBeVisible()
	await page.getByRole('link', { name: 'Timeline' }).click()
	await server.run()
	await expect(page.locator('.bar')).toHaveCount(1)
})

test('a server that was updated under the page gives its own page when a part is wanted', async ({ page, startServer, complaints }) => {
	complaints.expect(GONE)
	complaints.expect(/status of 404/)
	const server = await startServer()
	const id = await server.build([shell('one', 'echo hello')])
	await page.goto(`${server.url}/builds/${id}`)
	await expect(row(page, 'one')).toContainText('completed')
	await server.kill()
	server.page = await nextVersion()
	await server.run()
	await page.getByRole('link', { name: 'Timeline' }).click()
	await expect(page.locator('.bar')).toHaveCount(1)
	await expect(page.locator('script[src*="/next-"]')).toHaveCount(1)
	expect(new URL(page.url()).pathname).toBe(`/builds/${id}/timeline`)
	await rm(server.page, { recursive: true })
})

test('a build that is opened while the server is away is shown when it is back', async ({ page, startServer, complaints }) => {
	complaints.expect(GONE)
	const server = await startServer()
	const id = await server.build([shell('one', 'sleep 1')])
	await page.goto(server.url)
	const link = page.getByRole('link', { name: 'set' })
	await expect(link).toBeVisible()
	await server.kill()
	await link.click()
	await expect(page.getByRole('heading', { name: 'The server does not answer' })).toBeVisible()
	await server.run()
	await expect(header(page)).toHaveText('set')
	await expect(row(page, 'one')).toContainText('completed', { timeout: 60_000 })
	expect(page.url()).toBe(`${server.url}/builds/${id}`)
})

test('a server without builds shows the two ways to one', async ({ page, startServer }) => {
	const server = await startServer()
	await page.goto(server.url)
	await expect(page.getByRole('heading', { name: 'No build yet' })).toBeVisible()
	await expect(page.getByText(`reqpm build examples/stack --server ${server.url}`)).toBeVisible()
	await page.getByRole('main').getByRole('link', { name: 'New build' }).last().click()
	await expect(page.getByText('Drop the set here')).toBeVisible()
})

test('time that has passed follows the server, however wrong the clock of the browser is', async ({ page, server }) => {
	await page.addInitScript(() => {
		const now = Date.now, hours = 5 * 3_600_000
		Date.now = () => now() + hours
	})
	const id = await server.build([shell('slow', 'sleep 600')])
	await page.goto(`${server.url}/builds/${id}`)
	await expect(page.locator('.build-clock time')).toHaveText(/^\d+ s$/)
	await expect(row(page, 'slow').locator('.cell-duration')).toHaveText(/^[1-9]\d* s$/)
	await server.post(`/api/builds/${id}/cancel`)
})
