// SPDX-License-Identifier: MIT
/* A database on a disk that is full to the last byte, with somebody there who takes whatever is free. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../skip.h"
#include "core/store/store.h"

#define DISK "size=128m"
#define PIECE (1 << 20)

static const struct store_migration migrations[] = {
	{1, "CREATE TABLE things (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"},
};

static struct {
	char dir[64], path[80], ballast[96], filler[80];
	struct loop loop;
	struct store *store;
	char *text; /* of one row */
} the;

static void open_store(void)
{
	struct strbuf err = STRBUF_INIT;
	struct store_config config = {&the.loop, the.path, migrations, countof(migrations)};

	the.store = store_open(&config, &err);
	if (!the.store)
		fail_msg("%s", err.buf);
}

static int setup(void **state)
{
	(void)state;
	if (getuid())
		return 0;
	strcpy(the.dir, "/tmp/reqpm-ballast-XXXXXX");
	assert_non_null(mkdtemp(the.dir));
	snprintf(the.path, sizeof(the.path), "%s/db", the.dir);
	snprintf(the.ballast, sizeof(the.ballast), "%s-ballast", the.path);
	snprintf(the.filler, sizeof(the.filler), "%s/filler", the.dir);
	the.text = xcalloc(1, 4096);
	memset(the.text, 'x', 4095);
	loop_init(&the.loop);
	if (!mount("small", the.dir, "tmpfs", 0, DISK))
		open_store();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (getuid())
		return 0;
	store_close(the.store);
	the.store = NULL;
	loop_finish(&the.loop);
	umount2(the.dir, MNT_DETACH);
	rmdir(the.dir);
	free(the.text);
	return 0;
}

#define need_disk()                                                                                \
	do {                                                                                       \
		if (getuid())                                                                      \
			skip_because("only root makes a small disk");                              \
		if (!the.store)                                                                    \
			skip_because("no file system can be mounted here");                        \
	} while (0)

/* Takes all that is free. */
static void fill(void)
{
	static char piece[PIECE];
	int fd = open(the.filler, O_WRONLY | O_CREAT | O_APPEND, 0600);

	assert_true(fd >= 0);
	for (size_t step = PIECE; step >= 512; step /= 2)
		while (write(fd, piece, step) > 0)
			;
	close(fd);
	assert_true(disk_free_bytes(the.dir) < 4096);
}

static int insert(struct tx *tx, void *arg)
{
	int r = tx_exec(tx, "INSERT INTO things (text) VALUES ($1)", "s", arg);

	return r < 0 ? r : 0;
}

static int store_row(void)
{
	return store_write_wait(the.store, insert, the.text);
}

static int count(struct tx *tx, void *arg)
{
	return tx_int(tx, arg, "SELECT count(*) FROM things", "") < 0 ? -EIO : 0;
}

static void expect_rows(int64_t expected)
{
	int64_t rows = -1;

	assert_int_equal(store_read_wait(the.store, count, &rows), 0);
	assert_int_equal(rows, expected);
}

static bool has_ballast(void)
{
	struct stat st;

	return !stat(the.ballast, &st) && st.st_blocks * 512 == STORE_ROOM_BYTES;
}

static void restart(void)
{
	store_close(the.store);
	open_store();
}

static void a_full_disk_takes_what_has_happened(void **state)
{
	(void)state;
	need_disk();
	fill();
	for (int i = 0; i < 1000; i++)
		assert_int_equal(store_row(), 0);
	expect_rows(1000);
	assert_true(has_ballast());
}

/* Whatever becomes free somebody takes at once; but for that there would be as much again. */
static void what_is_kept_for_a_start_is_the_last_to_go(void **state)
{
	int64_t stored = 0;

	(void)state;
	need_disk();
	fill();
	for (; !store_row(); stored++)
		assert_true(has_ballast());
	assert_true(stored >= 1000);
	assert_false(has_ballast());
	assert_int_equal(store_row(), 0);
	expect_rows(stored + 1);
}

static void a_full_disk_is_started_on(void **state)
{
	(void)state;
	need_disk();
	assert_int_equal(store_row(), 0);
	store_close(the.store);
	fill();
	open_store();
	assert_false(has_ballast());
	fill();
	assert_int_equal(store_row(), 0);
	expect_rows(2);
}

static int insert_many(struct tx *tx, void *arg)
{
	int r = 0;

	for (int i = 0; r >= 0 && i < 100; i++)
		r = insert(tx, arg);
	return r;
}

static int delete_all(struct tx *tx, void *arg)
{
	int r = tx_exec(tx, "DELETE FROM things", "");

	(void)arg;
	return r < 0 ? r : 0;
}

static int pages(struct tx *tx, void *arg)
{
	return tx_int(tx, arg, "PRAGMA page_count", "") < 0 ? -EIO : 0;
}

/* Whoever wants to make room deletes first of all. */
static void a_full_disk_takes_the_deletion_of_more_than_is_kept_for_it(void **state)
{
	int64_t count = 0;

	(void)state;
	need_disk();
	for (int i = 0; i < 60; i++)
		assert_int_equal(store_write_wait(the.store, insert_many, the.text), 0);
	assert_int_equal(store_read_wait(the.store, pages, &count), 0);
	assert_true(count * 4096 > 5 * STORE_ROOM_BYTES / 4);
	fill();
	assert_int_equal(store_write_wait(the.store, delete_all, NULL), 0);
	expect_rows(0);
}

static void when_there_is_room_it_is_kept_anew(void **state)
{
	(void)state;
	need_disk();
	store_close(the.store);
	fill();
	open_store();
	assert_false(has_ballast());
	assert_int_equal(unlink(the.filler), 0);
	/* It is not looked for with every write. */
	assert_int_equal(store_row(), 0);
	assert_false(has_ballast());
	restart();
	assert_true(has_ballast());
	/* The next start finds it, and leaves it alone. */
	restart();
	assert_true(has_ballast());
	expect_rows(1);
}

/* As where a quota says how much there is, and not the file system. */
static int fail_for_want_of_room(struct tx *tx, void *arg)
{
	int r = tx_exec(tx, "PRAGMA max_page_count = 1", "");

	return r < 0 ? r : insert(tx, arg);
}

static int find_too_little(struct tx *tx, void *arg)
{
	(void)tx;
	(void)arg;
	return -ENOSPC;
}

static void want_of_room_that_only_the_database_sees_is_seen(void **state)
{
	(void)state;
	need_disk();
	assert_int_equal(store_write_wait(the.store, find_too_little, NULL), -ENOSPC);
	assert_true(has_ballast());
	while (store_write_wait(the.store, fail_for_want_of_room, the.text) != -ENOSPC)
		;
	assert_false(has_ballast());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_full_disk_takes_what_has_happened, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_kept_for_a_start_is_the_last_to_go, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_disk_is_started_on, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_full_disk_takes_the_deletion_of_more_than_is_kept_for_it, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			when_there_is_room_it_is_kept_anew, setup, teardown),
		cmocka_unit_test_setup_teardown(
			want_of_room_that_only_the_database_sees_is_seen, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
