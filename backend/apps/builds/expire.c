// SPDX-License-Identifier: MIT
#include "apps/builds/app.h"
#include "core/base/log.h"

struct expiry {
	struct app *app;
	struct strbuf paths; /* each with its NUL */
	uv_work_t work;
};

static void expiry_free(struct expiry *e)
{
	strbuf_finish(&e->paths);
	free(e);
}

static void add_folder(void *arg, const char *kind, int64_t id)
{
	struct expiry *e = arg;

	strbuf_addf(&e->paths, "%s/%s/%lld", e->app->data_dir, kind, (long long)id);
	strbuf_addch(&e->paths, '\0');
}

static int expire_run(struct tx *tx, void *arg)
{
	return builds_expire(tx, clock_wall_ms(), add_folder, arg);
}

static void remove_run(uv_work_t *work)
{
	struct expiry *e = container_of(work, struct expiry, work);

	for (size_t at = 0; at < e->paths.len; at += strlen(e->paths.buf + at) + 1) {
		int r = tree_remove(e->paths.buf + at);

		if (r < 0)
			log_warn("expire: %s cannot be removed: %s", e->paths.buf + at,
				strerror(-r));
	}
}

static void remove_done(uv_work_t *work, int status)
{
	(void)status;
	expiry_free(container_of(work, struct expiry, work));
}

/* The rows went first: nobody finds a folder that is half removed. */
static void expire_done(void *arg, int status)
{
	struct expiry *e = arg;

	if (status < 0)
		log_warn("expire: nothing is forgotten now: %s", strerror(-status));
	if (status < 0 || !e->paths.len)
		expiry_free(e);
	else
		uv_queue_work(&e->app->loop->uv, &e->work, remove_run, remove_done);
}

void builds_expire_start(struct app *app)
{
	struct expiry *e = xcalloc(1, sizeof(*e));

	e->app = app;
	strbuf_init(&e->paths);
	store_write(app->store, expire_run, expire_done, e);
}
