// SPDX-License-Identifier: MIT
/*
 * A seeded simulation of the scheduler: whole histories of random jobs on rows in memory under a virtual clock, with failures,
 * broken infrastructure, workers that die or come back late, cancels, drains, clocks that jump, needs that another item would meet, and
 * needs that nobody knows of before an RPM shows them. REQPM_SEED replays one history,
 * REQPM_HISTORIES says how many there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>
#include "apps/builds/scheduler.h"

#define HISTORIES 20000
#define ITEMS_MAX 24
#define WORKERS 3
#define STEPS_MAX 20000

struct sim_item {
	struct sched_row row;
	int needs[ITEMS_MAX], need_count;
	bool choice[ITEMS_MAX]; /* of each need: something else would do */
	int hidden; /* an item whose RPM this one turns out to need, itself included; ITEMS_MAX: one that nobody makes; -1: none */
	int64_t seen; /* completed items when its attempt began */
	bool solved; /* its attempt found what it needs */
	int64_t token; /* of the live attempt; 0: none */
	int worker;
	int terminal_transitions, starts;
};
struct sim {
	uint64_t seed, rng;
	struct sched_job job;
	struct sim_item items[ITEMS_MAX];
	int count;
	int64_t now, next_token;
	struct {
		int item;
		int64_t token;
	} running[WORKERS], stale[64]; /* stale: attempts of dead workers that still may speak */
	int stale_count;
	double p_fail, p_infra, p_death, p_cancel, p_drain;
	bool obstinate; /* its solver finds what it lacks provided less often than we do */
};

#define CHECK(sim, condition)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("seed %llu: %s", (unsigned long long)(sim)->seed, #condition);    \
	} while (0)

static uint64_t next(struct sim *s) /* splitmix64 */
{
	uint64_t z = (s->rng += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

static int below(struct sim *s, int n)
{
	return (int)(next(s) % (uint64_t)n);
}

static bool chance(struct sim *s, double p)
{
	return (double)(next(s) >> 11) / 9007199254740992.0 < p;
}

/* ---- rows, as models.c loads and stores them */

struct selection {
	struct sched_row rows[ITEMS_MAX];
	int at[ITEMS_MAX];
	size_t count;
};

static void pick(struct sim *s, struct selection *sel, int item, bool downstream)
{
	sel->rows[sel->count] = s->items[item].row;
	sel->rows[sel->count].changed = false;
	sel->rows[sel->count].downstream = downstream;
	sel->at[sel->count++] = item;
}

static bool needs_directly(const struct sim *s, int item, int need)
{
	for (int k = 0; k < s->items[item].need_count; k++)
		if (s->items[item].needs[k] == need)
			return true;
	return false;
}

static bool completed(const struct sim *s, int item)
{
	return item >= 0 && item < ITEMS_MAX && s->items[item].row.status == QUEUE_COMPLETED;
}

/* It cannot do without. */
static bool needs_somehow(const struct sim *s, int item, int need)
{
	const struct sim_item *it = &s->items[item];

	for (int k = 0; k < it->need_count; k++)
		if (!it->choice[k] &&
			(it->needs[k] == need || needs_somehow(s, it->needs[k], need)))
			return true;
	return false;
}

static bool waiting(const struct sim *s, int item)
{
	return s->items[item].row.status == QUEUE_PENDING ||
	       s->items[item].row.status == QUEUE_QUEUED;
}

/* How many of its needs end with the failure of `failing`, though it could do without. */
static int given_up(const struct sim *s, int item, int failing)
{
	const struct sim_item *it = &s->items[item];
	int n = 0;

	for (int k = 0; k < it->need_count; k++)
		n += it->choice[k] &&
		     (it->needs[k] == failing ||
			     (waiting(s, it->needs[k]) && needs_somehow(s, it->needs[k], failing)));
	return n;
}

static void count_statuses(const struct sim *s)
{
	int64_t counts[QUEUE_STATUS_COUNT] = {0};

	for (int i = 0; i < s->count; i++)
		counts[s->items[i].row.status]++;
	for (int i = 0; i < QUEUE_STATUS_COUNT; i++)
		CHECK(s, counts[i] == s->job.counts[i]);
}

static void event(struct sim *s, enum sched_event ev, int item, enum queue_reason reason);

static void end_lacking(struct sim *s)
{
	while (scheduler_stalled(&s->job)) {
		int i = 0;

		while (i < s->count && !s->items[i].row.lacking)
			i++;
		CHECK(s, i < s->count);
		CHECK(s, s->obstinate || !completed(s, s->items[i].hidden));
		event(s, SCHED_IMPOSSIBLE, i, REASON_BUILD);
		CHECK(s, s->items[i].row.status == QUEUE_FAILED);
	}
}

static void event(struct sim *s, enum sched_event ev, int item, enum queue_reason reason)
{
	struct selection sel = {.count = 0};
	enum build_status was = s->job.status;

	if (ev != SCHED_CANCEL && ev != SCHED_CHECK && ev != SCHED_PLANNED)
		pick(s, &sel, item, false);
	if (ev == SCHED_LACKING)
		sel.rows[0].supplied = completed(s, s->items[item].hidden) &&
				       s->job.counts[QUEUE_COMPLETED] > s->items[item].seen;
	for (int i = 0; i < s->count; i++) {
		if (ev == SCHED_COMPLETED && s->items[i].row.lacking &&
			s->items[i].hidden == item) {
			pick(s, &sel, i, false);
			sel.rows[sel.count - 1].supplied = true;
		} else if (ev == SCHED_PLANNED || (ev == SCHED_CANCEL && waiting(s, i)))
			pick(s, &sel, i, false);
		else if (i == item || ev == SCHED_CLAIMED || ev == SCHED_CANCEL ||
			 ev == SCHED_CHECK)
			continue;
		else if (ev == SCHED_COMPLETED ? needs_directly(s, i, item)
					       : waiting(s, i) && needs_somehow(s, i, item))
			pick(s, &sel, i, true);
		else if (ev != SCHED_COMPLETED && s->job.fail_fast && waiting(s, i))
			pick(s, &sel, i, false);
		else if (ev != SCHED_COMPLETED && waiting(s, i) && given_up(s, i, item)) {
			pick(s, &sel, i, false);
			sel.rows[sel.count - 1].given_up = given_up(s, i, item);
		}
	}
	scheduler_apply(ev, &s->job, sel.rows, sel.count, reason, s->now);
	for (size_t i = 0; i < sel.count; i++) {
		struct sim_item *it = &s->items[sel.at[i]];

		CHECK(s, sel.rows[i].changed || !memcmp(&sel.rows[i].status, &it->row.status,
							sizeof(it->row.status)));
		CHECK(s, !queue_status_final(it->row.status) ||
				 it->row.status == sel.rows[i].status);
		if (queue_status_final(sel.rows[i].status) && !queue_status_final(it->row.status))
			it->terminal_transitions++;
		CHECK(s, !sel.rows[i].lacking || sel.rows[i].status == QUEUE_PENDING);
		it->row = sel.rows[i];
		it->row.supplied = false;
		it->row.given_up = 0;
	}
	count_statuses(s);
	CHECK(s, !build_status_final(was) || s->job.status == was);
	if (ev != SCHED_IMPOSSIBLE)
		end_lacking(s);
}

/* ---- what happens */

/* As the database claims. */
static bool due(const struct sim *s, int64_t not_before)
{
	return not_before <= s->now || not_before > s->now + BACKOFF_MAX_MS;
}

static int ready_item(struct sim *s)
{
	int best = -1;

	for (int i = 0; i < s->count; i++)
		if (s->items[i].row.status == QUEUE_QUEUED && due(s, s->items[i].row.not_before) &&
			(best < 0 || next(s) % 3 == 0))
			best = i;
	return best;
}

static void claim(struct sim *s, int worker)
{
	int item = ready_item(s);

	if (item < 0)
		return;
	for (int k = 0; k < s->items[item].need_count; k++) {
		enum queue_status need = s->items[s->items[item].needs[k]].row.status;

		CHECK(s, s->items[item].choice[k] ? queue_status_final(need)
						  : need == QUEUE_COMPLETED);
	}
	CHECK(s, s->items[item].token == 0);
	CHECK(s, !(s->job.fail_fast && s->job.counts[QUEUE_FAILED]));
	event(s, SCHED_CLAIMED, item, REASON_NONE);
	s->items[item].token = ++s->next_token;
	s->items[item].worker = worker;
	s->items[item].starts++;
	s->items[item].seen = s->job.counts[QUEUE_COMPLETED];
	s->items[item].solved =
		completed(s, s->items[item].hidden) && !(s->obstinate && chance(s, 0.5));
	s->running[worker].item = item;
	s->running[worker].token = s->items[item].token;
}

/* What an attempt says, fenced by its token as the database fences it. */
static void say(struct sim *s, int item, int64_t token, enum sched_event ev)
{
	if (s->items[item].token != token || s->items[item].row.status != QUEUE_BUILDING)
		return; /* refused: nothing is written */
	s->items[item].token = 0;
	event(s, ev, item, REASON_BUILD);
}

static void end(struct sim *s, int worker)
{
	int item = s->running[worker].item;
	int64_t token = s->running[worker].token;
	enum sched_event ev = SCHED_COMPLETED;

	if (s->items[item].hidden >= 0 && !s->items[item].solved)
		ev = SCHED_LACKING;
	else if (chance(s, s->p_fail))
		ev = SCHED_FAILED;
	else if (chance(s, s->p_infra))
		ev = SCHED_INFRASTRUCTURE;
	else if (s->job.cancel_requested || chance(s, s->p_drain))
		ev = SCHED_STOPPED;
	s->running[worker].item = -1;
	say(s, item, token, ev);
}

static void die(struct sim *s, int worker)
{
	int item = s->running[worker].item;
	int64_t token = s->running[worker].token;

	s->running[worker].item = -1;
	if (s->stale_count < (int)countof(s->stale)) {
		s->stale[s->stale_count].item = item;
		s->stale[s->stale_count++].token = token;
	}
	say(s, item, token, SCHED_LOST);
}

static void speak_late(struct sim *s)
{
	static const enum sched_event words[] = {
		SCHED_COMPLETED, SCHED_FAILED, SCHED_STOPPED, SCHED_LOST, SCHED_LACKING};
	int k = below(s, s->stale_count);
	enum queue_status before = s->items[s->stale[k].item].row.status;

	say(s, s->stale[k].item, s->stale[k].token, words[below(s, countof(words))]);
	CHECK(s, s->items[s->stale[k].item].row.status == before);
}

static void step(struct sim *s)
{
	int worker = below(s, WORKERS);

	s->now += below(s, 3000);
	if (chance(s, 0.01))
		s->now += (below(s, 2) ? 1 : -1) * (int64_t)below(s, 86400000);
	if (s->stale_count && chance(s, 0.1))
		speak_late(s);
	if (!s->job.cancel_requested && chance(s, s->p_cancel))
		event(s, SCHED_CANCEL, -1, REASON_CANCELLED);
	if (s->running[worker].item < 0)
		claim(s, worker);
	else if (chance(s, s->p_death))
		die(s, worker);
	else if (chance(s, 0.5))
		end(s, worker);
}

/* ---- a history */

static void make_job(struct sim *s)
{
	double p_hidden = chance(s, 0.5) ? 0 : 0.4, p_choice = chance(s, 0.5) ? 0 : 0.4;

	s->count = below(s, ITEMS_MAX + 1);
	s->obstinate = chance(s, 0.2);
	for (int i = 0; i < s->count; i++) {
		s->items[i] = (struct sim_item){.row = {.id = i + 1, .status = QUEUE_PENDING}};
		for (int k = 0; k < i; k++)
			if (chance(s, 0.2)) {
				s->items[i].choice[s->items[i].need_count] = chance(s, p_choice);
				s->items[i].needs[s->items[i].need_count++] = k;
			}
		s->items[i].row.needs_left = s->items[i].need_count;
		s->items[i].hidden = -1;
		if (chance(s, p_hidden))
			s->items[i].hidden = chance(s, 0.1) ? ITEMS_MAX : below(s, s->count);
	}
	s->job = (struct sched_job){
		.status = BUILD_PREPARING, .fail_fast = chance(s, 0.2), .total = s->count};
	s->job.counts[QUEUE_PENDING] = s->count;
	s->p_fail = chance(s, 0.5) ? 0 : 0.1;
	s->p_infra = chance(s, 0.5) ? 0 : 0.3;
	s->p_death = chance(s, 0.5) ? 0 : (chance(s, 0.1) ? 0.95 : 0.3);
	s->p_cancel = chance(s, 0.7) ? 0 : 0.02;
	s->p_drain = chance(s, 0.8) ? 0 : 0.2;
}

static void check_end(const struct sim *s)
{
	bool all = true;

	for (int i = 0; i < s->count; i++) {
		const struct sim_item *it = &s->items[i];

		CHECK(s, queue_status_final(it->row.status));
		CHECK(s, it->terminal_transitions == 1);
		CHECK(s, it->token == 0);
		CHECK(s, it->row.lost <= LOST_MAX);
		CHECK(s, it->row.attempts <= ATTEMPTS_MAX + 1);
		CHECK(s, !it->row.lacking);
		if (it->hidden >= 0 && it->row.status == QUEUE_COMPLETED)
			CHECK(s, completed(s, it->hidden));
		if (it->row.status == QUEUE_BLOCKED) {
			CHECK(s, s->items[it->row.blocked_by - 1].row.status == QUEUE_FAILED);
			CHECK(s, needs_somehow(s, i, (int)it->row.blocked_by - 1));
		}
		if (it->row.status == QUEUE_CANCELLED)
			CHECK(s, s->job.cancel_requested || s->job.fail_fast);
		all = all && it->row.status == QUEUE_COMPLETED;
	}
	CHECK(s, build_status_final(s->job.status));
	CHECK(s, (s->job.status == BUILD_COMPLETED) == (all && !s->job.cancel_requested));
	CHECK(s, (s->job.status == BUILD_CANCELLED) == s->job.cancel_requested);
}

static void run_history(uint64_t seed)
{
	struct sim s = {.seed = seed, .rng = seed};
	int steps = 0;

	make_job(&s);
	for (int i = 0; i < WORKERS; i++)
		s.running[i].item = -1;
	event(&s, SCHED_PLANNED, -1, REASON_NONE);
	while (!build_status_final(s.job.status) && steps++ < STEPS_MAX)
		step(&s);
	check_end(&s);
}

static void every_history_ends_right(void **state)
{
	const char *seed = getenv("REQPM_SEED"), *histories = getenv("REQPM_HISTORIES");
	long count = histories ? atol(histories) : HISTORIES;

	(void)state;
	if (seed) {
		run_history(strtoull(seed, NULL, 10));
		return;
	}
	for (long i = 1; i <= count; i++)
		run_history((uint64_t)i);
}

/* ---- single steps whose outcome is known */

static void an_infrastructure_fault_is_tried_again_with_growing_pauses(void **state)
{
	struct sched_row row = {.id = 1, .status = QUEUE_BUILDING};
	struct sched_job job = {
		.status = BUILD_RUNNING, .total = 1, .counts = {[QUEUE_BUILDING] = 1}};
	int64_t pauses[ATTEMPTS_MAX] = {0};

	(void)state;
	for (int i = 0; i < ATTEMPTS_MAX; i++) {
		scheduler_apply(SCHED_INFRASTRUCTURE, &job, &row, 1, REASON_INFRASTRUCTURE, 1000);
		pauses[i] = row.not_before - 1000;
		if (i < ATTEMPTS_MAX - 1) {
			assert_int_equal(row.status, QUEUE_QUEUED);
			scheduler_apply(SCHED_CLAIMED, &job, &row, 1, REASON_NONE, 1000);
		}
	}
	assert_int_equal(pauses[0], 2000);
	assert_int_equal(pauses[1], 4000);
	assert_int_equal(pauses[2], 8000);
	assert_int_equal(pauses[3], 16000);
	assert_int_equal(pauses[3], BACKOFF_MAX_MS);
	assert_int_equal(row.status, QUEUE_FAILED);
	assert_int_equal(row.reason, REASON_INFRASTRUCTURE);
	assert_int_equal(job.status, BUILD_FAILED);
}

static void twenty_lost_attempts_in_a_row_end_an_item(void **state)
{
	struct sched_row row = {.id = 1, .status = QUEUE_BUILDING};
	struct sched_job job = {
		.status = BUILD_RUNNING, .total = 1, .counts = {[QUEUE_BUILDING] = 1}};

	(void)state;
	for (int i = 1; i < LOST_MAX; i++) {
		scheduler_apply(SCHED_LOST, &job, &row, 1, REASON_LOST, 0);
		assert_int_equal(row.status, QUEUE_QUEUED);
		scheduler_apply(SCHED_CLAIMED, &job, &row, 1, REASON_NONE, 0);
	}
	scheduler_apply(SCHED_LOST, &job, &row, 1, REASON_LOST, 0);
	assert_int_equal(row.status, QUEUE_FAILED);
	assert_int_equal(row.reason, REASON_LOST);
}

static void a_failure_blocks_its_whole_cone_and_nothing_else(void **state)
{
	struct sched_row rows[] = {
		{.id = 1, .status = QUEUE_BUILDING},
		{.id = 2, .status = QUEUE_PENDING, .needs_left = 1, .downstream = true},
		{.id = 3, .status = QUEUE_PENDING, .needs_left = 1, .downstream = true},
	};
	struct sched_job job = {
		.status = BUILD_RUNNING,
		.total = 4,
		.counts = {[QUEUE_BUILDING] = 1, [QUEUE_PENDING] = 2, [QUEUE_QUEUED] = 1},
	};

	(void)state;
	scheduler_apply(SCHED_FAILED, &job, rows, 3, REASON_BUILD, 0);
	assert_int_equal(rows[1].status, QUEUE_BLOCKED);
	assert_int_equal(rows[2].blocked_by, 1);
	assert_int_equal(job.counts[QUEUE_BLOCKED], 2);
	assert_int_equal(job.status, BUILD_RUNNING);
}

static void who_could_do_with_something_else_waits_only_for_the_rest(void **state)
{
	struct sched_row rows[] = {
		{.id = 1, .status = QUEUE_BUILDING},
		{.id = 2, .status = QUEUE_PENDING, .needs_left = 2, .given_up = 1},
		{.id = 3, .status = QUEUE_PENDING, .needs_left = 1, .given_up = 1},
	};
	struct sched_job job = {
		.status = BUILD_RUNNING,
		.total = 3,
		.counts = {[QUEUE_BUILDING] = 1, [QUEUE_PENDING] = 2},
	};

	(void)state;
	scheduler_apply(SCHED_LOST, &job, rows, 3, REASON_BUILD, 0);
	assert_int_equal(rows[1].needs_left, 2);
	scheduler_apply(SCHED_CLAIMED, &job, rows, 1, REASON_NONE, 0);
	scheduler_apply(SCHED_FAILED, &job, rows, 3, REASON_BUILD, 0);
	assert_int_equal(rows[1].status, QUEUE_PENDING);
	assert_int_equal(rows[1].needs_left, 1);
	assert_int_equal(rows[2].status, QUEUE_QUEUED);
}

static void a_cancel_before_the_plan_ends_the_job(void **state)
{
	struct sched_job job = {.status = BUILD_PREPARING};

	(void)state;
	scheduler_apply(SCHED_CANCEL, &job, NULL, 0, REASON_CANCELLED, 0);
	assert_int_equal(job.status, BUILD_CANCELLED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_history_ends_right),
		cmocka_unit_test(an_infrastructure_fault_is_tried_again_with_growing_pauses),
		cmocka_unit_test(twenty_lost_attempts_in_a_row_end_an_item),
		cmocka_unit_test(a_failure_blocks_its_whole_cone_and_nothing_else),
		cmocka_unit_test(who_could_do_with_something_else_waits_only_for_the_rest),
		cmocka_unit_test(a_cancel_before_the_plan_ends_the_job),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
