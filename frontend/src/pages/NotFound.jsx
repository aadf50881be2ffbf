// SPDX-License-Identifier: MIT
import { Link, useLocation } from 'react-router'
import { usePageTitle } from '../hooks/usePageTitle.js'

export function NotFound() {
	const { pathname } = useLocation()
	usePageTitle('No such page')
	return (
		<div className="notice">
			<h1>No such page</h1>
			<p>Nothing stands at <code>{pathname}</code>.</p>
			<p><Link to="/" className="button-link">Back to the builds</Link></p>
		</div>
	)
}
