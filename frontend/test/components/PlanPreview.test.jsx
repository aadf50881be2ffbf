// SPDX-License-Identifier: MIT
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { render } from '@testing-library/react'
import { expect, it, vi } from 'vitest'
import { PlanPreview } from '../../src/components/PlanPreview.jsx'
import { useFakeSocket } from '../fakes.js'
import { buildJobQuery, buildPlanQuery } from '../../src/queries/builds.js'

function preview(plan) {
	const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } })
	client.setQueryData(buildJobQuery(7).queryKey, { id: 7, status: 'completed', queue_items: [] })
	client.setQueryData(buildPlanQuery(7, true).queryKey, { levels: [['zlib'], ['app']], edges: [], dropped: [], cycles: [], host: [], ...plan })
	return render(<QueryClientProvider client={client}><PlanPreview id={7} /></QueryClientProvider>).container.textContent
}
const edge = (kind) => ({ package: 'app', needs: 'zlib', capability: 'zlib', kind })

it('what is left out of the order is named for what it was', () => {
	expect(preview({ dropped: [edge('soft')] })).toMatch(/Tests that are left out.*app without zlib/)
	expect(preview({ dropped: [edge('learned')] })).toMatch(/Guesses that are set aside.*app without zlib/)
	expect(preview({})).not.toMatch(/left out|set aside|Not built/)
})
it('what does not build here is named with its reason', () => {
	expect(preview({ excluded: [{ package: 'boot', why: 'ExclusiveArch: s390x' }] })).toMatch(/Not built on this server.*boot ExclusiveArch: s390x/)
})
it('a dry run that was cancelled is not waited for', () => {
	const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } })
	client.setQueryData(buildJobQuery(7).queryKey, { id: 7, status: 'cancelled', queue_items: [] })
	const page = render(<QueryClientProvider client={client}><PlanPreview id={7} /></QueryClientProvider>).container
	expect(page.textContent).toMatch(/was cancelled/)
	expect(page.querySelector('.loading')).toBeNull()
})
it('how many specs have been read is told while they are read', () => {
	const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } })
	client.setQueryData(buildJobQuery(7).queryKey, { id: 7, status: 'preparing', specs_read: 1200, specs_total: 5000, queue_items: [] })
	useFakeSocket()
	expect(render(<QueryClientProvider client={client}><PlanPreview id={7} /></QueryClientProvider>).container.textContent).toMatch(/1,200 of 5,000 specs read/)
	vi.unstubAllGlobals()
})
