// SPDX-License-Identifier: MIT
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const server = new URL(process.env.REQPM_SERVER ?? 'http://127.0.0.1:8000').origin

/**
 * The server answers its own pages only. The page of `npm run dev` is to pass for one of them; what any other page sends keeps its
 * Origin, and is refused as ever.
 *
 * @param {import('vite').HttpProxy.Server} proxy
 */
function passForOwnPage(proxy) {
	/** @param {import('node:http').ClientRequest} request @param {import('node:http').IncomingMessage} from */
	const pass = (request, { headers }) => {
		if (headers.origin === `http://${headers.host}`) request.setHeader('Origin', server)
	}
	proxy.on('proxyReq', pass)
	proxy.on('proxyReqWs', pass)
}

/** Kit and libraries change seldom: in chunks of their own, an update of the page does not spoil them in a browser's cache. */
const groups = [
	{ name: 'react', test: /node_modules\/(react|react-dom|scheduler|react-router|@tanstack\/(react-)?query)/ },
	{ name: 'kit', test: /node_modules\/@patternfly/ },
	// start.js waits for nothing else, and small parts of many views are one file in place of ten.
	{ name: 'start', test: /\/src\/(api\/early|lib\/imports|lib\/theme)\.js/, priority: 1 },
	{ name: 'shared', test: /\/src\/(api|hooks|lib|live|queries)\// },
]

/**
 * start.js is the entry and imports the page itself, so index.html would not name the page's files: name them, so that they are fetched
 * at once, and hold the first paint back for the styles and for start.js, but not for the page.
 *
 * @returns {import('vite').Plugin}
 */
function nameFirstFiles() {
	return {
		name: 'name-first-files',
		transformIndexHtml: {
			order: 'post',
			handler(html, { bundle = {} }) {
				const chunks = Object.values(bundle).filter((file) => file.type === 'chunk')
				const page = chunks.find((chunk) => chunk.facadeModuleId?.endsWith('/src/main.jsx'))
				if (!page) return html
				const head = /** @type {const} */ ('head')
				const scripts = new Set(), styles = new Set()
				const visit = (/** @type {import('vite').Rolldown.OutputChunk} */ chunk) => {
					if (scripts.has(chunk.fileName)) return
					scripts.add(chunk.fileName)
					for (const name of chunk.imports) visit(/** @type {import('vite').Rolldown.OutputChunk} */ (bundle[name]))
					for (const css of chunk.viteMetadata?.importedCss ?? []) styles.add(css)
				}
				visit(page)
				const isNew = (/** @type {string} */ name) => !html.includes(`"/${name}"`)
				return {
					html: html.replace('<script type="module"', '<script type="module" blocking="render"'),
					tags: [
						...[...styles].filter(isNew).map((name) => ({ tag: 'link', attrs: { rel: 'stylesheet', crossorigin: true, href: `/${name}` }, injectTo: head })),
						...[...scripts].filter(isNew).map((name) => ({ tag: 'link', attrs: { rel: 'modulepreload', crossorigin: true, href: `/${name}` }, injectTo: head })),
					],
				}
			},
		},
	}
}

export default defineConfig({
	plugins: [react(), nameFirstFiles()],
	build: {
		target: 'es2022',
		assetsInlineLimit: 0, // a data: URL would break the content security policy
		rolldownOptions: { output: { codeSplitting: { groups } } },
	},
	server: {
		proxy: {
			'/api': { target: server, changeOrigin: true, configure: passForOwnPage },
			'/ws': { target: server, ws: true, changeOrigin: true, configure: passForOwnPage },
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
