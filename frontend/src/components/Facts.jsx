// SPDX-License-Identifier: MIT
import { absolute, duration, size } from '../lib/format.js'

/** What a name's ending says of its unit. @param {string} key @param {unknown} value @returns {string} */
export function factText(key, value) {
	if (value === null || value === undefined || value === '') return '–'
	if (typeof value === 'boolean') return value ? 'yes' : 'no'
	if (typeof value === 'number' && /_ms$/.test(key)) return duration(value)
	if (typeof value === 'number' && /(^|_)(bytes|size|free|total|floor)(_bytes)?$/.test(key)) return size(value)
	if (typeof value === 'number') return value.toLocaleString('en')
	if (typeof value === 'string' && /_at$/.test(key)) return absolute(value)
	if (Array.isArray(value)) return value.map((each) => (typeof each === 'object' ? Object.values(each).join(' ') : String(each))).join(', ') || '–'
	return String(value)
}

/** @param {string} key */
const words = (key) => key.replace(/_(ms|at|bytes)$/, '').replaceAll('_', ' ')

/** A card of facts; nested ones are flattened. @param {{ title: string, facts: Record<string, unknown> }} props */
export function Facts({ title, facts }) {
	const rows = Object.entries(facts).flatMap(([key, value]) =>
		typeof value === 'object' && value !== null && !Array.isArray(value)
			? Object.entries(value).map(([inner, each]) => ({ key: `${key} ${inner}`, name: `${words(key)}: ${words(inner)}`, text: factText(inner, each) }))
			: [{ key, name: words(key), text: factText(key, value) }],
	)
	return (
		<section className="card">
			<h2>{title}</h2>
			<dl className="facts">
				{rows.map(({ key, name, text }) => <div key={key}><dt>{name}</dt><dd>{text}</dd></div>)}
			</dl>
		</section>
	)
}
