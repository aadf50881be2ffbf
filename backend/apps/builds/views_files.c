// SPDX-License-Identifier: MIT
/* What builds leave as files: logs, artifacts, the repository. Files are opened on store or pool threads, never on the loop. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "apps/builds/logs.h"
#include "apps/builds/views.h"
#include "apps/repositories/repositories.h"

#define SEARCH_MAX 200 /* bytes of ?q= */
#define WINDOW_LINES 1000

struct file_unit {
	struct http_request *req;
	struct app *app;
	int64_t id, item_id;
	const char *wanted; /* file or path */
	bool final;
	int fd, outcome;
	int64_t size;
	const char *type;
	struct strbuf path;
	/* of a log's JSON forms */
	uv_work_t work;
	int64_t from_line, limit;
	const char *query;
	struct strbuf text;
};

static struct file_unit *file_unit(struct http_request *req, struct app *app, const char *thing)
{
	struct file_unit *u;
	int64_t id;

	if (!id_param(req, "id", thing, &id))
		return NULL;
	u = http_request_memory(req, sizeof(*u));
	*u = (struct file_unit){.req = req, .app = app, .id = id, .fd = -1};
	strbuf_init(&u->path);
	strbuf_init(&u->text);
	return u;
}

static void answer_attachment(struct file_unit *u, const char *name)
{
	struct strbuf value = STRBUF_INIT;

	strbuf_addstr(&value, "attachment; filename=\"");
	for (const char *c = name; *c; c++)
		strbuf_addch(
			&value, *c == '"' || *c == '\\' || (unsigned char)*c >= 0x7f ? '_' : *c);
	strbuf_addch(&value, '"');
	http_add_header(u->req, "Content-Disposition", value.buf);
	strbuf_finish(&value);
}

/* ---- the log of an item */

static int take_log(const struct queue_item *item, void *arg)
{
	struct file_unit *u = arg;

	log_path(&u->path, u->app, item->job_id, item->package);
	u->final = queue_status_final(item->status);
	return 0;
}

static int find_log(struct tx *tx, struct file_unit *u)
{
	int r = queue_item_get(tx, u->id, take_log, u);

	return r ? r : -ENOENT;
}

static int open_log(struct tx *tx, void *arg)
{
	struct file_unit *u = arg;
	int r = find_log(tx, u);

	if (r < 0)
		return r;
	u->fd = open(u->path.buf, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	u->size = u->fd < 0 ? 0 : lseek(u->fd, 0, SEEK_END);
	if (u->size < 0)
		close(u->fd);
	if ((u->fd < 0 && errno != ENOENT) || u->size < 0)
		return -EIO;
	return 0;
}

static void fail(struct file_unit *u, int status, const char *thing)
{
	strbuf_finish(&u->path);
	strbuf_finish(&u->text);
	if (status == -ENOENT)
		answer_no_such(u->req, thing);
	else
		answer_error(u->req, status);
}

static void log_opened(void *arg, int status)
{
	struct file_unit *u = arg;

	if (status < 0) {
		fail(u, status, "queue item");
		return;
	}
	strbuf_finish(&u->path);
	/* Nothing was logged yet. */
	if (u->fd < 0)
		http_reply(u->req, 200, "text/plain; charset=utf-8", "", 0);
	else
		http_reply_file(u->req, u->fd, u->size, "text/plain; charset=utf-8");
}

/* ---- its JSON forms */

static void log_read(uv_work_t *work)
{
	struct file_unit *u = container_of(work, struct file_unit, work);

	if (u->query)
		u->outcome = log_search_json(u->path.buf, u->query, &u->text);
	else
		u->outcome =
			log_window_json(u->path.buf, u->from_line, u->limit, u->final, &u->text);
}

/* What there is to say of a log that does not exist yet. */
static void put_empty(struct file_unit *u)
{
	struct json_writer w = JSON_WRITER(&u->text);

	json_begin_object(&w, NULL);
	if (u->query) {
		json_put_string(&w, "q", u->query);
		json_put_raw(&w, "matches", "[]");
		json_put_bool(&w, "truncated", false);
	} else {
		json_put_int(&w, "from_line", u->from_line);
		json_put_raw(&w, "lines", "[]");
		json_put_int(&w, "total_lines", 0);
		json_put_int(&w, "size", 0);
		json_put_bool(&w, "final", u->final);
	}
	json_end_object(&w);
}

static void log_read_done(uv_work_t *work, int status)
{
	struct file_unit *u = container_of(work, struct file_unit, work);

	(void)status;
	if (u->outcome == -ENOENT) {
		u->outcome = 0;
		strbuf_reset(&u->text);
		put_empty(u);
	}
	if (u->outcome < 0) {
		fail(u, u->outcome, "log");
		return;
	}
	strbuf_finish(&u->path);
	answer_json(u->req, 200, &u->text);
}

static int log_found_run(struct tx *tx, void *arg)
{
	return find_log(tx, arg);
}

static void log_found(void *arg, int status)
{
	struct file_unit *u = arg;

	if (status < 0)
		fail(u, status, "queue item");
	else
		uv_queue_work(&u->app->loop->uv, &u->work, log_read, log_read_done);
}

void queue_log(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct file_unit *u = file_unit(req, app, "queue item");

	if (!u)
		return;
	u->limit = WINDOW_LINES;
	u->query = http_query(req, "q");
	if (u->query && (!*u->query || strlen(u->query) > SEARCH_MAX)) {
		http_reply_problem(req, 400, "bad-query", "?q= must be 1 to %d bytes", SEARCH_MAX);
		return;
	}
	if (!int_query(req, "from_line", 1, ID_MAX, &u->from_line) ||
		!int_query(req, "limit", 1, LOG_WINDOW_LINES_MAX, &u->limit))
		return;
	if (u->query || u->from_line)
		store_read(app->store, log_found_run, log_found, u);
	else
		store_read(app->store, open_log, log_opened, u);
}

/* ---- artifacts */

struct artifacts_unit {
	struct http_request *req;
	struct tx *tx;
	int64_t id, item_id;
	char *package; /* of item_id */
	struct strbuf json;
	struct json_writer w;
};

static int take_package(const struct queue_item *item, void *arg)
{
	struct artifacts_unit *u = arg;

	free(u->package);
	u->package = xstrdup(item->package);
	return 0;
}

/* As it stands in the path of a URL. */
static void add_encoded(struct strbuf *out, const char *path)
{
	for (const char *c = path; *c; c++) {
		bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			     (*c >= '0' && *c <= '9') || strchr("/-._~", *c);

		if (plain)
			strbuf_addch(out, *c);
		else
			strbuf_addf(out, "%%%02X", (unsigned char)*c);
	}
}

static int put_artifact(int64_t item_id, const struct artifact_row *a, void *arg)
{
	struct artifacts_unit *u = arg;
	struct strbuf url = STRBUF_INIT;
	int r = 0;

	if (item_id != u->item_id) {
		u->item_id = item_id;
		r = queue_item_get(u->tx, item_id, take_package, u);
	}
	strbuf_addf(&url, "/api/builds/%lld/artifacts/%lld/", (long long)u->id, (long long)item_id);
	add_encoded(&url, a->file);
	json_begin_object(&u->w, NULL);
	json_put_int(&u->w, "queue_item", item_id);
	json_put_string(&u->w, "package", u->package);
	json_put_string(&u->w, "file", a->file);
	json_put_string(&u->w, "kind", a->kind);
	json_put_int(&u->w, "size", a->size);
	json_put_string(&u->w, "sha256", a->sha256);
	json_put_string(&u->w, "nevra", a->nevra);
	json_put_string(&u->w, "url", url.buf);
	json_end_object(&u->w);
	strbuf_finish(&url);
	return r < 0 ? r : 0;
}

static int exists(const struct build_job *job, void *arg)
{
	(void)job;
	(void)arg;
	return 0;
}

static int artifacts_run(struct tx *tx, void *arg)
{
	struct artifacts_unit *u = arg;
	int r = build_job_get(tx, u->id, exists, NULL);

	if (r <= 0)
		return r ? r : -ENOENT;
	u->tx = tx;
	json_begin_object(&u->w, NULL);
	json_begin_array(&u->w, "items");
	r = artifacts_of(tx, u->id, 0, put_artifact, u);
	json_end_array(&u->w);
	json_put_null(&u->w, "next");
	json_end_object(&u->w);
	free(u->package);
	return r;
}

static void artifacts_done(void *arg, int status)
{
	struct artifacts_unit *u = arg;

	if (status >= 0) {
		answer_json(u->req, 200, &u->json);
		return;
	}
	strbuf_finish(&u->json);
	if (status == -ENOENT)
		answer_no_such(u->req, "build");
	else
		answer_error(u->req, status);
}

void build_artifacts(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct artifacts_unit *u = http_request_memory(req, sizeof(*u));

	u->req = req;
	strbuf_init(&u->json);
	u->w.out = &u->json;
	if (id_param(req, "id", "build", &u->id))
		store_read(app->store, artifacts_run, artifacts_done, u);
}

/* ---- one artifact */

static int match_artifact(int64_t item_id, const struct artifact_row *a, void *arg)
{
	struct file_unit *u = arg;

	(void)item_id;
	if (!strcmp(a->file, u->wanted))
		u->type =
			!strcmp(a->kind, "file") ? "application/octet-stream" : "application/x-rpm";
	return 0;
}

static int take_results(const struct queue_item *item, void *arg)
{
	struct file_unit *u = arg;

	build_dir(&u->path, u->app, item->job_id);
	strbuf_addf(&u->path, "/results/%s", item->package);
	return 0;
}

/* Only what the database names is given out: a results folder may hold more for a moment. */
static int artifact_run(struct tx *tx, void *arg)
{
	struct file_unit *u = arg;
	int r = artifacts_of(tx, u->id, u->item_id, match_artifact, u);

	if (r >= 0 && u->type)
		r = queue_item_get(tx, u->item_id, take_results, u);
	if (r < 0 || !u->type)
		return r < 0 ? r : -ENOENT;
	return file_open_beneath(u->path.buf, u->wanted, &u->fd, &u->size);
}

static void artifact_done(void *arg, int status)
{
	struct file_unit *u = arg;
	const char *slash = strrchr(u->wanted, '/');

	if (status < 0) {
		fail(u, status, "artifact");
		return;
	}
	strbuf_finish(&u->path);
	answer_attachment(u, slash ? slash + 1 : u->wanted);
	http_reply_file(u->req, u->fd, u->size, u->type);
}

void build_artifact(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct file_unit *u = file_unit(req, app, "build");

	if (!u || !id_param(req, "item", "queue item", &u->item_id))
		return;
	u->wanted = http_param(req, "file");
	store_read(app->store, artifact_run, artifact_done, u);
}

/* ---- the repository */

static int put_repo_file(const struct build_job *job, void *arg)
{
	struct file_unit *u = arg;

	struct strbuf id = STRBUF_INIT, url = STRBUF_INIT;

	strbuf_addf(&id, "reqpm-%lld", (long long)job->id);
	strbuf_addf(&url, "%s/api/builds/%lld/repo/", u->app->address, (long long)job->id);
	repository_config(&u->text, id.buf, job->name, url.buf);
	strbuf_finish(&id);
	strbuf_finish(&url);
	return 0;
}

static int repo_run(struct tx *tx, void *arg)
{
	struct file_unit *u = arg;
	bool repo_file = !strcmp(u->wanted, "reqpm.repo");
	struct repository_file found;
	int r = build_job_get(tx, u->id, repo_file ? put_repo_file : exists, u);

	if (r <= 0)
		return r ? r : -ENOENT;
	if (repo_file)
		return 0;
	build_dir(&u->path, u->app, u->id);
	r = repository_open_file(u->path.buf, u->wanted, &found);
	if (r >= 0) {
		u->fd = found.fd;
		u->size = found.size;
		u->type = found.content_type;
	}
	return r;
}

static void repo_done(void *arg, int status)
{
	struct file_unit *u = arg;
	struct strbuf text = u->text;

	if (status < 0) {
		fail(u, status, "repository file");
		return;
	}
	strbuf_finish(&u->path);
	if (u->fd >= 0)
		http_reply_file(u->req, u->fd, u->size, u->type);
	else
		http_reply(u->req, 200, "text/plain; charset=utf-8", text.buf, text.len);
	strbuf_finish(&text);
}

void build_repo(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct file_unit *u = file_unit(req, app, "build");

	if (!u)
		return;
	u->wanted = http_param(req, "path");
	store_read(app->store, repo_run, repo_done, u);
}
