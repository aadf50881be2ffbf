// SPDX-License-Identifier: MIT
import { AxeBuilder } from '../../frontend/node_modules/@axe-core/playwright/dist/index.mjs'
import { expect, shell, test } from './tools.mjs'

const LONG = `name-${'x'.repeat(190)}`
let id, item
test.beforeAll(async ({ server }) => {
	id = await server.build([shell('good', 'echo hello; sleep 0.3'), shell('bad', 'echo "x.c:1: error: broken"; exit 1'), shell('victim', 'true', ['bad']), shell(LONG, 'true')])
	await expect.poll(async () => (await server.api(`/api/builds/${id}`)).status).toBe('failed')
	item = (await server.api(`/api/builds/${id}`)).queue_items[0].id
})
const paths = () => ['/', '/new', '/status', '/login', '/nowhere', `/builds/${id}`, `/builds/${id}?item=${item}`, `/builds/${id}/timeline`, `/builds/${id}/log`, `/builds/${id}/artefacts`]
const settled = (page) => expect(page.locator('.loading')).toHaveCount(0)

for (const colorScheme of ['light', 'dark'])
	test(`every page is without fault for axe in ${colorScheme}`, async ({ page, server }) => {
		await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
		for (const path of paths()) {
			await page.goto(server.url + path)
			await settled(page)
			const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']).analyze()
			expect(violations.map((v) => `${path} ${v.id}: ${v.nodes.map((n) => n.target).join(' | ')}`)).toEqual([])
		}
		})

for (const width of [320, 1280, 3840])
	test(`no page is wider than ${width} px`, async ({ page, server }) => {
		await page.setViewportSize({ width, height: 800 })
		for (const path of paths()) {
			await page.goto(server.url + path)
			await settled(page)
			expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), path).toBeLessThanOrEqual(0)
		}
	})

test('a build that is not there is said not to be, with a way back', async ({ page, server, complaints }) => {
	complaints.expect(/status of 40[04]/)
	for (const missing of ['99999', 'abc', '1e3', '-1']) {
		await page.goto(`${server.url}/builds/${missing}`)
		await expect(page.getByRole('heading', { name: `There is no build ${missing}` })).toBeVisible()
	}
	await page.getByRole('link', { name: 'Back to the builds' }).click()
	await expect(page.getByRole('heading', { name: 'Builds' })).toBeVisible()
})

test('packages are found, opened and closed by the keyboard alone', async ({ page, server }) => {
	await page.goto(`${server.url}/builds/${id}`)
	await expect(page.getByRole('row').filter({ hasText: 'bad' }).first()).toBeVisible()
	await page.keyboard.press('/')
	await page.keyboard.type('bad')
	await expect(page.getByRole('row')).toHaveCount(2)
	await page.getByRole('grid').focus()
	await page.keyboard.press('ArrowDown')
	await page.keyboard.press('Enter')
	await expect(page.getByRole('heading', { name: 'bad 1.0' })).toBeFocused()
	await page.keyboard.press('Escape')
	await expect(page.getByRole('complementary')).toHaveCount(0)
	await expect(page.getByRole('grid'), 'the keyboard goes on from the rows').toBeFocused()
	await page.keyboard.press('/')
	await page.keyboard.type('x')
	await expect(page.getByRole('row').filter({ hasText: 'bad' })).toHaveCount(0)
	await page.getByRole('grid').focus()
	await page.keyboard.press('Enter')
	await expect(page.getByRole('complementary'), 'a row that the filter hides is not opened').toHaveCount(0)
})

test('the theme follows the system until the reader chooses, and the choice stays', async ({ page, server }) => {
	const dark = () => page.evaluate(() => document.documentElement.classList.contains('pf-v6-theme-dark'))
	await page.emulateMedia({ colorScheme: 'dark' })
	await page.goto(server.url)
	expect(await dark()).toBe(true)
	await page.getByRole('button', { name: /^Theme/ }).click()
	expect(await dark()).toBe(false)
	await page.reload()
	expect(await dark()).toBe(false)
})

test('the timeline is zoomed and moved by the keyboard and the wheel, and says the same as a table', async ({ page, server }) => {
	await page.goto(`${server.url}/builds/${id}/timeline`)
	const chart = page.getByRole('group', { name: /^Timeline of/ })
	const bars = page.locator('.bar')
	const shown = page.locator('.timeline-toolbar .number')
	await expect(bars).toHaveCount(3)
	await expect(page.locator('.bar-critical, .bar-critical-thin').first()).toBeVisible()
	const whole = await shown.innerText()
	await chart.focus()
	await page.keyboard.press('+')
	await page.keyboard.press('+')
	await expect(shown).not.toHaveText(whole)
	const middle = await shown.innerText()
	await page.keyboard.press('ArrowRight')
	await expect(shown).not.toHaveText(middle)
	await page.keyboard.press('0')
	await expect(shown).toHaveText(whole)
	await chart.hover()
	await page.keyboard.down('Control')
	await page.mouse.wheel(0, -300)
	await page.keyboard.up('Control')
	await expect(shown).not.toHaveText(whole)
	await page.getByRole('button', { name: 'All' }).click()
	await expect(shown).toHaveText(whole)
	await page.getByText('The same as a table').click()
	await expect(page.locator('.timeline-details tbody tr')).toHaveCount(3)
	await page.locator('.bar-group', { hasText: 'bad' }).click()
	await expect(page.getByRole('heading', { name: 'bad 1.0' })).toBeVisible()
})
