// SPDX-License-Identifier: MIT
import { Link } from 'react-router'
import { usePageTitle } from '../hooks/usePageTitle.js'

export function NotFound() {
	usePageTitle('No such page')
	return (
		<>
			<h1>No such page</h1>
			<p><Link to="/">Back to the builds</Link></p>
		</>
	)
}
