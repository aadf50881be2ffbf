// SPDX-License-Identifier: MIT
/*
 * A layer that loses every message: builds end all the same, and one heartbeat later their viewers show what the database
 * holds. The database, the rooms and the sockets are real; heartbeats come when a test says so.
 */
#include "../../core/ws/peer.h"

#include <setjmp.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>
#include "apps/builds/app.h"
#include "apps/builds/websocket_utils.h"
#include "core/channels/rooms_internal.h"

#define NEVER_MS (3600 * 1000)

/* What a viewer was told, by the last of each kind. */
struct recording {
	struct strbuf snapshot;
	int snapshots, updates, heartbeats;
};

enum { OF_BUILD, OF_LIST, VIEWERS };
static struct {
	char dir[64];
	struct stage stage;
	struct layer layer;
	struct app app;
	struct rooms_tuning real;
	struct peer peers[VIEWERS];
	struct recording seen[VIEWERS];
	uint64_t lost; /* messages */
	int64_t job;
} the;

/* ---- the layer */

static int any_group(struct layer *l, const char *group)
{
	(void)l;
	(void)group;
	return 0;
}

static int lose(struct layer *l, const char *group, struct msg *m)
{
	(void)l;
	(void)group;
	(void)m;
	the.lost++;
	return -EIO;
}

static const struct layer_ops broken = {
	.name = "broken", .group_add = any_group, .group_discard = any_group, .group_send = lose};

/* ---- the server */

static struct store *open_store(struct loop *loop)
{
	struct strbuf err = STRBUF_INIT;
	struct store *store;
	char path[80];

	strcpy(the.dir, "/tmp/reqpm-broken-XXXXXX");
	assert_non_null(mkdtemp(the.dir));
	snprintf(path, sizeof(path), "%s/db", the.dir);
	store = store_open(
		&(struct store_config){loop, path, builds_migrations, builds_migration_count},
		&err);
	assert_non_null(store);
	return store;
}

static int setup(void **state)
{
	struct app *app = &the.app;
	struct strbuf err = STRBUF_INIT;
	struct room_source source;

	(void)state;
	memset(&the, 0, sizeof(the));
	the.real = rooms_tuning;
	rooms_tuning.heartbeat_ms = NEVER_MS;
	rooms_tuning.gap_ms = 0;
	stage_open(&the.stage, builds_routes, builds_route_count, app, 0);
	app->loop = &the.stage.loop;
	app->store = open_store(app->loop);
	the.layer = (struct layer){.ops = &broken, .loop = app->loop};
	app->layer = &the.layer;
	websocket_utils_init(app->store, app->layer);
	source = builds_room_source(app);
	app->rooms = rooms_create(app->loop, app->layer, &source, store_epoch(app->store));
	/* The peers ask "localhost" without a port. */
	app->access = access_create(&(struct access_config){.port = 80, .token = "token"}, &err);
	assert_non_null(app->access);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < VIEWERS; i++) {
		peer_end(&the.peers[i], false);
		strbuf_finish(&the.seen[i].snapshot);
	}
	rooms_destroy(the.app.rooms);
	store_close(the.app.store);
	access_destroy(the.app.access);
	stage_close(&the.stage);
	tree_remove(the.dir);
	rooms_tuning = the.real;
	return 0;
}

#define until(condition) stage_until(&the.stage, the.peers, VIEWERS, condition)

/* ---- viewers */

static void on_message(void *arg, enum ws_opcode opcode, const char *data, size_t len)
{
	struct recording *rec = arg;

	if (opcode != WS_TEXT)
		return;
	if (strstr(data, "\"type\":\"heartbeat\"")) {
		rec->heartbeats++;
	} else if (strstr(data, "\"snapshot\":true") || strstr(data, "\"type\":\"build_list\"")) {
		rec->snapshots++;
		strbuf_reset(&rec->snapshot);
		strbuf_add(&rec->snapshot, data, len);
	} else {
		rec->updates++;
	}
}

static void watch(int viewer, const char *path)
{
	strbuf_init(&the.seen[viewer].snapshot);
	peer_connect(&the.peers[viewer], the.stage.port, 0, on_message, &the.seen[viewer]);
	peer_upgrade(&the.peers[viewer], path, NULL);
}

static void watch_all(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/ws/builds/%lld/", (long long)the.job);
	watch(OF_BUILD, path);
	watch(OF_LIST, "/ws/builds/");
	until(the.seen[OF_BUILD].snapshots == 1 && the.seen[OF_LIST].snapshots == 1);
}

static void beat(const char *group)
{
	struct room *room = map_get(&the.app.rooms->by_group, group);

	assert_non_null(room);
	room_heartbeat(room);
}

/* ---- the build */

static int write_unit(store_run_fn *fn, void *arg)
{
	int r = store_write_wait(the.app.store, fn, arg);

	loop_run_posted(the.app.loop);
	return r;
}

static const struct worker_identity worker = {.name = "test", .incarnation = "one", .slots = 2};
static const int needs_first[] = {0};
static const struct plan_item items[] = {
	{.package = "first", .version = "1", .payload = "{}"},
	{.package = "second",
		.version = "1",
		.payload = "{}",
		.needs = needs_first,
		.need_count = 1},
};

static int create(struct tx *tx, void *arg)
{
	struct build_job_new n = {.name = "set", .builder = "command"};
	bool existed;

	(void)arg;
	return build_job_create(tx, &n, 1000, &the.job, &existed);
}

static int start(struct tx *tx, void *arg)
{
	struct plan p = {.items = items, .count = countof(items), .json = "{}"};
	int r = worker_start(tx, &worker, 1001);

	(void)arg;
	if (r >= 0)
		r = build_job_prepare(tx, the.job, 1001);
	return r < 0 ? r : build_job_plan(tx, the.job, &p, 1002);
}

static int build_next(struct tx *tx, void *arg)
{
	struct attempt_result result = {.end = ATTEMPT_COMPLETED, .log_tail = ""};
	struct claim c = {0};
	int64_t due;
	int r = queue_item_claim(tx, &worker, 1, 2000, &c, &due);

	(void)arg;
	if (r > 0)
		r = queue_item_end(tx, c.item_id, c.token, &result, 3000);
	else
		r = -ENODATA;
	claim_finish(&c);
	return r;
}

/* ---- what the database holds */

struct truth {
	struct strbuf snapshot;
	bool final;
	int64_t seq;
};

static int read_truth(struct tx *tx, void *arg)
{
	struct truth *t = arg;

	return build_job_snapshot(tx, the.job, &t->snapshot, &t->final, &t->seq);
}

static void assert_shows_the_truth(bool final)
{
	struct truth t = {.snapshot = STRBUF_INIT};

	assert_int_equal(store_read_wait(the.app.store, read_truth, &t), 0);
	assert_string_equal(the.seen[OF_BUILD].snapshot.buf, t.snapshot.buf);
	assert_int_equal(t.final, final);
	strbuf_finish(&t.snapshot);
}

static void assert_list_shows(const char *status)
{
	struct strbuf err = STRBUF_INIT;
	json_t *list =
		json_parse(the.seen[OF_LIST].snapshot.buf, the.seen[OF_LIST].snapshot.len, &err);
	const json_t *build = json_array_get(json_object_get(list, "data"), 0);

	assert_string_equal(json_string_value(json_object_get(build, "status")), status);
	json_decref(list);
}

/* ---- tests */

static void a_build_ends_and_one_heartbeat_shows_its_end(void **state)
{
	uint64_t failures = layer_send_failures();

	(void)state;
	assert_int_equal(write_unit(create, NULL), 0);
	watch_all();
	assert_int_equal(write_unit(start, NULL), 0);
	assert_int_equal(write_unit(build_next, NULL), 0);
	assert_int_equal(write_unit(build_next, NULL), 0);
	assert_true(the.lost > 0);
	assert_int_equal(layer_send_failures() - failures, the.lost);
	for (int i = 0; i < 10; i++)
		stage_turn(&the.stage);
	assert_int_equal(the.seen[OF_BUILD].snapshots, 1);
	beat("build_job_1");
	until(the.peers[OF_BUILD].closed);
	assert_int_equal(the.peers[OF_BUILD].closed, 1000);
	assert_shows_the_truth(true);
	assert_int_equal(the.seen[OF_BUILD].updates, 0);
	beat(BUILDS_GROUP);
	until(the.seen[OF_LIST].snapshots == 2);
	assert_list_shows("completed");
}

static void a_build_that_goes_on_is_shown_as_it_is_at_each_heartbeat(void **state)
{
	(void)state;
	assert_int_equal(write_unit(create, NULL), 0);
	watch_all();
	assert_shows_the_truth(false);
	assert_int_equal(write_unit(start, NULL), 0);
	beat("build_job_1");
	until(the.seen[OF_BUILD].snapshots == 2);
	assert_shows_the_truth(false);
	assert_int_equal(write_unit(build_next, NULL), 0);
	beat("build_job_1");
	until(the.seen[OF_BUILD].snapshots == 3);
	assert_shows_the_truth(false);
	assert_int_equal(the.peers[OF_BUILD].closed, 0);
	assert_int_equal(write_unit(build_next, NULL), 0);
	beat("build_job_1");
	until(the.peers[OF_BUILD].closed == 1000);
	assert_shows_the_truth(true);
	assert_int_equal(the.seen[OF_BUILD].snapshots, 4);
}

#define scenario(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		scenario(a_build_ends_and_one_heartbeat_shows_its_end),
		scenario(a_build_that_goes_on_is_shown_as_it_is_at_each_heartbeat),
	};

	log_threshold(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
