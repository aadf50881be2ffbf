// SPDX-License-Identifier: MIT
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const server = process.env.REQPM_SERVER ?? 'http://127.0.0.1:8000'

/** Kit and libraries change seldom: in chunks of their own, an update of the page does not spoil them in a browser's cache. */
const groups = [
	{ name: 'react', test: /node_modules\/(react|react-dom|scheduler|react-router|@tanstack\/(react-)?query)/ },
	{ name: 'kit', test: /node_modules\/@patternfly/ },
]

export default defineConfig({
	plugins: [react()],
	build: {
		target: 'es2022',
		assetsInlineLimit: 0, // a data: URL would break the content security policy
		rolldownOptions: { output: { codeSplitting: { groups } } },
	},
	server: {
		proxy: {
			'/api': { target: server, changeOrigin: true },
			'/ws': { target: server.replace(/^http/, 'ws'), ws: true, changeOrigin: true },
		},
	},
	test: {
		environment: 'jsdom',
		include: ['test/**/*.test.{js,jsx}'],
		setupFiles: ['test/setup.js'],
		restoreMocks: true,
		unstubGlobals: true,
	},
})
