// SPDX-License-Identifier: MIT
import { EmptyState, EmptyStateBody, EmptyStateFooter } from '@patternfly/react-core'
import { Link } from 'react-router'
import { commandLine } from '../lib/format.js'
import { CopyText } from './CopyText.jsx'

/** The two ways to start. */
export function NoBuilds() {
	return (
		<EmptyState titleText="No build yet" headingLevel="h2">
			<EmptyStateBody>
				<p>Give a folder of spec files with their sources, source RPMs, or a packages.json, from a terminal:</p>
				<CopyText label="The command" text={commandLine('reqpm build examples/stack')} />
				<p>or drop the files here in the browser:</p>
			</EmptyStateBody>
			<EmptyStateFooter><Link to="/new" className="button-link">New build</Link></EmptyStateFooter>
		</EmptyState>
	)
}
