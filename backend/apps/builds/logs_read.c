// SPDX-License-Identifier: MIT
/*
 * Reading a log that may still grow: its size is taken once and nothing beyond is looked at. The index may lack its end,
 * never more; from the last line that it knows the rest is walked.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "apps/builds/logs_reader.h"
#include "core/base/json.h"

int reader_open(struct reader *r, const char *path)
{
	struct stat st;

	*r = (struct reader){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
	if (r->fd < 0)
		return -errno;
	if (fstat(r->fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(r->fd);
		return -ENOENT;
	}
	r->size = st.st_size;
	return 0;
}

void reader_close(struct reader *r)
{
	close(r->fd);
}

void reader_begin_turn(struct reader *r, char *buf)
{
	r->buf = buf;
	r->len = 0;
	r->turn = 0;
}

int reader_fill(struct reader *r, int64_t offset)
{
	size_t want =
		r->size - offset < LOG_READ_BUFFER ? (size_t)(r->size - offset) : LOG_READ_BUFFER;
	ssize_t n;

	r->at = offset;
	r->len = 0;
	while (r->len < want) {
		n = pread(r->fd, r->buf + r->len, want - r->len, offset + (int64_t)r->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		r->len += (size_t)n;
	}
	r->turn += (int64_t)r->len;
	return 0;
}

int reader_next(struct reader *r, int64_t offset)
{
	return r->turn < LOG_READ_TURN ? reader_fill(r, offset) : 1;
}

/* ---- the index */

void index_read(struct line_index *index, const char *path, int64_t size)
{
	struct strbuf index_path = STRBUF_INIT, bytes = STRBUF_INIT;
	size_t max = (size_t)(size / LOG_INDEX_EVERY + 1) * sizeof(int64_t);

	log_index_path(&index_path, path);
	file_read(index_path.buf, max, &bytes, NULL);
	index->count = bytes.len / sizeof(int64_t);
	index->offsets = xcalloc(index->count + 1, sizeof(int64_t));
	memcpy(index->offsets, bytes.buf, index->count * sizeof(int64_t));
	while (index->count && index->offsets[index->count - 1] > size)
		index->count--;
	strbuf_finish(&index_path);
	strbuf_finish(&bytes);
}

/* The last indexed line that begins at or before offset: its 0-based number; where it begins. */
static int64_t index_before(const struct line_index *index, int64_t offset, int64_t *ret_start)
{
	size_t low = 0, high = index->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (index->offsets[mid] <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	*ret_start = low ? index->offsets[low - 1] : 0;
	return (int64_t)low * LOG_INDEX_EVERY;
}

/* ---- walks */

struct walk walk_from(const struct line_index *index, int64_t offset)
{
	struct walk w;

	w.line = index_before(index, offset, &w.start);
	w.at = w.start;
	return w;
}

int walk_step(struct reader *r, struct walk *w, int64_t to)
{
	for (; w->at < to; w->at += (int64_t)r->len) {
		const char *p, *end;
		int e = reader_next(r, w->at);

		if (e)
			return e;
		if (!r->len)
			return 0;
		p = r->buf;
		end = r->buf + (to - w->at < (int64_t)r->len ? to - w->at : (int64_t)r->len);
		while ((p = memchr(p, '\n', (size_t)(end - p)))) {
			p++;
			w->line++;
			w->start = w->at + (p - r->buf);
		}
	}
	return 0;
}

struct log_place {
	struct reader reader;
	struct walk walk;
	int64_t to;
	bool tail;
};

int log_place_open(const char *path, int64_t offset, struct log_place **ret_place)
{
	struct log_place *p = xcalloc(1, sizeof(*p));
	struct line_index index;
	int64_t size;
	int e = reader_open(&p->reader, path);

	if (e < 0) {
		free(p);
		return e;
	}
	size = p->reader.size;
	p->tail = offset == LOG_TAIL;
	if (p->tail)
		offset = size > LOG_TAIL_START ? size - LOG_TAIL_START : 0;
	p->to = offset < size ? offset : size;
	index_read(&index, path, size);
	p->walk = walk_from(&index, p->to);
	free(index.offsets);
	*ret_place = p;
	return 0;
}

int log_place_step(struct log_place *p, char *buf, int64_t *ret_offset, int64_t *ret_line)
{
	struct reader *r = &p->reader;
	const char *newline = NULL;
	int e;

	reader_begin_turn(r, buf);
	e = walk_step(r, &p->walk, p->to);
	if (!e && p->tail && p->walk.start < p->to) {
		e = reader_fill(r, p->to);
		newline = memchr(r->buf, '\n', r->len);
	}
	if (e)
		return e;
	*ret_offset = newline ? p->to + (newline + 1 - r->buf) : p->to;
	*ret_line = p->walk.line + (newline ? 2 : 1);
	return 0;
}

void log_place_close(struct log_place *p)
{
	if (!p)
		return;
	reader_close(&p->reader);
	free(p);
}

/* ---- lines as JSON */

void put_line(struct json_writer *w, const char *key, const char *data, size_t len, int64_t whole)
{
	struct strbuf text = STRBUF_INIT;
	size_t shown = len > LOG_LINE_SHOWN_MAX ? LOG_LINE_SHOWN_MAX : len;

	strbuf_addch(&text, '"');
	shown = json_log_text(&text, data, shown, (int64_t)shown == whole);
	if ((int64_t)shown < whole)
		strbuf_addf(&text, " … (%lld more bytes)", (long long)(whole - (int64_t)shown));
	strbuf_addch(&text, '"');
	json_put_raw(w, key, text.buf);
	strbuf_finish(&text);
}
