// SPDX-License-Identifier: MIT
import { lazy, Suspense } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Link, Route, Routes, useMatch, useParams } from 'react-router'
import { Alert } from '@patternfly/react-core'
import { Announcer } from '../components/Announcer.jsx'
import { BuildHeader } from '../components/BuildHeader.jsx'
import { BuildTabs } from '../components/BuildTabs.jsx'
import { ErrorBoundary } from '../components/ErrorBoundary.jsx'
import { Failures } from '../components/Failures.jsx'
import { Loading } from '../components/Loading.jsx'
import { PackagesTab } from '../components/PackagesTab.jsx'
import { Problem } from '../components/Problem.jsx'
import { useCalmBuild } from '../hooks/useCalmBuild.js'
import { usePageTitle } from '../hooks/usePageTitle.js'
import { useWebSocket } from '../hooks/useWebSocket.js'
import { importAgain } from '../lib/imports.js'
import { buildJobQuery } from '../queries/builds.js'
import { isEnded } from '../api/statuses.js'

const LogTab = lazy(() => importAgain(() => import('../components/LogTab.jsx')).then((tab) => ({ default: tab.LogTab })))
const TimelineTab = lazy(() => importAgain(() => import('../components/TimelineTab.jsx')).then((tab) => ({ default: tab.TimelineTab })))
const ArtefactsTab = lazy(() => importAgain(() => import('../components/ArtefactsTab.jsx')).then((tab) => ({ default: tab.ArtefactsTab })))

/** The build itself is followed at the beat: what this page renders would cost each frame some milliseconds. @type {('status' | 'error' | 'failureReason')[]} */
const TOLD = ['status', 'error', 'failureReason']

/** One build, live until it has ended. */
export function BuildDetail() {
	const { id = '' } = useParams()
	const { error, failureReason } = useQuery({ ...buildJobQuery(id), notifyOnChangeProps: TOLD })
	const build = useCalmBuild(id)
	const live = useWebSocket(id, !!build && !isEnded(build.status))
	// Failures stand before the packages; the other views want the room, and the failures are one click away.
	const view = useMatch('/builds/:id/:view/*')?.params.view ?? 'packages'
	usePageTitle(build ? titleOf(build) : `Build ${id}`, build ? iconOf(build) : 'idle')

	if (error) return <Unreadable id={id} error={error} />
	if (!build) return failureReason ? <Problem error={failureReason} what="Reading the build" /> : <Loading what="the build" />
	return (
		<div className={view === 'log' ? 'build build-fills' : 'build'}>
			<nav aria-label="Breadcrumb" className="crumbs"><Link to="/">Builds</Link> / <span>{build.id}</span></nav>
			<BuildHeader id={id} build={build} live={live} />
			<Announcer key={build.id} build={build} />
			{(view === 'packages' || build.error) && <Failures build={build} />}
			<BuildTabs id={id} />
			<div className="build-body">
				<ErrorBoundary key={view}><Suspense fallback={<Loading />}>
					<Routes>
						<Route index element={<PackagesTab id={id} build={build} />} />
						<Route path="timeline" element={<TimelineTab id={id} />} />
						<Route path="log/:item?" element={<LogTab key={build.id} build={build} />} />
						<Route path="artefacts" element={<ArtefactsTab id={id} build={build} />} />
						<Route path="*" element={<p>A build has no such view. <Link to={`/builds/${id}`}>Its packages</Link></p>} />
					</Routes>
				</Suspense></ErrorBoundary>
			</div>
		</div>
	)
}

/** @param {import('../api/types.js').Build} build */
function titleOf({ status, progress, failed_packages: failed, name }) {
	if (status === 'failed' || (failed > 0 && !isEnded(status))) return `[${status === 'failed' ? 'FAILED' : `${progress}% ✗${failed}`}] ${name}`
	if (isEnded(status)) return `[${status}] ${name}`
	return `[${progress}%] ${name}`
}

/** @param {import('../api/types.js').Build} build */
function iconOf({ status, progress, failed_packages: failed }) {
	if (isEnded(status)) return status
	return `running-${Math.min(7, Math.floor(progress / 12.5))}${failed > 0 ? '-failed' : ''}`
}

/** @param {{ id: string, error: Error & { status?: number } }} props */
function Unreadable({ id, error }) {
	const missing = error.status === 404 || error.status === 400
	return (
		<>
			{missing
				? <Alert variant="warning" isInline component="h1" title={`There is no build ${id}`}>
					Builds have whole numbers; this one was never made, or its data folder is another one.
				</Alert>
				: <Problem error={error} what="Reading the build" />}
			<p className="back"><Link to="/">Back to the builds</Link></p>
		</>
	)
}
