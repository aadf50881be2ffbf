// SPDX-License-Identifier: MIT
/* How the server is: workers, status, health. */
#include "apps/builds/views.h"

/* ---- workers */

struct building { /* of all jobs, by slot */
	int64_t slot, job_id, item_id, started_at;
	char *worker, *package, *phase;
};

struct workers {
	struct json_writer *w;
	struct building *building;
	size_t count, cap;
};

static int take_building(const struct queue_item *item, void *arg)
{
	struct workers *u = arg;

	/* Items of `external` builds are built by nobody here. */
	if (!item->worker)
		return 0;
	if (u->count == u->cap) {
		u->cap = u->cap ? u->cap * 2 : 16;
		u->building = xrealloc(u->building, u->cap * sizeof(*u->building));
	}
	u->building[u->count++] = (struct building){
		.slot = item->slot,
		.job_id = item->job_id,
		.item_id = item->id,
		.started_at = item->started_at,
		.worker = xstrdup(item->worker),
		.package = xstrdup(item->package),
		.phase = xstrdup(item->phase),
	};
	return 0;
}

static void put_building(struct json_writer *w, const struct building *b)
{
	json_begin_object(w, NULL);
	json_put_int(w, "slot", b->slot);
	json_put_int(w, "build", b->job_id);
	json_put_int(w, "item", b->item_id);
	json_put_string(w, "package", b->package);
	json_put_string(w, "phase", b->phase);
	json_put_time(w, "started_at", b->started_at);
	json_end_object(w);
}

static int put_worker(const struct worker_identity *worker, int64_t heartbeat_at,
	int64_t started_at, bool current, void *arg)
{
	struct workers *u = arg;

	json_begin_object(u->w, NULL);
	json_put_string(u->w, "name", worker->name);
	json_put_string(u->w, "incarnation", worker->incarnation);
	json_put_int(u->w, "slots", worker->slots);
	json_put_bool(u->w, "current", current);
	json_put_time(u->w, "started_at", started_at);
	json_put_time(u->w, "heartbeat_at", heartbeat_at);
	json_begin_array(u->w, "building");
	for (size_t i = 0; current && i < u->count; i++)
		if (!strcmp(u->building[i].worker, worker->name))
			put_building(u->w, &u->building[i]);
	json_end_array(u->w);
	json_end_object(u->w);
	return 0;
}

static int put_workers(struct tx *tx, struct json_writer *w, const char *key)
{
	struct workers u = {.w = w};
	int r = queue_items_building(tx, 0, take_building, &u);

	json_begin_array(w, key);
	if (r >= 0)
		r = workers_list(tx, put_worker, &u);
	json_end_array(w);
	for (size_t i = 0; i < u.count; i++) {
		free(u.building[i].worker);
		free(u.building[i].package);
		free(u.building[i].phase);
	}
	free(u.building);
	return r;
}

struct workers_unit {
	struct http_request *req;
	struct strbuf json;
};

static int workers_run(struct tx *tx, void *arg)
{
	struct workers_unit *u = arg;
	struct json_writer w = JSON_WRITER(&u->json);
	int r;

	json_begin_object(&w, NULL);
	r = put_workers(tx, &w, "items");
	json_put_null(&w, "next");
	json_end_object(&w);
	return r;
}

static void workers_done(void *arg, int status)
{
	struct workers_unit *u = arg;

	if (status >= 0) {
		answer_json(u->req, 200, &u->json);
		return;
	}
	strbuf_finish(&u->json);
	answer_error(u->req, status);
}

void workers_get(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct workers_unit *u = http_request_memory(req, sizeof(*u));

	u->req = req;
	strbuf_init(&u->json);
	store_read(app->store, workers_run, workers_done, u);
}

/* ---- status */

struct status_unit {
	struct http_request *req;
	struct app *app;
	int64_t builds[BUILD_STATUS_COUNT], queue[QUEUE_STATUS_COUNT], disk_free;
	struct strbuf json;
	struct json_writer w; /* the document, begun where the database is read */
};

static int status_run(struct tx *tx, void *arg)
{
	struct status_unit *u = arg;
	int r = build_totals(tx, u->builds);

	u->disk_free = disk_free_bytes(u->app->data_dir);
	if (r >= 0)
		r = queue_depths(tx, u->queue);
	json_begin_object(&u->w, NULL);
	return r < 0 ? r : put_workers(tx, &u->w, "workers");
}

static void put_counts(struct json_writer *w, const char *key, const char *const *names,
	const int64_t *counts, int count)
{
	json_begin_object(w, key);
	for (int i = 0; i < count; i++)
		json_put_int(w, names[i], counts[i]);
	json_end_object(w);
}

static void put_protections(struct json_writer *w, const struct protections *p)
{
	json_begin_object(w, "protections");
	json_put_bool(w, "bubblewrap", p->bubblewrap);
	json_put_bool(w, "user_namespaces", p->user_namespaces);
	json_put_bool(w, "seccomp", p->seccomp);
	json_put_bool(w, "slot_uids", p->slot_uids);
	json_put_bool(w, "overlay", p->overlay);
	json_put_string(w, "cgroup", p->cgroup);
	json_put_string(w, "missing", p->missing);
	json_end_object(w);
}

/* Why nothing more is started; NULL: nothing waits for the server. */
static const char *waiting_for(const struct status_unit *u)
{
	if (u->app->draining)
		return "the server is going away";
	if (!u->queue[QUEUE_QUEUED])
		return NULL;
	if (u->disk_free < u->app->disk_floor_bytes)
		return "the disk of the data folder is below its floor: nothing begins until there "
		       "is room";
	if (u->queue[QUEUE_BUILDING] >= u->app->jobs)
		return "all build slots are taken";
	return "a free slot takes the next package when its pause is over";
}

static void put_queue(struct json_writer *w, const struct status_unit *u)
{
	json_begin_object(w, "queue");
	json_put_int(w, "waiting", u->queue[QUEUE_PENDING]);
	json_put_int(w, "ready", u->queue[QUEUE_QUEUED]);
	json_put_int(w, "building", u->queue[QUEUE_BUILDING]);
	json_put_string(w, "why", waiting_for(u));
	json_end_object(w);
}

static void put_sockets(struct json_writer *w, const struct app *app)
{
	struct rooms_stats rooms;
	struct ws_stats ws;

	rooms_stats(app->rooms, &rooms);
	ws_stats(&ws);
	json_begin_object(w, "sockets");
	json_put_int(w, "open", (int64_t)ws.open);
	json_put_int(w, "viewers", (int64_t)rooms.viewers);
	json_put_int(w, "rooms", (int64_t)rooms.rooms);
	json_end_object(w);
}

static void put_channel_layer(struct json_writer *w, const struct app *app)
{
	json_begin_object(w, "channel_layer");
	json_put_string(w, "name", app->layer->ops->name);
	json_put_int(w, "send_failures", (int64_t)layer_send_failures());
	json_end_object(w);
}

static void put_database(struct json_writer *w, const struct app *app)
{
	json_begin_object(w, "database");
	json_put_string(w, "name", "sqlite");
	json_put_string(w, "epoch", store_epoch(app->store));
	json_put_int(w, "backlog", (int64_t)store_backlog(app->store));
	json_end_object(w);
}

static void put_disk(struct json_writer *w, const struct status_unit *u)
{
	json_begin_object(w, "disk");
	json_put_int(w, "free_bytes", u->disk_free < 0 ? 0 : u->disk_free);
	json_put_int(w, "floor_bytes", u->app->disk_floor_bytes);
	json_end_object(w);
}

static void put_status(struct json_writer *w, const struct status_unit *u)
{
	const struct app *app = u->app;
	bool healthy = !app->draining && u->disk_free >= app->disk_floor_bytes;
	int64_t uptime = clock_wall_ms() - app->started_at;

	json_put_string(w, "status", app->draining ? "draining" : (healthy ? "ok" : "disk full"));
	json_put_bool(w, "healthy", healthy);
	json_put_string(w, "version", REQPM_VERSION);
	json_put_string(w, "address", app->address);
	json_put_time(w, "started_at", app->started_at);
	json_put_int(w, "uptime_ms", uptime > 0 ? uptime : 0); /* the clock may be set back */
	json_put_int(w, "slots", app->jobs);
	json_put_int(w, "max_upload_bytes", app->max_upload_bytes);
	put_counts(w, "builds", build_status_name, u->builds, BUILD_STATUS_COUNT);
	put_queue(w, u);
	put_sockets(w, app);
	put_channel_layer(w, app);
	put_database(w, app);
	put_disk(w, u);
	put_protections(w, sandbox_protections(app->sandbox));
	json_end_object(w);
}

static void status_done(void *arg, int status)
{
	struct status_unit *u = arg;

	if (status < 0) {
		strbuf_finish(&u->json);
		answer_error(u->req, status);
		return;
	}
	put_status(&u->w, u);
	answer_json(u->req, 200, &u->json);
}

void status_get(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct status_unit *u = http_request_memory(req, sizeof(*u));

	u->req = req;
	u->app = app;
	strbuf_init(&u->json);
	u->w = (struct json_writer)JSON_WRITER(&u->json);
	store_read(app->store, status_run, status_done, u);
}

/* ---- health */

static int healthz_run(struct tx *tx, void *arg)
{
	int64_t counts[BUILD_STATUS_COUNT];

	(void)arg;
	return build_totals(tx, counts);
}

static void healthz_done(void *arg, int status)
{
	struct http_request *req = arg;

	if (status < 0)
		http_reply_problem(req, 503, "unhealthy", "the database does not answer: %s",
			strerror(-status));
	else
		http_reply(req, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

void healthz(struct http_request *req, void *arg)
{
	struct app *app = arg;

	store_read(app->store, healthz_run, healthz_done, req);
}

/* ---- the description of all this */

extern const char openapi_json[];
extern const size_t openapi_json_len;

void openapi_get(struct http_request *req, void *arg)
{
	(void)arg;
	http_reply(req, 200, "application/json", openapi_json, openapi_json_len);
}
