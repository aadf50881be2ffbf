// SPDX-License-Identifier: MIT
/*
 * Writing a log: what comes while one write is in the pool waits and goes out with the next, so that a chatty build costs
 * few writes and a quiet one no delay. The fields below `pool's` are touched by the operation in flight alone.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "apps/builds/logs.h"
#include "core/base/json.h"
#include "core/base/log.h"

#define READ_STEP 65536

struct logs {
	struct loop *loop;
	int64_t size_max, disk_reserve; /* constant */
	/* A list for all items: hundreds of viewers are walked in less time than one write to the disk takes. */
	struct list followers;
};

enum writer_state { WRITER_OPENING, WRITER_OPEN, WRITER_CLOSING };
struct log_writer {
	struct logs *logs;
	int64_t item_id;
	enum writer_state state;
	bool busy, full;
	bool faulty; /* error is final */
	struct strbuf waiting;
	int64_t size, lines; /* as of the last operation that ended */
	uv_work_t work;
	log_ready_fn *ready;
	void *ready_arg;
	loop_fn *drained;
	void *drained_arg;
	log_ready_fn *broken;
	void *broken_arg;
	void (*done)(void *arg, const struct log_totals *totals);
	void *done_arg;
	/* pool's */
	char *path;
	int fd, index_fd;
	struct strbuf writing, index;
	struct digest *digest;
	struct strbuf tail;
	int64_t at, at_line; /* bytes and whole lines written */
	int error;
};

struct logs *logs_create(struct loop *loop, int64_t size_max, int64_t disk_reserve)
{
	struct logs *l = xcalloc(1, sizeof(*l));

	*l = (struct logs){.loop = loop, .size_max = size_max, .disk_reserve = disk_reserve};
	list_init(&l->followers);
	return l;
}

void logs_destroy(struct logs *l)
{
	if (!l)
		return;
	while (!list_empty(&l->followers))
		list_remove(l->followers.next);
	free(l);
}

void log_index_path(struct strbuf *out, const char *path)
{
	strbuf_addf(out, "%s.idx", path);
}

/* ---- in the pool */

static int write_all(int fd, const char *data, size_t len, size_t *ret_written)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = write(fd, data + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			*ret_written = at;
			return -errno;
		}
		at += (size_t)n;
	}
	*ret_written = at;
	return 0;
}

/* Counts what is in the file now: lines, their index, the digest and the tail. */
static void account(struct log_writer *w, const char *data, size_t len)
{
	const char *at = data, *end = data + len, *newline;

	while ((newline = memchr(at, '\n', (size_t)(end - at)))) {
		at = newline + 1;
		if (++w->at_line % LOG_INDEX_EVERY == 0) {
			int64_t offset = w->at + (at - data);

			strbuf_add(&w->index, &offset, sizeof(offset));
		}
	}
	w->at += (int64_t)len;
	digest_add(w->digest, data, len);
	if (len > LOG_TAIL_MAX) {
		data += len - LOG_TAIL_MAX;
		len = LOG_TAIL_MAX;
	}
	strbuf_add(&w->tail, data, len);
	if (w->tail.len > LOG_TAIL_MAX)
		strbuf_remove(&w->tail, 0, w->tail.len - LOG_TAIL_MAX);
}

/* An index that lacks its end only costs readers a longer walk, so its faults are not the log's. */
static void write_index(struct log_writer *w)
{
	size_t written;

	if (w->index.len && w->index_fd >= 0 &&
		write_all(w->index_fd, w->index.buf, w->index.len, &written) < 0) {
		close(w->index_fd);
		w->index_fd = -1;
	}
	strbuf_reset(&w->index);
}

static void write_data(struct log_writer *w, const char *data, size_t len)
{
	int64_t room = w->logs->size_max > w->at ? w->logs->size_max - w->at : 0;
	size_t fits = (int64_t)len < room ? len : (size_t)room, written;

	if (w->error < 0)
		return;
	w->error = write_all(w->fd, data, fits, &written);
	account(w, data, written);
	write_index(w);
	if (w->error >= 0 && fits < len)
		w->error = -EFBIG;
}

/* Others need the rest: the database, first of all. */
static void check_reserve(struct log_writer *w)
{
	struct statvfs fs;

	if (w->error >= 0 && !fstatvfs(w->fd, &fs) &&
		(int64_t)(fs.f_bavail * fs.f_frsize) < w->logs->disk_reserve)
		w->error = -ENOSPC;
}

static int read_earlier(struct log_writer *w)
{
	char *buf = xmalloc(READ_STEP);
	ssize_t n;

	while ((n = pread(w->fd, buf, READ_STEP, w->at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		account(w, buf, (size_t)n);
	}
	n = n < 0 ? -errno : 0;
	free(buf);
	write_index(w);
	return (int)n;
}

static int open_folder(const char *path)
{
	char *parent = xstrdup(path);
	int r;

	*strrchr(parent, '/') = '\0';
	r = dir_create(parent, 0750, NULL);
	free(parent);
	return r;
}

static int open_files(struct log_writer *w)
{
	struct strbuf index = STRBUF_INIT;
	struct stat st;
	int r = open_folder(w->path);

	if (r < 0)
		return r;
	w->fd = open(
		w->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0640);
	if (w->fd < 0)
		return -errno;
	if (fstat(w->fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	log_index_path(&index, w->path);
	w->index_fd = open(
		index.buf, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
	strbuf_finish(&index);
	return 0;
}

static void work_open(uv_work_t *work)
{
	struct log_writer *w = container_of(work, struct log_writer, work);

	w->error = open_files(w);
	if (w->error >= 0)
		w->error = read_earlier(w);
	/* What a killed attempt left in the midst of a line is a line of its own. */
	if (w->error >= 0 && w->tail.len && w->tail.buf[w->tail.len - 1] != '\n')
		write_data(w, "\n", 1);
}

static void work_write(uv_work_t *work)
{
	struct log_writer *w = container_of(work, struct log_writer, work);

	check_reserve(w);
	write_data(w, w->writing.buf, w->writing.len);
	strbuf_reset(&w->writing);
}

static void work_close(uv_work_t *work)
{
	struct log_writer *w = container_of(work, struct log_writer, work);

	write_data(w, w->writing.buf, w->writing.len);
	if (w->fd >= 0 && fdatasync(w->fd) < 0 && w->error >= 0)
		w->error = -errno;
	if (w->fd >= 0)
		close(w->fd);
	if (w->index_fd >= 0)
		close(w->index_fd);
}

/* ---- on the loop */

static void writer_free(struct log_writer *w)
{
	strbuf_finish(&w->waiting);
	strbuf_finish(&w->writing);
	strbuf_finish(&w->index);
	strbuf_finish(&w->tail);
	digest_destroy(w->digest);
	free(w->path);
	free(w);
}

static void tell_grew(struct logs *l, int64_t item_id, int64_t size)
{
	struct log_follower *f, *tmp;

	list_for_each_safe (f, tmp, &l->followers, link)
		if (f->item_id == item_id)
			f->grew(f, size);
}

char *log_plain_text(const char *data, size_t len)
{
	struct strbuf text = STRBUF_INIT;
	json_t *json;
	char *plain;

	strbuf_addch(&text, '"');
	json_log_text(&text, data, len, true);
	strbuf_addch(&text, '"');
	json = json_parse(text.buf, text.len, NULL);
	plain = xstrdup(json ? json_string_value(json) : "");
	json_decref(json);
	strbuf_finish(&text);
	return plain;
}

/* The tail without what could drive a terminal, and without half a character in front. */
static char *harmless(const struct strbuf *tail)
{
	size_t skip = 0;

	while (tail->len == LOG_TAIL_MAX && skip < 3 && (tail->buf[skip] & 0xc0) == 0x80)
		skip++;
	return log_plain_text(tail->buf + skip, tail->len - skip);
}

static void closed(struct log_writer *w)
{
	struct log_totals totals = {
		.size = w->at,
		.lines = w->at_line,
		.tail = harmless(&w->tail),
		.error = w->error,
	};

	if (w->tail.len && w->tail.buf[w->tail.len - 1] != '\n')
		totals.lines++;
	digest_hex(w->digest, totals.sha256);
	w->done(w->done_arg, &totals);
	free(totals.tail);
	writer_free(w);
}

static void after_work(uv_work_t *work, int status);

static void submit(struct log_writer *w, uv_work_cb run)
{
	struct strbuf swap = w->writing;

	w->writing = w->waiting;
	w->waiting = swap;
	w->busy = true;
	uv_queue_work(&w->logs->loop->uv, &w->work, run, after_work);
}

/* The next operation, if there is one to do and none in flight. */
static void advance(struct log_writer *w)
{
	if (w->busy)
		return;
	if (w->state == WRITER_CLOSING)
		submit(w, work_close);
	else if (w->waiting.len)
		submit(w, work_write);
}

static void broke(struct log_writer *w)
{
	w->faulty = true;
	strbuf_finish(&w->waiting);
	if (w->state == WRITER_OPEN && w->broken)
		w->broken(w->broken_arg, w->error);
}

static void opened(struct log_writer *w)
{
	w->state = WRITER_OPEN;
	w->ready(w->ready_arg, w->error);
}

static void after_work(uv_work_t *work, int status)
{
	struct log_writer *w = container_of(work, struct log_writer, work);
	int64_t before = w->size;
	bool drained;

	(void)status;
	w->busy = false;
	w->size = w->at;
	w->lines = w->at_line;
	if (w->size > before)
		tell_grew(w->logs, w->item_id, w->size);
	/* Closed by work_close(), which is the only one after which nothing is open. */
	if (w->state == WRITER_CLOSING && work->work_cb == work_close) {
		closed(w);
		return;
	}
	if (w->error < 0 && !w->faulty)
		broke(w);
	if (w->state == WRITER_OPENING)
		opened(w);
	drained = w->full && w->waiting.len < LOG_BUFFER_MAX;
	if (drained)
		w->full = false;
	advance(w);
	if (drained && w->drained)
		w->drained(w->drained_arg);
}

struct log_writer *log_writer_open(
	struct logs *l, int64_t item_id, const char *path, log_ready_fn *ready, void *arg)
{
	struct log_writer *w = xcalloc(1, sizeof(*w));

	w->logs = l;
	w->item_id = item_id;
	w->path = xstrdup(path);
	w->ready = ready;
	w->ready_arg = arg;
	w->fd = w->index_fd = -1;
	w->digest = digest_create();
	strbuf_init(&w->waiting);
	strbuf_init(&w->writing);
	strbuf_init(&w->index);
	strbuf_init(&w->tail);
	submit(w, work_open);
	return w;
}

bool log_writer_add(struct log_writer *w, const char *data, size_t len)
{
	if (w->faulty)
		return true;
	strbuf_add(&w->waiting, data, len);
	if (w->state == WRITER_OPEN)
		advance(w);
	if (w->waiting.len >= LOG_BUFFER_MAX)
		w->full = true;
	return !w->full;
}

void log_writer_on_drained(struct log_writer *w, loop_fn *drained, void *arg)
{
	w->drained = drained;
	w->drained_arg = arg;
}

void log_writer_on_broken(struct log_writer *w, log_ready_fn *broken, void *arg)
{
	w->broken = broken;
	w->broken_arg = arg;
}

int64_t log_writer_size(const struct log_writer *w)
{
	return w->size;
}

int64_t log_writer_lines(const struct log_writer *w)
{
	return w->lines;
}

void log_writer_close(
	struct log_writer *w, void (*done)(void *arg, const struct log_totals *totals), void *arg)
{
	w->state = WRITER_CLOSING;
	w->done = done;
	w->done_arg = arg;
	w->drained = NULL;
	w->broken = NULL;
	advance(w);
}

/* ---- followers */

void log_ended(struct logs *l, int64_t item_id)
{
	struct log_follower *f, *tmp;

	list_for_each_safe (f, tmp, &l->followers, link)
		if (f->item_id == item_id)
			f->ended(f);
}

void logs_drain(struct logs *l)
{
	struct log_follower *f, *tmp;

	list_for_each_safe (f, tmp, &l->followers, link)
		f->going_away(f);
}

void log_follow(struct logs *l, struct log_follower *f)
{
	list_append(&l->followers, &f->link);
}

void log_unfollow(struct log_follower *f)
{
	list_remove(&f->link);
}
