// SPDX-License-Identifier: MIT
#include "apps/builds/scheduler.h"

static void move(struct sched_job *job, struct sched_row *row, enum queue_status status)
{
	job->counts[row->status]--;
	job->counts[status]++;
	row->status = status;
	row->lacking = false;
	row->changed = true;
}

static bool waits(const struct sched_row *row)
{
	return row->status == QUEUE_PENDING || row->status == QUEUE_QUEUED;
}

static void plan(struct sched_job *job, struct sched_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].status == QUEUE_PENDING && !rows[i].needs_left)
			move(job, &rows[i], QUEUE_QUEUED);
	job->status = BUILD_RUNNING;
}

static void release(struct sched_job *job, struct sched_row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (rows[i].status != QUEUE_PENDING)
			continue;
		if (rows[i].lacking) {
			if (rows[i].supplied)
				move(job, &rows[i], QUEUE_QUEUED);
			continue;
		}
		rows[i].needs_left--;
		rows[i].changed = true;
		if (!rows[i].needs_left)
			move(job, &rows[i], QUEUE_QUEUED);
	}
}

/* Its build root shows whether what is left is enough: it waits only until it is known what there is. */
static void give_up(struct sched_job *job, struct sched_row *row)
{
	row->needs_left -= row->given_up;
	row->changed = true;
	if (!row->needs_left)
		move(job, row, QUEUE_QUEUED);
}

static void fail(
	struct sched_job *job, struct sched_row *rows, size_t count, enum queue_reason reason)
{
	move(job, &rows[0], QUEUE_FAILED);
	rows[0].reason = reason;
	for (size_t i = 1; i < count; i++) {
		if (!waits(&rows[i]))
			continue;
		if (rows[i].downstream) {
			move(job, &rows[i], QUEUE_BLOCKED);
			rows[i].reason = REASON_BLOCKED;
			rows[i].blocked_by = rows[0].id;
		} else if (job->fail_fast) {
			move(job, &rows[i], QUEUE_CANCELLED);
			rows[i].reason = REASON_FAIL_FAST;
		} else if (rows[i].given_up) {
			give_up(job, &rows[i]);
		}
	}
}

/* Attempts are few: before the last one it is BACKOFF_MAX_MS, 16 s. */
static int64_t backoff_ms(int64_t attempts)
{
	return (int64_t)BACKOFF_MS << (attempts - 1);
}

/* What was building when a package failed goes on to its end, but nothing begins again. */
static bool failing_fast(const struct sched_job *job)
{
	return job->fail_fast && job->counts[QUEUE_FAILED];
}

/* An attempt ended without a verdict about the package. */
static void try_again(struct sched_job *job, struct sched_row *rows, size_t count, bool spent,
	enum queue_reason reason, int64_t not_before)
{
	if (job->cancel_requested) {
		move(job, &rows[0], QUEUE_CANCELLED);
		rows[0].reason = REASON_CANCELLED;
	} else if (failing_fast(job)) {
		move(job, &rows[0], QUEUE_CANCELLED);
		rows[0].reason = REASON_FAIL_FAST;
	} else if (spent) {
		fail(job, rows, count, reason);
	} else {
		move(job, &rows[0], QUEUE_QUEUED);
		rows[0].not_before = not_before;
	}
}

/* An attempt ended because its build root lacks something. What was built since it began may have brought it; what is still
 * to be built may bring it; else it has failed. */
static void lack(
	struct sched_job *job, struct sched_row *rows, size_t count, enum queue_reason reason)
{
	bool alone = !job->counts[QUEUE_QUEUED] && job->counts[QUEUE_BUILDING] == 1;

	if (job->cancel_requested || rows[0].supplied || failing_fast(job)) {
		try_again(job, rows, count, false, reason, 0);
	} else if (alone) {
		fail(job, rows, count, reason);
	} else {
		move(job, &rows[0], QUEUE_PENDING);
		rows[0].lacking = true;
	}
}

static void cancel(struct sched_job *job, struct sched_row *rows, size_t count)
{
	job->cancel_requested = true;
	for (size_t i = 0; i < count; i++) {
		if (!waits(&rows[i]))
			continue;
		move(job, &rows[i], QUEUE_CANCELLED);
		rows[i].reason = REASON_CANCELLED;
	}
}

/* A job ends in the event in which its last item ends. Before it is planned only a cancel ends it. */
static void settle(struct sched_job *job)
{
	if (build_status_final(job->status))
		return;
	if (job->status != BUILD_RUNNING) {
		if (job->cancel_requested)
			job->status = BUILD_CANCELLED;
		return;
	}
	if (job->counts[QUEUE_PENDING] || job->counts[QUEUE_QUEUED] || job->counts[QUEUE_BUILDING])
		return;
	if (job->cancel_requested)
		job->status = BUILD_CANCELLED;
	else if (job->counts[QUEUE_COMPLETED] == job->total)
		job->status = BUILD_COMPLETED;
	else
		job->status = BUILD_FAILED;
}

bool scheduler_stalled(const struct sched_job *job)
{
	return job->status == BUILD_RUNNING && job->counts[QUEUE_PENDING] &&
	       !job->counts[QUEUE_QUEUED] && !job->counts[QUEUE_BUILDING];
}

void scheduler_apply(enum sched_event event, struct sched_job *job, struct sched_row *rows,
	size_t count, enum queue_reason reason, int64_t now)
{
	switch (event) {
	case SCHED_PLANNED:
		plan(job, rows, count);
		break;
	case SCHED_CLAIMED:
		move(job, &rows[0], QUEUE_BUILDING);
		break;
	case SCHED_COMPLETED:
		move(job, &rows[0], QUEUE_COMPLETED);
		rows[0].reason = REASON_NONE;
		release(job, rows + 1, count - 1);
		break;
	case SCHED_FAILED:
		rows[0].attempts++;
		fail(job, rows, count, reason);
		break;
	case SCHED_INFRASTRUCTURE:
		rows[0].attempts++;
		rows[0].lost = 0;
		try_again(job, rows, count, rows[0].attempts >= ATTEMPTS_MAX, REASON_INFRASTRUCTURE,
			now + backoff_ms(rows[0].attempts));
		break;
	case SCHED_LOST:
		rows[0].lost++;
		try_again(job, rows, count, rows[0].lost >= LOST_MAX, REASON_LOST, 0);
		break;
	case SCHED_STOPPED:
		try_again(job, rows, count, false, REASON_NONE, 0);
		break;
	case SCHED_LACKING:
		lack(job, rows, count, reason);
		break;
	case SCHED_IMPOSSIBLE:
		fail(job, rows, count, reason);
		break;
	case SCHED_CANCEL:
		cancel(job, rows, count);
		break;
	case SCHED_CHECK:
		break;
	}
	settle(job);
}
