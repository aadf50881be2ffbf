// SPDX-License-Identifier: MIT
/*
 * Items of which one need or another will do: what fails blocks only those that cannot do without. On a real database.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "apps/builds/tasks.h"
#include "database.h"

static struct {
	int64_t job;
} the;

/* one needs base and tool; either needs (one or other); last needs either. */
enum { BASE, TOOL, ONE, OTHER, EITHER, LAST, COUNT };
static const int needs_of_one[] = {BASE, TOOL}, needs_of_either[] = {ONE, OTHER},
		 needs_of_last[] = {EITHER};
static const bool both[] = {true, true};
static const struct plan_item packages[COUNT] = {
	[BASE] = {.package = "base", .version = "1", .payload = "{}", .priority = 9},
	[TOOL] = {.package = "tool", .version = "1", .payload = "{}"},
	[ONE] = {.package = "one",
		.version = "1",
		.payload = "{}",
		.priority = 8,
		.needs = needs_of_one,
		.need_count = 2},
	[OTHER] = {.package = "other", .version = "1", .payload = "{}", .priority = 7},
	[EITHER] = {.package = "either",
		.version = "1",
		.payload = "{}",
		.priority = 6,
		.needs = needs_of_either,
		.need_count = 2,
		.choices = both},
	[LAST] = {.package = "last",
		.version = "1",
		.payload = "{}",
		.priority = 5,
		.needs = needs_of_last,
		.need_count = 1},
};

struct begin_arg {
	bool fail_fast;
	int excluded[2]; /* packages, or -1 */
};

static int begin_run(struct tx *tx, void *arg)
{
	const struct begin_arg *b = arg;
	struct plan_item items[COUNT];
	const struct plan plan = {.items = items, .count = COUNT, .json = "{}"};
	struct build_job_new n = {.name = "set", .builder = "command", .fail_fast = b->fail_fast};
	bool existed;
	int r = upload_create(tx, 1, &n.upload_id);

	memcpy(items, packages, sizeof(items));
	for (size_t i = 0; i < countof(b->excluded); i++)
		if (b->excluded[i] >= 0)
			items[b->excluded[i]].excluded = "not here";
	if (r >= 0)
		r = build_job_create(tx, &n, 1, &the.job, &existed);
	if (r >= 0)
		r = build_job_prepare(tx, the.job, 1);
	return r < 0 ? r : build_job_plan(tx, the.job, &plan, 1);
}

static void begin(struct begin_arg arg)
{
	assert_int_equal(database_write(begin_run, &arg), 0);
}

static int claim_run(struct tx *tx, void *arg)
{
	int64_t due_at;

	return queue_item_claim(tx, &database_worker, 1, 1, arg, &due_at);
}

static int end_run(struct tx *tx, void *arg)
{
	const struct claim *c = arg;
	bool failed = c->attempt < 0;
	struct attempt_result result = {
		.end = failed ? ATTEMPT_FAILED : ATTEMPT_COMPLETED, .reason = REASON_BUILD};

	return queue_item_end(tx, c->item_id, c->token, &result, 1);
}

/* What is ready and of the highest priority must be this one. */
static void build(const char *package, bool well)
{
	struct claim c = {0};

	assert_true(database_write(claim_run, &c) >= 0);
	assert_non_null(c.package);
	assert_string_equal(c.package, package);
	c.attempt = well ? 1 : -1;
	assert_int_equal(database_write(end_run, &c), 0);
	claim_finish(&c);
}

static int put_item(const struct queue_item *item, void *arg)
{
	strbuf_addf(arg, "%s ", queue_status_name[item->status]);
	return 0;
}

static int put_items(struct tx *tx, void *arg)
{
	return queue_items_of(tx, the.job, put_item, arg);
}

/* base, tool, one, other, either, last */
static void assert_states(const char *expected)
{
	struct strbuf states = STRBUF_INIT;

	assert_true(store_read_wait(database.store, put_items, &states) >= 0);
	assert_string_equal(states.buf, expected);
	strbuf_finish(&states);
}

#define ALL_HERE                                                                                   \
	{                                                                                          \
		-1, -1                                                                             \
	}

static void a_failure_blocks_nothing_that_can_do_with_another(void **state)
{
	(void)state;
	begin((struct begin_arg){.excluded = {TOOL, -1}});
	assert_states("queued failed blocked queued pending pending ");
	build("base", true);
	build("other", true);
	build("either", true);
	build("last", true);
	assert_states("completed failed blocked completed completed completed ");
}

static void what_was_blocked_already_is_given_up_once(void **state)
{
	(void)state;
	begin((struct begin_arg){.excluded = ALL_HERE});
	build("base", false);
	assert_states("failed queued blocked queued pending pending ");
	build("other", true);
	assert_states("failed queued blocked completed queued pending ");
	begin((struct begin_arg){.excluded = {BASE, TOOL}});
	assert_states("failed failed blocked queued pending pending ");
}

/* Its build root says then what it lacks. */
static void when_none_is_left_it_is_tried_all_the_same(void **state)
{
	(void)state;
	begin((struct begin_arg){.excluded = ALL_HERE});
	build("base", false);
	build("other", false);
	assert_states("failed queued blocked failed queued pending ");
	build("either", false);
	assert_states("failed queued blocked failed failed blocked ");
}

static void what_cannot_be_built_here_blocks_nothing_either(void **state)
{
	(void)state;
	begin((struct begin_arg){.excluded = {ONE, OTHER}});
	assert_states("queued queued failed failed queued pending ");
	/* What was ready for want of its needs is excluded all the same. */
	begin((struct begin_arg){.excluded = {OTHER, EITHER}});
	assert_states("queued queued pending failed failed blocked ");
	begin((struct begin_arg){.excluded = {ONE, EITHER}});
	assert_states("queued queued failed queued failed blocked ");
}

static void fail_fast_ends_these_too(void **state)
{
	(void)state;
	begin((struct begin_arg){.fail_fast = true, .excluded = ALL_HERE});
	build("base", false);
	assert_states("failed cancelled blocked cancelled cancelled cancelled ");
}

/* ---- a retry knows what is a choice */

static int plan_again_run(struct tx *tx, void *arg)
{
	return plan_from_job(tx, the.job, arg);
}

static void a_retry_has_the_choices_of_the_job_before_it(void **state)
{
	struct plan_draft draft;

	(void)state;
	begin((struct begin_arg){.excluded = ALL_HERE});
	plan_draft_init(&draft);
	assert_int_equal(store_read_wait(database.store, plan_again_run, &draft), 0);
	assert_int_equal(draft.plan.items[EITHER].need_count, 2);
	assert_true(draft.plan.items[EITHER].choices[0] && draft.plan.items[EITHER].choices[1]);
	assert_false(draft.plan.items[LAST].choices[0]);
	plan_draft_finish(&draft);
}

#define scenario(name) cmocka_unit_test_setup_teardown(name, database_open, database_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scenario(a_failure_blocks_nothing_that_can_do_with_another),
		scenario(what_was_blocked_already_is_given_up_once),
		scenario(when_none_is_left_it_is_tried_all_the_same),
		scenario(what_cannot_be_built_here_blocks_nothing_either),
		scenario(fail_fast_ends_these_too),
		scenario(a_retry_has_the_choices_of_the_job_before_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
