// SPDX-License-Identifier: MIT
import { memo, useEffect } from 'react'
import { Button } from '@patternfly/react-core'
import { useQuery } from '@tanstack/react-query'
import { artifactsQuery } from '../queries/builds.js'
import { count } from '../lib/format.js'
import { isEnded } from '../api/statuses.js'
import { CopyText } from './CopyText.jsx'
import { Loading } from './Loading.jsx'
import { Problem } from './Problem.jsx'
import { Results } from './Results.jsx'

/**
 * What came out, and how to use it. Updates do not carry results, and a page that only watches asks the server for nothing: the list is
 * read when the reader comes, when he asks for what has completed since, and once when the build has ended.
 *
 * @param {{ id: string, build: import('../api/types.js').Build }} props `id` as in the query's key
 */
export const ArtefactsTab = memo(
	/** @param {{ id: string, build: import('../api/types.js').Build }} props */
	function ArtefactsTab({ id, build }) {
		const { data, error, isFetching, refetch } = useQuery(artifactsQuery(id))
		const ended = isEnded(build.status)
		const since = data ? build.completed_packages - data.completed : 0
		useEffect(() => {
			if (ended && since > 0) void refetch()
		}, [ended, since, refetch])

		if (error) return <Problem error={error} what="Reading the results" />
		if (!data) return <Loading what="the results" />
		const { items } = data
		return (
			<div className="artefacts">
				{items.some((artifact) => artifact.kind === 'rpm') && <Repository build={build.id} />}
				{since > 0 && !ended && (
					<p className="hint">
						{count(since, 'package')} {since === 1 ? 'has' : 'have'} completed since this list was read.{' '}
						<Button variant="link" isInline isDisabled={isFetching} onClick={() => refetch()}>Read it again</Button>
					</p>
				)}
				{items.length > 0 ? <Results artifacts={items} />
					: <p className="nothing">{nothing(ended, data.completed)}</p>}
			</div>
		)
	},
)

/** @param {boolean} ended @param {number} completed */
function nothing(ended, completed) {
	if (ended) return 'Nothing came out of this build.'
	return completed > 0 ? 'What has completed so far made no files.' : 'No results yet: the first package that completes brings them.'
}

/** @param {{ build: number }} props */
function Repository({ build }) {
	const repo = `${location.origin}/api/builds/${build}/repo/reqpm.repo`
	return (
		<section aria-labelledby="use-title" className="card">
			<h2 id="use-title">Use this repository</h2>
			<CopyText label="The command" text={`curl -f -o /etc/yum.repos.d/reqpm.repo ${repo}`} />
			<p>Then <code>dnf install</code> as ever. <a href={repo}>The .repo file</a></p>
		</section>
	)
}
