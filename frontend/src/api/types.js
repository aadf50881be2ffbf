// SPDX-License-Identifier: MIT
/**
 * What the server says, as docs/protocol.md states it. Fields may be added; none goes.
 *
 * @typedef {import('./statuses.js').BuildStatus} BuildStatus
 * @typedef {import('./statuses.js').ItemStatus} ItemStatus
 *
 * @typedef {object} QueueItem
 * @property {number} id
 * @property {ItemStatus} status
 * @property {{ id: number, name: string, version: string }} package
 * @property {number} [level]
 * @property {number} [position]
 * @property {number} [attempt]
 * @property {string | null} [worker]
 * @property {number | null} [slot]
 * @property {string | null} [phase]
 * @property {string | null} [why]
 * @property {import('./names.js').ItemReason | null} [reason]
 * @property {{ id: number, name: string } | null} [blocked_by]
 * @property {number | null} [error_line]
 * @property {string | null} [error_text]
 * @property {string} [build_log]
 * @property {number} [log_size]
 * @property {number | null} [exit_code]
 * @property {string | null} [queued_at]
 * @property {string | null} [started_at]
 * @property {string | null} [completed_at]
 * @property {number | null} [last_duration_ms]
 * @property {number[]} [needs]
 *
 * @typedef {object} Build
 * @property {number} id
 * @property {string} name
 * @property {string} [builder]
 * @property {BuildStatus} status
 * @property {number} total_packages
 * @property {number} completed_packages
 * @property {number} failed_packages
 * @property {number} [building_packages]
 * @property {number} [blocked_packages]
 * @property {number} [waiting_packages]
 * @property {number} [cancelled_packages]
 * @property {number} progress
 * @property {number} [specs_read] while it is preparing
 * @property {number} [specs_total]
 * @property {boolean} [cancel_requested]
 * @property {boolean} [fail_fast]
 * @property {boolean} [dry_run]
 * @property {number | null} [retry_of]
 * @property {{ detail: string, package: string | null, edges: Edge[] } | null} [error]
 * @property {string | null} [created_at]
 * @property {string | null} [started_at]
 * @property {string | null} [completed_at]
 * @property {number} [seq]
 * @property {string} [epoch]
 * @property {QueueItem[]} [queue_items]
 * @property {Plan | null} [plan]
 *
 * @typedef {{ package: string, needs: string, capability: string, kind?: string }} Edge
 *
 * @typedef {object} Plan
 * @property {string[][]} levels
 * @property {Edge[]} edges
 * @property {Edge[]} dropped
 * @property {{ packages: string[], edges: Edge[] }[]} cycles
 * @property {string[]} host
 * @property {{ package: string, why: string }[]} [excluded]
 *
 * @typedef {object} Message
 * @property {string} type
 * @property {number} [seq]
 * @property {string} [epoch]
 * @property {boolean} [snapshot]
 * @property {any} [data]
 * @property {string} [now]
 * @property {number} [retry_ms]
 *
 * @typedef {object} Attempt
 * @property {number} number
 * @property {string | null} worker
 * @property {number} slot
 * @property {string | null} started_at
 * @property {string | null} ended_at
 * @property {string | null} outcome
 *
 * @typedef {object} Artifact
 * @property {number} [queue_item]
 * @property {string} [package]
 * @property {string} file
 * @property {string} kind
 * @property {number} size
 * @property {string} sha256
 * @property {string | null} nevra
 * @property {string} [url]
 *
 * @typedef {Omit<QueueItem, 'needs'> & { needs: { id: number, name: string, status: ItemStatus }[],
 *   attempts: Attempt[], artifacts: Artifact[] }} QueueItemDetail
 *
 * @typedef {{ from_line: number, lines: string[], total_lines: number, size: number, final: boolean }} LogWindow
 * @typedef {{ q: string, matches: { line: number, text: string }[], truncated: boolean }} LogMatches
 *
 * @typedef {object} Worker
 * @property {string} name
 * @property {string} [incarnation]
 * @property {number} slots
 * @property {boolean} current
 * @property {string | null} started_at
 * @property {string | null} heartbeat_at
 * @property {{ slot: number, build: number, item: number, package: string, phase: string | null,
 *   started_at: string | null }[]} building
 */
export {}
