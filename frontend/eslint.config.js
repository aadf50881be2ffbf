// SPDX-License-Identifier: MIT
import js from '@eslint/js'
import hooks from 'eslint-plugin-react-hooks'
import globals from 'globals'

/** folder: what it may import of the others. */
const MAY_IMPORT = {
	lib: [],
	api: ['lib'],
	live: ['lib', 'api'],
	queries: ['live', 'api'],
	hooks: ['queries', 'live', 'lib', 'api'],
	components: ['hooks', 'queries', 'live', 'lib', 'api', 'icons'],
	pages: ['components', 'hooks', 'queries', 'lib', 'api'],
}
const FOLDERS = [...Object.keys(MAY_IMPORT), 'icons', 'styles']
const NO_REACT = ['lib', 'api', 'live']

const folderRules = Object.entries(MAY_IMPORT).map(([folder, may]) => ({
	files: [`src/${folder}/**`],
	rules: {
		'no-restricted-imports': [
			'error',
			{
				patterns: [
					...FOLDERS.filter((other) => other !== folder && !may.includes(other)).map((other) => ({
						group: [`**/${other}/*`],
						message: `${folder}/ may import ${may.join(', ') || 'no other folder'}`,
					})),
					...(NO_REACT.includes(folder)
						? [{ group: ['react', 'react-*', '@tanstack/*', '@patternfly/*'], message: `${folder}/ has no React in it` }]
						: []),
					...(['components', 'pages'].includes(folder)
						? [{ group: ['**/api/*', '!**/api/statuses.js', '!**/api/client.js'], message: 'fetchers are used through queries/' }]
						: []),
				],
			},
		],
	},
}))

export default [
	{ ignores: ['dist/', 'node_modules/'] },
	js.configs.recommended,
	{
		files: ['**/*.{js,jsx,mjs}'],
		languageOptions: {
			ecmaVersion: 'latest',
			sourceType: 'module',
			parserOptions: { ecmaFeatures: { jsx: true } },
			globals: globals.browser,
		},
		rules: {
			'no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
			eqeqeq: 'error',
			'no-var': 'error',
			'prefer-const': 'error',
			'no-console': 'error',
		},
	},
	{ files: ['scripts/**', 'test/**', '*.config.js'], languageOptions: { globals: globals.node }, rules: { 'no-console': 'off' } },
	{ files: ['src/**', 'test/**'], ...hooks.configs.flat.recommended },
	{ files: ['src/components/**'], rules: { 'max-lines': ['error', 120] } },
	{ files: ['src/pages/**'], rules: { 'max-lines': ['error', 200] } },
	...folderRules,
]
