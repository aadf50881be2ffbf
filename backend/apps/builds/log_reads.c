// SPDX-License-Identifier: MIT
#include "apps/builds/logs.h"

static void step_run(uv_work_t *work)
{
	struct log_read *r = container_of(work, struct log_read, work);

	r->outcome = r->step(r);
}

static void step_done(uv_work_t *work, int status);

static void go_on(struct app *app)
{
	while (app->log_reads.running < LOG_READS_MAX && !list_empty(&app->log_reads.waiting)) {
		struct log_read *r = list_first(&app->log_reads.waiting, struct log_read, link);

		list_remove(&r->link);
		if (r->given_up(r)) {
			r->done(r, -ECANCELED);
			continue;
		}
		app->log_reads.running++;
		uv_queue_work(&app->loop->uv, &r->work, step_run, step_done);
	}
}

static void step_done(uv_work_t *work, int status)
{
	struct log_read *r = container_of(work, struct log_read, work);
	struct app *app = r->app;

	(void)status;
	app->log_reads.running--;
	if (r->outcome > 0)
		list_append(&app->log_reads.waiting, &r->link);
	else
		r->done(r, r->outcome);
	go_on(app);
}

void log_read_start(struct log_read *r)
{
	list_append(&r->app->log_reads.waiting, &r->link);
	go_on(r->app);
}
