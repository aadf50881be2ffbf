// SPDX-License-Identifier: MIT
/* A file goes out piece by piece: the next one is read when the last one is in the socket, so that
 * a slow reader costs one buffer and never the whole file. */
#include <unistd.h>
#include "core/base/log.h"
#include "core/http/http_internal.h"

struct http_file {
	struct http_conn *conn; /* NULL: abandoned, only what is under way is waited for */
	uv_loop_t *loop;
	uv_fs_t fs;
	uv_write_t write;
	bool busy; /* fs or write is under way */
	int fd;
	int64_t offset, end;
	char piece[HTTP_FILE_PIECE];
};

/* Strict decimal of at most 18 digits; -1 when there is none. */
static int64_t number_parse(const char **s)
{
	int64_t n = 0;
	int digits = 0;

	for (; **s >= '0' && **s <= '9'; (*s)++, digits++) {
		if (digits == 18)
			return -1;
		n = n * 10 + (**s - '0');
	}
	return digits > 0 ? n : -1;
}

/* "-n": the last n bytes. */
static enum http_range suffix_parse(
	const char *s, int64_t size, int64_t *ret_first, int64_t *ret_last)
{
	int64_t n = number_parse(&s);

	if (n < 0 || *s)
		return HTTP_RANGE_WHOLE;
	if (n == 0 || size == 0)
		return HTTP_RANGE_NONE;
	*ret_first = n < size ? size - n : 0;
	*ret_last = size - 1;
	return HTTP_RANGE_PART;
}

enum http_range http_range_parse(
	const char *value, int64_t size, int64_t *ret_first, int64_t *ret_last)
{
	const char *s = value;
	int64_t first, last = INT64_MAX;

	if (strncmp(s, "bytes=", 6) != 0)
		return HTTP_RANGE_WHOLE;
	s += 6;
	if (*s == '-')
		return suffix_parse(s + 1, size, ret_first, ret_last);
	first = number_parse(&s);
	if (first < 0 || *s++ != '-')
		return HTTP_RANGE_WHOLE;
	if (*s)
		last = number_parse(&s);
	if (*s || last < first)
		return HTTP_RANGE_WHOLE;
	if (first >= size)
		return HTTP_RANGE_NONE;
	*ret_first = first;
	*ret_last = last < size ? last : size - 1;
	return HTTP_RANGE_PART;
}

static void on_file_closed(uv_fs_t *fs)
{
	struct http_file *f = container_of(fs, struct http_file, fs);

	uv_fs_req_cleanup(fs);
	free(f);
}

static void file_finish(struct http_file *f)
{
	uv_fs_close(f->loop, &f->fs, f->fd, on_file_closed);
}

void http_file_abandon(struct http_file *f)
{
	f->conn = NULL;
	if (!f->busy)
		file_finish(f);
}

static void on_piece_written(uv_write_t *write, int status)
{
	struct http_file *f = container_of(write, struct http_file, write);

	f->busy = false;
	if (!f->conn)
		file_finish(f);
	else if (status < 0)
		http_conn_close(f->conn);
	else
		http_file_next(f);
}

static void on_piece_read(uv_fs_t *fs)
{
	struct http_file *f = container_of(fs, struct http_file, fs);
	ssize_t len = fs->result;
	uv_buf_t buf = uv_buf_init(f->piece, (unsigned)(len > 0 ? len : 0));

	uv_fs_req_cleanup(fs);
	f->busy = false;
	if (!f->conn) {
		file_finish(f);
		return;
	}
	/* The length was promised: only a reset tells the peer that it will not come. */
	if (len <= 0) {
		log_warn(
			"http: a file that is being sent ended early (%s), the connection is reset",
			len < 0 ? uv_strerror((int)len) : "it was cut");
		http_conn_reset(f->conn);
		return;
	}
	f->offset += len;
	f->busy = true;
	if (uv_write(&f->write, (uv_stream_t *)&f->conn->stream->tcp, &buf, 1, on_piece_written) <
		0) {
		f->busy = false;
		http_conn_close(f->conn);
	}
}

void http_file_next(struct http_file *f)
{
	struct http_conn *c = f->conn;
	int64_t left = f->end - f->offset;
	uv_buf_t buf =
		uv_buf_init(f->piece, left < HTTP_FILE_PIECE ? (unsigned)left : HTTP_FILE_PIECE);

	if (left == 0) {
		c->file = NULL;
		http_file_abandon(f);
		http_conn_answered(c);
		return;
	}
	f->busy = true;
	uv_fs_read(f->loop, &f->fs, f->fd, &buf, 1, f->offset, on_piece_read);
}

int64_t http_file_left(const struct http_file *f)
{
	return f->end - f->offset;
}

static struct http_file *file_create(struct http_conn *c, int fd, int64_t offset, int64_t end)
{
	struct http_file *f = xmalloc(sizeof(*f)); /* the piece needs no zeros */

	f->conn = c;
	f->loop = &c->server->config.loop->uv;
	f->busy = false;
	f->fd = fd;
	f->offset = offset;
	f->end = end;
	return f;
}

static void range_refuse(struct http_request *req, int fd, int64_t size)
{
	char text[48];

	close(fd);
	snprintf(text, sizeof(text), "bytes */%lld", (long long)size);
	http_add_header(req, "Content-Range", text);
	http_reply_problem(req, 416, "range-not-satisfiable",
		"the range asked for lies beyond the %lld bytes there are", (long long)size);
}

/* The file that If-Range names must be this very one: a date or a weak tag does not say so (RFC 9110 section 13.1.5). The whole
 * file is the safe answer. */
static bool same_file(const struct http_request *req, const char *if_range)
{
	return *if_range == '"' && req->etag && strcmp(if_range, req->etag) == 0;
}

static const char *range_wanted(const struct http_request *req)
{
	const char *if_range = http_header(req, "if-range");

	if (req->head.method != HTTP_GET || (if_range && !same_file(req, if_range)))
		return NULL;
	return http_header(req, "range");
}

void http_reply_file(struct http_request *req, int fd, int64_t size, const char *content_type)
{
	const char *wanted = range_wanted(req);
	int64_t first = 0, last = size - 1;
	enum http_range range =
		wanted ? http_range_parse(wanted, size, &first, &last) : HTTP_RANGE_WHOLE;
	bool skip_body = req->head.method == HTTP_HEAD;
	struct strbuf head = STRBUF_INIT, none = STRBUF_INIT;
	struct http_conn *c;
	char text[72];

	if (http_match_fails(req)) {
		close(fd);
		http_reply_match_failed(req);
		return;
	}
	if (range == HTTP_RANGE_NONE) {
		range_refuse(req, fd, size);
		return;
	}
	http_add_header(req, "Accept-Ranges", "bytes");
	if (range == HTTP_RANGE_PART) {
		snprintf(text, sizeof(text), "bytes %lld-%lld/%lld", (long long)first,
			(long long)last, (long long)size);
		http_add_header(req, "Content-Range", text);
	}
	c = http_reply_begin(
		req, range == HTTP_RANGE_PART ? 206 : 200, content_type, last + 1 - first, &head);
	if (!c || skip_body)
		close(fd);
	else
		c->file = file_create(c, fd, first, last + 1);
	if (c)
		http_conn_send(c, &head, &none);
	strbuf_finish(&head);
}
