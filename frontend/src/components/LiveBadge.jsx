// SPDX-License-Identifier: MIT
import { Button } from '@patternfly/react-core'
import { useSpoken } from '../hooks/useSpoken.js'

const OFFLINE_AFTER = 3 // tries: until then it is a hiccup

/**
 * Is what stands here now? In words and a symbol.
 *
 * @param {{ live: Pick<import('../live/socket.js').State, 'status' | 'attempt' | 'error' | 'since'>, ended: boolean, onReconnect?: () => void }} props
 */
export function LiveBadge({ live, ended, onReconnect }) {
	const { tone, symbol, text } = look(live, ended)
	// Each try changes the text that is seen; who listens is told of the loss and of its end.
	const spoken = useSpoken(live.status === 'reconnecting' && tone === 'orange' ? 'Reconnecting' : text, tone === 'red')
	return (
		<span className="live-badge">
			<span className={`state state-${tone}`}><span aria-hidden="true">{symbol}</span> {text}</span>
			<span role="status" className="pf-v6-screen-reader">{spoken}</span>
			{onReconnect && !ended && (live.status === 'reconnecting' || live.status === 'closed') && (
				<Button variant="link" isInline size="sm" onClick={onReconnect}>Reconnect now</Button>
			)}
		</span>
	)
}

/** @param {Pick<import('../live/socket.js').State, 'status' | 'attempt' | 'error' | 'since'>} live @param {boolean} ended */
function look({ status, attempt, error, since }, ended) {
	const clock = since ? new Date(since).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' }) : ''
	if (ended) return { tone: 'grey', symbol: '■', text: 'Ended' }
	if (status === 'open') return { tone: 'green', symbol: '●', text: 'Live' }
	if (status === 'closed' && error) return { tone: 'red', symbol: '✗', text: `Not connected: ${error.reason || error.code}` }
	if (status === 'reconnecting' && attempt > OFFLINE_AFTER) return { tone: 'red', symbol: '○', text: `Offline since ${clock}` }
	if (status === 'reconnecting') return { tone: 'orange', symbol: '◌', text: `Reconnecting (${attempt})` }
	return { tone: 'grey', symbol: '◌', text: 'Connecting' }
}
