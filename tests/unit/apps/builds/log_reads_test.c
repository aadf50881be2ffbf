// SPDX-License-Identifier: MIT
/* Reads of logs in line for their turns: how many hold anything, who waits for whom, and that nobody is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "apps/builds/logs.h"

#define READS 40
#define ENDLESS 1000000

struct fake {
	struct log_read read;
	int turns; /* that it needs */
	int had; /* since it began, or began anew */
	bool gone, over;
	int outcome;
	int place; /* in the order of the ends, from 1 */
};

static struct {
	struct loop loop;
	struct app app;
	struct fake reads[READS];
	int left; /* not over yet */
	int ends, turns, turns_max; /* turns: of all; the loop stops at the last */
	int _Atomic steps, holding, holding_max;
} the;

/* ---- a fake read */

static int step(struct log_read *r, char *buf)
{
	struct fake *f = container_of(r, struct fake, read);

	memset(buf, 'x', LOG_READ_BUFFER); /* all of it is ours, until we return */
	the.steps++;
	if (!f->had && ++the.holding > the.holding_max)
		the.holding_max = the.holding;
	if (++f->had < f->turns)
		return 1;
	the.holding--;
	return 0;
}

static void forget(struct log_read *r)
{
	container_of(r, struct fake, read)->had = 0;
	the.holding--;
}

static bool given_up(struct log_read *r)
{
	if (++the.turns == the.turns_max)
		loop_stop(&the.loop);
	return container_of(r, struct fake, read)->gone;
}

static void done(struct log_read *r, int outcome)
{
	struct fake *f = container_of(r, struct fake, read);

	assert_false(f->over);
	if (outcome && f->had)
		the.holding--;
	f->over = true;
	f->outcome = outcome;
	f->place = ++the.ends;
	if (!--the.left)
		loop_stop(&the.loop);
}

static void start(int i, int turns)
{
	the.reads[i].turns = turns;
	the.left++;
	log_read_start(&the.reads[i].read);
}

static int set_up(void **state)
{
	(void)state;
	memset(&the, 0, sizeof(the));
	loop_init(&the.loop);
	the.app.loop = &the.loop;
	log_reads_init(&the.app.log_reads);
	for (int i = 0; i < READS; i++)
		the.reads[i].read = (struct log_read){.app = &the.app,
			.step = step,
			.forget = forget,
			.given_up = given_up,
			.done = done};
	return 0;
}

/* Nothing is left behind, whatever the test did. */
static int tear_down(void **state)
{
	(void)state;
	for (int i = 0; i < READS; i++)
		the.reads[i].gone = true;
	if (the.left)
		loop_run(&the.loop);
	assert_int_equal(the.left, 0);
	assert_int_equal(the.holding, 0);
	assert_int_equal(the.app.log_reads.kept, 0);
	loop_finish(&the.loop);
	return 0;
}

/* ---- the scenarios */

static void few_hold_anything_and_all_come_to_their_end(void **state)
{
	(void)state;
	for (int i = 0; i < READS; i++)
		start(i, 5);
	loop_run(&the.loop);
	for (int i = 0; i < READS; i++) {
		assert_true(the.reads[i].over);
		assert_int_equal(the.reads[i].outcome, 0);
	}
	assert_in_range(the.holding_max, LOG_READS_KEPT_MAX, LOG_READS_KEPT_MAX + LOG_READS_MAX);
	/* Nothing but the first turn was in vain. */
	assert_in_range(the.steps, 5 * READS, 6 * READS);
}

static void a_short_one_waits_for_no_long_one(void **state)
{
	(void)state;
	for (int i = 0; i < READS - 1; i++)
		start(i, ENDLESS);
	the.turns_max = 1000;
	loop_run(&the.loop);
	the.turns = 0;
	start(READS - 1, 1);
	loop_run(&the.loop);
	assert_true(the.reads[READS - 1].over);
	assert_int_equal(the.ends, 1);
}

static void who_had_to_forget_goes_on_in_the_order_of_coming(void **state)
{
	(void)state;
	for (int i = 0; i < LOG_READS_KEPT_MAX; i++)
		start(i, 20);
	/* Each has one turn while the places are taken; then as each of those ends, one begins. */
	for (int i = LOG_READS_KEPT_MAX; i < READS; i++)
		start(i, 40);
	loop_run(&the.loop);
	for (int i = 0; i < READS; i++)
		assert_int_equal(the.reads[i].place, i + 1);
}

static void who_gives_up_is_let_go_wherever_it_waits(void **state)
{
	(void)state;
	for (int i = 0; i < READS; i++)
		start(i, ENDLESS);
	the.turns_max = 1000;
	loop_run(&the.loop);
	assert_int_equal(the.ends, 0);
	/* Those that are gone on with stay. */
	for (int i = LOG_READS_KEPT_MAX; i < READS; i++)
		the.reads[i].gone = true;
	the.turns = 0;
	loop_run(&the.loop);
	for (int i = 0; i < READS; i++)
		assert_int_equal(the.reads[i].outcome, i < LOG_READS_KEPT_MAX ? 0 : -ECANCELED);
	assert_int_equal(the.ends, READS - LOG_READS_KEPT_MAX);
}

#define scenario(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scenario(few_hold_anything_and_all_come_to_their_end),
		scenario(a_short_one_waits_for_no_long_one),
		scenario(who_had_to_forget_goes_on_in_the_order_of_coming),
		scenario(who_gives_up_is_let_go_wherever_it_waits),
	};

	/* One turn after the other, so that they end in an order that is known. */
	setenv("UV_THREADPOOL_SIZE", "1", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
