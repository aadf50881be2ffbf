// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/text.h"
#include "cli/upload.h"

struct sending { /* of one file */
	const struct upload_file *file;
	int fd;
	int64_t sent; /* bytes of this file */
	struct digest *digest;
	upload_progress_fn *progress;
	void *arg;
	size_t files_before;
	int64_t bytes_before;
	struct strbuf *err;
};

static int refuse(struct sending *s, const char *what)
{
	struct strbuf shown = STRBUF_INIT;

	text_clean(&shown, s->file->source, strlen(s->file->source));
	err_set(s->err, 0, "%s %s", shown.buf, what);
	strbuf_finish(&shown);
	return -EINVAL;
}

static int restart(void *arg)
{
	struct sending *s = arg;

	digest_destroy(s->digest);
	s->digest = digest_create();
	s->sent = 0;
	return lseek(s->fd, 0, SEEK_SET) ? refuse(s, "cannot be read") : 0;
}

static ssize_t read_piece(void *arg, char *buf, size_t max)
{
	struct sending *s = arg;
	ssize_t got;

	if ((int64_t)max > s->file->size - s->sent)
		max = (size_t)(s->file->size - s->sent);
	do
		got = max ? read(s->fd, buf, max) : 0;
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return refuse(s, strerror(errno));
	if (!got && max)
		return refuse(s, "became shorter while it was uploaded");
	digest_add(s->digest, buf, (size_t)got);
	s->sent += got;
	if (s->progress)
		s->progress(s->arg, s->files_before, s->bytes_before + s->sent);
	return got;
}

/* "/api/uploads/1/files/a%20b/c.spec" */
static char *file_path(int64_t upload, const char *path)
{
	struct strbuf out = STRBUF_INIT;
	size_t len;

	strbuf_addf(&out, "/api/uploads/%" PRId64 "/files", upload);
	for (; *path; path += len + (path[len] == '/')) {
		len = strcspn(path, "/");
		strbuf_addch(&out, '/');
		path_encode(&out, path, len);
	}
	return strbuf_detach(&out, NULL);
}

/* Does the server have what was sent? */
static int check_digest(struct sending *s, const struct reply *reply)
{
	json_t *answer = json_parse(reply->body.buf, reply->body.len, NULL);
	const char *theirs = json_string_value(json_object_get(answer, "sha256"));
	char ours[SHA256_HEX_MAX];
	int code = CLI_OK;

	digest_hex(s->digest, ours);
	if (!theirs || strcmp(theirs, ours) != 0) {
		refuse(s, "did not arrive as it was sent: the server has another SHA-256");
		code = CLI_LOST;
	}
	json_decref(answer);
	return code;
}

static int send_file(struct sending *s, struct client *c, int64_t upload)
{
	char *path = file_path(upload, s->file->path);
	struct request rq = {.method = "PUT",
		.path = path,
		.upload_size = s->file->size,
		.read = read_piece,
		.rewind = restart,
		.arg = s};
	struct reply reply = {0};
	int r = client_insist(c, &rq, &reply, s->err);

	if (r)
		r = client_exit_code(r);
	else
		r = reply_exit_code(c, &reply, s->err);
	/* The upload is gone: not what the user can be told as "no such build". */
	if (r == CLI_NO_SUCH_BUILD)
		r = CLI_REFUSED;
	if (!r)
		r = check_digest(s, &reply);
	reply_finish(&reply);
	free(path);
	return r;
}

/* A file that was replaced by a pipe meanwhile is not waited for. */
static int open_file(struct sending *s)
{
	struct stat st;

	s->fd = open(s->file->source, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (s->fd < 0)
		return refuse(s, strerror(errno));
	if (!fstat(s->fd, &st) && S_ISREG(st.st_mode) && st.st_size == s->file->size)
		return 0;
	close(s->fd);
	return refuse(s, "was changed while it was uploaded");
}

static int create_upload(struct client *c, int64_t *ret_id, struct strbuf *err)
{
	struct request rq = {.method = "POST", .path = "/api/uploads"};
	struct reply reply = {0};
	json_t *answer = NULL;
	int r = client_request(c, &rq, &reply, err);
	int code = r ? client_exit_code(r) : reply_exit_code(c, &reply, err);

	if (!code) {
		answer = json_parse(reply.body.buf, reply.body.len, NULL);
		*ret_id = json_integer_value(json_object_get(answer, "id"));
		if (*ret_id < 1) {
			err_set(err, 0, "what answers at %s is no reqpm server", c->base);
			code = CLI_LOST;
		}
	}
	json_decref(answer);
	reply_finish(&reply);
	return code;
}

int upload_send(const struct upload *u, struct client *c, upload_progress_fn *progress, void *arg,
	int64_t *ret_id, struct strbuf *err)
{
	struct sending s = {.progress = progress, .arg = arg, .err = err};
	int code = create_upload(c, ret_id, err);

	for (size_t i = 0; i < u->count && !code; i++) {
		s.file = &u->files[i];
		s.files_before = i;
		code = open_file(&s) ? CLI_REFUSED : 0;
		if (code)
			break;
		code = send_file(&s, c, *ret_id);
		close(s.fd);
		s.bytes_before += s.file->size;
		if (!code && progress)
			progress(arg, i + 1, s.bytes_before);
	}
	digest_destroy(s.digest);
	return code;
}
