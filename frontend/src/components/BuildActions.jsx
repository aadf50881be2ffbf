// SPDX-License-Identifier: MIT
import { Button } from '@patternfly/react-core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from 'react-router'
import { DeleteBuild } from './DeleteBuild.jsx'
import { useSession } from '../hooks/useSession.js'
import { cancelMutation, retryMutation } from '../queries/builds.js'
import { isEnded } from '../api/statuses.js'

/** Cancel while it runs, then Delete, and Retry when something is left to do. @param {{ build: import('../api/types.js').Build }} props */
export function BuildActions({ build }) {
	const client = useQueryClient()
	const navigate = useNavigate()
	const { canChange } = useSession()
	const cancel = useMutation(cancelMutation(build.id), client)
	const retry = useMutation({ ...retryMutation(build.id), onSuccess: (next) => navigate(`/builds/${next.id}`) })
	const ended = isEnded(build.status)
	const why = canChange ? undefined : 'Changes need a sign-in: ./reqpm.sh login prints a link for it'
	const error = cancel.error ?? retry.error

	return (
		<div className="build-actions">
			{error && <span role="alert" className="action-error">{error.message}</span>}
			{!ended && (
				<Button variant="secondary" isDanger isDisabled={!canChange || build.cancel_requested || cancel.isPending}
					title={why} onClick={() => cancel.mutate()}>
					{build.cancel_requested || cancel.isPending ? 'Cancelling' : 'Cancel'}
				</Button>
			)}
			{ended && build.status !== 'completed' && (
				<Button variant="primary" isDisabled={!canChange || retry.isPending} title={why} onClick={() => retry.mutate()}>
					Retry
				</Button>
			)}
			{ended && <DeleteBuild key={build.id} id={build.id} disabled={!canChange} title={why} />}
		</div>
	)
}
