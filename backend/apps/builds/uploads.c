// SPDX-License-Identifier: MIT
/*
 * Uploads: DATA/uploads/<id>/files/ is what builds read, incoming/ what is still coming. A file is written under a name of ours
 * and moved to its own by the unit that records it, so that the files and the rows say the same, and a sealed upload
 * does not change any more.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "apps/builds/views.h"

#define FOLDER_MODE 0750 /* the group is the slots', too */
#define FILE_MODE 0640

/* ---- a new one */

struct upload_unit {
	struct http_request *req;
	struct app *app;
	int64_t id;
	struct strbuf json;
	struct json_writer w;
};

static struct upload_unit *upload_unit(struct http_request *req, struct app *app)
{
	struct upload_unit *u = http_request_memory(req, sizeof(*u));

	u->req = req;
	u->app = app;
	strbuf_init(&u->json);
	u->w.out = &u->json;
	return u;
}

static int make_folders(const struct app *app, int64_t id)
{
	static const char *const names[] = {"/files", "/incoming"};
	struct strbuf path = STRBUF_INIT;
	size_t len;
	int r;

	upload_dir(&path, app, id);
	len = path.len;
	/* An id that was rolled back may have left some. */
	r = tree_remove(path.buf);
	for (size_t i = 0; r >= 0 && i < countof(names); i++) {
		strbuf_setlen(&path, len);
		strbuf_addstr(&path, names[i]);
		r = dir_create(path.buf, FOLDER_MODE, NULL);
	}
	strbuf_finish(&path);
	return r;
}

static int post_run(struct tx *tx, void *arg)
{
	struct upload_unit *u = arg;
	int r = check_disk(u->app, 0);

	if (r >= 0)
		r = upload_create(tx, clock_wall_ms(), &u->id);
	return r < 0 ? r : make_folders(u->app, u->id);
}

static void post_done(void *arg, int status)
{
	struct upload_unit *u = arg;
	struct strbuf location = STRBUF_INIT;

	if (status < 0) {
		answer_error(u->req, status);
		return;
	}
	strbuf_addf(&location, "/api/uploads/%lld", (long long)u->id);
	http_add_header(u->req, "Location", location.buf);
	strbuf_finish(&location);
	json_begin_object(&u->w, NULL);
	json_put_int(&u->w, "id", u->id);
	json_put_raw(&u->w, "files", "[]");
	json_end_object(&u->w);
	answer_json(u->req, 201, &u->json);
}

void upload_post(struct http_request *req, void *arg)
{
	struct app *app = arg;

	store_write(app->store, post_run, post_done, upload_unit(req, app));
}

/* ---- one that nobody will build */

static int delete_run(struct tx *tx, void *arg)
{
	struct upload_unit *u = arg;

	return upload_delete(tx, u->id, builds_hide_folder, u->app);
}

static void delete_done(void *arg, int status)
{
	struct upload_unit *u = arg;
	struct app *app = u->app;

	if (status == -ENOENT) {
		answer_no_such(u->req, "upload");
	} else if (status == -EPERM) {
		http_reply_problem(u->req, 409, "upload-sealed",
			"a build was made of this upload: it goes when the build is deleted");
	} else if (status < 0) {
		answer_error(u->req, status);
	} else {
		http_reply(u->req, 204, NULL, NULL, 0);
		builds_expire_start(app);
	}
}

void upload_remove(struct http_request *req, void *arg)
{
	struct app *app = arg;
	int64_t id;
	struct upload_unit *u;

	if (!id_param(req, "id", "upload", &id))
		return;
	u = upload_unit(req, app);
	u->id = id;
	store_write(app->store, delete_run, delete_done, u);
}

/* ---- what is in it */

static int put_file(const char *path, int64_t size, const char *sha256, void *arg)
{
	struct upload_unit *u = arg;

	json_begin_object(&u->w, NULL);
	json_put_string(&u->w, "path", path);
	json_put_int(&u->w, "size", size);
	json_put_string(&u->w, "sha256", sha256);
	json_end_object(&u->w);
	return 0;
}

static int get_run(struct tx *tx, void *arg)
{
	struct upload_unit *u = arg;
	enum upload_state state;
	int64_t job_id = 0;
	int r = upload_state(tx, u->id, &state, &job_id);

	if (r < 0 || state == UPLOAD_MISSING)
		return r < 0 ? r : -ENOENT;
	json_begin_object(&u->w, NULL);
	json_put_int(&u->w, "id", u->id);
	json_put_bool(&u->w, "sealed", state == UPLOAD_SEALED);
	if (state == UPLOAD_SEALED)
		json_put_int(&u->w, "build", job_id);
	else
		json_put_null(&u->w, "build");
	json_begin_array(&u->w, "files");
	r = upload_files(tx, u->id, put_file, u);
	json_end_array(&u->w);
	json_end_object(&u->w);
	return r;
}

static void get_done(void *arg, int status)
{
	struct upload_unit *u = arg;

	if (status >= 0) {
		answer_json(u->req, 200, &u->json);
		return;
	}
	strbuf_finish(&u->json);
	if (status == -ENOENT)
		answer_no_such(u->req, "upload");
	else
		answer_error(u->req, status);
}

void upload_get(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct upload_unit *u = upload_unit(req, app);

	if (id_param(req, "id", "upload", &u->id))
		store_read(app->store, get_run, get_done, u);
}

/* ---- a file on its way in */

struct incoming { /* its own memory: operations in the pool may outlive the answer */
	struct http_request *req; /* NULL: answered */
	struct app *app;
	int64_t id;
	char *path;
	struct strbuf root; /* DATA/uploads/<id> */
	char name[40]; /* "incoming/<random>" */
	int64_t length, size;
	char sha256[SHA256_HEX_MAX];
	bool opened, ended, busy, cut_off;
	int status; /* of the body or the disk */
	uv_work_t work;
	/* the pool's while busy */
	int fd;
	struct digest *digest;
	struct strbuf writing;
	int write_error;
};

static void incoming_free(struct incoming *in)
{
	if (in->fd >= 0)
		close(in->fd);
	digest_destroy(in->digest);
	strbuf_finish(&in->root);
	strbuf_finish(&in->writing);
	free(in->path);
	free(in);
}

static void discard_run(uv_work_t *work)
{
	struct incoming *in = container_of(work, struct incoming, work);
	struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "%s/%s", in->root.buf, in->name);
	unlink(path.buf);
	strbuf_finish(&path);
	close(in->fd);
	in->fd = -1;
}

static void discard_done(uv_work_t *work, int status)
{
	(void)status;
	incoming_free(container_of(work, struct incoming, work));
}

/* Answers, and leaves nothing behind. */
static void refuse_incoming(struct incoming *in, int status)
{
	struct http_request *req = in->req;

	in->req = NULL;
	if (in->cut_off)
		http_reply_problem(req, 400, "cut-off",
			"the file did not come whole, nothing of it was kept: send it again");
	else if (status == -ENOENT)
		answer_no_such(req, "upload");
	else if (status == -EPERM)
		http_reply_problem(req, 409, "upload-sealed",
			"upload %lld was submitted: its files cannot change any more",
			(long long)in->id);
	else if (status == -E2BIG)
		http_reply_problem(req, 422, "too-many-files", "an upload has at most %d files",
			UPLOAD_FILES_MAX);
	else if (status == -EEXIST)
		http_reply_problem(req, 409, "path-taken",
			"\"%s\" cannot be both a file and a folder in one upload", in->path);
	else
		answer_error(req, status);
	if (in->opened)
		uv_queue_work(&in->app->loop->uv, &in->work, discard_run, discard_done);
	else
		incoming_free(in);
}

/* ---- its last step: the row and the name, together */

/* -EEXIST: a file stands where the path needs a folder, or the other way round. */
static int open_parent(int files, const char *path)
{
	char segment[NAME_MAX + 1];
	int at = dup(files), next;

	while (at >= 0) {
		size_t len = strcspn(path, "/");

		if (!path[len])
			return at;
		memcpy(segment, path, len);
		segment[len] = '\0';
		next = mkdirat(at, segment, FOLDER_MODE) < 0 && errno != EEXIST ? -1 : 0;
		if (!next)
			next = openat(at, segment, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			next = errno == ENOTDIR || errno == ELOOP ? -EEXIST : -errno;
		close(at);
		at = next;
		path += len + 1;
	}
	return at;
}

static int take_name(struct incoming *in)
{
	const char *slash = strrchr(in->path, '/'), *name = slash ? slash + 1 : in->path;
	int root = open(in->root.buf, O_PATH | O_DIRECTORY | O_CLOEXEC), files, parent, r = 0;

	if (root < 0)
		return -errno;
	files = openat(root, "files", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	parent = files < 0 ? -errno : open_parent(files, in->path);
	if (parent < 0)
		r = parent;
	else if (renameat(root, in->name, parent, name) < 0)
		r = errno == EISDIR || errno == ENOTEMPTY ? -EEXIST : -errno;
	if (parent >= 0)
		close(parent);
	if (files >= 0)
		close(files);
	close(root);
	return r;
}

static int record_run(struct tx *tx, void *arg)
{
	struct incoming *in = arg;
	int r = upload_put_file(tx, in->id, in->path, in->size, in->sha256);

	return r < 0 ? r : take_name(in);
}

static void record_done(void *arg, int status)
{
	struct incoming *in = arg;
	struct strbuf json = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&json);

	if (status < 0) {
		refuse_incoming(in, status);
		return;
	}
	json_begin_object(&w, NULL);
	json_put_string(&w, "path", in->path);
	json_put_int(&w, "size", in->size);
	json_put_string(&w, "sha256", in->sha256);
	json_end_object(&w);
	http_reply_json(in->req, 201, &json);
	incoming_free(in);
}

/* ---- its bytes: one write in flight, the peer is read when it is done */

static void write_run(uv_work_t *work)
{
	struct incoming *in = container_of(work, struct incoming, work);
	size_t at = 0;

	digest_add(in->digest, in->writing.buf, in->writing.len);
	while (at < in->writing.len) {
		ssize_t n = write(in->fd, in->writing.buf + at, in->writing.len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			in->write_error = -errno;
			break;
		}
		at += (size_t)n;
	}
}

static void body_over(struct incoming *in)
{
	if (in->status < 0) {
		refuse_incoming(in, in->status);
		return;
	}
	digest_hex(in->digest, in->sha256);
	store_write(in->app->store, record_run, record_done, in);
}

static void write_done(uv_work_t *work, int status)
{
	struct incoming *in = container_of(work, struct incoming, work);

	(void)status;
	in->busy = false;
	in->size += (int64_t)in->writing.len;
	strbuf_reset(&in->writing);
	if (in->write_error < 0)
		in->status = in->write_error;
	if (in->ended || in->status < 0)
		body_over(in);
	else
		http_body_resume(in->req);
}

static void body_data(struct http_request *req, const char *data, size_t len, void *arg)
{
	struct incoming *in = arg;

	strbuf_add(&in->writing, data, len);
	in->busy = true;
	http_body_pause(req);
	uv_queue_work(&in->app->loop->uv, &in->work, write_run, write_done);
}

static void body_end(struct http_request *req, int status, void *arg)
{
	struct incoming *in = arg;

	(void)req;
	in->ended = true;
	if (status < 0) {
		in->status = status;
		in->cut_off = true;
	}
	if (!in->busy)
		body_over(in);
}

/* ---- its first step: may it come? */

static int open_run(struct tx *tx, void *arg)
{
	struct incoming *in = arg;
	struct strbuf path = STRBUF_INIT;
	enum upload_state state;
	int64_t job_id;
	int r = upload_state(tx, in->id, &state, &job_id);

	if (r >= 0 && state != UPLOAD_OPEN)
		r = state == UPLOAD_MISSING ? -ENOENT : -EPERM;
	if (r >= 0)
		r = check_disk(in->app, in->length);
	if (r < 0)
		return r;
	upload_dir(&in->root, in->app, in->id);
	strbuf_addf(&path, "%s/%s", in->root.buf, in->name);
	in->fd = open(path.buf, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
	if (in->fd < 0 || fchmod(in->fd, FILE_MODE) < 0)
		r = -errno;
	in->opened = in->fd >= 0;
	strbuf_finish(&path);
	/* Uploads that come at the same time share the disk: each takes its part before its first byte. */
	if (!r && in->length > 0 && fallocate(in->fd, FALLOC_FL_KEEP_SIZE, 0, in->length) < 0 &&
		errno != EOPNOTSUPP && errno != EINTR)
		r = -errno;
	/* Not -ENOENT, which says that there is no such upload. */
	return r == -ENOENT ? -EIO : r;
}

static void open_done(void *arg, int status)
{
	struct incoming *in = arg;

	if (status < 0)
		refuse_incoming(in, status);
	else
		http_body_read(in->req, body_data, body_end, in);
}

/* NULL: fine; else what is wrong with it. */
static const char *path_fault(const char *path)
{
	if (!*path)
		return "is missing";
	if (strlen(path) > UPLOAD_PATH_MAX)
		return "is longer than 1024 bytes";
	if (!utf8_valid(path, strlen(path)))
		return "is not UTF-8";
	if (text_has_control(path))
		return "has control characters";
	if (*path == '/')
		return "is absolute";
	for (const char *at = path;; at++) {
		size_t len = strcspn(at, "/");

		if (!len)
			return "has an empty segment";
		if (len > NAME_MAX)
			return "has a segment longer than 255 bytes";
		if (at[0] == '.' && (len == 1 || (len == 2 && at[1] == '.')))
			return "has a segment . or ..";
		at += len;
		if (!*at)
			return NULL;
	}
}

void upload_file_put(struct http_request *req, void *arg)
{
	struct app *app = arg;
	const char *path = http_param(req, "path"), *fault = path_fault(path);
	int64_t id, length = http_request_head(req)->content_length;
	struct incoming *in;

	if (!id_param(req, "id", "upload", &id))
		return;
	if (fault) {
		http_reply_problem(req, 400, "bad-path",
			"the file's path %s: send a relative one, like SPECS/a.spec", fault);
		return;
	}
	if (length > app->max_upload_bytes) {
		http_reply_problem(req, 413, "content-too-large",
			"the file has %lld bytes, this server takes %lld: start it with a larger "
			"--max-upload",
			(long long)length, (long long)app->max_upload_bytes);
		return;
	}
	in = xcalloc(1, sizeof(*in));
	in->req = req;
	in->app = app;
	in->id = id;
	in->path = xstrdup(path);
	in->length = length;
	in->fd = -1;
	in->digest = digest_create();
	strbuf_init(&in->root);
	strbuf_init(&in->writing);
	memcpy(in->name, "incoming/", 9);
	random_hex(in->name + 9, 12);
	store_read(app->store, open_run, open_done, in);
}
