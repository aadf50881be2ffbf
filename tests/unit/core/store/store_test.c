// SPDX-License-Identifier: MIT
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "core/store/store.h"

static const struct store_migration first[] = {
	{1, "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE, size INTEGER)"},
};
static const struct store_migration second[] = {
	{1, "CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE, size INTEGER)"},
	{2, "ALTER TABLE things ADD COLUMN colour TEXT NOT NULL DEFAULT 'grey'"},
};

struct fixture {
	char dir[64], path[80];
	struct loop loop;
	struct store *store;
	struct strbuf heard; /* what effects and completions said, in order */
	int waiting; /* completions to come */
};

static struct store *open_with(
	struct fixture *f, const struct store_migration *m, size_t count, struct strbuf *err)
{
	struct store_config config = {
		.loop = &f->loop,
		.path = f->path,
		.migrations = m,
		.migration_count = count,
	};

	return store_open(&config, err);
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct strbuf err = STRBUF_INIT;

	strcpy(f->dir, "/tmp/reqpm-store-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/db", f->dir);
	loop_init(&f->loop);
	strbuf_init(&f->heard);
	f->store = open_with(f, first, 1, &err);
	assert_non_null(f->store);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	loop_finish(&f->loop);
	strbuf_finish(&f->heard);
	tree_remove(f->dir);
	free(f);
	return 0;
}

struct word {
	struct fixture *f;
	const char *text;
	int result; /* what the unit returns */
	bool undone;
};

static void say(void *arg)
{
	struct word *w = arg;

	assert_true(loop_is_current(&w->f->loop));
	strbuf_addf(&w->f->heard, "%s ", w->text);
}

static void unsay(void *arg)
{
	struct word *w = arg;

	w->undone = true; /* on the store's thread */
}

static int insert_and_say(struct tx *tx, void *arg)
{
	struct word *w = arg;

	tx_on_commit(tx, say, unsay, w);
	assert_ptr_equal(tx_current(), tx);
	if (tx_exec(tx, "INSERT INTO things (name, size) VALUES ($1, $2)", "si", w->text,
		    (int64_t)strlen(w->text)) < 0)
		return -EEXIST;
	return w->result;
}

static void done(void *arg, int status)
{
	struct word *w = arg;

	strbuf_addf(&w->f->heard, "done:%s:%d ", w->text, status);
	if (!--w->f->waiting)
		loop_stop(&w->f->loop);
}

static void run(struct fixture *f, struct word *words, size_t count)
{
	f->waiting = (int)count;
	for (size_t i = 0; i < count; i++)
		store_write(f->store, insert_and_say, done, &words[i]);
	loop_run(&f->loop);
}

static int count_rows(struct tx *tx, void *arg)
{
	return tx_int(tx, arg, "SELECT count(*) FROM things", "") < 0 ? -EIO : 0;
}

static int64_t rows(struct fixture *f)
{
	int64_t count = -1;

	assert_int_equal(store_read_wait(f->store, count_rows, &count), 0);
	return count;
}

static void commits_publish_in_order_before_their_completions(void **state)
{
	struct fixture *f = *state;
	struct word words[] = {{f, "a", 0, false}, {f, "b", 0, false}, {f, "c", 0, false}};

	run(f, words, 3);
	assert_string_equal(f->heard.buf, "a done:a:0 b done:b:0 c done:c:0 ");
	assert_int_equal(rows(f), 3);
}

static void a_unit_that_fails_leaves_nothing_and_publishes_nothing(void **state)
{
	struct fixture *f = *state;
	struct word words[] = {{f, "a", -ECANCELED, false}, {f, "b", 0, false}};

	run(f, words, 2);
	assert_string_equal(f->heard.buf, "done:a:-125 b done:b:0 ");
	assert_true(words[0].undone);
	assert_false(words[1].undone);
	assert_int_equal(rows(f), 1);
}

static int note(struct tx *tx, int64_t id)
{
	return tx_exec(tx, "INSERT INTO things (name) VALUES ($1 || (SELECT count(*) FROM things))",
		       "s", id == 1 ? "one" : "two") < 0
		       ? -EIO
		       : (id == 3 ? -ECANCELED : 0);
}

static int insert_and_leave_notes(struct tx *tx, void *arg)
{
	for (const int64_t *id = arg; *id; id++)
		tx_before_commit(tx, note, *id);
	return tx_exec(tx, "INSERT INTO things (name) VALUES ('first')", "") < 0 ? -EIO : 0;
}

static int has_things(struct tx *tx, void *arg)
{
	int64_t count = 0;

	return tx_int(tx, &count, "SELECT count(*) FROM things WHERE name = $1", "s", arg) < 0
		       ? -EIO
		       : (count ? 0 : -ENOENT);
}

static void what_is_left_for_the_end_happens_once_in_the_order_of_last_asking(void **state)
{
	struct fixture *f = *state;
	int64_t asked[] = {1, 2, 2, 1, 0};

	assert_int_equal(store_write_wait(f->store, insert_and_leave_notes, asked), 0);
	assert_int_equal(rows(f), 3);
	assert_int_equal(store_read_wait(f->store, has_things, (void *)"two1"), 0);
	assert_int_equal(store_read_wait(f->store, has_things, (void *)"one2"), 0);
}

static void what_fails_at_the_end_rolls_all_back(void **state)
{
	struct fixture *f = *state;
	int64_t asked[] = {1, 3, 0};

	assert_int_equal(store_write_wait(f->store, insert_and_leave_notes, asked), -ECANCELED);
	assert_int_equal(rows(f), 0);
}

static void a_constraint_is_told_apart(void **state)
{
	struct fixture *f = *state;
	struct word words[] = {{f, "same", 0, false}, {f, "same", 0, false}};

	run(f, words, 2);
	assert_non_null(strstr(f->heard.buf, "done:same:-17"));
	assert_true(words[1].undone);
	assert_int_equal(rows(f), 1);
}

static int write_in_reader(struct tx *tx, void *arg)
{
	(void)arg;
	assert_false(tx_writes(tx));
	return tx_exec(tx, "INSERT INTO things (name) VALUES ('x')", "");
}

static void a_reader_cannot_write(void **state)
{
	struct fixture *f = *state;

	assert_true(store_read_wait(f->store, write_in_reader, NULL) < 0);
	assert_int_equal(rows(f), 0);
}

static int take_null(const struct row *row, void *arg)
{
	(void)arg;
	assert_true(row_null(row, 0));
	assert_null(row_text(row, 0));
	assert_string_equal(row_text(row, 1), "näme");
	assert_int_equal(row_bytes(row, 1), 5);
	assert_true(row_int(row, 2) == INT64_MIN);
	return 0;
}

static int arguments(struct tx *tx, void *arg)
{
	(void)arg;
	return tx_each(tx, take_null, NULL, "SELECT $1, $3, $2", "nis", INT64_MIN, "näme");
}

static void arguments_keep_their_numbers_and_types(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(store_read_wait(f->store, arguments, NULL), 0);
}

static void the_epoch_stays_with_the_database(void **state)
{
	struct fixture *f = *state;
	struct strbuf err = STRBUF_INIT;
	char epoch[17];

	snprintf(epoch, sizeof(epoch), "%s", store_epoch(f->store));
	assert_int_equal(strlen(epoch), 8);
	store_close(f->store);
	f->store = open_with(f, second, 2, &err);
	assert_non_null(f->store);
	assert_string_equal(store_epoch(f->store), epoch);
}

static void a_database_of_a_newer_version_is_refused_with_a_sentence(void **state)
{
	struct fixture *f = *state;
	struct strbuf err = STRBUF_INIT;

	store_close(f->store);
	f->store = open_with(f, second, 2, &err);
	assert_non_null(f->store);
	store_close(f->store);
	f->store = open_with(f, first, 1, &err);
	assert_null(f->store);
	assert_non_null(strstr(err.buf, "newer reqpm"));
	strbuf_finish(&err);
}

static void a_file_that_is_no_database_is_refused_with_a_sentence(void **state)
{
	struct fixture *f = *state;
	struct strbuf err = STRBUF_INIT;

	store_close(f->store);
	assert_int_equal(file_write_atomic(f->path, "this is not a database, not at all, really",
				 42, 0600, &err),
		0);
	f->store = open_with(f, first, 1, &err);
	assert_null(f->store);
	assert_non_null(strstr(err.buf, f->path));
	strbuf_finish(&err);
}

/* Only the writer may checkpoint: see db_sqlite.c. */
static int pragma(struct tx *tx, void *arg)
{
	return tx_int(tx, arg, "PRAGMA wal_autocheckpoint", "") < 0 ? -EIO : 0;
}

static int durability(struct tx *tx, void *arg)
{
	return tx_int(tx, arg, "PRAGMA synchronous", "") < 0 ? -EIO : 0;
}

static void readers_never_checkpoint_and_the_writer_syncs_each_commit(void **state)
{
	struct fixture *f = *state;
	int64_t value = -1;

	assert_int_equal(store_read_wait(f->store, pragma, &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(store_write_wait(f->store, pragma, &value), 0);
	assert_int_equal(value, 1000);
	assert_int_equal(store_write_wait(f->store, durability, &value), 0);
	assert_int_equal(value, 2);
}

/* ---- who is served first */

struct gate {
	sem_t reached, open;
};

static int wait_at_gate(struct tx *tx, void *arg)
{
	struct gate *gate = arg;

	(void)tx;
	sem_post(&gate->reached);
	sem_wait(&gate->open);
	return 0;
}

static void hold_a_reader(struct fixture *f, struct gate *gate)
{
	sem_init(&gate->reached, 0, 0);
	sem_init(&gate->open, 0, 0);
	store_read(f->store, wait_at_gate, NULL, gate);
	sem_wait(&gate->reached);
}

static int read_nothing(struct tx *tx, void *arg)
{
	(void)arg;
	return tx_writes(tx) ? -EINVAL : 0;
}

static void what_is_watched_live_is_read_before_what_came_earlier(void **state)
{
	struct fixture *f = *state;
	struct word words[] = {{f, "a", 0, false}, {f, "b", 0, false}, {f, "first", 0, false},
		{f, "second", 0, false}};
	struct gate gates[STORE_READERS];

	for (size_t i = 0; i < STORE_READERS; i++)
		hold_a_reader(f, &gates[i]);
	f->waiting = countof(words);
	store_read(f->store, read_nothing, done, &words[0]);
	store_read(f->store, read_nothing, done, &words[1]);
	store_read_first(f->store, read_nothing, done, &words[2]);
	store_read_first(f->store, read_nothing, done, &words[3]);
	sem_post(&gates[0].open); /* one reader is free: it takes one after the other */
	loop_run(&f->loop);
	for (size_t i = 1; i < STORE_READERS; i++)
		sem_post(&gates[i].open);
	assert_string_equal(f->heard.buf, "done:first:0 done:second:0 done:a:0 done:b:0 ");
	store_close(f->store);
	f->store = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			commits_publish_in_order_before_their_completions, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_unit_that_fails_leaves_nothing_and_publishes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_left_for_the_end_happens_once_in_the_order_of_last_asking, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			what_fails_at_the_end_rolls_all_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_constraint_is_told_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(a_reader_cannot_write, setup, teardown),
		cmocka_unit_test_setup_teardown(
			arguments_keep_their_numbers_and_types, setup, teardown),
		cmocka_unit_test_setup_teardown(the_epoch_stays_with_the_database, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_database_of_a_newer_version_is_refused_with_a_sentence, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_file_that_is_no_database_is_refused_with_a_sentence, setup, teardown),
		cmocka_unit_test_setup_teardown(
			readers_never_checkpoint_and_the_writer_syncs_each_commit, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_watched_live_is_read_before_what_came_earlier, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
