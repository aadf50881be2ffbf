// SPDX-License-Identifier: MIT
/*
 * The WebSockets of builds: one of a build, one of the list. A consumer only says which room; joining, live updates, resuming and
 * slow viewers are the room's. What a room needs to know of the database is read here.
 */
#include "apps/builds/views.h"
#include "apps/builds/websocket_utils.h"
#include "core/ws/ws.h"

static struct room_resume resume_of(struct http_request *req)
{
	struct room_resume resume = {.epoch = http_query(req, "epoch")};
	const char *since = http_query(req, "since");

	resume.wanted = since && (!strcmp(since, "0") || !id_parse(since, &resume.since));
	return resume;
}

void build_job_consumer(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct room_resume resume = resume_of(req);
	char group[GROUP_NAME_MAX];
	int64_t id;

	if (!upgrade_may_read(req, app)) {
		ws_refuse(req, app->loop, WS_CLOSE_NOT_SIGNED_IN, "not signed in");
	} else if (id_parse(http_param(req, "id"), &id) < 0) {
		ws_refuse(req, app->loop, WS_CLOSE_NOT_FOUND, "no such build");
	} else {
		build_group(group, id);
		room_join(app->rooms, group, req, &resume);
	}
}

void build_list_consumer(struct http_request *req, void *arg)
{
	struct app *app = arg;

	if (upgrade_may_read(req, app))
		room_join(app->rooms, BUILDS_GROUP, req, NULL);
	else
		ws_refuse(req, app->loop, WS_CLOSE_NOT_SIGNED_IN, "not signed in");
}

/* ---- what rooms read */

struct room_read_unit {
	struct app *app;
	int64_t id; /* 0: the list */
	struct room_snapshot answer;
	size_t version_cap;
	struct json_writer w;
	room_snapshot_fn *done;
	void *read;
};

static void add_version(struct room_read_unit *u, int64_t key, int64_t seq)
{
	struct room_snapshot *s = &u->answer;

	if (s->version_count == u->version_cap) {
		u->version_cap = u->version_cap ? u->version_cap * 2 : 16;
		s->versions = xrealloc(s->versions, u->version_cap * sizeof(*s->versions));
	}
	s->versions[s->version_count++] = (struct room_version){.key = key, .seq = seq};
}

static int take_version(int64_t id, int64_t seq, bool final, void *arg)
{
	struct room_read_unit *u = arg;

	/* A build's room ends with it, the list's never. */
	u->answer.final = u->id && final;
	/* A build's own room has one sequence, which is nobody's key. */
	add_version(u, u->id ? 0 : id, seq);
	return 0;
}

static int read_versions_run(struct tx *tx, void *arg)
{
	struct room_read_unit *u = arg;
	int r = build_job_versions(tx, u->id, take_version, u);

	return r == 0 && u->id ? -ENOENT : r;
}

static int put_listed(const struct build_job *job, void *arg)
{
	struct room_read_unit *u = arg;

	json_begin_object(&u->w, NULL);
	build_job_fields(&u->w, job);
	json_put_int(&u->w, "seq", job->list_seq);
	json_end_object(&u->w);
	return 0;
}

static int read_list(struct tx *tx, struct room_read_unit *u)
{
	int r;

	json_begin_object(&u->w, NULL);
	json_put_string(&u->w, "type", "build_list");
	json_put_string(&u->w, "epoch", store_epoch(u->app->store));
	json_begin_array(&u->w, "data");
	r = build_jobs_current(tx, LIST_LIMIT, put_listed, u);
	json_end_array(&u->w);
	json_end_object(&u->w);
	return r < 0 ? r : read_versions_run(tx, u);
}

static int read_snapshot_run(struct tx *tx, void *arg)
{
	struct room_read_unit *u = arg;
	int64_t seq = 0;
	int r;

	if (!u->id)
		return read_list(tx, u);
	r = build_job_snapshot(tx, u->id, &u->answer.json, &u->answer.final, &seq);
	if (r > 0)
		add_version(u, 0, seq);
	return r == 0 ? -ENOENT : r;
}

static void read_done(void *arg, int status)
{
	struct room_read_unit *u = arg;

	u->answer.status = status < 0 ? status : 0;
	u->done(u->read, &u->answer); /* takes what the answer holds */
	free(u);
}

static void start_read(
	struct app *app, const char *group, store_run_fn *run, room_snapshot_fn *done, void *read)
{
	struct room_read_unit *u = xcalloc(1, sizeof(*u));

	u->app = app;
	u->done = done;
	u->read = read;
	strbuf_init(&u->answer.json);
	u->w.out = &u->answer.json;
	if (strcmp(group, BUILDS_GROUP) != 0)
		id_parse(group + strlen(BUILD_GROUP_PREFIX), &u->id);
	store_read_first(app->store, run, read_done, u);
}

static void read_snapshot(void *source_arg, const char *group, room_snapshot_fn *done, void *read)
{
	start_read(source_arg, group, read_snapshot_run, done, read);
}

static void read_versions(void *source_arg, const char *group, room_snapshot_fn *done, void *read)
{
	start_read(source_arg, group, read_versions_run, done, read);
}

struct room_source builds_room_source(struct app *app)
{
	return (struct room_source){
		.read_snapshot = read_snapshot,
		.read_versions = read_versions,
		.arg = app,
	};
}
