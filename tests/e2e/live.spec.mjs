// SPDX-License-Identifier: MIT
import { countRequests, expect, GONE, row, shell, test } from './tools.mjs'

const wait = 'i=0; while [ $i -lt 12 ]; do echo step $i; i=$((i+1)); sleep 0.25; done'
const chain = [shell('first', wait), shell('second', wait, ['first']), shell('third', wait, ['second'])]
const state = (page) => page.locator('.build-title .state').first()
const live = (page) => page.locator('.live-badge')
const working = (page) => page.getByRole('gridcell').filter({ hasText: 'building' }).first()

test('a build is watched to its end without a page load and without one request', async ({ page, server }) => {
	const id = await server.build(chain)
	const seen = await countRequests(page)
	let loads = 0
	page.on('load', () => loads++)
	await page.goto(`${server.url}/builds/${id}`)
	await expect(live(page)).toContainText('Live')
	await expect(working(page)).toBeVisible()
	await expect(page).toHaveTitle(/^\[\d.*%\] set/)
	await expect(row(page, 'third')).toContainText('waits for second')
	await expect(row(page, 'first')).toContainText('completed')
	await expect(state(page)).toContainText('completed', { timeout: 60_000 })
	await expect(page.getByText('Ended')).toBeVisible()
	await expect(page).toHaveTitle('[completed] set · reqpm')
	await expect(page.getByRole('progressbar')).toHaveAttribute('aria-valuenow', '100')
	await expect.poll(() => seen).toEqual({ open: 1, closed: 1, between: [] })
	expect(loads).toBe(1)
})

test('a page that is loaded again in the middle goes on live', async ({ page, server }) => {
	const id = await server.build(chain)
	await page.goto(`${server.url}/builds/${id}`)
	await expect(working(page)).toBeVisible()
	await page.reload()
	await expect(live(page)).toContainText('Live')
	await expect(state(page)).toContainText('completed', { timeout: 60_000 })
})

test('the page survives kill -9 of the server and ends in the state that the server has', async ({ page, server, complaints }) => {
	complaints.expect(GONE)
	const id = await server.build(chain)
	await page.goto(`${server.url}/builds/${id}`)
	await expect(working(page)).toBeVisible()
	await server.kill()
	await expect(page.getByText(/Reconnecting|Offline since/)).toBeVisible()
	await expect(page.locator('.build-title h1')).toHaveText('set')
	await server.run()
	await expect(live(page)).toContainText('Live', { timeout: 60_000 })
	await expect(state(page)).toContainText('completed', { timeout: 90_000 })
	const build = await server.api(`/api/builds/${id}`)
	await expect(page.getByRole('progressbar')).toHaveAttribute('aria-valuenow', String(build.progress))
	for (const item of build.queue_items) await expect(row(page, item.package.name)).toContainText(item.status)
})

test('a build is cancelled and tried again from the page', async ({ page, server, signIn }) => {
	await signIn()
	const id = await server.build([shell('long', 'sleep 600'), shell('after', 'true', ['long'])])
	await page.goto(`${server.url}/builds/${id}`)
	await expect(row(page, 'long')).toContainText('building')
	await page.getByRole('button', { name: 'Cancel' }).click()
	await expect(state(page)).toContainText('cancelled')
	await page.getByRole('button', { name: 'Retry' }).click()
	await page.waitForURL((url) => url.pathname.startsWith('/builds/') && !url.pathname.endsWith(`/${id}`))
	await expect(page.getByRole('link', { name: `build ${id}` })).toBeVisible()
	await expect(row(page, 'long')).toContainText('building')
	await page.getByRole('button', { name: 'Cancel' }).click()
	await expect(state(page)).toContainText('cancelled')
})

test('a failure stands first, with the line that says why and the way to it', async ({ page, server }) => {
	const id = await server.build([shell('bad', 'echo one; echo "bad.c:3: error: no such thing"; exit 1'), shell('victim', 'true', ['bad']), shell('good', 'true')])
	await page.goto(`${server.url}/builds/${id}`)
	await expect(page.getByRole('heading', { name: '1 failed package' })).toBeVisible()
	await expect(page.locator('.failure')).toContainText('blocks 1 package')
	await expect(row(page, 'victim')).toContainText('blocked')
	await expect(page).toHaveTitle('[FAILED] set · reqpm')
	await page.locator('.failure').getByRole('link', { name: /log/ }).click()
	await expect(page.locator('.log-text', { hasText: 'no such thing' })).toBeVisible()
	await page.getByLabel('Log of', { exact: true }).focus()
	await page.getByLabel('Log of', { exact: true }).selectOption({ label: '✓ good (completed)' })
	await expect(page.getByRole('region', { name: 'Log of good' })).toBeVisible()
})

test('the builds list is live', async ({ page, server }) => {
	await page.goto(server.url)
	await expect(live(page)).toContainText('Live')
	const id = await server.build([shell('one', 'sleep 2')], { name: 'listed' })
	const listed = page.getByRole('row').filter({ hasText: `#${id}` })
	await expect(listed).toContainText('running')
	await expect(listed).toContainText('completed')
	await page.getByRole('button', { name: 'failed' }).click()
	await expect(listed).toHaveCount(0)
	await expect(page).toHaveURL(/status=failed/)
})

test('files become an order, and the order a build', async ({ page, server, signIn }) => {
	await signIn()
	await page.getByRole('link', { name: 'New build' }).first().click()
	let sent = 0
	page.on('request', (request) => request.method() === 'PUT' && sent++)
	const body = JSON.stringify({ packages: [{ version: '1', ...shell('beta', 'true', ['alpha']) }, { version: '1', ...shell('alpha', 'true') }] })
	await page.locator('input[type=file]').first().setInputFiles({ name: 'packages.json', mimeType: 'application/json', buffer: Buffer.from(body) })
	await page.getByRole('button', { name: 'Show the order' }).click()
	await expect(page.locator('.levels > li').first()).toContainText('alpha')
	await expect(page.locator('.levels > li').nth(1)).toContainText('beta')
	await page.getByRole('textbox', { name: 'Name' }).fill('from the page')
	await page.getByRole('button', { name: 'Start the build' }).click()
	await page.waitForURL(/\/builds\/\d+$/)
	await expect(page.locator('.build-title h1')).toHaveText('from the page')
	await expect(state(page)).toContainText('completed')
	expect(sent, 'files are sent once, for the order and for the build').toBe(1)
})

test('a circle and a set that is refused are said, and can be put right', async ({ page, server, signIn, complaints }) => {
	complaints.expect(/status of 422/)
	await signIn()
	await page.goto(`${server.url}/new`)
	const choose = (text) => page.locator('input[type=file]').first().setInputFiles({ name: 'packages.json', mimeType: 'application/json', buffer: Buffer.from(text) })
	await choose(JSON.stringify({ packages: [shell('a', 'true', ['b']), shell('b', 'true', ['a'])] }))
	await page.getByRole('button', { name: 'Show the order' }).click()
	await expect(page.getByRole('heading', { name: 'This set cannot be built' })).toBeVisible()
	await choose('{"packages":[{"name":"a b"}]}')
	await page.getByRole('button', { name: 'Start the build' }).click()
	await expect(page.getByText('"a b" is no name')).toBeVisible()
	await choose(JSON.stringify({ packages: [shell('a', 'true')] }))
	await page.getByRole('button', { name: 'Show the order' }).click()
	await expect(page.locator('.levels > li')).toHaveText(/a/)
})

test('the status follows the builds, and asks nothing while nothing changes', async ({ page, server }) => {
	await page.clock.install()
	let asked = 0
	page.on('request', (request) => request.url().endsWith('/api/status') && asked++)
	await page.goto(`${server.url}/status`)
	await expect(page.getByRole('heading', { name: 'protections' })).toBeVisible()
	await expect(page.getByRole('heading', { name: 'workers' }), 'told of once').toHaveCount(1)
	await expect(live(page)).toContainText('Live')
	await expect(page.locator('.slot-busy')).toHaveCount(0)
	const before = asked
	await page.clock.runFor(40_000)
	expect(asked).toBe(before)
	const id = await server.build([shell('seen', 'sleep 600')])
	await expect(async () => {
		await page.clock.runFor(3000)
		await expect(page.locator('.slots')).toContainText('seen', { timeout: 500 })
	}).toPass()
	await server.post(`/api/builds/${id}/cancel`)
	await expect(async () => {
		await page.clock.runFor(3000)
		await expect(page.locator('.slot-busy')).toHaveCount(0, { timeout: 500 })
	}).toPass()
})

test('results are counted while they come, and asked for by the reader alone', async ({ page, server }) => {
	// Long enough for a page to be loaded and read meanwhile, on a machine that does other things.
	const make = (name, requires) => shell(name, `sleep 6; mkdir -p results; echo ${name} > results/${name}.txt`, requires)
	const id = await server.build([make('early'), make('late', ['early'])])
	const seen = await countRequests(page), lists = []
	page.on('request', (request) => request.url().endsWith('/artifacts') && lists.push(request.url()))
	await page.goto(`${server.url}/builds/${id}/artefacts`)
	await expect(page.getByText('No results yet')).toBeVisible()
	await expect(page.getByText('1 package has completed since')).toBeVisible()
	expect(seen.between.filter((url) => !url.endsWith('/artifacts')), 'the list is read when its tab is opened').toEqual([])
	expect(lists.length, 'and not when a package completes').toBe(1)
	await page.getByRole('button', { name: 'Read it again' }).click()
	await expect(page.getByRole('link', { name: 'early.txt' })).toBeVisible()
	expect(lists.length).toBe(2)
	await expect(state(page)).toContainText('completed', { timeout: 60_000 })
	await expect(page.getByRole('link', { name: 'late.txt' })).toBeVisible()
	// The page has let go of its socket by then; when Chromium says that it is closed depends on the server's answer.
	expect(lists.length, 'at the end it is read once more').toBe(3)
})

test('rows stay where they are under the pointer, also when one of them was opened', async ({ page, server }) => {
	await page.setViewportSize({ width: 1900, height: 900 }) // the panel takes nothing from what stands above the rows
	const id = await server.build([shell('ant', 'sleep 3'), shell('bee', 'sleep 600'), shell('cow', 'sleep 600')])
	await page.goto(`${server.url}/builds/${id}`)
	await expect(row(page, 'ant')).toContainText('building')
	await expect(row(page, 'bee')).toContainText('building')
	const names = () => page.locator('.table-space .row').evaluateAll((rows) => rows.sort((x, y) => x.offsetTop - y.offsetTop).map((each) => each.querySelector('.cell-package').firstChild.textContent.trim()))
	await row(page, 'ant').click()
	await expect(page.getByRole('complementary', { name: 'Package ant' })).toBeVisible()
	await expect(row(page, 'ant')).toContainText('completed')
	await expect(page.getByText(/rows moved/)).toBeVisible()
	expect(await names()).toEqual(['ant', 'bee', 'cow'])
	await page.getByRole('button', { name: /Close/ }).hover()
	await expect.poll(names).toEqual(['bee', 'cow', 'ant'])
	await server.post(`/api/builds/${id}/cancel`)
})
