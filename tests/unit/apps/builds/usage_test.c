// SPDX-License-Identifier: MIT
/* The task of docs/usage.md, as it stands there, between a real store and a layer that counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "usage_task.inc"

static struct strbuf sent = STRBUF_INIT;

static int count_send(struct layer *l, const char *group, struct msg *m)
{
	(void)l;
	strbuf_addf(&sent, "%s:%lld ", group, (long long)m->seq);
	return 0;
}

static const struct layer_ops counting = {.name = "counting", .group_send = count_send};

static int create_job(struct tx *tx, void *arg)
{
	struct build_job_new n = {.name = "mine", .builder = "external"};
	bool existed;

	return build_job_create(tx, &n, 1000, arg, &existed);
}

static int nothing(struct tx *tx, void *arg)
{
	(void)tx;
	(void)arg;
	return 0;
}

static void the_task_of_the_documentation_sends_its_update(void **state)
{
	char dir[] = "/tmp/reqpm-usage-XXXXXX", path[64];
	struct loop loop;
	struct layer layer = {.ops = &counting, .loop = &loop};
	struct strbuf err = STRBUF_INIT;
	struct store_config config = {&loop, path, builds_migrations, builds_migration_count};
	struct store *store;
	int64_t id;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/db", dir);
	loop_init(&loop);
	store = store_open(&config, &err);
	assert_non_null(store);
	websocket_utils_init(store, &layer);
	assert_int_equal(store_write_wait(store, create_job, &id), 0);
	loop_run_posted(&loop);
	strbuf_reset(&sent);
	start_my_task(store, &id);
	assert_int_equal(store_write_wait(store, nothing, NULL), 0);
	loop_run_posted(&loop);
	assert_string_equal(sent.buf, "build_job_1:2 builds:2 ");
	store_close(store);
	loop_finish(&loop);
	tree_remove(dir);
	strbuf_finish(&sent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_task_of_the_documentation_sends_its_update),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
