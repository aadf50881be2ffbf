// SPDX-License-Identifier: MIT
/*
 * Every writer of builds.h publishes exactly its updates on commit and nothing on rollback. A fake layer counts; the database is a
 * real one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "apps/builds/builds.h"
#include "apps/builds/websocket_utils.h"

struct fixture {
	char dir[64], path[80];
	struct loop loop;
	struct layer layer;
	struct store *store;
	struct strbuf sent; /* "build_job_1:queue_update:completed:3 …": group, type, status, seq */
	struct strbuf forgotten; /* "builds 1, …": folders that may go */
	bool send_fails;
	const char *builder; /* of the jobs that create() makes */
	bool fail_fast, dry_run;
	int64_t job, claimed, now;
};
static struct fixture *the;

static const struct worker_identity worker = {.name = "test", .incarnation = "one", .slots = 2};

/* ---- the fake layer */

static int fake_send(struct layer *l, const char *group, struct msg *m)
{
	struct strbuf err = STRBUF_INIT;
	json_t *message = json_parse(m->text, m->len, &err),
	       *data = json_object_get(message, "data");
	const char *status = json_string_value(json_object_get(data, "status"));

	(void)l;
	assert_non_null(message);
	assert_int_equal(json_integer_value(json_object_get(message, "seq")), m->seq);
	assert_string_equal(
		json_string_value(json_object_get(message, "epoch")), store_epoch(the->store));
	strbuf_addf(&the->sent, "%s:%s:%s:%lld%s ", group,
		json_string_value(json_object_get(message, "type")), status ? status : "-",
		(long long)m->seq,
		m->final    ? ":final"
		: m->resync ? ":resync"
			    : "");
	json_decref(message);
	strbuf_finish(&err);
	return the->send_fails ? -EIO : 0;
}

static const struct layer_ops fake = {.name = "fake", .group_send = fake_send};

static int setup(void **state)
{
	struct fixture *f = the = xcalloc(1, sizeof(*f));
	struct strbuf err = STRBUF_INIT;
	struct store_config config;

	strcpy(f->dir, "/tmp/reqpm-models-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/db", f->dir);
	loop_init(&f->loop);
	strbuf_init(&f->sent);
	strbuf_init(&f->forgotten);
	config =
		(struct store_config){&f->loop, f->path, builds_migrations, builds_migration_count};
	f->store = store_open(&config, &err);
	assert_non_null(f->store);
	f->builder = "command";
	f->now = 2000;
	f->layer = (struct layer){.ops = &fake, .loop = &f->loop};
	websocket_utils_init(f->store, &f->layer);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	loop_finish(&f->loop);
	strbuf_finish(&f->sent);
	strbuf_finish(&f->forgotten);
	tree_remove(f->dir);
	free(f);
	return 0;
}

/* ---- one unit at a time, and what it sent */

typedef int unit_fn(struct tx *tx, void *arg);

static int write_unit(unit_fn *fn, void *arg)
{
	int r;

	strbuf_reset(&the->forgotten);
	r = store_write_wait(the->store, fn, arg);
	strbuf_reset(&the->sent);
	loop_run_posted(&the->loop);
	return r;
}

#define assert_sent(text) assert_string_equal(the->sent.buf, text)

struct rollback {
	unit_fn *fn;
	void *arg;
	int result;
};

static int run_and_roll_back(struct tx *tx, void *arg)
{
	struct rollback *r = arg;

	r->result = r->fn(tx, r->arg);
	return -ECANCELED;
}

/* Runs the unit once in a transaction that rolls back, which must send nothing, then for good. */
static int both_ways(unit_fn *fn, void *arg)
{
	struct rollback r = {.fn = fn, .arg = arg};

	assert_int_equal(write_unit(run_and_roll_back, &r), -ECANCELED);
	assert_sent("");
	return write_unit(fn, arg);
}

/* ---- units */

static int create(struct tx *tx, void *arg)
{
	struct build_job_new n = {.name = "stack",
		.builder = the->builder,
		.fail_fast = the->fail_fast,
		.dry_run = the->dry_run};
	bool existed;
	int r = upload_create(tx, 1000, &n.upload_id);

	(void)arg;
	if (r >= 0)
		r = upload_put_file(tx, n.upload_id, "packages.json", 10, "00");
	return r < 0 ? r : build_job_create(tx, &n, 1000, &the->job, &existed);
}

static int prepare(struct tx *tx, void *arg)
{
	(void)arg;
	return build_job_prepare(tx, the->job, 1001);
}

static int put_back(struct tx *tx, void *arg)
{
	(void)arg;
	return build_job_put_back(tx, the->job);
}

static int reading(struct tx *tx, void *arg)
{
	(void)arg;
	return build_job_reading(tx, the->job, 3, 7);
}

/* base <- lib <- app, and alone. Ids are 1 … 4 in this order. */
static const int needs_base[] = {0}, needs_lib[] = {1};
static const struct plan_item diamond[] = {
	{.package = "base", .version = "1", .payload = "{}", .priority = 30},
	{.package = "lib",
		.version = "1",
		.payload = "{}",
		.priority = 20,
		.needs = needs_base,
		.need_count = 1},
	{.package = "app",
		.version = "2",
		.payload = "{}",
		.priority = 10,
		.needs = needs_lib,
		.need_count = 1},
	{.package = "alone", .version = "", .payload = "{}", .priority = 5},
};

#define PLAN(of, number)                                                                           \
	{                                                                                          \
		.items = (of), .count = (number), .json = "{\"levels\":[]}"                        \
	}
static const struct plan all_of_diamond = PLAN(diamond, countof(diamond));

static int plan(struct tx *tx, void *arg)
{
	return build_job_plan(tx, the->job, arg ? arg : &all_of_diamond, 1002);
}

static int refuse(struct tx *tx, void *arg)
{
	(void)arg;
	return build_job_refuse(tx, the->job, "{\"detail\":\"no\"}", 1002);
}

static int cancel(struct tx *tx, void *arg)
{
	(void)arg;
	return build_job_cancel(tx, the->job, 1003);
}

static int claim(struct tx *tx, void *arg)
{
	struct claim c = {0};
	int64_t due;
	int r = queue_item_claim(tx, &worker, 1, the->now, &c, &due);

	if (r > 0)
		*(int64_t *)arg = c.token;
	the->claimed = c.item_id;
	claim_finish(&c);
	return r < 0 ? r : (r ? 0 : -ENODATA);
}

struct end_arg {
	int64_t item, token;
	enum attempt_end end;
	const char *lacks, *provides;
};

static int end(struct tx *tx, void *arg)
{
	struct end_arg *e = arg;
	struct artifact_row a = {.file = "x.rpm",
		.kind = "rpm",
		.sha256 = "00",
		.nevra = "x-1-1.noarch",
		.provides = e->provides,
		.size = 7};
	struct attempt_result result = {
		.end = e->end,
		.reason = REASON_BUILD,
		.why = e->end == ATTEMPT_COMPLETED ? NULL : "it broke",
		.lacks = e->lacks,
		.log_size = 12,
		.log_lines = 1,
		.log_sha256 = "00",
		.log_tail = "last words\n",
		.artifacts = &a,
		.artifact_count = 1,
	};

	return queue_item_end(tx, e->item, e->token, &result, the->now + 1000);
}

static int phase(struct tx *tx, void *arg)
{
	return queue_item_set_phase(tx, 1, *(int64_t *)arg, "%build", 5);
}

static int start_worker(struct tx *tx, void *arg)
{
	return worker_start(tx, arg ? arg : &worker, 4000);
}

static int retry(struct tx *tx, void *arg)
{
	return build_job_retry(tx, the->job, 5000, arg);
}

static void begin_plan(const struct plan *p)
{
	assert_int_equal(write_unit(start_worker, NULL), 0);
	assert_int_equal(write_unit(create, NULL), 0);
	assert_int_equal(write_unit(prepare, NULL), 0);
	assert_int_equal(both_ways(plan, (void *)p), 0);
}

static void begin(int count)
{
	struct plan p = all_of_diamond;

	p.count = (size_t)count;
	begin_plan(&p);
}

static int64_t claim_next(void)
{
	int64_t token = 0;

	assert_int_equal(write_unit(claim, &token), 0);
	return token;
}

static void end_item(int64_t item, int64_t token, enum attempt_end how)
{
	struct end_arg e = {.item = item, .token = token, .end = how};

	assert_int_equal(both_ways(end, &e), 0);
}

static int put_item(const struct queue_item *item, void *arg)
{
	strbuf_addf(arg, "%s %s, ", item->package, queue_status_name[item->status]);
	return 0;
}

static int put_items(struct tx *tx, void *arg)
{
	return queue_items_of(tx, the->job, put_item, arg);
}

static void assert_states(const char *expected)
{
	struct strbuf states = STRBUF_INIT;

	assert_true(store_read_wait(the->store, put_items, &states) >= 0);
	assert_string_equal(states.buf, expected);
	strbuf_finish(&states);
}

/* ---- tests */

static void the_reading_of_specs_is_published_while_it_goes_on(void **state)
{
	(void)state;
	assert_int_equal(write_unit(create, NULL), 0);
	assert_int_equal(write_unit(reading, NULL), -ESTALE);
	assert_int_equal(write_unit(prepare, NULL), 0);
	assert_int_equal(both_ways(reading, NULL), 0);
	assert_sent("build_job_1:build_update:preparing:3 builds:build_update:preparing:3 ");
	assert_int_equal(write_unit(plan, NULL), 0);
	assert_int_equal(write_unit(reading, NULL), -ESTALE);
}

static void creating_preparing_and_planning_publish_the_job_and_what_became_ready(void **state)
{
	(void)state;
	assert_int_equal(both_ways(create, NULL), 0);
	assert_sent("build_job_1:build_update:pending:1 builds:build_update:pending:1 ");
	assert_int_equal(both_ways(prepare, NULL), 0);
	assert_sent("build_job_1:build_update:preparing:2 builds:build_update:preparing:2 ");
	assert_int_equal(both_ways(plan, NULL), 0);
	assert_sent("build_job_1:build_update:running:3:resync builds:build_update:running:3 ");
}

static void a_preparation_that_stops_is_published_as_pending(void **state)
{
	(void)state;
	assert_int_equal(write_unit(create, NULL), 0);
	assert_int_equal(write_unit(put_back, NULL), -ESTALE);
	assert_int_equal(write_unit(prepare, NULL), 0);
	assert_int_equal(both_ways(put_back, NULL), 0);
	assert_sent("build_job_1:build_update:pending:3 builds:build_update:pending:3 ");
	assert_int_equal(write_unit(prepare, NULL), 0);
	assert_int_equal(write_unit(plan, NULL), 0);
	assert_int_equal(write_unit(put_back, NULL), -ESTALE);
}

static void a_claim_publishes_the_item_and_the_job(void **state)
{
	int64_t token;

	(void)state;
	begin(4);
	assert_int_equal(both_ways(claim, &token), 0);
	assert_sent("build_job_1:queue_update:building:4 build_job_1:build_update:running:5 "
		    "builds:build_update:running:5 ");
	assert_int_equal(both_ways(phase, &token), 0);
	assert_sent("build_job_1:queue_update:building:6 ");
}

static void the_longest_path_is_claimed_first_and_then_the_earlier_item(void **state)
{
	static const struct plan_item rising[] = {
		{.package = "short", .version = "1", .payload = "{}", .priority = 1},
		{.package = "long", .version = "1", .payload = "{}", .priority = 9},
		{.package = "same", .version = "1", .payload = "{}", .priority = 9},
	};
	static const int64_t order[] = {2, 3, 1};
	struct plan p = PLAN(rising, countof(rising));

	(void)state;
	begin_plan(&p);
	for (size_t i = 0; i < countof(order); i++) {
		claim_next();
		assert_int_equal(the->claimed, order[i]);
	}
}

static void a_completed_item_releases_its_dependents_in_the_same_commit(void **state)
{
	struct end_arg e = {.item = 1, .end = ATTEMPT_COMPLETED};

	(void)state;
	begin(4);
	e.token = claim_next();
	assert_int_equal(both_ways(end, &e), 0);
	assert_sent("build_job_1:queue_update:completed:6 build_job_1:queue_update:queued:7 "
		    "build_job_1:build_update:running:8 builds:build_update:running:8 ");
}

static int end_and_claim(struct tx *tx, void *arg)
{
	int64_t token;
	int r = end(tx, arg);

	return r < 0 ? r : claim(tx, &token);
}

static void an_end_and_the_next_claim_in_one_commit_publish_each_object_once(void **state)
{
	struct end_arg e = {.item = 1, .end = ATTEMPT_COMPLETED};

	(void)state;
	begin(4);
	e.token = claim_next();
	/* lib becomes ready and is claimed at once: that it was ready between is nobody's matter. */
	assert_int_equal(both_ways(end_and_claim, &e), 0);
	assert_sent("build_job_1:queue_update:completed:6 build_job_1:queue_update:building:7 "
		    "build_job_1:build_update:running:8 builds:build_update:running:8 ");
}

static void a_failed_item_blocks_all_that_needs_it_and_the_rest_goes_on(void **state)
{
	(void)state;
	begin(4);
	end_item(1, claim_next(), ATTEMPT_FAILED);
	assert_sent("build_job_1:queue_update:failed:6 build_job_1:queue_update:blocked:7 "
		    "build_job_1:queue_update:blocked:8 "
		    "build_job_1:build_update:running:9 builds:build_update:running:9 ");
	end_item(4, claim_next(), ATTEMPT_COMPLETED);
	assert_sent(
		"build_job_1:queue_update:completed:12 build_job_1:build_update:failed:13:final "
		"builds:build_update:failed:13 ");
}

static void the_last_item_ends_the_job_in_its_own_commit(void **state)
{
	(void)state;
	begin(1);
	end_item(1, claim_next(), ATTEMPT_COMPLETED);
	assert_sent(
		"build_job_1:queue_update:completed:6 build_job_1:build_update:completed:7:final "
		"builds:build_update:completed:7 ");
}

static void a_plan_without_packages_completes_at_once(void **state)
{
	(void)state;
	begin(0);
	assert_sent("build_job_1:build_update:completed:3:final builds:build_update:completed:3 ");
}

static void a_refused_job_is_failed_and_final(void **state)
{
	(void)state;
	write_unit(create, NULL);
	write_unit(prepare, NULL);
	assert_int_equal(both_ways(refuse, NULL), 0);
	assert_sent("build_job_1:build_update:failed:3:final builds:build_update:failed:3 ");
	assert_int_equal(write_unit(plan, NULL), -ESTALE);
	assert_sent("");
}

static void a_cancel_ends_what_waits_and_leaves_what_builds_to_its_worker(void **state)
{
	int64_t token;

	(void)state;
	begin(4);
	token = claim_next();
	assert_int_equal(both_ways(cancel, NULL), 0);
	assert_sent("build_job_1:queue_update:cancelled:6 build_job_1:queue_update:cancelled:7 "
		    "build_job_1:queue_update:cancelled:8 build_job_1:build_update:running:9 "
		    "builds:build_update:running:9 ");
	end_item(1, token, ATTEMPT_STOPPED);
	assert_sent(
		"build_job_1:queue_update:cancelled:10 build_job_1:build_update:cancelled:11:final "
		"builds:build_update:cancelled:11 ");
	assert_int_equal(write_unit(cancel, NULL), -EALREADY);
}

static void a_stale_token_is_refused_and_sends_nothing(void **state)
{
	struct worker_identity other = {.name = "test", .incarnation = "two", .slots = 2};
	int64_t old, fresh;
	struct end_arg e = {.item = 1, .end = ATTEMPT_COMPLETED};

	(void)state;
	begin(1);
	old = claim_next();
	assert_int_equal(both_ways(start_worker, &other), 0);
	assert_sent("build_job_1:queue_update:queued:6 build_job_1:build_update:running:7 "
		    "builds:build_update:running:7 ");
	fresh = claim_next();
	assert_true(fresh > old);
	e.token = old;
	assert_int_equal(write_unit(end, &e), -ESTALE);
	assert_int_equal(write_unit(phase, &old), -ESTALE);
	assert_sent("");
	end_item(1, fresh, ATTEMPT_COMPLETED);
	assert_sent(
		"build_job_1:queue_update:completed:10 build_job_1:build_update:completed:11:final "
		"builds:build_update:completed:11 ");
}

static void a_restart_takes_up_what_was_preparing(void **state)
{
	(void)state;
	write_unit(start_worker, NULL);
	write_unit(create, NULL);
	write_unit(prepare, NULL);
	assert_int_equal(write_unit(start_worker, &(struct worker_identity){"test", "two", 2}), 0);
	assert_sent("build_job_1:build_update:pending:3 builds:build_update:pending:3 ");
}

static void a_retry_is_a_new_job_of_an_ended_one(void **state)
{
	int64_t id = 0;

	(void)state;
	begin(1);
	assert_int_equal(write_unit(retry, &id), -EBUSY);
	end_item(1, claim_next(), ATTEMPT_FAILED);
	assert_int_equal(both_ways(retry, &id), 0);
	assert_int_equal(id, 2);
	assert_sent("build_job_2:build_update:pending:1 builds:build_update:pending:1 ");
}

static int take_job(const struct build_job *job, void *arg)
{
	int64_t *ret = arg;

	assert_string_equal(job->builder, "command");
	ret[0] = job->status;
	ret[1] = build_job_progress(job);
	return 0;
}

static int read_job(struct tx *tx, void *arg)
{
	return build_job_get(tx, the->job, take_job, arg);
}

static void a_send_that_fails_leaves_the_commit_standing(void **state)
{
	int64_t job[2];

	(void)state;
	the->send_fails = true;
	begin(1);
	end_item(1, claim_next(), ATTEMPT_COMPLETED);
	assert_int_equal(store_read_wait(the->store, read_job, job), 0);
	assert_int_equal(job[0], BUILD_COMPLETED);
	assert_int_equal(job[1], 1000);
}

static int own_update(struct tx *tx, void *arg)
{
	(void)arg;
	assert_ptr_equal(tx, tx_current());
	return send_build_job_update(1);
}

static void an_update_outside_a_transaction_makes_one_of_its_own(void **state)
{
	(void)state;
	begin(1);
	assert_int_equal(both_ways(own_update, NULL), 0);
	assert_sent("build_job_1:build_update:running:4 builds:build_update:running:4 ");
	assert_int_equal(send_queue_item_update(1), 0);
	assert_int_equal(store_read_wait(the->store, read_job, (int64_t[2]){0}), 0);
	store_write_wait(the->store, own_update, NULL);
	strbuf_reset(&the->sent);
	loop_run_posted(&the->loop);
	assert_sent("build_job_1:queue_update:queued:5 build_job_1:build_update:running:6 "
		    "builds:build_update:running:6 ");
}

static void progress_is_rounded_to_one_decimal(void **state)
{
	struct build_job job = {
		.total = 185, .counts = {[QUEUE_COMPLETED] = 10, [QUEUE_FAILED] = 2}};

	(void)state;
	assert_int_equal(build_job_progress(&job), 65);
	job.total = 0;
	assert_int_equal(build_job_progress(&job), 0);
	job.total = 16;
	assert_int_equal(build_job_progress(&job), 750);
}

/* ---- ends that are none, and ends of others */

static void an_attempt_without_a_verdict_puts_the_item_back_until_the_last_one(void **state)
{
	(void)state;
	begin(1);
	for (int i = 1; i < ATTEMPTS_MAX; i++) {
		end_item(1, claim_next(), ATTEMPT_INFRASTRUCTURE);
		assert_states("base queued, ");
		if (i == 1)
			assert_sent("build_job_1:queue_update:queued:6 "
				    "build_job_1:build_update:running:7 "
				    "builds:build_update:running:7 ");
		the->now += 1000 * 1000;
	}
	end_item(1, claim_next(), ATTEMPT_INFRASTRUCTURE);
	assert_sent("build_job_1:queue_update:failed:22 build_job_1:build_update:failed:23:final "
		    "builds:build_update:failed:23 ");
}

static void what_lacks_something_waits_and_is_told_of_with_what_brings_it(void **state)
{
	struct end_arg lacks = {.item = 1, .end = ATTEMPT_LACKING, .lacks = "perl(A)"};
	struct end_arg brings = {.item = 4, .end = ATTEMPT_COMPLETED, .provides = "[\"perl(A)\"]"};

	(void)state;
	begin(4);
	lacks.token = claim_next();
	assert_int_equal(both_ways(end, &lacks), 0);
	assert_sent("build_job_1:queue_update:pending:6 build_job_1:build_update:running:7 "
		    "builds:build_update:running:7 ");
	brings.token = claim_next();
	assert_int_equal(both_ways(end, &brings), 0);
	assert_sent("build_job_1:queue_update:completed:10 build_job_1:queue_update:queued:11 "
		    "build_job_1:build_update:running:12 builds:build_update:running:12 ");
}

static void what_nothing_can_bring_any_more_fails_with_the_commit_that_says_so(void **state)
{
	struct end_arg lacks = {.item = 1, .end = ATTEMPT_LACKING, .lacks = "perl(A)"};

	(void)state;
	begin(4);
	lacks.token = claim_next();
	assert_int_equal(write_unit(end, &lacks), 0);
	end_item(4, claim_next(), ATTEMPT_COMPLETED);
	assert_sent("build_job_1:queue_update:completed:10 build_job_1:queue_update:failed:11 "
		    "build_job_1:queue_update:blocked:12 build_job_1:queue_update:blocked:13 "
		    "build_job_1:build_update:failed:14:final builds:build_update:failed:14 ");
}

static void a_job_that_fails_fast_ends_with_its_first_failure(void **state)
{
	(void)state;
	the->fail_fast = true;
	begin(4);
	end_item(1, claim_next(), ATTEMPT_FAILED);
	assert_sent("build_job_1:queue_update:failed:6 build_job_1:queue_update:blocked:7 "
		    "build_job_1:queue_update:blocked:8 build_job_1:queue_update:cancelled:9 "
		    "build_job_1:build_update:failed:10:final builds:build_update:failed:10 ");
}

/* ---- plans that begin with more than waiting items: one snapshot tells of all of them */

static const struct plan_item without_base[] = {
	{.package = "base",
		.version = "1",
		.payload = "{}",
		.excluded = "not for this machine",
		.excluded_reason = REASON_ARCHITECTURE},
	{.package = "lib", .version = "1", .payload = "{}", .needs = needs_base, .need_count = 1},
	{.package = "alone", .version = "", .payload = "{}"},
};

static void what_cannot_be_built_here_is_failed_and_blocks_with_the_plan(void **state)
{
	struct plan p = PLAN(without_base, countof(without_base));

	(void)state;
	begin_plan(&p);
	assert_sent("build_job_1:build_update:running:3:resync builds:build_update:running:3 ");
	assert_states("base failed, lib blocked, alone queued, ");
}

static void what_cannot_be_built_here_ends_a_job_that_fails_fast_with_its_plan(void **state)
{
	struct plan p = PLAN(without_base, countof(without_base));

	(void)state;
	the->fail_fast = true;
	begin_plan(&p);
	assert_sent("build_job_1:build_update:failed:3:final builds:build_update:failed:3 ");
	assert_states("base failed, lib blocked, alone cancelled, ");
}

static void what_is_taken_over_is_completed_with_the_plan(void **state)
{
	struct plan_item again[countof(diamond)];
	struct plan p = PLAN(again, countof(again));
	int64_t retried = 0;

	(void)state;
	begin(4);
	end_item(1, claim_next(), ATTEMPT_COMPLETED);
	end_item(2, claim_next(), ATTEMPT_FAILED);
	end_item(4, claim_next(), ATTEMPT_COMPLETED);
	assert_int_equal(write_unit(retry, &retried), 0);
	the->job = retried;
	memcpy(again, diamond, sizeof(again));
	again[0].taken_over = 1;
	again[3].taken_over = 4;
	assert_int_equal(write_unit(prepare, NULL), 0);
	assert_int_equal(both_ways(plan, &p), 0);
	assert_sent("build_job_2:build_update:running:3:resync builds:build_update:running:3 ");
	assert_states("base completed, lib queued, app pending, alone completed, ");
}

/* ---- builds that somebody else does */

struct report_arg {
	int64_t item;
	enum queue_status status;
};

static int report(struct tx *tx, void *arg)
{
	const struct report_arg *r = arg;

	return queue_item_report(tx, r->item, r->status, "so they say", 3000);
}

static int report_item(int64_t item, enum queue_status status)
{
	return both_ways(report, &(struct report_arg){item, status});
}

static void a_report_publishes_what_it_changes(void **state)
{
	(void)state;
	the->builder = "external";
	begin(4);
	assert_int_equal(report_item(1, QUEUE_BUILDING), 0);
	assert_sent("build_job_1:queue_update:building:4 build_job_1:build_update:running:5 "
		    "builds:build_update:running:5 ");
	assert_int_equal(report_item(1, QUEUE_COMPLETED), 0);
	assert_sent("build_job_1:queue_update:completed:6 build_job_1:queue_update:queued:7 "
		    "build_job_1:build_update:running:8 builds:build_update:running:8 ");
	assert_int_equal(report_item(2, QUEUE_BUILDING), 0);
	assert_int_equal(report_item(2, QUEUE_FAILED), 0);
	assert_sent("build_job_1:queue_update:failed:11 build_job_1:queue_update:blocked:12 "
		    "build_job_1:build_update:running:13 builds:build_update:running:13 ");
	assert_int_equal(report_item(4, QUEUE_BUILDING), 0);
	assert_int_equal(report_item(4, QUEUE_COMPLETED), 0);
	assert_sent(
		"build_job_1:queue_update:completed:16 build_job_1:build_update:failed:17:final "
		"builds:build_update:failed:17 ");
}

static void a_report_out_of_turn_is_refused_and_sends_nothing(void **state)
{
	(void)state;
	the->builder = "external";
	begin(4);
	assert_int_equal(report_item(1, QUEUE_COMPLETED), -EINVAL);
	assert_sent("");
	assert_int_equal(report_item(2, QUEUE_BUILDING), -EINVAL);
	assert_sent("");
	assert_int_equal(report_item(99, QUEUE_BUILDING), -ENOENT);
	assert_sent("");
}

static void a_report_about_what_a_worker_builds_is_refused_and_sends_nothing(void **state)
{
	(void)state;
	begin(1);
	assert_int_equal(report_item(1, QUEUE_BUILDING), -EPERM);
	assert_sent("");
}

/* ---- upkeep */

static int heartbeat(struct tx *tx, void *arg)
{
	(void)arg;
	return worker_heartbeat(tx, &worker, 9000);
}

static int take_heartbeat(const struct worker_identity *w, int64_t heartbeat_at, int64_t started_at,
	bool current, void *arg)
{
	(void)w;
	(void)started_at;
	(void)current;
	*(int64_t *)arg = heartbeat_at;
	return 0;
}

static int read_heartbeat(struct tx *tx, void *arg)
{
	return workers_list(tx, take_heartbeat, arg);
}

static void a_heartbeat_is_nobody_elses_matter(void **state)
{
	int64_t at = 0;

	(void)state;
	begin(1);
	assert_int_equal(both_ways(heartbeat, NULL), 0);
	assert_sent("");
	store_read_wait(the->store, read_heartbeat, &at);
	assert_int_equal(at, 9000);
}

static int hold(struct tx *tx, void *arg)
{
	return worker_hold(tx, &worker, arg);
}

static int read_item(struct tx *tx, void *arg)
{
	return queue_item_document(tx, 1, arg);
}

static void assert_item_says(const char *why)
{
	struct strbuf item = STRBUF_INIT;

	assert_true(store_read_wait(the->store, read_item, &item) >= 0);
	assert_non_null(strstr(item.buf, why));
	strbuf_finish(&item);
}

static void a_worker_that_claims_nothing_is_told_to_those_who_wait_for_it(void **state)
{
	(void)state;
	begin(1);
	assert_int_equal(both_ways(hold, (void *)"waits for room"), 0);
	assert_sent("build_job_1:build_update:running:4:resync builds:build_update:running:4 ");
	assert_item_says("\"why\":\"waits for room\"");
	assert_int_equal(both_ways(hold, NULL), 0);
	assert_sent("build_job_1:build_update:running:5:resync builds:build_update:running:5 ");
	assert_item_says("\"why\":\"waits for a free slot\"");
	/* Nothing waits. */
	claim_next();
	assert_int_equal(both_ways(hold, (void *)"waits for room"), 0);
	assert_sent("");
	/* Another incarnation knows better. */
	assert_int_equal(write_unit(start_worker,
				 &(struct worker_identity){.name = "test", .incarnation = "two"}),
		0);
	assert_item_says("\"why\":\"waits for a free slot\"");
}

static void what_others_build_waits_for_no_worker(void **state)
{
	(void)state;
	the->builder = "external";
	begin(4);
	assert_int_equal(both_ways(hold, (void *)"waits for room"), 0);
	assert_sent("");
	assert_item_says("\"why\":\"waits for a free slot\"");
}

static int check_job(struct tx *tx, void *arg)
{
	(void)arg;
	return build_job_check(tx, the->job, 6000);
}

/* As a crash between two versions of this program may leave it. */
static int end_items_by_hand(struct tx *tx, void *arg)
{
	int r = tx_exec(tx,
		"UPDATE build_jobs SET queued_packages = 0, completed_packages = 1 WHERE id = $1",
		"i", the->job);

	(void)arg;
	return r < 0 ? r : 0;
}

static void a_check_publishes_the_end_of_a_job_once(void **state)
{
	(void)state;
	begin(1);
	assert_int_equal(both_ways(check_job, NULL), 0);
	assert_sent("");
	assert_int_equal(write_unit(end_items_by_hand, NULL), 0);
	assert_int_equal(both_ways(check_job, NULL), 0);
	assert_sent("build_job_1:build_update:completed:4:final builds:build_update:completed:4 ");
	assert_int_equal(both_ways(check_job, NULL), 0);
	assert_sent("");
}

/* ---- what is not kept */

static void note_folder(void *arg, const char *kind, int64_t id)
{
	(void)arg;
	strbuf_addf(&the->forgotten, "%s %lld, ", kind, (long long)id);
}

#define assert_forgotten(text) assert_string_equal(the->forgotten.buf, text)

static int create_upload(struct tx *tx, void *arg)
{
	return upload_create(tx, 1000, arg);
}

static int delete_upload(struct tx *tx, void *arg)
{
	return upload_delete(tx, *(int64_t *)arg, note_folder, NULL);
}

static int delete_job(struct tx *tx, void *arg)
{
	(void)arg;
	return build_job_delete(tx, the->job, note_folder, NULL);
}

static int expire(struct tx *tx, void *arg)
{
	const int64_t *keep_ms = arg;

	return builds_expire(tx, 1000 + 2 * UPLOAD_TTL_MS, *keep_ms, note_folder, NULL);
}

static void a_deleted_upload_is_told_to_nobody(void **state)
{
	int64_t id = 0, sealed = 1;

	(void)state;
	assert_int_equal(write_unit(create, NULL), 0);
	assert_int_equal(write_unit(delete_upload, &sealed), -EPERM);
	assert_int_equal(write_unit(create_upload, &id), 0);
	assert_int_equal(both_ways(delete_upload, &id), 0);
	assert_sent("");
	assert_forgotten("uploads 2, ");
	assert_int_equal(write_unit(delete_upload, &id), -ENOENT);
}

static void a_deleted_job_is_told_to_the_list(void **state)
{
	(void)state;
	begin(1);
	assert_int_equal(both_ways(delete_job, NULL), -EBUSY);
	assert_sent("");
	end_item(1, claim_next(), ATTEMPT_COMPLETED);
	assert_int_equal(both_ways(delete_job, NULL), 0);
	assert_sent("builds:build_removed:-:8 ");
	assert_forgotten("builds 1, uploads 1, ");
	assert_int_equal(both_ways(delete_job, NULL), -ENOENT);
	assert_sent("");
}

static void of_what_expires_the_list_is_told_what_it_showed(void **state)
{
	int64_t forever = 0, a_day = UPLOAD_TTL_MS, id;

	(void)state;
	begin(1);
	end_item(1, claim_next(), ATTEMPT_COMPLETED);
	the->dry_run = true;
	assert_int_equal(write_unit(create, NULL), 0);
	assert_int_equal(write_unit(prepare, NULL), 0);
	assert_int_equal(write_unit(plan, NULL), 0);
	assert_int_equal(write_unit(create_upload, &id), 0);
	assert_int_equal(both_ways(expire, &forever), 0);
	assert_sent("");
	assert_forgotten("uploads 3, builds 2, uploads 2, ");
	assert_int_equal(both_ways(expire, &a_day), 0);
	assert_sent("builds:build_removed:-:8 ");
	assert_forgotten("builds 1, uploads 1, ");
}

#define scenario(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scenario(the_reading_of_specs_is_published_while_it_goes_on),
		scenario(creating_preparing_and_planning_publish_the_job_and_what_became_ready),
		scenario(a_preparation_that_stops_is_published_as_pending),
		scenario(a_claim_publishes_the_item_and_the_job),
		scenario(the_longest_path_is_claimed_first_and_then_the_earlier_item),
		scenario(a_completed_item_releases_its_dependents_in_the_same_commit),
		scenario(an_end_and_the_next_claim_in_one_commit_publish_each_object_once),
		scenario(a_failed_item_blocks_all_that_needs_it_and_the_rest_goes_on),
		scenario(the_last_item_ends_the_job_in_its_own_commit),
		scenario(a_plan_without_packages_completes_at_once),
		scenario(a_refused_job_is_failed_and_final),
		scenario(a_cancel_ends_what_waits_and_leaves_what_builds_to_its_worker),
		scenario(a_stale_token_is_refused_and_sends_nothing),
		scenario(a_restart_takes_up_what_was_preparing),
		scenario(a_retry_is_a_new_job_of_an_ended_one),
		scenario(a_send_that_fails_leaves_the_commit_standing),
		scenario(an_update_outside_a_transaction_makes_one_of_its_own),
		scenario(an_attempt_without_a_verdict_puts_the_item_back_until_the_last_one),
		scenario(what_lacks_something_waits_and_is_told_of_with_what_brings_it),
		scenario(what_nothing_can_bring_any_more_fails_with_the_commit_that_says_so),
		scenario(a_job_that_fails_fast_ends_with_its_first_failure),
		scenario(what_cannot_be_built_here_is_failed_and_blocks_with_the_plan),
		scenario(what_cannot_be_built_here_ends_a_job_that_fails_fast_with_its_plan),
		scenario(what_is_taken_over_is_completed_with_the_plan),
		scenario(a_report_publishes_what_it_changes),
		scenario(a_report_out_of_turn_is_refused_and_sends_nothing),
		scenario(a_report_about_what_a_worker_builds_is_refused_and_sends_nothing),
		scenario(a_heartbeat_is_nobody_elses_matter),
		scenario(a_worker_that_claims_nothing_is_told_to_those_who_wait_for_it),
		scenario(what_others_build_waits_for_no_worker),
		scenario(a_check_publishes_the_end_of_a_job_once),
		scenario(a_deleted_upload_is_told_to_nobody),
		scenario(a_deleted_job_is_told_to_the_list),
		scenario(of_what_expires_the_list_is_told_what_it_showed),
		scenario(progress_is_rounded_to_one_decimal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
