// SPDX-License-Identifier: MIT
import { useState } from 'react'
import { Button } from '@patternfly/react-core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from 'react-router'
import { deleteMutation, forgetBuilds } from '../queries/builds.js'

/** Asks once more, since nothing brings it back. @param {{ id: number, disabled: boolean, title?: string }} props */
export function DeleteBuild({ id, disabled, title }) {
	const client = useQueryClient()
	const navigate = useNavigate()
	const [asking, setAsking] = useState(false)
	const deletion = useMutation({
		...deleteMutation(id),
		onSuccess() {
			forgetBuilds(client, [id])
			navigate('/')
		},
	})

	if (!asking) return <Button variant="secondary" isDisabled={disabled} title={title} onClick={() => setAsking(true)}>Delete</Button>
	return (
		<div role="group" aria-label={`Delete build ${id}`} className="build-delete" onKeyDown={(event) => event.key === 'Escape' && setAsking(false)}>
			{deletion.error
				? <span role="alert" className="action-error">{deletion.error.message}</span>
				: <span id="delete-question">Its logs, results and repository go with it.</span>}
			<Button variant="danger" isDisabled={deletion.isPending} aria-describedby="delete-question" onClick={() => deletion.mutate()}>Delete build {id}</Button>
			<Button variant="secondary" autoFocus isDisabled={deletion.isPending} onClick={() => setAsking(false)}>Keep</Button>
		</div>
	)
}
