// SPDX-License-Identifier: MIT
import { NavLink } from 'react-router'

/** The tabs are links: each view has its URL. @param {{ id: string }} props */
export function BuildTabs({ id }) {
	const tabs = [
		{ to: `/builds/${id}`, end: true, text: 'Packages' },
		{ to: `/builds/${id}/timeline`, text: 'Timeline' },
		{ to: `/builds/${id}/log`, text: 'Log' },
		{ to: `/builds/${id}/artefacts`, text: 'Artefacts' },
	]
	return (
		<nav className="tabs" aria-label="Views of the build">
			{tabs.map(({ to, end, text }) => (
				<NavLink key={to} to={to} end={end}>{text}</NavLink>
			))}
		</nav>
	)
}
