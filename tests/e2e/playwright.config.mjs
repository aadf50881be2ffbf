// SPDX-License-Identifier: MIT
// `npm run e2e` in frontend/: the page in the distribution's Chromium against the real binary. REQPM_BINARY, REQPM_STATIC (the
// folder of the built page) and CHROMIUM name others.
import { defineConfig } from '../../frontend/node_modules/@playwright/test/index.mjs'

export default defineConfig({
	testDir: '.',
	testMatch: '*.spec.mjs',
	outputDir: 'test-results',
	workers: 1,
	retries: 0,
	timeout: 120_000,
	expect: { timeout: 30_000 },
	reporter: 'list',
	use: {
		trace: 'retain-on-failure',
		launchOptions: {
			executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
			args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
		},
	},
})
