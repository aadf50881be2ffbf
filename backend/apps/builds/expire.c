// SPDX-License-Identifier: MIT
/*
 * What is forgotten goes in two steps. The unit that deletes a row first gives its folder a name that no id has, so that
 * nobody finds one that is half removed; then all folders of such names are removed. Whatever cuts that off, the
 * next round ends it: a row whose folder is gone already goes like any other, a folder is found by its name.
 */
#include <dirent.h>
#include <stdio.h>
#include "apps/builds/app.h"
#include "core/base/log.h"

#define EXPIRED "expired-"

static const char *const kinds[] = {"uploads", "builds"};

struct expiry {
	struct app *app;
	bool more; /* than one unit forgets */
	uv_work_t work;
};

/* ---- in the unit */

void builds_hide_folder(void *arg, const char *kind, int64_t id)
{
	const struct app *app = arg;
	char *from = xasprintf("%s/%s/%lld", app->data_dir, kind, (long long)id);
	char *to = xasprintf("%s/%s/" EXPIRED "%lld", app->data_dir, kind, (long long)id);

	if (rename(from, to) < 0 && errno != ENOENT)
		log_warn("expire: %s cannot be renamed and stays: %s", from, strerror(errno));
	free(from);
	free(to);
}

static int expire_run(struct tx *tx, void *arg)
{
	struct expiry *e = arg;
	int r = builds_expire(tx, clock_wall_ms(), e->app->keep_ms, builds_hide_folder, e->app);

	e->more = r > 0;
	return r < 0 ? r : 0;
}

/* ---- in the pool */

static void remove_hidden(const char *parent)
{
	DIR *dir = opendir(parent);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *path = xasprintf("%s/%s", parent, entry->d_name);
		int r = strncmp(entry->d_name, EXPIRED, strlen(EXPIRED)) ? 0 : tree_remove(path);

		if (r < 0)
			log_warn("expire: %s cannot be removed: %s; tried again later", path,
				strerror(-r));
		free(path);
	}
	if (dir)
		closedir(dir);
}

static void remove_run(uv_work_t *work)
{
	const struct app *app = container_of(work, struct expiry, work)->app;

	for (size_t i = 0; i < countof(kinds); i++) {
		char *parent = xasprintf("%s/%s", app->data_dir, kinds[i]);

		remove_hidden(parent);
		free(parent);
	}
	sandbox_refresh(app->data_dir);
}

static void remove_done(uv_work_t *work, int status)
{
	struct expiry *e = container_of(work, struct expiry, work);
	struct app *app = e->app;
	bool again = app->expire_again || e->more;

	(void)status;
	free(e);
	app->expiring = false;
	if (!app->draining)
		tasks_wake(app->tasks);
	if (again && !app->draining)
		builds_expire_start(app);
}

static void expire_done(void *arg, int status)
{
	struct expiry *e = arg;

	if (status < 0)
		log_warn("expire: nothing is forgotten now: %s", strerror(-status));
	uv_queue_work(&e->app->loop->uv, &e->work, remove_run, remove_done);
}

void builds_expire_start(struct app *app)
{
	struct expiry *e;

	if (!app->draining)
		rpm_env_prune(app->rpm);
	app->expire_again = app->expiring;
	if (app->expiring)
		return;
	app->expiring = true;
	e = xcalloc(1, sizeof(*e));
	e->app = app;
	store_write(app->store, expire_run, expire_done, e);
}
