// SPDX-License-Identifier: MIT
// @vitest-environment node
import { expect, it } from 'vitest'
import { absolute, commandLine, grouped } from '../../src/lib/format.js'

it.each([[0, '0'], [999, '999'], [1000, '1,000'], [1_234_567, '1,234,567'], [-12_345, '-12,345'], [1234.5678, '1,234.5678']])('%f is grouped as %s', (n, text) => {
	expect(grouped(n)).toBe(text)
})
it('a time is told in the reader’s own zone, to the second', () => {
	expect(absolute(new Date(2026, 1, 3, 4, 5, 6).toISOString())).toBe('2026-02-03 04:05:06')
	expect(absolute(null)).toBe('')
})
it('a line for a terminal names the server where it is not the usual one', () => {
	expect(commandLine('reqpm watch 7', 'http://localhost:8000')).toBe('reqpm watch 7')
	expect(commandLine('reqpm watch 7', 'https://build.example')).toBe('reqpm watch 7 --server https://build.example')
	expect(commandLine('reqpm watch 7', 'http://127.0.0.1:8010')).toBe('reqpm watch 7 --server http://127.0.0.1:8010')
})
