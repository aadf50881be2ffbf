// SPDX-License-Identifier: MIT
/*
 * Items that lack a capability until an RPM of their job turns out to provide it, what is learned from RPMs, and items that
 * do not build on this architecture: on a real database.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "apps/builds/builds.h"
#include "database.h"

static struct {
	int64_t job;
} the;

/* ---- units */

struct job_arg {
	const struct plan_item *items;
	size_t count;
	bool fail_fast;
};

static int start_job(struct tx *tx, void *arg)
{
	const struct job_arg *a = arg;
	struct build_job_new n = {.name = "set", .builder = "rpmbuild", .fail_fast = a->fail_fast};
	struct plan p = {.items = a->items, .count = a->count, .json = "{}"};
	bool existed;
	int r = upload_create(tx, 1000, &n.upload_id);

	if (r >= 0)
		r = build_job_create(tx, &n, 1000, &the.job, &existed);
	if (r >= 0)
		r = build_job_prepare(tx, the.job, 1001);
	return r < 0 ? r : build_job_plan(tx, the.job, &p, 1002);
}

static void begin(const struct plan_item *items, size_t count)
{
	struct job_arg a = {.items = items, .count = count};

	assert_int_equal(database_write(start_job, &a), 0);
}

static int claim_run(struct tx *tx, void *arg)
{
	struct claim c = {0};
	int64_t due, *ret = arg;
	int r = queue_item_claim(tx, &database_worker, 1, 2000, &c, &due);

	ret[0] = r > 0 ? c.item_id : 0;
	ret[1] = c.token;
	claim_finish(&c);
	return r < 0 ? r : 0;
}

struct attempt {
	int64_t item, token;
};

/* The item of the highest priority, which must be this one; 0: none is ready. */
static struct attempt claim(int64_t item)
{
	int64_t got[2];

	assert_int_equal(database_write(claim_run, got), 0);
	assert_int_equal(got[0], item);
	return (struct attempt){got[0], got[1]};
}

struct end_arg {
	struct attempt attempt;
	struct attempt_result result;
};

static int end_run(struct tx *tx, void *arg)
{
	const struct end_arg *e = arg;

	return queue_item_end(tx, e->attempt.item, e->attempt.token, &e->result, 3000);
}

static void end(struct attempt attempt, struct attempt_result result)
{
	struct end_arg e = {attempt, result};

	assert_int_equal(database_write(end_run, &e), 0);
}

/* Its one RPM has this name and provides this. */
static void complete(struct attempt attempt, const char *rpm, const char *provides)
{
	char *nevra = xasprintf("%s-1-1.noarch", rpm);
	struct artifact_row rows[] = {
		{.file = "x.src.rpm", .kind = "srpm", .sha256 = "00", .nevra = "x-1-1.src"},
		{.file = "x.rpm",
			.kind = "rpm",
			.sha256 = "00",
			.nevra = nevra,
			.provides = provides},
	};

	end(attempt, (struct attempt_result){
			     .end = ATTEMPT_COMPLETED, .artifacts = rows, .artifact_count = 2});
	free(nevra);
}

static void lack(struct attempt attempt, const char *lacks)
{
	end(attempt, (struct attempt_result){.end = ATTEMPT_LACKING,
			     .reason = REASON_BUILD,
			     .why = "nothing provides it",
			     .phase = "buildrequires",
			     .lacks = lacks});
}

/* ---- what became of it: "a pending, b completed: running" */

static int put_item(const struct queue_item *item, void *arg)
{
	strbuf_addf(arg, "%s%s %s", ((struct strbuf *)arg)->len ? ", " : "", item->package,
		queue_status_name[item->status]);
	return 0;
}

static int put_job(const struct build_job *job, void *arg)
{
	strbuf_addf(arg, ": %s", build_status_name[job->status]);
	return 0;
}

static int states_run(struct tx *tx, void *arg)
{
	int r = queue_items_of(tx, the.job, put_item, arg);

	return r < 0 ? r : build_job_get(tx, the.job, put_job, arg);
}

static void assert_states(const char *expected)
{
	struct strbuf states = STRBUF_INIT;

	assert_int_equal(store_read_wait(database.store, states_run, &states), 0);
	assert_string_equal(states.buf, expected);
	strbuf_finish(&states);
}

struct item_json {
	int64_t id;
	json_t *json;
};

static int item_run(struct tx *tx, void *arg)
{
	struct item_json *a = arg;
	struct strbuf text = STRBUF_INIT;
	int r = queue_item_document(tx, a->id, &text);

	a->json = json_parse(text.buf, text.len, NULL);
	strbuf_finish(&text);
	return r;
}

static void assert_member(int64_t item, const char *key, const char *expected)
{
	struct item_json a = {.id = item};
	const char *value;

	assert_int_equal(store_read_wait(database.store, item_run, &a), 0);
	value = json_string_value(json_object_get(a.json, key));
	if (expected)
		assert_string_equal(value, expected);
	else
		assert_null(value);
	json_decref(a.json);
}

static const int needs_user[] = {0}, needs_maker[] = {1};
/* Ids are 1 … 4 in this order, and that of their priorities. */
static const struct plan_item set[] = {
	{.package = "user", .version = "1", .payload = "{}", .priority = 40},
	{.package = "maker", .version = "1", .payload = "{}", .priority = 30},
	{.package = "after",
		.version = "1",
		.payload = "{}",
		.priority = 20,
		.needs = needs_user,
		.need_count = 1},
	{.package = "other", .version = "1", .payload = "{}", .priority = 10},
};

/* ---- tests */

static void an_item_that_lacks_something_waits_until_an_rpm_of_its_job_provides_it(void **state)
{
	(void)state;
	begin(set, 4);
	lack(claim(1), "perl(A::B) >= 2\ncmake(x)");
	assert_states("user pending, maker queued, after pending, other queued: running");
	assert_member(1, "why",
		"waits for perl(A::B) >= 2, cmake(x), which no spec of the set names: an RPM that "
		"is still to be built may provide it");
	assert_member(1, "phase", NULL);
	assert_member(1, "worker", NULL);
	complete(claim(2), "maker", "[\"maker = 1-1\",\"perl(A::B) = 1.9\"]");
	assert_states("user pending, maker completed, after pending, other queued: running");
	complete(claim(4), "other", "[\"perl(A::B) = 2.0\"]");
	assert_states("user queued, maker completed, after pending, other completed: running");
	assert_member(1, "why", "waits for a free slot");
	complete(claim(1), "user", "[]");
	complete(claim(3), "after", "[]");
	assert_states(
		"user completed, maker completed, after completed, other completed: completed");
}

static void what_was_completed_during_the_attempt_counts_at_once(void **state)
{
	struct attempt user;

	(void)state;
	begin(set, 4);
	user = claim(1);
	complete(claim(2), "maker", "[\"perl(A::B)\"]");
	lack(user, "perl(A::B)");
	assert_states("user queued, maker completed, after pending, other queued: running");
	/* It was there this time, and still the attempt ended so: asked for again when something more is completed. */
	lack(claim(1), "perl(A::B)");
	assert_states("user pending, maker completed, after pending, other queued: running");
	complete(claim(4), "other", "[\"other\"]");
	assert_states("user failed, maker completed, after blocked, other completed: failed");
}

static void what_nobody_is_left_to_provide_fails_with_its_own_reason(void **state)
{
	(void)state;
	begin(set, 4);
	lack(claim(1), "perl(A::B)");
	lack(claim(2), "nothing >= 7");
	assert_states("user pending, maker pending, after pending, other queued: running");
	complete(claim(4), "other", "[\"nothing = 6\"]");
	assert_states("user failed, maker failed, after blocked, other completed: failed");
	assert_member(1, "why", "nothing provides it");
	assert_member(1, "phase", "buildrequires");
	assert_member(1, "reason", "build");
	assert_member(3, "why", "needs user, which failed");
}

static void the_last_one_that_lacks_something_does_not_wait_at_all(void **state)
{
	struct attempt user;

	(void)state;
	begin(set, 4);
	user = claim(1);
	end(claim(2), (struct attempt_result){.end = ATTEMPT_FAILED, .reason = REASON_BUILD});
	complete(claim(4), "other", "[]");
	lack(user, "perl(A::B)");
	assert_states("user failed, maker failed, after blocked, other completed: failed");
	assert_member(1, "worker", "test");
}

static int cancel_run(struct tx *tx, void *arg)
{
	(void)arg;
	return build_job_cancel(tx, the.job, 4000);
}

static void a_cancel_ends_what_lacks_something(void **state)
{
	struct attempt maker;

	(void)state;
	begin(set, 4);
	lack(claim(1), "perl(A::B)");
	maker = claim(2);
	assert_int_equal(database_write(cancel_run, NULL), 0);
	assert_states("user cancelled, maker building, after cancelled, other cancelled: running");
	lack(maker, "perl(C)");
	assert_states(
		"user cancelled, maker cancelled, after cancelled, other cancelled: cancelled");
}

static void with_fail_fast_a_failure_ends_what_lacks_something(void **state)
{
	struct job_arg a = {.items = set, .count = 4, .fail_fast = true};

	(void)state;
	assert_int_equal(database_write(start_job, &a), 0);
	lack(claim(1), "perl(A::B)");
	end(claim(2), (struct attempt_result){.end = ATTEMPT_FAILED, .reason = REASON_BUILD});
	assert_states("user cancelled, maker failed, after cancelled, other cancelled: failed");
}

static int start_worker(struct tx *tx, void *arg)
{
	(void)arg;
	return worker_start(tx, &database_worker, 4000);
}

static void a_restart_leaves_it_waiting_and_what_is_lost_comes_again(void **state)
{
	(void)state;
	begin(set, 4);
	lack(claim(1), "perl(A::B)");
	claim(2);
	assert_int_equal(database_write(start_worker, NULL), 0);
	assert_states("user pending, maker queued, after pending, other queued: running");
	complete(claim(2), "maker", "[\"perl(A::B)\"]");
	assert_states("user queued, maker completed, after pending, other queued: running");
}

/* Of a rich need one piece is enough to try: the host may have the rest. */
static void a_piece_of_a_rich_need_is_enough_to_try_again(void **state)
{
	(void)state;
	begin(set, 4);
	lack(claim(1), "(gcc and (perl(A::B) or perl(C)))");
	complete(claim(2), "maker", "[\"perl(C) = 1\"]");
	assert_states("user queued, maker completed, after pending, other queued: running");
}

static void waiting_counts_as_no_failed_attempt(void **state)
{
	char *provides;

	(void)state;
	begin((struct plan_item[]){set[0],
		      {.package = "one", .version = "1", .payload = "{}", .priority = 9},
		      {.package = "two", .version = "1", .payload = "{}", .priority = 8},
		      {.package = "three", .version = "1", .payload = "{}", .priority = 7},
		      {.package = "four", .version = "1", .payload = "{}", .priority = 6},
		      {.package = "five", .version = "1", .payload = "{}", .priority = 5},
		      {.package = "six", .version = "1", .payload = "{}", .priority = 4}},
		7);
	for (int i = 2; i <= ATTEMPTS_MAX + 2; i++) {
		char *lacks = xasprintf("cap(%d)", i);

		lack(claim(1), lacks);
		provides = xasprintf("[\"%s\"]", lacks);
		complete(claim(i), "x", provides);
		free(provides);
		free(lacks);
	}
	end(claim(1), (struct attempt_result){.end = ATTEMPT_INFRASTRUCTURE});
	assert_states("user queued, one completed, two completed, three completed, four completed, "
		      "five completed, six completed: running");
}

/* ---- learning */

static int put_provides(const char *nevra, const char *provides, void *arg)
{
	strbuf_addf(arg, "%s %s ", nevra, provides);
	return 0;
}

static int learned_run(struct tx *tx, void *arg)
{
	int r = package_provides(tx, "maker", put_provides, arg);

	return r < 0 ? r : 0;
}

static void assert_learned(const char *expected)
{
	struct strbuf text = STRBUF_INIT;

	assert_int_equal(store_read_wait(database.store, learned_run, &text), 0);
	assert_string_equal(text.buf, expected);
	strbuf_finish(&text);
}

static void of_each_name_the_newest_rpms_are_learned_from(void **state)
{
	const struct plan_item maker[] = {
		{.package = "maker", .version = "1", .payload = "{}", .priority = 1}};

	(void)state;
	assert_learned("");
	begin(maker, 1);
	complete(claim(1), "maker-libs", "[\"cmake(old)\"]");
	assert_learned("maker-libs-1-1.noarch [\"cmake(old)\"] ");
	begin(maker, 1);
	end(claim(2), (struct attempt_result){.end = ATTEMPT_FAILED, .reason = REASON_BUILD});
	assert_learned("maker-libs-1-1.noarch [\"cmake(old)\"] ");
	begin(maker, 1);
	complete(claim(3), "maker", "[\"cmake(new)\"]");
	assert_learned("maker-1-1.noarch [\"cmake(new)\"] ");
	/* A command of that name makes no RPMs and says nothing about them. */
	begin(maker, 1);
	end(claim(4), (struct attempt_result){.end = ATTEMPT_COMPLETED});
	assert_learned("maker-1-1.noarch [\"cmake(new)\"] ");
}

/* What a retry took over is in its repository from the start, as what it builds is later. */
static void what_was_taken_over_is_known_as_well(void **state)
{
	struct plan_item again[] = {set[0], set[1], set[2], set[3]};
	struct attempt user;

	(void)state;
	begin(set, 4);
	complete(claim(1), "user", "[\"perl(A::B)\"]");
	end(claim(2), (struct attempt_result){.end = ATTEMPT_FAILED, .reason = REASON_BUILD});
	complete(claim(3), "after", "[]");
	complete(claim(4), "other", "[]");
	again[0].taken_over = 1;
	begin(again, 4);
	/* Items 5 … 8 are those of the second job. */
	user = claim(6);
	complete(claim(7), "after", "[]");
	lack(user, "perl(A::B)");
	assert_states("user completed, maker queued, after completed, other queued: running");
}

/* ---- other architectures */

static void what_does_not_build_here_fails_at_once_and_blocks_what_needs_it(void **state)
{
	struct plan_item items[] = {set[0], set[1], set[2],
		{.package = "last",
			.version = "1",
			.payload = "{}",
			.needs = needs_maker,
			.need_count = 1}};

	(void)state;
	items[0].excluded = "user does not build here";
	items[0].excluded_reason = REASON_ARCHITECTURE;
	begin(items, 4);
	assert_states("user failed, maker queued, after blocked, last pending: running");
	assert_member(1, "reason", "architecture");
	assert_member(1, "why", "user does not build here");
	assert_member(3, "why", "needs user, which failed");
	complete(claim(2), "maker", "[]");
	complete(claim(4), "last", "[]");
	assert_states("user failed, maker completed, after blocked, last completed: failed");
}

static void a_build_of_nothing_that_builds_here_fails(void **state)
{
	struct plan_item items[] = {set[0], set[1], set[2]};

	(void)state;
	items[0].excluded = items[1].excluded = items[2].excluded = "not here";
	for (int i = 0; i < 3; i++)
		items[i].excluded_reason = REASON_ARCHITECTURE;
	begin(items, 3);
	assert_states("user failed, maker failed, after blocked: failed");
	claim(0);
}

#define scenario(name) cmocka_unit_test_setup_teardown(name, database_open, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scenario(an_item_that_lacks_something_waits_until_an_rpm_of_its_job_provides_it),
		scenario(what_was_completed_during_the_attempt_counts_at_once),
		scenario(what_nobody_is_left_to_provide_fails_with_its_own_reason),
		scenario(the_last_one_that_lacks_something_does_not_wait_at_all),
		scenario(a_cancel_ends_what_lacks_something),
		scenario(with_fail_fast_a_failure_ends_what_lacks_something),
		scenario(a_restart_leaves_it_waiting_and_what_is_lost_comes_again),
		scenario(a_piece_of_a_rich_need_is_enough_to_try_again),
		scenario(waiting_counts_as_no_failed_attempt),
		scenario(of_each_name_the_newest_rpms_are_learned_from),
		scenario(what_was_taken_over_is_known_as_well),
		scenario(what_does_not_build_here_fails_at_once_and_blocks_what_needs_it),
		scenario(a_build_of_nothing_that_builds_here_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
