// SPDX-License-Identifier: MIT
/**
 * What comes before everything else, and is small: the theme, so that nothing is painted in the wrong one, and the first question to
 * the server. The frame that stands in index.html is painted before the page itself is read.
 */
import { askEarly } from './api/early.js'
import { importAgain } from './lib/imports.js'
import { applyTheme, storedTheme } from './lib/theme.js'

applyTheme(storedTheme())

const build = /^\/builds\/(\d+)(\/|$)/.exec(location.pathname)
if (build) askEarly(`/api/builds/${build[1]}`)

const read = () => importAgain(() => import('./main.jsx'))
if (document.hidden) read()
else requestAnimationFrame(() => setTimeout(read)) // no frame comes in a tab that is opened hidden
