/* SPDX-License-Identifier: MIT
 *
 * The scheduler: what one event does to the rows of a job. Pure: it is given the rows that the event concerns, read in the
 * transaction of the event, and says how they change; it keeps nothing between events, reads no clock and no
 * database. models.c applies the changes; the simulation applies them to rows in memory.
 *
 * Order: list scheduling by the longest remaining path (R. L. Graham, 1969; critical-path priority). Starting is not its matter:
 * a free slot claims the queued row of the highest priority.
 */
#ifndef REQPM_SCHEDULER_H
#define REQPM_SCHEDULER_H

#include "apps/builds/builds.h"

enum sched_event {
	SCHED_PLANNED, /* rows: every item of the job, new; those without needs become queued */
	SCHED_CLAIMED, /* rows: the item */
	SCHED_COMPLETED, /* rows: the item, then its direct dependents and those that lack what it turned out to provide */
	SCHED_FAILED, /* rows: the item, then everything that needs it, however far, and what waits for any of these though another item would
		       do; with fail_fast all that waits */
	SCHED_INFRASTRUCTURE, /* as FAILED: tried again with back-off until ATTEMPTS_MAX */
	SCHED_LOST, /* as FAILED: its worker died; queued again until LOST_MAX */
	SCHED_STOPPED, /* as FAILED: its attempt was ended by cancel or drain */
	SCHED_LACKING, /* as FAILED: nothing provides what it needs; it waits while something else may bring that */
	SCHED_IMPOSSIBLE, /* as FAILED, without an attempt: it is not worth one */
	SCHED_CANCEL, /* rows: every item of the job that waits */
	SCHED_CHECK, /* no rows: only the job itself */
};
struct sched_row {
	int64_t id;
	enum queue_status status;
	int64_t needs_left, attempts, lost, not_before, blocked_by;
	enum queue_reason reason;
	bool lacking; /* it waits for a capability, not for a package; in and out */
	bool supplied; /* what it lacks was provided since its attempt began, or by the item of the event */
	bool downstream; /* it needs the item of the event, however far */
	int64_t given_up; /* how many of its needs fail with the item of the event, for each of which another one would do */
	bool changed; /* out */
};
struct sched_job {
	enum build_status status; /* in and out */
	bool cancel_requested, fail_fast;
	int64_t counts[QUEUE_STATUS_COUNT], total; /* in and out */
};
/* Nothing runs or is ready, so that what the lacking items wait for will not come: the caller ends each with SCHED_IMPOSSIBLE,
 * until this is false. */
bool scheduler_stalled(const struct sched_job *job);
/* rows[0] is the item of the event where there is one. reason: of FAILED, LACKING and IMPOSSIBLE. now: wall ms, for
 * back-off. */
void scheduler_apply(enum sched_event event, struct sched_job *job, struct sched_row *rows,
	size_t count, enum queue_reason reason, int64_t now);

#endif
