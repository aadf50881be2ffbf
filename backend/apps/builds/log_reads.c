// SPDX-License-Identifier: MIT
#include "apps/builds/logs.h"

void log_reads_init(struct log_reads *q)
{
	list_init(&q->waiting);
	list_init(&q->forgotten);
	q->running = q->kept = 0;
}

/* ---- in the pool */

static void turn_run(uv_work_t *work)
{
	struct log_read *r = container_of(work, struct log_read, work);
	char *buf = xmalloc(LOG_READ_BUFFER);

	r->outcome = r->step(r, buf);
	free(buf);
	if (r->outcome > 0 && !r->kept)
		r->forget(r);
}

/* ---- on the loop */

static void keep(struct log_reads *q, struct log_read *r)
{
	if (r->kept || q->kept == LOG_READS_KEPT_MAX)
		return;
	r->kept = true;
	q->kept++;
}

static void end(struct log_read *r, int outcome)
{
	if (r->kept)
		r->app->log_reads.kept--;
	r->kept = false;
	r->done(r, outcome);
}

/* Who waits for another one's end waits so long that most of those who go do so meanwhile. The whole list, each time: thousands are
 * looked at in a fraction of a turn. */
static void drop_given_up(struct log_reads *q)
{
	struct list gone;
	struct log_read *r, *next;

	list_init(&gone);
	list_for_each_safe (r, next, &q->forgotten, link) {
		if (!r->given_up(r))
			continue;
		list_remove(&r->link);
		list_append(&gone, &r->link);
	}
	while (!list_empty(&gone)) {
		r = list_first(&gone, struct log_read, link);
		list_remove(&r->link);
		end(r, -ECANCELED);
	}
}

/* While any is forgotten, as many as may be are kept: so there is always one whose turn or end calls this. */
static void recall(struct log_reads *q)
{
	while (q->kept < LOG_READS_KEPT_MAX && !list_empty(&q->forgotten)) {
		struct log_read *r = list_first(&q->forgotten, struct log_read, link);

		list_remove(&r->link);
		list_append(&q->waiting, &r->link);
		keep(q, r);
	}
}

static void turn_over(uv_work_t *work, int status);

static void go_on(struct app *app)
{
	struct log_reads *q = &app->log_reads;

	recall(q);
	while (q->running < LOG_READS_MAX && !list_empty(&q->waiting)) {
		struct log_read *r = list_first(&q->waiting, struct log_read, link);

		list_remove(&r->link);
		if (r->given_up(r)) {
			end(r, -ECANCELED);
			recall(q);
			continue;
		}
		keep(q, r);
		q->running++;
		uv_queue_work(&app->loop->uv, &r->work, turn_run, turn_over);
	}
}

static void turn_over(uv_work_t *work, int status)
{
	struct log_read *r = container_of(work, struct log_read, work);
	struct app *app = r->app;

	(void)status;
	app->log_reads.running--;
	if (r->outcome > 0)
		list_append(
			r->kept ? &app->log_reads.waiting : &app->log_reads.forgotten, &r->link);
	else
		end(r, r->outcome);
	drop_given_up(&app->log_reads);
	go_on(app);
}

void log_read_start(struct log_read *r)
{
	list_append(&r->app->log_reads.waiting, &r->link);
	go_on(r->app);
}
