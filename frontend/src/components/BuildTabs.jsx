// SPDX-License-Identifier: MIT
import { memo } from 'react'
import { NavLink } from 'react-router'

/** The tabs are links: each view has its URL. */
export const BuildTabs = memo(Tabs)

/** @param {{ id: string }} props */
function Tabs({ id }) {
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
