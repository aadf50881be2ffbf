// SPDX-License-Identifier: MIT
#include "world.h"

#include <setjmp.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include "core/base/json.h"

/* ---- the source */

static void put_pad(struct json_writer *w, size_t len)
{
	char *pad = xmalloc(len + 1);

	memset(pad, '.', len);
	pad[len] = '\0';
	json_put_string(w, "pad", pad);
	free(pad);
}

static void see_build(struct world *w, struct room_snapshot *answer)
{
	struct json_writer out = JSON_WRITER(&answer->json);

	answer->versions = xcalloc(1, sizeof(*answer->versions));
	answer->versions[0].seq = w->seq;
	answer->version_count = 1;
	answer->final = w->final;
	json_begin_object(&out, NULL);
	json_put_string(&out, "type", "build_update");
	json_put_int(&out, "seq", w->seq);
	json_put_bool(&out, "snapshot", true);
	json_begin_array(&out, "items");
	for (int i = 0; i < ITEMS; i++)
		json_put_int(&out, NULL, w->past[w->seq].items[i]);
	json_end_array(&out);
	json_put_bool(&out, "final", w->final);
	put_pad(&out, w->snapshot_pad);
	json_end_object(&out);
}

static void see_list(struct world *w, struct room_snapshot *answer)
{
	struct json_writer out = JSON_WRITER(&answer->json);

	answer->versions = xcalloc(LISTED, sizeof(*answer->versions));
	json_begin_object(&out, NULL);
	json_put_string(&out, "type", "build_list");
	json_begin_array(&out, "data");
	for (int i = 0; i < LISTED; i++) {
		if (!w->list[i].seq || w->removed[i])
			continue;
		answer->versions[answer->version_count++] =
			(struct room_version){i + 1, w->list[i].seq};
		json_begin_object(&out, NULL);
		json_put_int(&out, "id", i);
		json_put_int(&out, "seq", w->list[i].seq);
		json_put_int(&out, "value", w->list[i].items[0]);
		json_end_object(&out);
	}
	json_end_array(&out);
	put_pad(&out, w->snapshot_pad);
	json_end_object(&out);
}

static void see(struct world *w, struct question *q)
{
	if (q->seen)
		return;
	q->seen = true;
	strbuf_init(&q->answer.json);
	q->answer.status = w->status;
	if (w->status)
		return;
	if (!strcmp(q->group, LIST))
		see_list(w, &q->answer);
	else
		see_build(w, &q->answer);
	if (q->versions_only)
		strbuf_finish(&q->answer.json);
}

static void ask(
	struct world *w, const char *group, room_snapshot_fn *done, void *read, bool versions_only)
{
	struct question *q = xcalloc(1, sizeof(*q));

	q->group = xstrdup(group);
	q->done = done;
	q->read = read;
	q->versions_only = versions_only;
	list_append(&w->questions, &q->link);
}

static void read_snapshot(void *arg, const char *group, room_snapshot_fn *done, void *read)
{
	struct world *w = arg;

	w->reads++;
	ask(w, group, done, read, false);
}

static void read_versions(void *arg, const char *group, room_snapshot_fn *done, void *read)
{
	struct world *w = arg;

	w->version_reads++;
	ask(w, group, done, read, true);
}

void world_see(struct world *w)
{
	struct question *q;

	list_for_each (q, &w->questions, link)
		see(w, q);
}

void world_answer(struct world *w)
{
	struct list now = w->questions;

	/* An answer may ask again: that is the next round's. */
	if (list_empty(&w->questions))
		return;
	now.prev->next = now.next->prev = &now;
	list_init(&w->questions);
	while (!list_empty(&now)) {
		struct question *q = list_first(&now, struct question, link);

		list_remove(&q->link);
		see(w, q);
		q->done(q->read, &q->answer);
		free(q->group);
		free(q);
	}
}

void world_turn(struct world *w)
{
	stage_turn(&w->stage);
	if (w->prompt)
		world_answer(w);
}

/* ---- commits */

static char *message_text(const char *type, int64_t seq, int id, int value, size_t pad, bool final)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer out = JSON_WRITER(&text);

	json_begin_object(&out, NULL);
	json_put_string(&out, "type", type);
	json_put_int(&out, "seq", seq);
	json_put_int(&out, "id", id);
	json_put_int(&out, "value", value);
	json_put_bool(&out, "final", final);
	put_pad(&out, pad);
	json_end_object(&out);
	return strbuf_detach(&text, NULL);
}

static struct msg *message(
	int64_t key, const char *type, int64_t seq, int id, int value, size_t pad, bool final)
{
	char *text = message_text(type, seq, id, value, pad, final);
	struct msg *m = msg_create(key, seq, final, text, strlen(text));

	free(text);
	return m;
}

struct msg *world_commit(struct world *w, int item, bool final)
{
	if ((size_t)w->seq + 2 > w->past_cap) {
		w->past_cap *= 2;
		w->past = xrealloc(w->past, w->past_cap * sizeof(*w->past));
	}
	w->past[w->seq + 1] = w->past[w->seq];
	w->seq++;
	w->past[w->seq].seq = w->seq;
	w->past[w->seq].items[item] = (int)w->seq * 10 + item;
	w->final = final;
	return message(0, "queue_update", w->seq, item, w->past[w->seq].items[item], w->pad, final);
}

struct msg *world_commit_resync(struct world *w)
{
	struct msg *m = world_commit(w, 0, false);

	m->resync = true;
	for (int i = 1; i < ITEMS; i++)
		w->past[w->seq].items[i] = (int)w->seq * 10;
	return m;
}

struct msg *world_commit_list(struct world *w, int build, int skipped)
{
	struct state *s = &w->list[build];

	s->seq += 1 + skipped;
	s->items[0]++;
	return message(build + 1, "list_update", s->seq, build, s->items[0], w->pad, false);
}

struct msg *world_commit_removal(struct world *w, int build, int skipped)
{
	struct state *s = &w->list[build];

	s->seq += 1 + skipped;
	w->removed[build] = true;
	return message(build + 1, "list_removed", s->seq, build, 0, w->pad, false);
}

void world_send(struct world *w, const char *group, struct msg *take_m)
{
	group_send(w->layer, group, take_m);
	msg_unref(take_m);
}

void world_publish(struct world *w, int commits)
{
	for (int i = 0; i < commits; i++)
		world_send(w, BUILD, world_commit(w, (int)w->seq % ITEMS, false));
}

/* ---- the world */

static void join(struct http_request *req, void *app)
{
	struct world *w = app;
	const char *since = http_query(req, "since");
	struct room_resume resume = {
		.wanted = since != NULL,
		.since = since ? atoll(since) : 0,
		.epoch = http_query(req, "epoch"),
	};

	room_join(w->rooms, http_param(req, "group"), req, &resume);
}

void world_open(struct world *w, int sndbuf)
{
	static const struct http_route routes[] = {
		{.method = HTTP_GET, .pattern = "/ws/:group", .handler = join},
	};
	struct room_source source = {read_snapshot, read_versions, w};
	struct strbuf err = STRBUF_INIT;

	memset(w, 0, sizeof(*w));
	w->prompt = true;
	w->past_cap = 16;
	w->past = xcalloc(w->past_cap, sizeof(*w->past));
	list_init(&w->questions);
	stage_open(&w->stage, routes, countof(routes), w, sndbuf);
	w->layer = layer_open(&w->stage.loop, NULL, &err);
	assert_non_null(w->layer);
	w->rooms = rooms_create(&w->stage.loop, w->layer, &source, EPOCH);
}

void world_close(struct world *w)
{
	/* Answers may come after the rooms have gone. */
	rooms_destroy(w->rooms);
	world_answer(w);
	layer_close(w->layer);
	stage_close(&w->stage);
	free(w->past);
}

/* ---- watchers */

static void check_build(const struct watcher *wa)
{
	const struct world *w = wa->world;

	if (wa->have > w->seq)
		fail_msg("seq %" PRId64 " is not in the database: %s", wa->have, wa->trace.buf);
	if (memcmp(wa->items, w->past[wa->have].items, sizeof(wa->items)))
		fail_msg("at seq %" PRId64 " the page differs from the database: %s", wa->have,
			wa->trace.buf);
}

static void take_snapshot(struct watcher *wa, const json_t *m, int64_t seq)
{
	const json_t *items = json_object_get(m, "items");

	strbuf_addf(&wa->trace, "S%" PRId64 " ", seq);
	wa->snapshots++;
	if (seq < wa->have)
		fail_msg("a step back: %s", wa->trace.buf);
	wa->have = seq;
	wa->final |= json_is_true(json_object_get(m, "final"));
	for (size_t i = 0; i < ITEMS; i++)
		wa->items[i] = (int)json_integer_value(json_array_get(items, i));
	check_build(wa);
}

static void take_update(struct watcher *wa, const json_t *m, int64_t seq)
{
	strbuf_addf(&wa->trace, "%" PRId64 " ", seq);
	wa->messages++;
	if (!seq)
		return;
	if (wa->have < 0 || seq != wa->have + 1)
		fail_msg("not the next one: %s", wa->trace.buf);
	wa->have = seq;
	wa->final |= json_is_true(json_object_get(m, "final"));
	wa->items[json_integer_value(json_object_get(m, "id"))] =
		(int)json_integer_value(json_object_get(m, "value"));
	check_build(wa);
}

static void take_heartbeat(struct watcher *wa, const json_t *m)
{
	const json_t *seq = json_object_get(m, "seq"), *retry = json_object_get(m, "retry_ms");
	const char *now = json_string_value(json_object_get(m, "now"));

	wa->heartbeats++;
	strbuf_addf(
		&wa->trace, "%s%" PRId64 " ", retry ? "R" : "H", (int64_t)json_integer_value(seq));
	wa->retry_ms = json_integer_value(retry);
	assert_string_equal(json_string_value(json_object_get(m, "epoch")), EPOCH);
	assert_non_null(now);
	assert_int_equal(now[strlen(now) - 1], 'Z');
	/* Before its snapshot a viewer that is sent away has no seq. */
	assert_true(wa->list ? !seq : seq || retry);
	if (seq && json_integer_value(seq) != wa->have)
		fail_msg("a heartbeat's seq is not what was sent: %s", wa->trace.buf);
}

static void take_list_update(struct watcher *wa, const json_t *m, int64_t seq, bool removal)
{
	int64_t id = json_integer_value(json_object_get(m, "id"));
	/* A list without it said that it is gone, and an update was late: its removal is later still. */
	bool vanished = !wa->shows[id] && wa->world->removed[id];

	strbuf_addf(&wa->trace, "%s%" PRId64 ":%" PRId64 " ", removal ? "X" : "B", id, seq);
	wa->messages++;
	if (!wa->snapshots || wa->removed[id] || (seq <= wa->have_of[id] && !vanished))
		fail_msg("a repeat or a step back: %s", wa->trace.buf);
	wa->have_of[id] = seq;
	wa->value_of[id] = json_integer_value(json_object_get(m, "value"));
	wa->shows[id] = !removal;
	wa->removed[id] = removal;
}

static void take_list(struct watcher *wa, const json_t *m)
{
	json_t *build;
	size_t i;

	strbuf_addstr(&wa->trace, "A ");
	wa->snapshots++;
	memset(wa->shows, 0, sizeof(wa->shows));
	json_array_foreach(json_object_get(m, "data"), i, build)
	{
		int64_t id = json_integer_value(json_object_get(build, "id"));
		int64_t seq = json_integer_value(json_object_get(build, "seq"));

		if (seq < wa->have_of[id] || wa->removed[id])
			fail_msg("the list steps back: %s", wa->trace.buf);
		wa->have_of[id] = seq;
		wa->value_of[id] = json_integer_value(json_object_get(build, "value"));
		wa->shows[id] = true;
	}
}

static void on_message(void *arg, enum ws_opcode opcode, const char *data, size_t len)
{
	struct watcher *wa = arg;
	struct strbuf err = STRBUF_INIT;
	const char *type;
	int64_t seq;
	json_t *m;

	if (opcode != WS_TEXT)
		return;
	m = json_parse(data, len, &err);
	if (!m)
		fail_msg("%s", err.buf);
	if (wa->final && !strstr(data, "heartbeat"))
		fail_msg("a message after the last one: %s", wa->trace.buf);
	type = json_string_value(json_object_get(m, "type"));
	seq = json_integer_value(json_object_get(m, "seq"));
	if (!strcmp(type, "heartbeat"))
		take_heartbeat(wa, m);
	else if (!strcmp(type, "build_list"))
		take_list(wa, m);
	else if (!strcmp(type, "list_update"))
		take_list_update(wa, m, seq, false);
	else if (!strcmp(type, "list_removed"))
		take_list_update(wa, m, seq, true);
	else if (json_object_get(m, "snapshot"))
		take_snapshot(wa, m, seq);
	else
		take_update(wa, m, seq);
	json_decref(m);
}

static void connect_to(struct watcher *wa, struct world *w, const char *path, int rcvbuf)
{
	wa->world = w;
	peer_connect(&wa->peer, w->stage.port, rcvbuf, on_message, wa);
	peer_upgrade(&wa->peer, path, NULL);
}

void watcher_join(struct watcher *wa, struct world *w, const char *group, int rcvbuf)
{
	char *path = xasprintf("/ws/%s", group);

	memset(wa, 0, sizeof(*wa));
	strbuf_init(&wa->trace);
	wa->have = -1;
	wa->list = !strcmp(group, LIST);
	connect_to(wa, w, path, rcvbuf);
	free(path);
}

/* Keeps what the watcher has, unless it claims another since. */
void watcher_resume(
	struct watcher *wa, struct world *w, int64_t since, const char *epoch, int rcvbuf)
{
	char *path = xasprintf("/ws/" BUILD "?since=%" PRId64 "&epoch=%s", since, epoch);

	wa->final = false;
	strbuf_reset(&wa->trace);
	wa->snapshots = wa->messages = wa->heartbeats = 0;
	connect_to(wa, w, path, rcvbuf);
	free(path);
}

void watcher_leave(struct watcher *wa, bool reset)
{
	peer_end(&wa->peer, reset);
	strbuf_finish(&wa->trace);
}

bool watcher_has_listed(const struct watcher *wa, int build)
{
	const struct world *w = wa->world;
	bool there = w->list[build].seq && !w->removed[build];

	return wa->shows[build] == there &&
	       (!there || wa->value_of[build] == w->list[build].items[0]);
}

void watcher_current(const struct watcher *wa)
{
	const struct world *w = wa->world;

	for (int i = 0; wa->list && i < LISTED; i++) {
		if (!watcher_has_listed(wa, i))
			fail_msg("build %d of the list is old: %s", i, wa->trace.buf);
	}
	if (!wa->list && wa->have != w->seq)
		fail_msg("the database is at %" PRId64 ", the page is not: %s", w->seq,
			wa->trace.buf);
}
