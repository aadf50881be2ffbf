// SPDX-License-Identifier: MIT
import { lazy, Suspense } from 'react'
import { Route, Routes, useLocation } from 'react-router'
import { ErrorBoundary } from './components/ErrorBoundary.jsx'
import { Loading } from './components/Loading.jsx'
import { Shell } from './components/Shell.jsx'
import { BuildDetail } from './pages/BuildDetail.jsx'
import { Builds } from './pages/Builds.jsx'
import { Login } from './pages/Login.jsx'
import { NotFound } from './pages/NotFound.jsx'
import { importAgain } from './lib/imports.js'

const NewBuild = lazy(() => importAgain(() => import('./pages/NewBuild.jsx')).then((page) => ({ default: page.NewBuild })))
const Status = lazy(() => importAgain(() => import('./pages/Status.jsx')).then((page) => ({ default: page.Status })))

export function App() {
	const { pathname } = useLocation()
	return (
		<Shell>
			<ErrorBoundary key={pathname.split('/', 3).join('/')}>
				<Suspense fallback={<Loading />}>
					<Routes>
						<Route path="/" element={<Builds />} />
						<Route path="/builds/:id/*" element={<BuildDetail />} />
						<Route path="/new" element={<NewBuild />} />
						<Route path="/status" element={<Status />} />
						<Route path="/login" element={<Login />} />
						<Route path="*" element={<NotFound />} />
					</Routes>
				</Suspense>
			</ErrorBoundary>
		</Shell>
	)
}
