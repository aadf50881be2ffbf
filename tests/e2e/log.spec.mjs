// SPDX-License-Identifier: MIT
import { expect, shell, test } from './tools.mjs'

const numbers = (page) => page.locator('.log-number').evaluateAll((links) => links.map((link) => Number(link.dataset.line)))
const ended = async (server, id) => expect.poll(async () => (await server.api(`/api/builds/${id}`)).status, { timeout: 90_000 }).toBe('completed')

test('a log of a million lines scrolls, searches and links', async ({ page, server }) => {
	const id = await server.build([shell('big', 'seq 1 1000000')])
	await ended(server, id)
	await page.goto(`${server.url}/builds/${id}/log`)
	const log = page.getByRole('log')
	await expect(page.locator('.log-text', { hasText: /^1000000$/ })).toBeVisible()
	expect((await numbers(page)).length).toBeLessThan(120)

	await log.focus()
	await page.keyboard.press('Home')
	await expect.poll(async () => (await numbers(page))[0]).toBe(1)
	await expect(page.locator('.log-text').first()).not.toBeEmpty()
	await page.keyboard.press('PageDown')
	await expect.poll(async () => (await numbers(page))[0]).toBeGreaterThan(5)
	await log.evaluate((el) => (el.scrollTop = el.scrollHeight / 2))
	await expect.poll(async () => Math.abs((await numbers(page))[0] - 500_000)).toBeLessThan(200)
	await log.hover()
	const middle = (await numbers(page))[0]
	await page.mouse.wheel(0, 100)
	await expect.poll(async () => (await numbers(page))[0]).toBe(middle + 5)

	await page.getByLabel('Search the whole log').fill('777777')
	await page.keyboard.press('Enter')
	await expect(page.locator('.log-line-current .log-text')).toHaveText('777777')
	await page.locator('.log-line-current .log-number').click()
	await page.waitForURL(/#L\d+$/)
	await page.reload()
	await expect(page.locator('.log-line-marked .log-text')).toHaveText('777777')
	await log.focus()
	await page.keyboard.press('j')
	await page.waitForURL(/#L777778$/)
	for (const key of ['Shift+J', 'Shift+J', 'Shift+K']) await page.keyboard.press(key)
	await page.waitForURL(/#L777778-L777779$/)
	await expect(page.locator('.log-line-marked')).toHaveCount(2)
})

test('the end is followed until the reader moves up, and again from the end', async ({ page, server }) => {
	const id = await server.build([shell('talk', 'i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); sleep 0.05; done')])
	await page.goto(`${server.url}/builds/${id}/log`)
	const log = page.getByRole('log')
	const follow = page.getByRole('button', { name: /Follow/ })
	await expect.poll(async () => (await numbers(page)).at(-1)).toBeGreaterThan(60)
	await expect(follow).toHaveAttribute('aria-pressed', 'true')
	await log.hover()
	await page.mouse.wheel(0, -300)
	await expect(follow).toHaveAttribute('aria-pressed', 'false')
	const stays = (await numbers(page))[0]
	const lines = async () => Number(/(\d+) lines/.exec((await page.locator('.log-toolbar').innerText()).replace(',', ''))[1])
	const had = await lines()
	await expect.poll(lines).toBeGreaterThan(had + 20)
	expect((await numbers(page))[0]).toBe(stays)
	await log.focus()
	await page.keyboard.press('End')
	await expect(follow).toHaveAttribute('aria-pressed', 'true')
	await server.post(`/api/builds/${id}/cancel`)
})

test('what a log says is text: no markup, no control of the terminal, whatever its bytes', async ({ page, server }) => {
	const script = [
		"printf '<script>document.title=1</script><img src=x onerror=alert(1)>\\n'",
		"printf '\\033[31mred\\033[0m \\033]8;;http://evil.example\\007link\\033]8;;\\007 \\033[2J\\n'",
		"printf '\\033[32mgreen begins\\nand goes on\\033[0m to here\\n'",
		"printf 'bad \\377\\376 bytes\\n'",
		'head -c 1048576 /dev/zero | tr "\\0" x; echo',
		'echo after',
	].join('; ')
	const id = await server.build([shell('nasty', script)])
	await ended(server, id)
	await page.goto(`${server.url}/builds/${id}/log`)
	await expect(page.locator('.log-text', { hasText: '<script>document.title=1</script><img' })).toBeVisible()
	await expect(page.locator('.ansi-red-fg')).toHaveText('red')
	await expect(page.locator('.ansi-green-fg')).toHaveText(['green begins', 'and goes on'])
	await expect(page.locator('.log-text', { hasText: 'bad \uFFFD' })).toBeVisible()
	await expect(page.locator('.log-text', { hasText: /^after$/ })).toBeVisible()
	await expect(page.locator('.log a[href*=evil], .log img')).toHaveCount(0)
	await page.getByLabel('Wrap').check()
	await expect(page.locator('.log-text', { hasText: /^after$/ })).toBeVisible()
})

test('wrapped or not, the reader stays where he was, and long lines are read to their end', async ({ page, server }) => {
	const id = await server.build([shell('long', "i=0; while [ $i -lt 400 ]; do i=$((i+1)); printf 'line %s ' $i; [ $((i % 10)) = 0 ] && head -c 6000 /dev/zero | tr '\\0' x; echo; done")])
	await ended(server, id)
	await page.goto(`${server.url}/builds/${id}/log#L200`)
	await expect(page.locator('.log-line-marked')).toContainText('line 200')
	const top = async () => (await numbers(page))[0]
	const before = await top()
	await page.getByLabel('Wrap').check()
	await expect(page.locator('.log-wrap')).toBeVisible()
	expect(await top()).toBe(before)
	await page.getByLabel('Wrap').uncheck()
	await expect(page.locator('.log-wrap')).toHaveCount(0)
	expect(await top()).toBe(before)

	await page.getByLabel('Wrap').check()
	await page.getByRole('button', { name: 'End' }).click()
	const log = page.getByRole('log')
	await log.focus()
	const inSight = () => log.evaluate((el) => Number([...el.querySelectorAll('.log-line')].find((line) => line.getBoundingClientRect().bottom > el.getBoundingClientRect().top + 1)?.firstElementChild.dataset.line))
	const seen = [await inSight()]
	for (let steps = 0; steps < 100 && seen.at(-1) > 390; steps++) {
		await page.keyboard.press('ArrowUp')
		seen.push(await inSight())
	}
	expect([...new Set(seen)]).toEqual([400, 399, 398, 397, 396, 395, 394, 393, 392, 391, 390])
	expect(seen.filter((line) => line === 400).length, 'rows of the line that is higher than the window').toBeGreaterThan(5)
})
