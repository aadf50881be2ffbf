// SPDX-License-Identifier: MIT
import { memo } from 'react'
import { Link } from 'react-router'
import { BuildActions } from './BuildActions.jsx'
import { CopyText } from './CopyText.jsx'
import { LiveBadge } from './LiveBadge.jsx'
import { StatusLabel } from './StatusLabel.jsx'
import { BuildClock } from './BuildClock.jsx'
import { SegmentBar, segmentsOf } from './SegmentBar.jsx'
import { commandLine, count, grouped } from '../lib/format.js'
import { isEnded } from '../api/statuses.js'

/** What a build is at, on top of every tab. */
export const BuildHeader = memo(Header)

/**
 * @param {{ id: string, build: import('../api/types.js').Build, live: import('../live/socket.js').State & { reconnect: () => void } }} props
 */
function Header({ id: cacheId, build, live }) {
	const { name, id, status, progress, total_packages: total, retry_of: retryOf, specs_read: read, specs_total: specs } = build
	return (
		<header className="build-head">
			<div className="build-head-row">
				<div className="build-title">
					<h1 title={name}>{name}</h1>
					<span className="subtle">#{id}{retryOf ? <> · tries <Link to={`/builds/${retryOf}`}>build {retryOf}</Link> again</> : null}</span>
					<StatusLabel status={status} of="build" />
					{build.cancel_requested && !isEnded(status) && <span className="state state-orange">⊘ cancelling</span>}
					<LiveBadge live={live} ended={isEnded(status)} onReconnect={live.reconnect} />
				</div>
				<div className="build-side">
					<CopyText text={commandLine(`reqpm watch ${id}`)} label="Watch in a terminal" />
					<BuildActions build={build} />
				</div>
			</div>
			<SegmentBar build={build} label={`${progress} % of ${count(total, 'package')}`} />
			<div className="build-head-row">
				<ul className="legend" aria-label="Packages by state">
					{status === 'preparing' && specs
						? <li><strong>{grouped(read ?? 0)}</strong> <span className="subtle">of {count(specs, 'spec')} read</span></li>
						: <li><strong>{progress} %</strong> <span className="subtle">of {count(total, 'package')}</span></li>}
					{segmentsOf(build).map(({ key, word, tone, n }) => n > 0 && (
						<li key={key}><span className={`swatch fill-${tone}`} aria-hidden="true" /> {grouped(n)} {word}</li>
					))}
				</ul>
				<BuildClock id={cacheId} />
			</div>
		</header>
	)
}
