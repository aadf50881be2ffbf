// SPDX-License-Identifier: MIT
import { Component } from 'react'
import { Alert, Button } from '@patternfly/react-core'

/** A fault of the page itself is said, and the rest of it goes on. @extends {Component<{ children: import('react').ReactNode }, { error: Error | null }>} */
export class ErrorBoundary extends Component {
	/** @param {{ children: import('react').ReactNode }} props */
	constructor(props) {
		super(props)
		this.state = { error: /** @type {Error | null} */ (null) }
	}

	/** @param {Error} error */
	static getDerivedStateFromError(error) {
		return { error }
	}

	render() {
		if (!this.state.error) return this.props.children
		return (
			<Alert variant="danger" isInline title="This part of the page broke" component="h2"
				actionLinks={<Button variant="link" isInline onClick={() => location.reload()}>Load the page again</Button>}>
				{/** @type {Error} */ (this.state.error).message}. The build on the server is not touched by this. After an update of the server, loading the
				page again is all that is needed.
			</Alert>
		)
	}
}
