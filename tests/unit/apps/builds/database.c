// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "apps/builds/websocket_utils.h"
#include "database.h"

struct database database;
const struct worker_identity database_worker = {.name = "test", .incarnation = "one", .slots = 4};

static int send_nowhere(struct layer *l, const char *group, struct msg *m)
{
	(void)l;
	(void)group;
	(void)m;
	return 0;
}

static const struct layer_ops nowhere = {.name = "nowhere", .group_send = send_nowhere};
static struct layer layer = {.ops = &nowhere};

int database_open(void **state)
{
	struct database *d = &database;
	struct strbuf err = STRBUF_INIT;
	char path[80];

	(void)state;
	strcpy(d->dir, "/tmp/reqpm-database-XXXXXX");
	assert_non_null(mkdtemp(d->dir));
	snprintf(path, sizeof(path), "%s/db", d->dir);
	loop_init(&d->loop);
	layer.loop = &d->loop;
	d->store = store_open(
		&(struct store_config){&d->loop, path, builds_migrations, builds_migration_count},
		&err);
	assert_non_null(d->store);
	websocket_utils_init(d->store, &layer);
	return 0;
}

int database_close(void **state)
{
	(void)state;
	store_close(database.store);
	loop_finish(&database.loop);
	tree_remove(database.dir);
	return 0;
}

int database_write(store_run_fn *fn, void *arg)
{
	int r = store_write_wait(database.store, fn, arg);

	loop_run_posted(&database.loop);
	return r;
}
