// SPDX-License-Identifier: MIT
/*
 * A search through a whole log, in turns.
 */
#include "apps/builds/logs_reader.h"
#include "core/base/json.h"

#define BEFORE_MATCH 256 /* bytes shown before a match far inside a long line */

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
	if (s->matches == LOG_SEARCH_MATCHES_MAX || s->w.out->len >= LOG_ANSWER_MAX) {
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
			return end || r->len < LOG_READ_BUFFER ? r->len
							       : r->len - (s->query_len - 1);
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

int log_search_step(struct log_search *s, char *buf)
{
	reader_begin_turn(&s->reader, buf);
	while (s->at < s->reader.size && !s->truncated) {
		int e = reader_next(&s->reader, s->at);

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
