// SPDX-License-Identifier: MIT
import '@patternfly/react-core/dist/styles/base.css'
import './styles/app.css'
import './styles/build.css'
import './styles/log.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { BrowserRouter } from 'react-router'
import { QueryClientProvider } from '@tanstack/react-query'
import { App } from './App.jsx'
import { createQueryClient } from './queries/client.js'

createRoot(/** @type {HTMLElement} */ (document.getElementById('root'))).render(
	<StrictMode>
		<QueryClientProvider client={createQueryClient()}>
			<BrowserRouter>
				<App />
			</BrowserRouter>
		</QueryClientProvider>
	</StrictMode>,
)
