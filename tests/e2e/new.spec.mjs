// SPDX-License-Identifier: MIT
// What a reader gives: folders, dropped and chosen, and a source RPM.
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from './tools.mjs'

const spec = (name) => `Name: ${name}\nVersion: 1\nRelease: 1\nSummary: a test\nLicense: MIT\nBuildArch: noarch\nSource0: data.txt\n%description\n%{summary}\n%files\n`
let folder
test.beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'reqpm-set-'))
	for (const name of ['apple', 'pear']) {
		await mkdir(join(folder, name, '.git'), { recursive: true })
		await writeFile(join(folder, name, '.git/config'), 'hidden')
		await writeFile(join(folder, name, 'package.spec'), spec(name))
		await writeFile(join(folder, name, 'data.txt'), name)
	}
})
test.afterAll(() => rm(folder, { recursive: true }))

const paths = (page) => page.locator('.file-path').allInnerTexts()
const order = async (page, ...names) => {
	await page.getByRole('button', { name: 'Show the order' }).click()
	for (const name of names) await expect(page.locator('.levels')).toContainText(name, { timeout: 60_000 })
}

/** As a file manager does it. */
async function drop(page, files) {
	const cdp = await page.context().newCDPSession(page)
	const { x, y, width, height } = await page.locator('.drop').boundingBox()
	const data = { items: [], files, dragOperationsMask: 1 }
	for (const type of ['dragEnter', 'dragOver', 'drop'])
		await cdp.send('Input.dispatchDragEvent', { type, x: x + width / 2, y: y + height / 2, data })
}

test('folders that are chosen one after the other keep their files apart', async ({ page, server, signIn }) => {
	await signIn()
	await page.goto(`${server.url}/new`)
	const choose = (name) => page.getByLabel('Choose a folder').setInputFiles(join(folder, name))
	await choose('apple')
	await expect(page.locator('.file-path')).toHaveCount(2)
	expect(await paths(page)).toEqual(['data.txt', 'package.spec'])
	await choose('pear')
	await expect(page.locator('.file-path')).toHaveCount(4)
	expect(await paths(page)).toEqual(['apple/data.txt', 'apple/package.spec', 'pear/data.txt', 'pear/package.spec'])
	await order(page, 'apple', 'pear')
})

test('a folder that is dropped is a set, and its hidden files stay at home', async ({ page, server, signIn }) => {
	await signIn()
	await page.goto(`${server.url}/new`)
	await drop(page, [folder])
	await expect(page.locator('.file-path')).toHaveCount(4)
	expect(await paths(page)).toEqual(['apple/data.txt', 'apple/package.spec', 'pear/data.txt', 'pear/package.spec'])
	await order(page, 'apple', 'pear')
})

test('a source RPM is read, and its package ordered', async ({ page, server, signIn }) => {
	const sources = join(folder, 'apple')
	await writeFile(join(folder, 'apple.spec'), spec('apple'))
	execFileSync('rpmbuild', ['-bs', '--define', `_sourcedir ${sources}`, '--define', `_srcrpmdir ${folder}/srpms`, join(folder, 'apple.spec')], { stdio: 'ignore' })
	const [name] = await readdir(join(folder, 'srpms'))
	await signIn()
	await page.goto(`${server.url}/new`)
	await page.getByLabel('Choose files').setInputFiles(join(folder, 'srpms', name))
	await order(page, 'apple')
})
