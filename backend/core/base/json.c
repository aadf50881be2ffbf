// SPDX-License-Identifier: MIT
#include "core/base/json.h"

#include <inttypes.h>

#define U_FFFD "\xef\xbf\xbd"
#define SGR_MAX 64 /* bytes of a colour sequence; two true colours and all attributes take 52 */

/* ---- writing */

static void json_key(struct json_writer *w, const char *key)
{
	if (w->comma)
		strbuf_addch(w->out, ',');
	w->comma = true;
	if (!key)
		return;
	strbuf_addch(w->out, '"');
	strbuf_addstr(w->out, key);
	strbuf_add(w->out, "\":", 2);
}

static void json_begin(struct json_writer *w, const char *key, char bracket)
{
	json_key(w, key);
	strbuf_addch(w->out, bracket);
	w->comma = false;
}

static void json_end(struct json_writer *w, char bracket)
{
	strbuf_addch(w->out, bracket);
	w->comma = true;
}

void json_begin_object(struct json_writer *w, const char *key)
{
	json_begin(w, key, '{');
}

void json_end_object(struct json_writer *w)
{
	json_end(w, '}');
}

void json_begin_array(struct json_writer *w, const char *key)
{
	json_begin(w, key, '[');
}

void json_end_array(struct json_writer *w)
{
	json_end(w, ']');
}

void json_put_int(struct json_writer *w, const char *key, int64_t value)
{
	json_key(w, key);
	strbuf_addf(w->out, "%" PRId64, value);
}

void json_put_bool(struct json_writer *w, const char *key, bool value)
{
	json_put_raw(w, key, value ? "true" : "false");
}

void json_put_null(struct json_writer *w, const char *key)
{
	if (!w->omit_nulls || !key)
		json_put_raw(w, key, "null");
}

void json_put_tenths(struct json_writer *w, const char *key, int64_t tenths)
{
	uint64_t size = tenths < 0 ? -(uint64_t)tenths : (uint64_t)tenths;

	json_key(w, key);
	strbuf_addf(w->out, "%s%" PRIu64 ".%d", tenths < 0 ? "-" : "", size / 10, (int)(size % 10));
}

void json_put_time(struct json_writer *w, const char *key, int64_t wall_ms)
{
	char text[CLOCK_TEXT_MAX];

	json_put_string(w, key, wall_ms ? clock_format(wall_ms, text) : NULL);
}

void json_put_raw(struct json_writer *w, const char *key, const char *json)
{
	json_key(w, key);
	strbuf_addstr(w->out, json);
}

/* ---- text. What needs nothing done to it is found eight bytes at a time and copied in one
 * piece. */

#define EACH_BYTE(c) (UINT64_C(0x0101010101010101) * (c))
/* Not 0 when some byte of the word is less than n (n up to 128), or equals c. */
#define HAS_LESS(word, n) (((word)-EACH_BYTE(n)) & ~(word)&EACH_BYTE(0x80))
#define HAS_BYTE(word, c) HAS_LESS((word) ^ EACH_BYTE(c), 1)

static bool word_is_plain(const char *s)
{
	uint64_t word;

	memcpy(&word, s, sizeof(word));
	return !((word & EACH_BYTE(0x80)) | HAS_LESS(word, 0x20) | HAS_BYTE(word, '"') |
		 HAS_BYTE(word, '\\') | HAS_BYTE(word, 0x7f));
}

static bool byte_is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

static bool is_c1(const char *s, size_t len)
{
	return len >= 2 && (unsigned char)s[0] == 0xc2 && (unsigned char)s[1] < 0xa0 &&
	       (unsigned char)s[1] >= 0x80;
}

/* Bytes at s that stand in a JSON string as they are. */
static size_t plain_run(const char *s, size_t len)
{
	size_t i = 0, step;

	while (i < len) {
		if (len - i >= sizeof(uint64_t) && word_is_plain(s + i)) {
			i += sizeof(uint64_t);
			continue;
		}
		step = utf8_sequence(s + i, len - i);
		if (!step || is_c1(s + i, len - i) ||
			(step == 1 && !byte_is_plain((unsigned char)s[i])))
			break;
		i += step;
	}
	return i;
}

/* The bytes of a sequence that is broken at s become one U+FFFD, as browsers do it. */
static size_t put_replacement(struct strbuf *out, const char *s, size_t len)
{
	size_t need, have = utf8_prefix(s, len, &need);

	strbuf_addstr(out, U_FFFD);
	return have ? have : 1;
}

/* The short escape of c, or NULL. */
static const char *short_escape(unsigned char c)
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\n':
		return "\\n";
	case '\t':
		return "\\t";
	default:
		return NULL;
	}
}

/* Writes what is not plain at s, and returns how many bytes that were. DEL and C1 are escaped
 * too, though JSON lets them pass: this text may be printed on a terminal. */
static size_t put_special(struct strbuf *out, const char *s, size_t len)
{
	unsigned char c = (unsigned char)s[0];
	const char *escape = short_escape(c);

	if (escape)
		strbuf_addstr(out, escape);
	else if (c < 0x80)
		strbuf_addf(out, "\\u%04x", c);
	else if (is_c1(s, len))
		strbuf_addf(out, "\\u%04x", (unsigned char)s[1]);
	else
		return put_replacement(out, s, len);
	return c < 0x80 ? 1 : 2;
}

void json_put_string(struct json_writer *w, const char *key, const char *value)
{
	if (value)
		json_put_text(w, key, value, strlen(value));
	else
		json_put_null(w, key);
}

void json_put_text(struct json_writer *w, const char *key, const char *value, size_t len)
{
	size_t i = 0;

	json_key(w, key);
	strbuf_grow(w->out, len + 2);
	strbuf_addch(w->out, '"');
	while (i < len) {
		size_t run = plain_run(value + i, len - i);

		strbuf_add(w->out, value + i, run);
		i += run;
		if (i < len)
			i += put_special(w->out, value + i, len - i);
	}
	strbuf_addch(w->out, '"');
}

/* ---- build logs */

/* Bytes of the colour sequence (ESC [ digits and semicolons m) at s; 0: it is none. *ret_cut: it
 * may become one with more bytes. */
static size_t sgr_sequence(const char *s, size_t len, bool *ret_cut)
{
	size_t i = 2;

	*ret_cut = len == 1;
	if (len < 2 || s[1] != '[')
		return 0;
	while (i < len && i < SGR_MAX - 1 && ((s[i] >= '0' && s[i] <= '9') || s[i] == ';'))
		i++;
	*ret_cut = i == len;
	return i < len && s[i] == 'm' ? i + 1 : 0;
}

/* A control byte, as its picture. */
static size_t put_picture(struct strbuf *out, unsigned char c)
{
	const char picture[3] = {'\xe2', '\x90', (char)(c == 0x7f ? 0xa1 : 0x80 + c)};

	strbuf_add(out, picture, sizeof(picture));
	return 1;
}

static size_t put_escape(struct strbuf *out, const char *s, size_t len, bool last)
{
	bool cut;
	size_t sgr = sgr_sequence(s, len, &cut);

	if (cut && !last)
		return 0;
	if (!sgr)
		return put_picture(out, (unsigned char)s[0]);
	strbuf_addstr(out, "\\u001b");
	strbuf_add(out, s + 1, sgr - 1);
	return sgr;
}

/* What is not plain at s; returns the bytes used, 0 when more are needed to tell. */
static size_t put_log_special(struct strbuf *out, const char *s, size_t len, bool last)
{
	unsigned char c = (unsigned char)s[0];
	const char *escape = short_escape(c);
	size_t need;

	if (escape) {
		strbuf_addstr(out, escape);
		return 1;
	}
	if (c == '\x1b')
		return put_escape(out, s, len, last);
	if (c < 0x80)
		return put_picture(out, c);
	if (!last && utf8_prefix(s, len, &need) == len && len < need)
		return 0;
	return put_replacement(out, s, len);
}

size_t json_log_text(struct strbuf *out, const char *data, size_t len, bool last)
{
	size_t i = 0, run, used;

	strbuf_grow(out, len);
	while (i < len) {
		run = plain_run(data + i, len - i);
		strbuf_add(out, data + i, run);
		i += run;
		if (i == len)
			break;
		used = put_log_special(out, data + i, len - i, last);
		if (!used)
			break;
		i += used;
	}
	return i;
}

/* ---- reading */

json_t *json_parse(const char *text, size_t len, struct strbuf *err)
{
	json_error_t error;
	json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

	if (json)
		return json;
	/* jansson quotes the place, which is the sender's text. */
	for (char *c = error.text; *c; c++)
		if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7f)
			*c = '?';
	err_set(err, -EINVAL, "not valid JSON at line %d, column %d: %s", error.line, error.column,
		error.text);
	return NULL;
}
