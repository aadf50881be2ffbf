// SPDX-License-Identifier: MIT
import { useEffect, useRef, useState } from 'react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from 'react-router'
import { Loading } from '../components/Loading.jsx'
import { Problem, SignInNotice } from '../components/Problem.jsx'
import { usePageTitle } from '../hooks/usePageTitle.js'
import { useSession } from '../hooks/useSession.js'
import { login, sessionQuery } from '../queries/server.js'

/** Turns the one-time code of the printed link into a session. The code leaves the address at once. */
export function Login() {
	const navigate = useNavigate()
	const client = useQueryClient()
	const { signedIn } = useSession()
	const [code] = useState(() => location.hash.slice(1))
	const { mutate, error } = useMutation({
		mutationFn: login,
		onSuccess: async () => {
			await client.resetQueries({ queryKey: sessionQuery.queryKey })
			navigate('/', { replace: true })
		},
	})
	usePageTitle('Sign in')

	const refused = /** @type {(Error & { status?: number }) | null} */ (error)?.status === 401
	const sent = useRef(false)
	useEffect(() => {
		if (!code || sent.current) return
		sent.current = true // once: the code is good for one try
		history.replaceState(history.state, '', '/login')
		mutate(code)
	}, [code, mutate])

	return (
		<div className="notice">
			<h1>Sign in</h1>
			{error && !refused && <Problem error={error} what="Signing in" retried={false} />}
			{refused && <p role="alert">This link was used before, or it is too old: each is good once, for ten minutes.</p>}
			{!error && code ? <Loading what="your session" /> : signedIn ? <SignedIn /> : <SignInNotice />}
		</div>
	)
}

function SignedIn() {
	return <p>You are signed in: this browser may start, cancel and retry builds. <Link to="/">Back to the builds</Link></p>
}
