// SPDX-License-Identifier: MIT
import { useMemo } from 'react'
import { Button } from '@patternfly/react-core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useSearchParams } from 'react-router'
import { BuildTable } from '../components/BuildTable.jsx'
import { Chip } from '../components/PackageToolbar.jsx'
import { FilterInput } from '../components/FilterInput.jsx'
import { LiveBadge } from '../components/LiveBadge.jsx'
import { Loading } from '../components/Loading.jsx'
import { NoBuilds } from '../components/NoBuilds.jsx'
import { Problem } from '../components/Problem.jsx'
import { useBuildList } from '../hooks/useBuildList.js'
import { usePageTitle } from '../hooks/usePageTitle.js'
import { joinBuilds } from '../lib/builds.js'
import { buildPagesQuery, liveBuildsQuery } from '../queries/builds.js'
import { BUILD_STATUSES } from '../api/statuses.js'

/** Every build: what runs first, then the newest. Filters stand in the URL. */
export function Builds() {
	const [params, setParams] = useSearchParams()
	const status = params.get('status') ?? ''
	const q = params.get('q') ?? ''
	const socket = useBuildList()
	const { data: live } = useQuery(liveBuildsQuery)
	const pages = useInfiniteQuery(buildPagesQuery({ status, q }))
	const builds = useMemo(() => joinBuilds(pages.data?.pages.flatMap((page) => page.items) ?? [], live ?? [], { status, q }), [pages.data, live, status, q])
	usePageTitle('Builds')

	/** @param {string} key @param {string} value */
	function choose(key, value) {
		const next = new URLSearchParams(params)
		if (value) next.set(key, value)
		else next.delete(key)
		setParams(next, { replace: true })
	}

	const problem = pages.error ?? (builds.length === 0 ? pages.failureReason : null)
	return (
		<>
			<div className="page-head">
				<h1>Builds</h1>
				<LiveBadge live={socket} ended={false} />
				<Link to="/new" className="button-link">New build</Link>
			</div>
			<div className="toolbar">
				<FilterInput label="Filter builds by name" placeholder="Filter by name" value={q} onChange={(text) => choose('q', text)} />
				<div className="chips" role="group" aria-label="Show only">
					<Chip pressed={!status} onClick={() => choose('status', '')}>all</Chip>
					{Object.entries(BUILD_STATUSES).map(([key, { word, symbol, tone }]) => (
						<Chip key={key} pressed={status === key} onClick={() => choose('status', status === key ? '' : key)}>
							<span aria-hidden="true" className={`ink-${tone}`}>{symbol}</span> {word}
						</Chip>
					))}
				</div>
			</div>
			{problem && <Problem error={problem} what="Reading the builds" />}
			{builds.length > 0 && <BuildTable builds={builds} />}
			{builds.length === 0 && pages.isPending && !problem && <Loading what="the builds" />}
			{builds.length === 0 && pages.isSuccess && (status || q ? <p className="subtle">No build matches.</p> : <NoBuilds />)}
			{pages.hasNextPage && (
				<Button variant="link" onClick={() => pages.fetchNextPage()} isDisabled={pages.isFetchingNextPage}>Older builds</Button>
			)}
		</>
	)
}
