// SPDX-License-Identifier: MIT
import { NavLink } from 'react-router'
import { SkipToContent } from '@patternfly/react-core'
import { ThemeSwitch } from './ThemeSwitch.jsx'
import logo from '../icons/idle.svg?url'

/** The frame of every page. @param {{ children: import('react').ReactNode }} props */
export function Shell({ children }) {
	return (
		<div className="shell">
			<SkipToContent href="#content">Skip to the content</SkipToContent>
			<header className="shell-head">
				<NavLink to="/" className="shell-brand">
					<img src={logo} alt="" width="26" height="26" />
					<span>reqpm</span>
				</NavLink>
				<nav aria-label="Pages" className="shell-nav">
					<NavLink to="/" end>Builds</NavLink>
					<NavLink to="/new">New build</NavLink>
					<NavLink to="/status">Status</NavLink>
				</nav>
				<ThemeSwitch />
			</header>
			<main id="content" tabIndex={-1} className="shell-main">
				{children}
			</main>
		</div>
	)
}
