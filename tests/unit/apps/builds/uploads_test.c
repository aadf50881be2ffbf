// SPDX-License-Identifier: MIT
/* How many files an upload may have: the row counts them, on a real database, whatever happened in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "apps/builds/builds.h"

static struct {
	char dir[64], path[80];
	struct loop loop;
	struct store *store;
	int64_t upload;
} the;

static void open_version(size_t version)
{
	struct strbuf err = STRBUF_INIT;
	struct store_config config = {&the.loop, the.path, builds_migrations, version};

	the.store = store_open(&config, &err);
	assert_non_null(the.store);
}

static void restart(void)
{
	store_close(the.store);
	open_version(builds_migration_count);
}

static int setup(void **state)
{
	(void)state;
	strcpy(the.dir, "/tmp/reqpm-uploads-XXXXXX");
	assert_non_null(mkdtemp(the.dir));
	snprintf(the.path, sizeof(the.path), "%s/db", the.dir);
	loop_init(&the.loop);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_close(the.store);
	loop_finish(&the.loop);
	tree_remove(the.dir);
	return 0;
}

/* ---- units */

static int create(struct tx *tx, void *arg)
{
	(void)arg;
	return upload_create(tx, 1000, &the.upload);
}

struct files {
	int from, count;
};

static int put(struct tx *tx, void *arg)
{
	const struct files *f = arg;
	char path[32];
	int r = 0;

	for (int i = f->from; r >= 0 && i < f->from + f->count; i++) {
		snprintf(path, sizeof(path), "SOURCES/%d.patch", i);
		r = upload_put_file(tx, the.upload, path, i, "00");
	}
	return r;
}

static int put_files(int from, int count)
{
	return store_write_wait(the.store, put, &(struct files){from, count});
}

static int take_file(const char *path, int64_t size, const char *sha256, void *arg)
{
	int64_t *sum = arg;

	(void)path;
	(void)sha256;
	sum[0]++;
	sum[1] += size;
	return 0;
}

static int list(struct tx *tx, void *arg)
{
	return upload_files(tx, the.upload, take_file, arg);
}

static int files_there(void)
{
	int64_t sum[2] = {0};

	assert_true(store_read_wait(the.store, list, sum) >= 0);
	return (int)sum[0];
}

static int put_and_roll_back(struct tx *tx, void *arg)
{
	int r = put(tx, arg);

	return r < 0 ? r : -ECANCELED;
}

/* As version 1 did it. */
static int old_rows(struct tx *tx, void *arg)
{
	int r = tx_exec(tx, "INSERT INTO uploads (id, created_at) VALUES (1, 1), (2, 1)", "");

	(void)arg;
	if (r >= 0)
		r = tx_exec(tx,
			"WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + "
			"1 < $1)"
			" INSERT INTO upload_files SELECT 2, 'SOURCES/' || i || '.patch', i, '00' "
			"FROM n",
			"i", (int64_t)UPLOAD_FILES_MAX);
	return r;
}

/* ---- scenarios */

static void a_full_upload_takes_no_other_file(void **state)
{
	(void)state;
	open_version(builds_migration_count);
	assert_int_equal(store_write_wait(the.store, create, NULL), 0);
	assert_int_equal(put_files(0, UPLOAD_FILES_MAX), 0);
	assert_int_equal(put_files(UPLOAD_FILES_MAX, 1), -E2BIG);
	assert_int_equal(files_there(), UPLOAD_FILES_MAX);
}

static void a_path_that_comes_again_is_no_other_file(void **state)
{
	int64_t sum[2] = {0};

	(void)state;
	open_version(builds_migration_count);
	assert_int_equal(store_write_wait(the.store, create, NULL), 0);
	assert_int_equal(put_files(0, 10), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(put_files(0, 10), 0);
	assert_int_equal(put_files(10, UPLOAD_FILES_MAX - 10), 0);
	assert_int_equal(put_files(7, 1), 0);
	assert_int_equal(put_files(UPLOAD_FILES_MAX, 1), -E2BIG);
	assert_true(store_read_wait(the.store, list, sum) >= 0);
	assert_int_equal(sum[0], UPLOAD_FILES_MAX);
	assert_int_equal(sum[1], (int64_t)UPLOAD_FILES_MAX * (UPLOAD_FILES_MAX - 1) / 2);
}

static void what_was_rolled_back_takes_no_place(void **state)
{
	struct files many = {0, UPLOAD_FILES_MAX};

	(void)state;
	open_version(builds_migration_count);
	assert_int_equal(store_write_wait(the.store, create, NULL), 0);
	assert_int_equal(store_write_wait(the.store, put_and_roll_back, &many), -ECANCELED);
	assert_int_equal(put_files(0, UPLOAD_FILES_MAX), 0);
	assert_int_equal(put_files(UPLOAD_FILES_MAX, 1), -E2BIG);
}

static void a_restart_does_not_forget_how_many_there_are(void **state)
{
	(void)state;
	open_version(builds_migration_count);
	assert_int_equal(store_write_wait(the.store, create, NULL), 0);
	assert_int_equal(put_files(0, UPLOAD_FILES_MAX - 1), 0);
	restart();
	assert_int_equal(put_files(UPLOAD_FILES_MAX - 1, 1), 0);
	assert_int_equal(put_files(UPLOAD_FILES_MAX, 1), -E2BIG);
	restart();
	assert_int_equal(put_files(UPLOAD_FILES_MAX, 1), -E2BIG);
	assert_int_equal(put_files(0, 1), 0);
}

static void an_upload_of_an_older_server_is_counted_when_it_is_taken_over(void **state)
{
	(void)state;
	open_version(1);
	assert_true(store_write_wait(the.store, old_rows, NULL) >= 0);
	restart();
	the.upload = 2;
	assert_int_equal(put_files(UPLOAD_FILES_MAX, 1), -E2BIG);
	assert_int_equal(put_files(0, 1), 0);
	the.upload = 1;
	assert_int_equal(put_files(0, UPLOAD_FILES_MAX), 0);
	assert_int_equal(put_files(UPLOAD_FILES_MAX, 1), -E2BIG);
}

#define scenario(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scenario(a_full_upload_takes_no_other_file),
		scenario(a_path_that_comes_again_is_no_other_file),
		scenario(what_was_rolled_back_takes_no_place),
		scenario(a_restart_does_not_forget_how_many_there_are),
		scenario(an_upload_of_an_older_server_is_counted_when_it_is_taken_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
