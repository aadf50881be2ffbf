// SPDX-License-Identifier: MIT
import { useSyncExternalStore } from 'react'
import { Skeleton } from '@patternfly/react-core'
import { isWaitingForServer, watchWaiting } from '../lib/imports.js'

/** @param {{ what?: string }} props */
export function Loading({ what = 'the page' }) {
	const away = useSyncExternalStore(watchWaiting, isWaitingForServer)
	return (
		<div role="status" className="loading">
			{away ? <p>The server does not answer. This goes on by itself when it is back.</p> : <span className="pf-v6-screen-reader">Loading {what}</span>}
			<Skeleton width="35%" height="2rem" />
			<Skeleton width="100%" height="1.5rem" />
			<Skeleton width="90%" height="1.5rem" />
			<Skeleton width="95%" height="1.5rem" />
		</div>
	)
}
