// SPDX-License-Identifier: MIT
/* What builds leave as files: artifacts and the repository. Files are opened on store threads, never on the loop. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "apps/builds/views.h"
#include "apps/repositories/repositories.h"

struct file_unit {
	struct http_request *req;
	struct app *app;
	int64_t id, item_id;
	const char *wanted; /* file or path */
	int fd;
	int64_t size;
	const char *type;
	char etag[80];
	struct strbuf path;
	struct strbuf text; /* of a repository's .repo file */
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

static void fail(struct file_unit *u, int status, const char *thing)
{
	strbuf_finish(&u->path);
	strbuf_finish(&u->text);
	if (status == -ENOENT)
		answer_no_such(u->req, thing);
	else
		answer_error(u->req, status);
}

/* Takes u->fd. */
static void answer_file(struct file_unit *u)
{
	int fd = u->fd; /* u goes with the request */

	if (http_reply_condition(u->req, u->etag))
		close(fd);
	else
		http_reply_file(u->req, fd, u->size, u->type);
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
	if (strcmp(a->file, u->wanted) != 0)
		return 0;
	u->type = !strcmp(a->kind, "file") ? "application/octet-stream" : "application/x-rpm";
	snprintf(u->etag, sizeof(u->etag), "\"%s\"", a->sha256);
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
	answer_file(u);
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

/* Of the file as it was published: one of the same name that follows is another file. */
static int tag_file(struct file_unit *u)
{
	struct stat st;
	int r = fstat(u->fd, &st) < 0 ? -errno : 0;

	if (r < 0)
		close(u->fd);
	else
		snprintf(u->etag, sizeof(u->etag), "\"%llx-%llx-%llx.%lx\"",
			(unsigned long long)st.st_ino, (unsigned long long)st.st_size,
			(unsigned long long)st.st_mtim.tv_sec, (unsigned long)st.st_mtim.tv_nsec);
	return r;
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
	if (r < 0)
		return r;
	u->fd = found.fd;
	u->size = found.size;
	u->type = found.content_type;
	return tag_file(u);
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
		answer_file(u);
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
