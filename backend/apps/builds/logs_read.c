// SPDX-License-Identifier: MIT
/*
 * Reading a log that may still grow: its size is taken once and nothing beyond is looked at. The index may lack its end,
 * never more; from the last line that it knows the rest is walked.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "apps/builds/logs.h"
#include "core/base/json.h"

#define READ_STEP (256 << 10)
#define BEFORE_MATCH 256 /* bytes shown before a match far inside a long line */

struct reader {
	int fd;
	int64_t size; /* bytes that are looked at */
	int64_t at; /* file offset of buf[0] */
	size_t len; /* bytes in buf */
	char *buf; /* READ_STEP */
};

static int reader_open(struct reader *r, const char *path)
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
	r->buf = xmalloc(READ_STEP);
	return 0;
}

static void reader_close(struct reader *r)
{
	close(r->fd);
	free(r->buf);
}

/* Fills buf with what is at offset; len 0: the end. */
static int reader_fill(struct reader *r, int64_t offset)
{
	size_t want = r->size - offset < READ_STEP ? (size_t)(r->size - offset) : READ_STEP;
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
	return 0;
}

/* ---- the index: entry k is where line (k + 1) * LOG_INDEX_EVERY + 1 begins */

struct line_index {
	int64_t *offsets;
	size_t count;
};

static void index_read(struct line_index *index, const char *path, int64_t size)
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

struct walk {
	int64_t at; /* how far it has come */
	int64_t line, start; /* the line there: its 0-based number, where it begins */
};

/* From the last indexed line at or before offset. */
static struct walk walk_from(const struct line_index *index, int64_t offset)
{
	struct walk w;

	w.line = index_before(index, offset, &w.start);
	w.at = w.start;
	return w;
}

/* Towards `to`, a turn's bytes at the most. 1: it is not there yet. */
static int walk_step(struct reader *r, struct walk *w, int64_t to)
{
	int64_t until = w->at + LOG_READ_TURN;

	for (; w->at < to; w->at += (int64_t)r->len) {
		const char *p, *end;
		int e = w->at < until ? reader_fill(r, w->at) : 1;

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

int log_place_step(struct log_place *p, int64_t *ret_offset, int64_t *ret_line)
{
	struct reader *r = &p->reader;
	const char *newline = NULL;
	int e = walk_step(r, &p->walk, p->to);

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

/* One line without its newline; len may be less than the line's whole length. */
static void put_line(
	struct json_writer *w, const char *key, const char *data, size_t len, int64_t whole)
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

/* How long the line is that begins at start: to its newline or the end. *ret_next: where the next one begins. */
static int measure_line(struct reader *r, int64_t start, int64_t *ret_len, int64_t *ret_next)
{
	for (int64_t at = start; at < r->size; at += (int64_t)r->len) {
		const char *newline;
		int e = at >= r->at && at < r->at + (int64_t)r->len ? 0 : reader_fill(r, at);
		size_t skip = (size_t)(at - r->at);

		if (e < 0)
			return e;
		if (!r->len)
			break;
		newline = memchr(r->buf + skip, '\n', r->len - skip);
		if (newline) {
			*ret_len = r->at + (newline - r->buf) - start;
			*ret_next = start + *ret_len + 1;
			return 0;
		}
		at = r->at;
	}
	*ret_len = r->size - start;
	*ret_next = r->size;
	return 0;
}

/* Puts the line and moves *at to the next one. */
static int window_line(struct reader *r, struct json_writer *w, int64_t *at)
{
	int64_t len, next;
	size_t shown;
	int e = measure_line(r, *at, &len, &next);

	if (e < 0)
		return e;
	shown = len < LOG_LINE_SHOWN_MAX ? (size_t)len : LOG_LINE_SHOWN_MAX;
	if (*at < r->at || *at + (int64_t)shown > r->at + (int64_t)r->len)
		e = reader_fill(r, *at);
	if (e < 0)
		return e;
	put_line(w, NULL, r->buf + (*at - r->at), shown, len);
	*at = next;
	return 0;
}

/* Lines in all, a last one without newline counted. */
static int count_lines(struct reader *r, const struct line_index *index, int64_t *ret_total)
{
	struct walk w = walk_from(index, r->size);
	int e;

	while ((e = walk_step(r, &w, r->size)) > 0)
		continue;
	*ret_total = w.line + (w.start < r->size);
	return e;
}

static int seek_line(
	struct reader *r, const struct line_index *index, int64_t line, int64_t *ret_at)
{
	size_t k = (size_t)(line / LOG_INDEX_EVERY);
	int64_t at, now, len;
	int e = 0;

	if (k > index->count)
		k = index->count;
	at = k ? index->offsets[k - 1] : 0;
	for (now = (int64_t)k * LOG_INDEX_EVERY; e >= 0 && now < line && at < r->size; now++)
		e = measure_line(r, at, &len, &at);
	*ret_at = at;
	return e;
}

static int put_window(struct reader *r, const struct line_index *index, int64_t from_line,
	int64_t limit, bool final, struct json_writer *w)
{
	int64_t total = 0, at = 0;
	int e = count_lines(r, index, &total);

	r->len = 0;
	if (e >= 0)
		e = seek_line(r, index, from_line - 1, &at);
	json_begin_object(w, NULL);
	json_put_int(w, "from_line", from_line);
	json_begin_array(w, "lines");
	for (int64_t i = 0; e >= 0 && i < limit && at < r->size; i++)
		e = window_line(r, w, &at);
	json_end_array(w);
	json_put_int(w, "total_lines", total);
	json_put_int(w, "size", r->size);
	json_put_bool(w, "final", final);
	json_end_object(w);
	return e;
}

int log_window_json(
	const char *path, int64_t from_line, int64_t limit, bool final, struct strbuf *out)
{
	struct json_writer w = JSON_WRITER(out);
	struct line_index index;
	struct reader r;
	int e = reader_open(&r, path);

	if (e < 0)
		return e;
	index_read(&index, path, r.size);
	e = put_window(&r, &index, from_line, limit, final, &w);
	free(index.offsets);
	reader_close(&r);
	return e;
}

/* ---- search */

static unsigned char fold(char c)
{
	return (unsigned char)(c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
}

/* Where c or its capital is, from data on. */
static const char *find_either(const char *data, const char *end, char c)
{
	char capital = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	const char *small = memchr(data, c, (size_t)(end - data));
	const char *big =
		capital == c ? NULL : memchr(data, capital, (size_t)((small ? small : end) - data));

	return big ? big : small;
}

/* query is folded already. */
static const char *find_folded(const char *data, size_t len, const char *query, size_t query_len)
{
	const char *end = data + len;

	while ((data = find_either(data, end, query[0])) && (size_t)(end - data) >= query_len) {
		size_t k = 1;

		while (k < query_len && fold(data[k]) == (unsigned char)query[k])
			k++;
		if (k == query_len)
			return data;
		data++;
	}
	return NULL;
}

struct log_search {
	struct reader reader;
	int64_t at; /* of the file, what is looked at next */
	char *query; /* folded */
	size_t query_len;
	struct json_writer w;
	int64_t line; /* 1-based, of the next piece */
	bool matched; /* this line already */
	size_t matches;
	bool truncated;
};

/* A piece of a line, mostly the whole. */
static void search_piece(struct log_search *s, const char *data, size_t len)
{
	const char *match, *from = data;

	if (s->matched || !(match = find_folded(data, len, s->query, s->query_len)))
		return;
	s->matched = true;
	if (s->matches == LOG_SEARCH_MATCHES_MAX) {
		s->truncated = true;
		return;
	}
	if ((size_t)(match - data) + s->query_len > LOG_LINE_SHOWN_MAX)
		from = match - BEFORE_MATCH;
	s->matches++;
	json_begin_object(&s->w, NULL);
	json_put_int(&s->w, "line", s->line);
	put_line(&s->w, "text", from, len - (size_t)(from - data), (int64_t)len - (from - data));
	json_end_object(&s->w);
}

/* Whole lines of the buffer; of one that is longer than it a piece. Returns how many bytes are done with. */
static size_t search_buffer(struct log_search *s)
{
	const struct reader *r = &s->reader;
	bool end = r->at + (int64_t)r->len >= r->size;
	size_t at = 0;

	while (at < r->len && !s->truncated) {
		const char *newline = memchr(r->buf + at, '\n', r->len - at);
		size_t len = newline ? (size_t)(newline - r->buf) - at : r->len - at;

		if (!newline && !end && at)
			return at;
		search_piece(s, r->buf + at, len);
		/* A match may lie across two pieces. */
		if (!newline)
			return end || r->len < READ_STEP ? r->len : r->len - (s->query_len - 1);
		at += len + 1;
		s->line++;
		s->matched = false;
	}
	return r->len;
}

int log_search_open(
	const char *path, const char *query, struct strbuf *out, struct log_search **ret_search)
{
	struct log_search *s = xcalloc(1, sizeof(*s));
	int e = reader_open(&s->reader, path);

	if (e < 0) {
		free(s);
		return e;
	}
	s->query = xstrdup(query);
	s->query_len = strlen(query);
	s->w = (struct json_writer)JSON_WRITER(out);
	s->line = 1;
	for (char *c = s->query; *c; c++)
		*c = (char)fold(*c);
	json_begin_object(&s->w, NULL);
	json_put_string(&s->w, "q", query);
	json_begin_array(&s->w, "matches");
	*ret_search = s;
	return 0;
}

int log_search_step(struct log_search *s)
{
	int64_t until = s->at + LOG_READ_TURN;

	while (s->at < s->reader.size && !s->truncated) {
		int e = s->at < until ? reader_fill(&s->reader, s->at) : 1;

		if (e)
			return e;
		if (!s->reader.len)
			break;
		s->at += (int64_t)search_buffer(s);
	}
	json_end_array(&s->w);
	json_put_bool(&s->w, "truncated", s->truncated);
	json_end_object(&s->w);
	return 0;
}

void log_search_close(struct log_search *s)
{
	if (!s)
		return;
	reader_close(&s->reader);
	free(s->query);
	free(s);
}
