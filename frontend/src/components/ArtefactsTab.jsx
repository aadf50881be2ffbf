// SPDX-License-Identifier: MIT
import { useQuery } from '@tanstack/react-query'
import { artifactsQuery } from '../queries/builds.js'
import { size } from '../lib/format.js'
import { CopyText } from './CopyText.jsx'
import { Loading } from './Loading.jsx'
import { Problem } from './Problem.jsx'

/** What came out, and how to use it. @param {{ build: import('../api/types.js').Build }} props */
export function ArtefactsTab({ build }) {
	const { data, error } = useQuery(artifactsQuery(build.id, build.completed_packages))
	if (error) return <Problem error={error} what="Reading the results" />
	if (!data) return <Loading what="the results" />
	const rpms = data.some((artifact) => artifact.kind === 'rpm')
	const repo = `${location.origin}/api/builds/${build.id}/repo/reqpm.repo`
	return (
		<div className="artefacts">
			{rpms && (
				<section aria-labelledby="use-title" className="card">
					<h2 id="use-title">Use this repository</h2>
					<CopyText label="The command" text={`curl -o /etc/yum.repos.d/reqpm.repo ${repo}`} />
					<p>Then <code>dnf install</code> as ever. <a href={repo}>The .repo file</a></p>
				</section>
			)}
			{data.length === 0
				? <p className="nothing">No results yet: they appear here as packages complete.</p>
				: <Results artifacts={data} />}
		</div>
	)
}

/** @param {{ artifacts: import('../api/types.js').Artifact[] }} props */
function Results({ artifacts }) {
	return (
		<div className="scroll-x" tabIndex={0} role="region" aria-label="Results">
			<table className="plain-table">
				<thead>
					<tr><th scope="col">File</th><th scope="col">Package</th><th scope="col">Kind</th><th scope="col" className="number">Size</th><th scope="col">SHA-256</th></tr>
				</thead>
				<tbody>
					{artifacts.map((artifact) => (
						<tr key={`${artifact.queue_item} ${artifact.file}`}>
							<td className="file-name" title={artifact.nevra ?? undefined}>{artifact.url ? <a href={artifact.url}>{artifact.file}</a> : artifact.file}</td>
							<td>{artifact.package}</td>
							<td>{artifact.kind}</td>
							<td className="number">{size(artifact.size)}</td>
							<td><code className="hash" title={artifact.sha256}>{artifact.sha256}</code></td>
						</tr>
					))}
				</tbody>
			</table>
		</div>
	)
}
