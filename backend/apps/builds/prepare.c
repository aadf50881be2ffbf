// SPDX-License-Identifier: MIT
/*
 * Preparing one job: find out what is in it and in which order it is built. Reading specs runs strangers' code, so that happens in
 * the sandbox; the rest is pure work on a store thread. Nothing but the database says how far it came: after a crash
 * a job that was preparing is pending again and starts anew.
 */
#include "apps/builds/tasks.h"
#include "apps/packages/reader.h"
#include "apps/repositories/repositories.h"
#include "builders/rpm.h"
#include "core/base/log.h"

struct prepare {
	struct app *app;
	struct prepare_job job;
	struct strbuf sources; /* the upload's files */
	struct plan_draft draft;
	struct reader *reader; /* while it reads */
	struct read_package *specs; /* while they are planned */
	size_t spec_count;
	struct takeover_paths rpms; /* of a retry */
	char *host_list; /* the file that says what this host provides; NULL: not known */
	int tries; /* that this machine was at fault for */
	size_t told; /* specs read, as viewers know it */
	uv_timer_t again, progress;
	int open_timers;
	void (*step)(struct prepare *p); /* the one in hand */
	bool stopped; /* cancelled, or the server ends: no further step begins */
	loop_fn *done;
	void *arg;
};

static void timer_closed(uv_handle_t *timer)
{
	struct prepare *p = timer->data;

	if (!--p->open_timers)
		free(p);
}

static void finished(struct prepare *p)
{
	loop_fn *done = p->done;
	void *arg = p->arg;

	read_packages_free(p->specs, p->spec_count);
	takeover_paths_finish(&p->rpms);
	plan_draft_finish(&p->draft);
	strbuf_finish(&p->sources);
	free(p->host_list);
	free(p->job.builder);
	p->open_timers = 2;
	uv_close((uv_handle_t *)&p->again, timer_closed);
	uv_close((uv_handle_t *)&p->progress, timer_closed);
	done(arg);
}

/* ---- from one step to the next */

static int put_back_run(struct tx *tx, void *arg)
{
	struct prepare *p = arg;

	return build_job_put_back(tx, p->job.id);
}

/* Not written: then the next start counts it as one that it did not survive. */
static void put_back_done(void *arg, int status)
{
	struct prepare *p = arg;

	if (status < 0 && status != -ESTALE)
		log_warn("build %lld: that its preparation stopped cannot be noted: %s",
			(long long)p->job.id, strerror(-status));
	finished(p);
}

static void put_back(struct prepare *p)
{
	store_write(p->app->store, put_back_run, put_back_done, p);
}

static void go_on(struct prepare *p, void (*step)(struct prepare *p))
{
	p->step = step;
	if (p->stopped)
		put_back(p);
	else
		step(p);
}

static void again_fired(uv_timer_t *timer)
{
	struct prepare *p = timer->data;

	go_on(p, p->step);
}

/* After a pause: what is wrong, a full disk say, is not the job's fault. */
static void again(struct prepare *p, void (*step)(struct prepare *p), const char *why)
{
	if (p->stopped) {
		put_back(p);
		return;
	}
	log_error("build %lld: %s; tried again in %d ms", (long long)p->job.id, why, END_AGAIN_MS);
	p->step = step;
	uv_timer_start(&p->again, again_fired, END_AGAIN_MS, 0);
}

/* ---- the last step: rows */

static int store_outcome(struct tx *tx, void *arg)
{
	struct prepare *p = arg;

	if (p->draft.refusal.len)
		return build_job_refuse(tx, p->job.id, p->draft.refusal.buf, clock_wall_ms());
	return build_job_plan(tx, p->job.id, &p->draft.plan, clock_wall_ms());
}

static void conclude(struct prepare *p);

static void outcome_stored(void *arg, int status)
{
	struct prepare *p = arg;

	/* -ESTALE: cancelled meanwhile. */
	if (status < 0 && status != -ESTALE)
		again(p, conclude, "its plan cannot be stored");
	else
		finished(p);
}

static void conclude(struct prepare *p)
{
	store_write(p->app->store, store_outcome, outcome_stored, p);
}

/* This machine is at fault: what is wrong with what was submitted stands in the draft. */
static void step_failed(struct prepare *p, const char *what, const char *why)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_addf(&text, "%s: %s", what, why);
	if (++p->tries < PREPARE_TRIES_MAX) {
		again(p, p->step, text.buf);
	} else {
		strbuf_addf(&text, "; this was tried %d times: retry when it is mended", p->tries);
		plan_refuse(&p->draft, NULL, text.buf);
		conclude(p);
	}
	strbuf_finish(&text);
}

static void planned(void *arg, int status)
{
	struct prepare *p = arg;

	if (status < 0)
		step_failed(p, "the packages cannot be read", strerror(-status));
	else
		conclude(p);
}

/* Of a try before nothing is left. */
static void plan_anew(struct prepare *p, store_run_fn *run, store_done_fn *done)
{
	plan_draft_finish(&p->draft);
	takeover_paths_finish(&p->rpms);
	store_read(p->app->store, run, done, p);
}

/* ---- packages.json */

static int plan_commands(struct tx *tx, void *arg)
{
	struct prepare *p = arg;

	return plan_from_json(tx, p->sources.buf, &p->draft);
}

static void order_commands(struct prepare *p)
{
	plan_anew(p, plan_commands, planned);
}

/* ---- specs */

#define HOST_LIST_BYTES_MAX (64 << 20)

static int plan_specs(struct tx *tx, void *arg)
{
	struct prepare *p = arg;
	struct strbuf list = STRBUF_INIT;
	struct host_provides *host = NULL;
	int r;

	if (p->host_list && !file_read(p->host_list, HOST_LIST_BYTES_MAX, &list, NULL))
		host = host_provides_create(list.buf);
	p->draft.host = host;
	r = plan_from_specs(tx, p->specs, p->spec_count, &p->draft);
	p->draft.host = NULL;
	host_provides_destroy(host);
	strbuf_finish(&list);
	return r;
}

static void order_specs(struct prepare *p)
{
	plan_anew(p, plan_specs, planned);
}

/* Without it the order is the same; what is missing shows in the build roots. */
static void host_known(void *arg, const char *path, const char *why)
{
	struct prepare *p = arg;

	if (path)
		p->host_list = xstrdup(path);
	else
		log_warn("build %lld is planned without knowing what this host provides: %s",
			(long long)p->job.id, why);
	go_on(p, order_specs);
}

static void read_specs(struct prepare *p);

static void specs_read(struct reader *r, const struct read_error *error, void *arg)
{
	struct prepare *p = arg;

	p->reader = NULL;
	if (error && error->infrastructure && ++p->tries < READ_TRIES_MAX) {
		again(p, read_specs, error->detail);
		return;
	}
	if (error) {
		plan_refuse(&p->draft, *error->package ? error->package : NULL, error->detail);
		conclude(p);
		return;
	}
	p->specs = reader_take(r, &p->spec_count);
	rpm_host_provides(p->app->rpm, host_known, p);
}

struct reading { /* on its way to the database; may outlive the preparation */
	int64_t id, read, total;
};

static int reading_run(struct tx *tx, void *arg)
{
	const struct reading *r = arg;

	return build_job_reading(tx, r->id, r->read, r->total);
}

/* Not written: the next one says more. */
static void reading_done(void *arg, int status)
{
	(void)status;
	free(arg);
}

static void tell_progress(uv_timer_t *timer)
{
	struct prepare *p = timer->data;
	size_t total = 0, read = p->reader ? reader_progress(p->reader, &total) : 0;
	struct reading *r;

	if (!total || read == p->told)
		return;
	p->told = read;
	r = xmalloc(sizeof(*r));
	*r = (struct reading){p->job.id, (int64_t)read, (int64_t)total};
	store_write(p->app->store, reading_run, reading_done, r);
}

static void read_specs(struct prepare *p)
{
	char *name = xasprintf("job%lld", (long long)p->job.id);
	struct reader_spec spec = {
		.loop = p->app->loop,
		.sandbox = p->app->sandbox,
		.folder = p->sources.buf,
		.name = name,
	};

	p->reader = reader_start(&spec, specs_read, p);
	free(name);
}

static void reading_stopped(void *arg)
{
	put_back(arg);
}

void prepare_cancel(struct prepare *p)
{
	struct reader *reader = p->reader;

	p->stopped = true;
	p->reader = NULL;
	if (reader) {
		reader_cancel(reader, reading_stopped, p);
	} else if (uv_is_active((uv_handle_t *)&p->again)) {
		uv_timer_stop(&p->again);
		put_back(p);
	}
}

/* ---- retry: the earlier job's rows, and its files as hard links */

static int take_over(struct prepare *p, const char *from, const char *to, const char *package)
{
	int r = takeover_link(from, to, package);

	return r < 0 ? r : takeover_rpms(to, package, &p->rpms);
}

static int plan_again(struct tx *tx, void *arg)
{
	struct prepare *p = arg;
	struct strbuf from = STRBUF_INIT, to = STRBUF_INIT;
	int r = plan_from_job(tx, p->job.takes_from, &p->draft);
	bool linked = false;

	build_dir(&from, p->app, p->job.takes_from);
	build_dir(&to, p->app, p->job.id);
	for (size_t i = 0; r >= 0 && i < p->draft.plan.count; i++)
		if (p->draft.plan.items[i].taken_over) {
			r = take_over(p, from.buf, to.buf, p->draft.plan.items[i].package);
			linked = true;
		}
	if (r >= 0 && linked)
		r = takeover_sync(to.buf);
	strbuf_finish(&from);
	strbuf_finish(&to);
	return r;
}

static void repository_ready(int status, const char *why, void *arg)
{
	struct prepare *p = arg;

	if (status < 0)
		step_failed(p, "what was built before cannot be published", why);
	else
		conclude(p);
}

static void publish(struct prepare *p)
{
	struct strbuf dir = STRBUF_INIT;

	build_dir(&dir, p->app, p->job.id);
	repository_publish(p->app->repositories, dir.buf, (const char *const *)p->rpms.paths,
		p->rpms.count, repository_ready, p);
	strbuf_finish(&dir);
}

static void planned_again(void *arg, int status)
{
	struct prepare *p = arg;

	if (status < 0)
		step_failed(p, "what was built before cannot be taken over", strerror(-status));
	else if (!strcmp(p->job.builder, "rpmbuild"))
		go_on(p, publish);
	else
		conclude(p);
}

static void take_over_plan(struct prepare *p)
{
	plan_anew(p, plan_again, planned_again);
}

/* ---- the first step */

static int begin(struct tx *tx, void *arg)
{
	struct prepare *p = arg;

	return build_job_prepare(tx, p->job.id, clock_wall_ms());
}

static void start(struct prepare *p);

static void begun(void *arg, int status)
{
	struct prepare *p = arg;

	if (status < 0 && status != -ESTALE && status != -ENOENT)
		again(p, start, "its preparation cannot be noted");
	else if (status < 0)
		finished(p);
	else if (p->job.takes_from)
		go_on(p, take_over_plan);
	else
		go_on(p, strcmp(p->job.builder, "rpmbuild") ? order_commands : read_specs);
}

static void start(struct prepare *p)
{
	store_write(p->app->store, begin, begun, p);
}

struct prepare *prepare_start(
	struct app *app, const struct prepare_job *job, loop_fn *done, void *arg)
{
	struct prepare *p = xcalloc(1, sizeof(*p));

	p->app = app;
	p->job = *job;
	p->job.builder = xstrdup(job->builder);
	p->done = done;
	p->arg = arg;
	plan_draft_init(&p->draft);
	strbuf_init(&p->sources);
	upload_dir(&p->sources, app, job->upload_id);
	strbuf_addstr(&p->sources, "/files");
	uv_timer_init(&app->loop->uv, &p->again);
	uv_timer_init(&app->loop->uv, &p->progress);
	p->again.data = p->progress.data = p;
	uv_timer_start(&p->progress, tell_progress, READING_TOLD_MS, READING_TOLD_MS);
	start(p);
	return p;
}
