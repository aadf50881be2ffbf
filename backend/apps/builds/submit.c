// SPDX-License-Identifier: MIT
/*
 * POST /api/builds. What runs no foreign code is checked here, before there is a build: a fault leaves the upload open and
 * nothing behind. The content is read on a reader thread; that it is still the same is checked by the unit that seals it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "apps/builds/views.h"
#include "apps/packages/packages.h"
#include "core/base/log.h"

struct submit_unit {
	struct http_request *req;
	struct app *app;
	struct build_job_new job;
	json_t *body; /* owns job's strings */
	char *default_name;
	bool specs, packages_json;
	size_t files;
	char listing[SHA256_HEX_MAX]; /* of what was checked */
	int64_t id, seq;
	bool existed;
	struct strbuf refusal, json;
	uv_work_t work;
	int synced;
};

static void submit_finish(struct submit_unit *u)
{
	json_decref(u->body);
	free(u->default_name);
	strbuf_finish(&u->refusal);
	strbuf_finish(&u->json);
}

static void refuse(struct submit_unit *u, int status, const char *kind)
{
	struct strbuf why = u->refusal;

	strbuf_init(&u->refusal);
	submit_finish(u);
	http_reply_problem(u->req, status, kind, "%s", why.buf);
	strbuf_finish(&why);
}

/* ---- the content */

struct listing {
	struct submit_unit *unit;
	struct digest *digest;
	int fd; /* the folder, to look whether all of it is there; -1: not now */
};

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), end_len = strlen(end);

	return len > end_len && !strcmp(s + len - end_len, end);
}

/* A file's row is on the disk with its answer, its bytes with the submission's: a power cut in between may have cost them. */
static int check_file(const struct listing *l, const char *path, int64_t size)
{
	struct stat st;

	if (l->fd < 0 || (!fstatat(l->fd, path, &st, AT_SYMLINK_NOFOLLOW) && st.st_size == size))
		return 0;
	return err_set(&l->unit->refusal, -EINVAL,
		"the file %s is not whole any more on this server: put it again", path);
}

static int list_file(const char *path, int64_t size, const char *sha256, void *arg)
{
	struct listing *l = arg;
	struct submit_unit *u = l->unit;

	u->files++;
	u->specs |= ends_with(path, ".spec") || ends_with(path, ".src.rpm");
	u->packages_json |= !strcmp(path, "packages.json");
	digest_add(l->digest, path, strlen(path) + 1);
	digest_add(l->digest, &size, sizeof(size));
	digest_add(l->digest, sha256, strlen(sha256));
	return check_file(l, path, size);
}

/* What is in the upload, and a digest of it. dir: where its files must be, NULL: that was looked at. */
static int list_upload(
	struct tx *tx, struct submit_unit *u, const char *dir, char ret_digest[SHA256_HEX_MAX])
{
	struct listing l = {.unit = u, .digest = digest_create(), .fd = -1};
	int r;

	if (dir)
		l.fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	u->files = 0;
	r = upload_files(tx, u->job.upload_id, list_file, &l);
	digest_hex(l.digest, ret_digest);
	digest_destroy(l.digest);
	if (l.fd >= 0)
		close(l.fd);
	return r;
}

static int check_packages_json(struct submit_unit *u, const char *dir)
{
	struct strbuf path = STRBUF_INIT, text = STRBUF_INIT;
	struct packages_json set;
	int r;

	strbuf_addf(&path, "%s/packages.json", dir);
	r = file_read(path.buf, PACKAGES_JSON_MAX_BYTES, &text, NULL);
	if (r == -EFBIG)
		err_set(&u->refusal, r, "packages.json is larger than %d bytes",
			PACKAGES_JSON_MAX_BYTES);
	else if (r >= 0 && !packages_json_parse(text.buf, text.len, &set, &u->refusal))
		packages_json_finish(&set);
	strbuf_finish(&path);
	strbuf_finish(&text);
	return u->refusal.len ? -EINVAL : r;
}

/* Which builder it is for, and whether that one finds anything. */
static int check_content(struct submit_unit *u, const char *dir)
{
	if (!u->files)
		return err_set(
			&u->refusal, -EINVAL, "the upload is empty: put files into it first");
	if (!u->job.builder)
		u->job.builder = u->packages_json ? "command" : "rpmbuild";
	if (!strcmp(u->job.builder, "command") && !u->packages_json)
		return err_set(&u->refusal, -EINVAL,
			"the builder `command` needs a file packages.json at the top of the "
			"upload, and there is none");
	if (!strcmp(u->job.builder, "rpmbuild") && !u->specs)
		return err_set(&u->refusal, -EINVAL,
			"nothing to build: the upload has no *.spec, no *.src.rpm and no "
			"packages.json");
	return !strcmp(u->job.builder, "command") ? check_packages_json(u, dir) : 0;
}

static int check_run(struct tx *tx, void *arg)
{
	struct submit_unit *u = arg;
	struct strbuf dir = STRBUF_INIT;
	enum upload_state state;
	int64_t job_id = 0;
	int r = upload_state(tx, u->job.upload_id, &state, &job_id);

	if (r >= 0 && state == UPLOAD_MISSING)
		r = -ENOENT;
	if (r >= 0 && state == UPLOAD_SEALED) {
		r = upload_job(tx, u->job.upload_id, u->job.dry_run, &job_id);
		u->existed = r > 0;
		if (u->existed)
			return 0;
	}
	if (r >= 0)
		r = check_disk(u->app, 0);
	upload_dir(&dir, u->app, u->job.upload_id);
	strbuf_addstr(&dir, "/files");
	if (r >= 0)
		r = list_upload(tx, u, dir.buf, u->listing);
	if (r >= 0)
		r = check_content(u, dir.buf);
	strbuf_finish(&dir);
	return r;
}

/* ---- sealing */

static int create_run(struct tx *tx, void *arg)
{
	struct submit_unit *u = arg;
	char now[SHA256_HEX_MAX];
	int r = u->existed ? 0 : list_upload(tx, u, NULL, now);

	if (r >= 0 && !u->existed && strcmp(now, u->listing) != 0) {
		int64_t job_id;

		/* Unless somebody else sealed it: that build is the answer. */
		r = upload_job(tx, u->job.upload_id, u->job.dry_run, &job_id);
		if (!r)
			r = -EAGAIN;
	}
	if (r >= 0)
		r = build_job_create(tx, &u->job, clock_wall_ms(), &u->id, &u->existed);
	if (r >= 0)
		r = build_job_document(tx, u->id, &u->json, NULL, &u->seq);
	return r;
}

/* What was being put when the upload was sealed. */
struct leftovers {
	uv_work_t work;
	struct strbuf path;
};

static void leftovers_remove(uv_work_t *work)
{
	tree_remove(container_of(work, struct leftovers, work)->path.buf);
}

static void leftovers_removed(uv_work_t *work, int status)
{
	struct leftovers *l = container_of(work, struct leftovers, work);

	(void)status;
	strbuf_finish(&l->path);
	free(l);
}

static void remove_leftovers(struct app *app, int64_t upload_id)
{
	struct leftovers *l = xcalloc(1, sizeof(*l));

	strbuf_init(&l->path);
	upload_dir(&l->path, app, upload_id);
	strbuf_addstr(&l->path, "/incoming");
	uv_queue_work(&app->loop->uv, &l->work, leftovers_remove, leftovers_removed);
}

static void answer_fault(struct submit_unit *u, int status)
{
	if (u->refusal.len) {
		refuse(u, 422, "bad-upload");
		return;
	}
	submit_finish(u);
	if (status == -ENOENT)
		answer_no_such(u->req, "upload");
	else if (status == -EAGAIN)
		http_reply_problem(u->req, 409, "upload-changed",
			"a file was put while the upload was being submitted: submit again when "
			"all are there");
	else
		answer_error(u->req, status);
}

static void create_done(void *arg, int status)
{
	struct submit_unit *u = arg;
	struct app *app = u->app;
	int64_t upload_id = u->job.upload_id;
	struct strbuf json = u->json;
	bool existed = u->existed;

	if (status < 0) {
		answer_fault(u, status);
		return;
	}
	strbuf_init(&u->json);
	submit_finish(u);
	answer_build(u->req, app, existed ? 200 : 201, u->id, u->seq, &json);
	if (existed)
		return;
	remove_leftovers(app, upload_id);
	tasks_wake(app->tasks);
}

/* The answers to the uploads did not wait for the disk; that to the submission does, in libuv's pool: it may take seconds, and no
 * reader's snapshot of the database should stand still so long. */
static void sync_files(uv_work_t *work)
{
	struct submit_unit *u = container_of(work, struct submit_unit, work);
	struct strbuf dir = STRBUF_INIT;
	int fd;

	upload_dir(&dir, u->app, u->job.upload_id);
	fd = open(dir.buf, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	u->synced = fd < 0 || syncfs(fd) < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	strbuf_finish(&dir);
}

static void files_synced(uv_work_t *work, int status)
{
	struct submit_unit *u = container_of(work, struct submit_unit, work);

	if (status < 0 || u->synced < 0)
		answer_fault(u, status < 0 ? status : u->synced);
	else
		store_write(u->app->store, create_run, create_done, u);
}

static void check_done(void *arg, int status)
{
	struct submit_unit *u = arg;

	if (status < 0)
		answer_fault(u, status);
	else if (u->existed)
		store_write(u->app->store, create_run, create_done, u);
	else
		uv_queue_work(&u->app->loop->uv, &u->work, sync_files, files_synced);
}

/* ---- the request */

static bool known_builder(const char *name)
{
	return !name || !strcmp(name, "rpmbuild") || !strcmp(name, "command") ||
	       !strcmp(name, "external");
}

/* NULL: fine; else what is wrong. */
static const char *fault_of(const struct build_job_new *job, const json_t *packages)
{
	bool external = job->builder && !strcmp(job->builder, "external");

	if (!known_builder(job->builder))
		return "\"builder\" must be rpmbuild, command or external";
	if (job->name &&
		(!*job->name || strlen(job->name) > BUILD_NAME_MAX || text_has_control(job->name)))
		return "\"name\" must be 1 to 200 bytes without control characters";
	if (job->timeout_ms > 1000LL * PACKAGE_TIMEOUT_MAX_S)
		return "\"timeout_ms\" must be at most 604800000, a week";
	if (external && !packages)
		return "the builder `external` needs \"packages\"";
	if (external && job->upload_id)
		return "the builder `external` takes no \"upload\"";
	if (!external && packages)
		return "\"packages\" is for the builder `external`; others need an \"upload\"";
	if (!external && !job->upload_id)
		return "\"upload\" is missing: the id that POST /api/uploads answered";
	return NULL;
}

static void start(struct http_request *req, struct app *app, const struct build_job_new *job,
	json_t *take_body)
{
	struct submit_unit *u = http_request_memory(req, sizeof(*u));

	u->req = req;
	u->app = app;
	u->job = *job;
	u->body = take_body;
	strbuf_init(&u->refusal);
	strbuf_init(&u->json);
	if (!job->name)
		u->job.name = u->default_name = xasprintf("upload %lld", (long long)job->upload_id);
	store_read(app->store, check_run, check_done, u);
}

void builds_post(struct http_request *req, void *arg)
{
	struct build_job_new job = {0};
	json_t *packages = NULL, *body;
	const struct field fields[] = {
		{"upload", FIELD_ID, &job.upload_id},
		{"name", FIELD_STRING, &job.name},
		{"builder", FIELD_STRING, &job.builder},
		{"fail_fast", FIELD_BOOL, &job.fail_fast},
		{"dry_run", FIELD_BOOL, &job.dry_run},
		{"timeout_ms", FIELD_INT, &job.timeout_ms},
		{"packages", FIELD_ARRAY, &packages},
	};
	const char *fault;

	body = body_fields(req, fields, countof(fields));
	if (!body)
		return;
	fault = fault_of(&job, packages);
	if (fault) {
		http_reply_problem(req, 400, "bad-body", "%s", fault);
		json_decref(body);
	} else if (packages) {
		external_post(req, arg, &job, packages, body);
	} else {
		start(req, arg, &job, body);
	}
}
