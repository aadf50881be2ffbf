// SPDX-License-Identifier: MIT
import { Skeleton } from '@patternfly/react-core'

/** @param {{ what?: string }} props */
export function Loading({ what = 'the page' }) {
	return (
		<div role="status" className="loading">
			<span className="pf-v6-screen-reader">Loading {what}</span>
			<Skeleton width="35%" height="2rem" />
			<Skeleton width="100%" height="1.5rem" />
			<Skeleton width="90%" height="1.5rem" />
			<Skeleton width="95%" height="1.5rem" />
		</div>
	)
}
