// SPDX-License-Identifier: MIT
#include "core/base/loop.h"

#include <setjmp.h>
#include <cmocka.h>

static struct loop loop;

static int open_loop(void **state)
{
	(void)state;
	loop_init(&loop);
	return 0;
}

static int close_loop(void **state)
{
	(void)state;
	loop_finish(&loop);
	return 0;
}

static void stop(void *arg)
{
	loop_stop(arg);
}

/* ---- posting */

enum { POSTERS = 4, POSTS = 5000 };

struct poster {
	pthread_t thread;
	int sent, run; /* the next number to post, and to run; the latter is the loop's */
};

struct numbered {
	struct poster *from;
	int number;
};

static int finished;

static void run_numbered(void *arg)
{
	struct numbered *n = arg;

	assert_true(loop_is_current(&loop));
	assert_int_equal(n->number, n->from->run);
	if (++n->from->run == POSTS && ++finished == POSTERS)
		loop_stop(&loop);
	free(n);
}

static void *post_numbers(void *arg)
{
	struct poster *from = arg;

	assert_false(loop_is_current(&loop));
	while (from->sent < POSTS) {
		struct numbered *n = xmalloc(sizeof(*n));

		n->from = from;
		n->number = from->sent++;
		loop_post(&loop, run_numbered, n);
	}
	return NULL;
}

static void posts_of_many_threads_all_run_each_threads_in_order(void **state)
{
	struct poster posters[POSTERS] = {0};

	(void)state;
	finished = 0;
	for (int i = 0; i < POSTERS; i++)
		pthread_create(&posters[i].thread, NULL, post_numbers, &posters[i]);
	loop_run(&loop);
	for (int i = 0; i < POSTERS; i++) {
		pthread_join(posters[i].thread, NULL);
		assert_int_equal(posters[i].run, POSTS);
	}
}

static void *stop_from_outside(void *arg)
{
	loop_post(arg, stop, arg);
	return NULL;
}

static void a_loop_with_nothing_to_do_waits_for_other_threads(void **state)
{
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, stop_from_outside, &loop);
	loop_run(&loop); /* returns only because of the post */
	pthread_join(thread, NULL);
}

static int steps;

static void post_again(void *arg)
{
	(void)arg;
	if (++steps == 100)
		loop_stop(&loop);
	else
		loop_post(&loop, post_again, NULL);
}

static void a_posted_function_may_post(void **state)
{
	(void)state;
	steps = 0;
	loop_post(&loop, post_again, NULL);
	loop_run(&loop);
	assert_int_equal(steps, 100);
}

static void count_up(void *arg)
{
	++*(int *)arg;
}

static void what_was_posted_before_a_stop_still_runs(void **state)
{
	int count = 0;

	(void)state;
	loop_post(&loop, count_up, &count);
	loop_post(&loop, stop, &loop);
	loop_post(&loop, count_up, &count);
	loop_run(&loop);
	assert_int_equal(count, 2);
}

static void a_finished_loop_drops_what_has_not_run(void **state)
{
	struct loop other;
	int count = 0;

	(void)state;
	loop_init(&other);
	loop_post(&other, count_up, &count);
	loop_post(&other, count_up, &count);
	loop_finish(&other);
	assert_int_equal(count, 0);
}

static void *run_elsewhere(void *arg)
{
	struct loop *other = arg;

	loop_run(other);
	return loop_is_current(other) ? other : NULL;
}

static void a_loop_belongs_to_the_thread_that_runs_it(void **state)
{
	struct loop other;
	pthread_t thread;
	void *was_current;

	(void)state;
	loop_init(&other);
	assert_true(loop_is_current(&other));
	loop_post(&other, stop, &other);
	pthread_create(&thread, NULL, run_elsewhere, &other);
	pthread_join(thread, &was_current);
	assert_ptr_equal(was_current, &other);
	assert_false(loop_is_current(&other));
	loop_finish(&other);
}

/* ---- hooks */

struct gathering {
	struct loop_hook hook;
	int gathered; /* in this turn */
	int sent[8]; /* what went out at the end of each turn with something to send */
	int turns;
};

static void send_gathered(void *arg)
{
	struct gathering *g = arg;

	if (!g->gathered)
		return;
	g->sent[g->turns++] = g->gathered;
	g->gathered = 0;
}

static void gather(void *arg)
{
	((struct gathering *)arg)->gathered++;
}

static void gather_next_turn(void *arg)
{
	gather(arg);
	loop_post(&loop, gather, arg);
	loop_post(&loop, gather, arg);
	loop_post(&loop, stop, &loop);
}

static void what_a_turn_gathers_goes_out_once_at_its_end(void **state)
{
	struct gathering g = {.hook = {.fn = send_gathered, .arg = &g}};

	(void)state;
	loop_add_hook(&loop, &g.hook);
	loop_post(&loop, gather, &g);
	loop_post(&loop, gather, &g);
	loop_post(&loop, gather_next_turn, &g);
	loop_run(&loop);
	assert_int_equal(g.turns, 2);
	assert_int_equal(g.sent[0], 3);
	assert_int_equal(g.sent[1], 2); /* the turn that stopped the loop, too */
	list_remove(&g.hook.link);
}

struct order {
	struct loop_hook first, second;
	char called[16];
};

static void call_first_and_leave(void *arg)
{
	struct order *o = arg;

	strcat(o->called, "1");
	list_remove(&o->first.link);
}

static void call_second(void *arg)
{
	struct order *o = arg;

	if (strlen(o->called) < 3)
		strcat(o->called, "2");
}

static void hooks_run_in_order_and_may_leave(void **state)
{
	struct order o = {.called = ""};

	(void)state;
	o.first = (struct loop_hook){.fn = call_first_and_leave, .arg = &o};
	o.second = (struct loop_hook){.fn = call_second, .arg = &o};
	loop_add_hook(&loop, &o.first);
	loop_add_hook(&loop, &o.second);
	loop_post(&loop, stop, &loop);
	loop_run(&loop);
	assert_string_equal(o.called, "122");
	list_remove(&o.second.link);
}

/* ---- the end */

static int closings;

static void on_closed(uv_handle_t *handle)
{
	(void)handle;
	closings++;
}

static void never(uv_timer_t *timer)
{
	(void)timer;
	fail();
}

static void an_end_closes_what_is_open_and_runs_the_closings(void **state)
{
	struct loop other;
	uv_timer_t open, closing;

	(void)state;
	closings = 0;
	loop_init(&other);
	uv_timer_init(&other.uv, &open);
	uv_timer_start(&open, never, 3600 * 1000, 0);
	uv_timer_init(&other.uv, &closing);
	uv_close((uv_handle_t *)&closing, on_closed);
	loop_finish(&other);
	assert_int_equal(closings, 1);
	assert_true(uv_is_closing((uv_handle_t *)&open));
}

static uv_timer_t late;

static void open_another(uv_handle_t *handle)
{
	uv_timer_init(handle->loop, &late);
	uv_timer_start(&late, never, 3600 * 1000, 0);
}

static void an_end_closes_what_a_closing_opens(void **state)
{
	struct loop other;
	uv_timer_t timer;

	(void)state;
	loop_init(&other);
	uv_timer_init(&other.uv, &timer);
	uv_close((uv_handle_t *)&timer, open_another);
	loop_finish(&other);
	assert_true(uv_is_closing((uv_handle_t *)&late));
}

#define loop_test(f) cmocka_unit_test_setup_teardown(f, open_loop, close_loop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		loop_test(posts_of_many_threads_all_run_each_threads_in_order),
		loop_test(a_loop_with_nothing_to_do_waits_for_other_threads),
		loop_test(a_posted_function_may_post),
		loop_test(what_was_posted_before_a_stop_still_runs),
		cmocka_unit_test(a_finished_loop_drops_what_has_not_run),
		cmocka_unit_test(a_loop_belongs_to_the_thread_that_runs_it),
		loop_test(what_a_turn_gathers_goes_out_once_at_its_end),
		loop_test(hooks_run_in_order_and_may_leave),
		cmocka_unit_test(an_end_closes_what_is_open_and_runs_the_closings),
		cmocka_unit_test(an_end_closes_what_a_closing_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
