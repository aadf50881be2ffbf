// SPDX-License-Identifier: MIT
// `npm run e2e` in frontend/: the page of the real binary in the distribution's Chromium. REQPM_BINARY and CHROMIUM name others;
// REQPM_STATIC is the folder of a built page that is served in place of the embedded one.
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
