// SPDX-License-Identifier: MIT
/**
 * Made by scripts/names.mjs of backend/apps/builds/statuses.c, the one table of these names: `npm run names` after a change there.
 *
 * @typedef {'pending'|'preparing'|'running'|'completed'|'failed'|'cancelled'} BuildStatus
 * @typedef {'pending'|'queued'|'building'|'completed'|'failed'|'blocked'|'cancelled'} ItemStatus
 * @typedef {'build'|'timeout'|'memory'|'disk'|'lost'|'infrastructure'|'blocked'|'cancelled'|'fail_fast'|'architecture'} ItemReason
 */
export {}
