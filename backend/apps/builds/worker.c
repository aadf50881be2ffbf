// SPDX-License-Identifier: MIT
/*
 * The embedded worker: a free slot claims the ready item of highest priority; what was submitted is prepared, oldest first, one job that
 * reads specs and one that does not at a time.
 */
#include <stdio.h>
#include <unistd.h>
#include "apps/builds/tasks.h"
#include "core/base/log.h"

static void pull(struct tasks *t);
static void prepare_next(struct preparing *l);
static void drain_check(struct tasks *t);

/* ---- room on the disk: where less than its floor is free nothing begins, and whatever is ready says so */

#define HELD_WHY "waits for room on the server's disk, which is below its floor"

static void tell(struct tasks *t);

static int tell_run(struct tx *tx, void *arg)
{
	struct tasks *t = arg;

	return worker_hold(tx, &t->identity, t->tells ? HELD_WHY : NULL);
}

/* What could not be stored is tried again with the next look. */
static void told(void *arg, int status)
{
	struct tasks *t = arg;

	t->telling = false;
	if (status < 0)
		return;
	t->told = t->tells;
	tell(t);
}

static void tell(struct tasks *t)
{
	if (t->telling || t->told == t->held || t->draining)
		return;
	t->telling = true;
	t->tells = t->held;
	store_write(t->app->store, tell_run, told, t);
}

static int look_run(struct tx *tx, void *arg)
{
	const struct tasks *t = arg;

	(void)tx;
	return check_disk(t->app, 0);
}

static void hold(struct tasks *t);

static void looked(void *arg, int status)
{
	struct tasks *t = arg;

	t->looking = false;
	if (t->draining)
		return;
	if (status < 0) {
		hold(t);
		return;
	}
	log_info("worker: there is room on the disk again");
	t->held = false;
	tell(t);
	tasks_wake(t);
}

static void look(struct tasks *t)
{
	if (t->looking || t->draining)
		return;
	t->looking = true;
	store_read(t->app->store, look_run, looked, t);
}

static void look_fired(uv_timer_t *timer)
{
	look(timer->data);
}

static void hold(struct tasks *t)
{
	if (!t->held)
		log_warn("worker: less than %lld MiB are free in %s: nothing begins until there is "
			 "room",
			(long long)(t->app->disk_floor_bytes >> 20), t->app->data_dir);
	t->held = true;
	uv_timer_start(&t->look, look_fired, DISK_LOOK_MS, 0);
	tell(t);
}

/* ---- claiming */

static int64_t free_slot(const struct tasks *t)
{
	for (int64_t i = 1; i <= t->app->jobs; i++)
		if (!t->slots[i])
			return i;
	return 0;
}

static int claim_run(struct tx *tx, void *arg)
{
	struct tasks *t = arg;

	t->outcome = check_disk(t->app, 0);
	if (t->outcome >= 0)
		t->outcome = queue_item_claim(
			tx, &t->identity, t->claim_slot, clock_wall_ms(), &t->claim, &t->due_at);
	return t->outcome;
}

static void start(struct tasks *t, struct claim *take_claim, int64_t slot)
{
	build_package_task(t, take_claim, slot);
	if (t->draining)
		task_stop(t->slots[slot]);
}

static void due_fired(uv_timer_t *timer)
{
	pull(timer->data);
}

static void claimed(void *arg, int status)
{
	struct tasks *t = arg;
	int64_t wait;

	t->claiming = false;
	if (status == -ENOSPC) {
		claim_finish(&t->claim);
		hold(t);
	} else if (status < 0) {
		log_error("worker: nothing can be claimed: %s", strerror(-status));
		claim_finish(&t->claim);
		t->wanted = false;
		uv_timer_start(&t->due, due_fired, END_AGAIN_MS, 0);
	} else if (t->outcome > 0) {
		t->wanted = true;
		start(t, &t->claim, t->claim_slot);
	} else if (t->due_at > 0) {
		wait = t->due_at - clock_wall_ms();
		uv_timer_start(&t->due, due_fired, wait > 0 ? (uint64_t)wait + 1 : 1, 0);
	}
	if (t->wanted)
		pull(t);
	drain_check(t);
}

static void pull(struct tasks *t)
{
	if (t->claiming) {
		t->wanted = true;
		return;
	}
	t->wanted = false;
	t->claim_slot = free_slot(t);
	if (t->draining || t->held || !t->ready || !t->claim_slot)
		return;
	t->claiming = true;
	store_write(t->app->store, claim_run, claimed, t);
}

/* ---- preparing, one job of each lane at a time */

static enum lane lane_of(const struct build_job *job)
{
	return !strcmp(job->builder, "rpmbuild") && !job->takes_from ? LANE_READING : LANE_OTHER;
}

static int take_next(const struct build_job *job, void *arg)
{
	struct preparing *l = arg;

	if (l->next.id || !strcmp(job->builder, "external") || l != &l->tasks->lanes[lane_of(job)])
		return 0;
	l->next = (struct prepare_job){
		.id = job->id,
		.upload_id = job->upload_id,
		.takes_from = job->takes_from,
		.builder = xstrdup(job->builder),
	};
	return 0;
}

static int find_next(struct tx *tx, void *arg)
{
	const struct preparing *l = arg;
	int r = check_disk(l->tasks->app, 0);

	return r < 0 ? r : build_jobs_to_prepare(tx, take_next, arg);
}

static void prepared(void *arg)
{
	struct preparing *l = arg;

	l->busy = false;
	l->prepare = NULL;
	prepare_next(l);
	pull(l->tasks);
	drain_check(l->tasks);
}

static void found_next(void *arg, int status)
{
	struct preparing *l = arg;
	struct tasks *t = l->tasks;
	struct prepare_job job = l->next;

	l->next = (struct prepare_job){0};
	if (status == -ENOSPC)
		hold(t);
	else if (status < 0)
		log_error("worker: the jobs to prepare cannot be read: %s", strerror(-status));
	if (status < 0 || !job.id || t->draining) {
		l->busy = false;
		free(job.builder);
		if (l->wanted)
			prepare_next(l);
		drain_check(t);
		return;
	}
	worker_log(t->app, "build %lld: preparing", (long long)job.id);
	l->job_id = job.id;
	l->prepare = prepare_start(t->app, &job, prepared, l);
	free(job.builder);
}

static void prepare_next(struct preparing *l)
{
	if (l->busy) {
		l->wanted = true;
		return;
	}
	l->wanted = false;
	if (l->tasks->draining || l->tasks->held || !l->tasks->ready)
		return;
	l->busy = true;
	store_read(l->tasks->app->store, find_next, found_next, l);
}

void tasks_wake(struct tasks *t)
{
	if (t->held)
		look(t);
	for (int i = 0; i < LANE_COUNT; i++)
		prepare_next(&t->lanes[i]);
	pull(t);
}

void worker_slot_free(struct tasks *t, int64_t slot, struct claim *next)
{
	if (next->item_id)
		start(t, next, slot);
	pull(t);
	drain_check(t);
}

/* ---- stopping */

void tasks_cancel_job(struct tasks *t, int64_t job_id)
{
	for (int64_t i = 1; i <= t->app->jobs; i++)
		if (t->slots[i] && t->slots[i]->claim.job_id == job_id)
			task_stop(t->slots[i]);
	for (int i = 0; i < LANE_COUNT; i++)
		if (t->lanes[i].prepare && t->lanes[i].job_id == job_id)
			prepare_cancel(t->lanes[i].prepare);
}

static void drain_check(struct tasks *t)
{
	loop_fn *drained = t->drained;

	if (!t->draining || !drained || t->claiming || t->recovering)
		return;
	for (int i = 0; i < LANE_COUNT; i++)
		if (t->lanes[i].busy)
			return;
	for (int64_t i = 1; i <= t->app->jobs; i++)
		if (t->slots[i])
			return;
	t->drained = NULL;
	drained(t->drained_arg);
}

void tasks_drain(struct tasks *t, loop_fn *done, void *arg)
{
	t->draining = true;
	t->drained = done;
	t->drained_arg = arg;
	for (int64_t i = 1; i <= t->app->jobs; i++)
		if (t->slots[i])
			task_stop(t->slots[i]);
	for (int i = 0; i < LANE_COUNT; i++)
		if (t->lanes[i].prepare)
			prepare_cancel(t->lanes[i].prepare);
	drain_check(t);
}

/* ---- the worker's own life */

static int heartbeat_run(struct tx *tx, void *arg)
{
	struct tasks *t = arg;

	return worker_heartbeat(tx, &t->identity, clock_wall_ms());
}

static void heartbeat_fired(uv_timer_t *timer)
{
	struct tasks *t = timer->data;

	store_write(t->app->store, heartbeat_run, NULL, t);
}

static int register_run(struct tx *tx, void *arg)
{
	struct tasks *t = arg;

	return worker_start(tx, &t->identity, clock_wall_ms());
}

static void get_ready(struct tasks *t)
{
	t->ready = true;
	worker_log(t->app, "worker %s (%s) starts with %lld slots", t->host, t->incarnation,
		(long long)t->app->jobs);
	tasks_wake(t);
}

static void register_again(uv_timer_t *timer);

static void registered(void *arg, int status)
{
	struct tasks *t = arg;

	if (status < 0 && !t->draining) {
		log_error("worker: it cannot register in the database (%s), again in %d ms",
			strerror(-status), END_AGAIN_MS);
		uv_timer_start(&t->due, register_again, END_AGAIN_MS, 0);
		return;
	}
	t->recovering = false;
	if (status >= 0)
		get_ready(t);
	drain_check(t);
}

/* A server that stops now leaves what was lost to the next one. */
static void recovered(void *arg)
{
	struct tasks *t = arg;

	if (t->draining)
		registered(t, -ECANCELED);
	else
		store_write(t->app->store, register_run, registered, t);
}

static void register_again(uv_timer_t *timer)
{
	recovered(timer->data);
}

/* The items of a dead server go into the queue again, or nothing may be lost: then who starts is told at once when that fails. */
static int enlist(struct tasks *t)
{
	int r = store_read_wait(t->app->store, lost_find, &t->lost);

	if (r >= 0 && !t->lost.count)
		r = store_write_wait(t->app->store, register_run, t);
	if (r < 0)
		return r;
	t->recovering = t->lost.count > 0;
	if (t->recovering)
		lost_withdraw(&t->lost, t->app, recovered, t);
	else
		get_ready(t);
	return 0;
}

struct tasks *tasks_start(struct app *app, struct strbuf *err)
{
	struct tasks *t = xcalloc(1, sizeof(*t));
	int r;

	t->app = app;
	for (int i = 0; i < LANE_COUNT; i++)
		t->lanes[i].tasks = t;
	random_hex(t->incarnation, 8);
	if (gethostname(t->host, sizeof(t->host) - 1) < 0)
		snprintf(t->host, sizeof(t->host), "localhost");
	t->identity = (struct worker_identity){
		.name = t->host, .incarnation = t->incarnation, .slots = app->jobs};
	uv_timer_init(&app->loop->uv, &t->due);
	uv_timer_init(&app->loop->uv, &t->look);
	uv_timer_init(&app->loop->uv, &t->heartbeat);
	t->due.data = t->look.data = t->heartbeat.data = t;
	r = enlist(t);
	if (r < 0) {
		err_set(err, r, "the worker cannot register in the database: %s", strerror(-r));
		tasks_destroy(t);
		return NULL;
	}
	uv_timer_start(&t->heartbeat, heartbeat_fired, WORKER_HEARTBEAT_MS, WORKER_HEARTBEAT_MS);
	return t;
}

static void timer_closed(uv_handle_t *handle)
{
	struct tasks *t = handle->data;

	if (!--t->open_timers)
		free(t);
}

void tasks_destroy(struct tasks *t)
{
	if (!t)
		return;
	t->open_timers = 3; /* they end in no known order */
	uv_close((uv_handle_t *)&t->due, timer_closed);
	uv_close((uv_handle_t *)&t->look, timer_closed);
	uv_close((uv_handle_t *)&t->heartbeat, timer_closed);
}
