// SPDX-License-Identifier: MIT
import { Alert } from '@patternfly/react-core'
import { Link } from 'react-router'

/**
 * What the server refused or why it did not answer.
 *
 * @param {{ error: Error & { status?: number, title?: string }, what?: string, retried?: boolean }} props `retried`: reading goes on by itself
 */
export function Problem({ error, what = 'That', retried = true }) {
	if (error.status === 401) return <SignInNotice />
	const away = error.status === 0 || (error.status ?? 0) >= 500
	const title = error.status === 0 ? 'The server does not answer' : away ? `${what} did not work: ${error.title ?? error.message}` : `${what} was refused`
	return (
		<Alert variant={away ? 'warning' : 'danger'} isInline component="h2" title={title}>
			{error.status !== 0 ? error.message : retried ? 'It is asked again and again; this page goes on by itself when it is back.' : 'Try again when it is back.'}
		</Alert>
	)
}

export function SignInNotice() {
	return (
		<Alert variant="info" isInline title="You are not signed in" component="h2">
			<code>./reqpm.sh login</code>, on the server, prints a link that signs this browser in. <Link to="/">Back to the builds</Link>
		</Alert>
	)
}
