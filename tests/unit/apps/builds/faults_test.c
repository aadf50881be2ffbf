// SPDX-License-Identifier: MIT
/*
 * What the world does to rows: clocks that are set, servers that die, words of strangers. On a real database.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "apps/builds/builds.h"
#include "database.h"
#include "builders/builder.h"

#define NOON 1000000000 /* on the wall's clock */
#define HOUR 3600000

static struct {
	int64_t now, job;
	const char *excluded; /* the package of begin_run(), and why */
} the;

static int setup(void **state)
{
	the.now = NOON;
	the.excluded = NULL;
	return database_open(state);
}

/* ---- one package that is built */

static int begin_run(struct tx *tx, void *arg)
{
	const struct plan_item item = {.package = "zlib",
		.version = "1",
		.payload = "{}",
		.excluded = the.excluded,
		.excluded_reason = REASON_BUILD};
	const struct plan plan = {.items = &item, .count = 1, .json = "{}"};
	struct build_job_new n = {.name = "set", .builder = "command"};
	bool existed;
	int r = upload_create(tx, the.now, &n.upload_id);

	(void)arg;
	if (r >= 0)
		r = build_job_create(tx, &n, the.now, &the.job, &existed);
	if (r >= 0)
		r = build_job_prepare(tx, the.job, the.now);
	return r < 0 ? r : build_job_plan(tx, the.job, &plan, the.now);
}

static int claim_run(struct tx *tx, void *arg)
{
	int64_t due_at;

	return queue_item_claim(tx, &database_worker, 1, the.now, arg, &due_at);
}

/* Of what is ready; token 0: nothing is. */
static struct claim claim(void)
{
	struct claim c = {0};
	int r = database_write(claim_run, &c);

	assert_true(r >= 0);
	return c;
}

struct ended {
	struct claim claim;
	struct attempt_result result;
};

static int end_run(struct tx *tx, void *arg)
{
	const struct ended *e = arg;

	return queue_item_end(tx, e->claim.item_id, e->claim.token, &e->result, the.now);
}

static void end(struct claim *take_claim, struct attempt_result result)
{
	struct ended e = {*take_claim, result};

	assert_int_equal(database_write(end_run, &e), 0);
	claim_finish(take_claim);
}

/* ---- clocks */

static int duration_run(struct tx *tx, void *arg)
{
	return package_last_duration(tx, "zlib", arg);
}

static int64_t duration(void)
{
	int64_t ms = 0;

	assert_true(store_read_wait(database.store, duration_run, &ms) >= 0);
	return ms;
}

static void build_for(int64_t wall_ms)
{
	struct claim c;

	assert_int_equal(database_write(begin_run, NULL), 0);
	c = claim();
	the.now += wall_ms;
	end(&c, (struct attempt_result){.end = ATTEMPT_COMPLETED});
}

static void a_duration_under_a_clock_that_was_set_back_is_unknown(void **state)
{
	(void)state;
	build_for(-HOUR);
	assert_int_equal(duration(), 0);
	build_for(5000);
	assert_int_equal(duration(), 5000);
	build_for(-HOUR);
	assert_int_equal(duration(), 5000);
}

static int spoil_run(struct tx *tx, void *arg)
{
	(void)arg;
	return tx_exec(tx, "UPDATE package_history SET duration_ms = -3596942", "");
}

static int take_last(const struct queue_item *item, void *arg)
{
	*(int64_t *)arg = item->last_duration_ms;
	return 0;
}

static int last_run(struct tx *tx, void *arg)
{
	return queue_items_of(tx, the.job, take_last, arg);
}

/* As databases have it in which it was stored. */
static void a_negative_duration_is_unknown_to_the_next_build(void **state)
{
	int64_t last = -1;

	(void)state;
	build_for(5000);
	assert_true(database_write(spoil_run, NULL) >= 0);
	assert_int_equal(duration(), 0);
	assert_int_equal(database_write(begin_run, NULL), 0);
	assert_true(store_read_wait(database.store, last_run, &last) >= 0);
	assert_int_equal(last, 0);
}

static bool claims(void)
{
	struct claim c = claim();
	bool any = c.token;

	claim_finish(&c);
	return any;
}

static void a_back_off_ends_though_the_clock_was_set_back(void **state)
{
	struct claim c;

	(void)state;
	assert_int_equal(database_write(begin_run, NULL), 0);
	c = claim();
	end(&c, (struct attempt_result){.end = ATTEMPT_INFRASTRUCTURE});
	the.now += BACKOFF_MS - 1;
	assert_false(claims());
	the.now -= BACKOFF_MAX_MS - 1; /* as if it had to wait so long */
	assert_false(claims());
	the.now -= 1;
	assert_true(claims());
}

/* ---- servers that die while they prepare */

static int submit_run(struct tx *tx, void *arg)
{
	struct build_job_new n = {.name = "set", .builder = "command"};
	bool existed;
	int r = upload_create(tx, the.now, &n.upload_id);

	(void)arg;
	return r < 0 ? r : build_job_create(tx, &n, the.now, &the.job, &existed);
}

static int prepare_run(struct tx *tx, void *arg)
{
	(void)arg;
	return build_job_prepare(tx, the.job, the.now);
}

static int put_back_run(struct tx *tx, void *arg)
{
	(void)arg;
	return build_job_put_back(tx, the.job);
}

static int start_run(struct tx *tx, void *arg)
{
	return worker_start(tx, arg, the.now);
}

static void start_again(void)
{
	static int starts;
	char name[32];
	struct worker_identity next = {.name = "test", .incarnation = name, .slots = 4};

	snprintf(name, sizeof(name), "start %d", ++starts);
	assert_int_equal(database_write(start_run, &next), 0);
}

static int take_job(const struct build_job *job, void *arg)
{
	strbuf_reset(arg);
	strbuf_addf(arg, "%s %s", build_status_name[job->status], job->error ? job->error : "");
	return 0;
}

static int job_run(struct tx *tx, void *arg)
{
	return build_job_get(tx, the.job, take_job, arg);
}

static void assert_job(const char *expected)
{
	struct strbuf job = STRBUF_INIT;

	assert_true(store_read_wait(database.store, job_run, &job) >= 0);
	assert_memory_equal(job.buf, expected, strlen(expected));
	strbuf_finish(&job);
}

static void what_the_server_did_not_survive_three_times_is_refused(void **state)
{
	(void)state;
	assert_int_equal(database_write(submit_run, NULL), 0);
	for (int lost = 1; lost < PREPARE_LOST_MAX; lost++) {
		assert_int_equal(database_write(prepare_run, NULL), 0);
		start_again();
		assert_job("pending ");
	}
	/* Neither a stop nor a death at another time is counted. */
	assert_int_equal(database_write(prepare_run, NULL), 0);
	assert_int_equal(database_write(put_back_run, NULL), 0);
	start_again();
	assert_job("pending ");
	assert_int_equal(database_write(prepare_run, NULL), 0);
	start_again();
	assert_job("failed {\"detail\":\"the server died 3 times while it prepared this build");
}

/* ---- whose results a retry takes over */

static int cancel_run(struct tx *tx, void *arg)
{
	return build_job_cancel(tx, *(int64_t *)arg, the.now);
}

static int retry_run(struct tx *tx, void *arg)
{
	int64_t *id = arg;

	return build_job_retry(tx, *id, the.now, id);
}

static int64_t retry(int64_t id)
{
	assert_int_equal(database_write(retry_run, &id), 0);
	return id;
}

static void expired(void *arg, const char *kind, int64_t id)
{
	(void)arg;
	(void)kind;
	(void)id;
}

static int delete_run(struct tx *tx, void *arg)
{
	return build_job_delete(tx, *(int64_t *)arg, expired, NULL);
}

static int take_source(const struct build_job *job, void *arg)
{
	*(int64_t *)arg = job->takes_from;
	return 0;
}

static int source_run(struct tx *tx, void *arg)
{
	return build_job_get(tx, *(int64_t *)arg, take_source, arg);
}

static int64_t source_of(int64_t id)
{
	assert_true(store_read_wait(database.store, source_run, &id) >= 0);
	return id;
}

/* A job that failed, so that it can be built again. */
static int64_t fail_one(void)
{
	struct claim c;

	assert_int_equal(database_write(begin_run, NULL), 0);
	c = claim();
	end(&c, (struct attempt_result){.end = ATTEMPT_FAILED, .reason = REASON_BUILD});
	return the.job;
}

static void a_retry_takes_over_from_the_newest_job_that_had_a_plan(void **state)
{
	int64_t first = fail_one(), second = retry(first), third;

	(void)state;
	assert_int_equal(source_of(first), 0);
	assert_int_equal(source_of(second), first);
	assert_int_equal(database_write(cancel_run, &second), 0);
	third = retry(second);
	assert_int_equal(source_of(third), first);

	/* What it needs stays, what it was made of need not. */
	assert_int_equal(database_write(delete_run, &first), -EAGAIN);
	assert_int_equal(database_write(delete_run, &second), 0);
	assert_int_equal(database_write(cancel_run, &third), 0);
	assert_int_equal(database_write(delete_run, &first), 0);
	assert_int_equal(source_of(retry(third)), 0);
}

static int old_rows_run(struct tx *tx, void *arg)
{
	static const char *const rows[] = {
		"INSERT INTO build_jobs (id, name, builder, status, created_at, retry_of) VALUES"
		" (1, '', 'command', 'failed', 1, NULL), (2, '', 'command', 'cancelled', 1, 1),"
		" (3, '', 'command', 'cancelled', 1, 2), (4, '', 'command', 'pending', 1, 3),"
		" (5, '', 'command', 'failed', 1, 99), (6, '', 'command', 'pending', 1, 5)",
		"INSERT INTO packages (id, name, version) VALUES (1, 'zlib', '1')",
		"INSERT INTO queue_items (id, job_id, package_id, position, level, status, "
		"priority, needs_left, claimable, payload) VALUES (1, 1, 1, 0, 0, 'failed', 0, 0, "
		"1, '{}')"};
	int r = 0;

	(void)arg;
	for (size_t i = 0; r >= 0 && i < countof(rows); i++)
		r = tx_exec(tx, rows[i], "");
	return r < 0 ? r : 0;
}

#define BEFORE_TAKES_FROM 6 /* migrations */

static void retries_of_an_older_database_know_whose_results_they_take_over(void **state)
{
	char *path = xasprintf("%s/old", database.dir);
	struct store_config config = {&database.loop, path, builds_migrations, BEFORE_TAKES_FROM};
	struct store *newest = database.store;
	static const int64_t expected[] = {0, 1, 1, 1, 0, 0};

	(void)state;
	database.store = store_open(&config, NULL);
	assert_int_equal(database_write(old_rows_run, NULL), 0);
	store_close(database.store);
	config.migration_count = builds_migration_count;
	database.store = store_open(&config, NULL);
	for (size_t i = 0; i < countof(expected); i++)
		assert_int_equal(source_of((int64_t)i + 1), expected[i]);
	store_close(database.store);
	database.store = newest;
	free(path);
}

/* ---- words */

static int take_why(const struct queue_item *item, void *arg)
{
	strbuf_reset(arg);
	strbuf_addstr(arg, item->why);
	return 0;
}

static int why_run(struct tx *tx, void *arg)
{
	return queue_items_of(tx, the.job, take_why, arg);
}

static void assert_cut_why(void)
{
	struct strbuf why = STRBUF_INIT;

	assert_true(store_read_wait(database.store, why_run, &why) >= 0);
	assert_int_equal(why.len, SENTENCE_MAX);
	assert_string_equal(why.buf + why.len - strlen("x…"), "x…");
	strbuf_finish(&why);
}

static char *long_words(void)
{
	char *words = xmalloc(8 << 20);

	memset(words, 'x', (8 << 20) - 1);
	words[(8 << 20) - 1] = '\0';
	return words;
}

static void what_an_attempt_says_is_stored_in_part(void **state)
{
	char *words = long_words();
	struct claim c;

	(void)state;
	assert_int_equal(database_write(begin_run, NULL), 0);
	c = claim();
	end(&c, (struct attempt_result){
			.end = ATTEMPT_FAILED, .reason = REASON_BUILD, .why = words});
	assert_cut_why();
	free(words);
}

static void why_something_cannot_be_built_is_stored_in_part(void **state)
{
	char *words = long_words();

	(void)state;
	the.excluded = words;
	assert_int_equal(database_write(begin_run, NULL), 0);
	assert_cut_why();
	free(words);
}

static void of_long_names_that_are_lacked_the_beginnings_are_told(void **state)
{
	char name[LACKS_MAX];
	struct queue_item item = {.status = QUEUE_PENDING, .lacks = name};
	struct strbuf json = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&json);

	(void)state;
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 4000; i < sizeof(name) - 1; i += 4000)
		name[i] = '\n';
	w.omit_nulls = true;
	json_begin_object(&w, NULL);
	queue_item_changes(&w, &item);
	json_end_object(&w);
	assert_non_null(strstr(json.buf, "x…, xxx"));
	assert_non_null(strstr(json.buf, "x… and 2 more, which no spec"));
	assert_true(json.len < SENTENCE_MAX);
	strbuf_finish(&json);
}

#define scenario(name) cmocka_unit_test_setup_teardown(name, setup, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scenario(a_duration_under_a_clock_that_was_set_back_is_unknown),
		scenario(a_negative_duration_is_unknown_to_the_next_build),
		scenario(a_back_off_ends_though_the_clock_was_set_back),
		scenario(what_the_server_did_not_survive_three_times_is_refused),
		scenario(a_retry_takes_over_from_the_newest_job_that_had_a_plan),
		scenario(retries_of_an_older_database_know_whose_results_they_take_over),
		scenario(what_an_attempt_says_is_stored_in_part),
		scenario(of_long_names_that_are_lacked_the_beginnings_are_told),
		scenario(why_something_cannot_be_built_is_stored_in_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
