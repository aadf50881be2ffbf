// SPDX-License-Identifier: MIT
#include "core/base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define COLOUR_MAX 64 /* bytes of a sequence; fewer may wait for the next piece */

/* ---- what a terminal would be given */

/* Bytes of the colour sequence at s, which ends with a NUL; 0: it is none. */
static size_t colour(const char *s)
{
	size_t n;

	if (s[0] != '\x1b' || s[1] != '[')
		return 0;
	n = 2 + strspn(s + 2, "0123456789;");
	return s[n] == 'm' && n < COLOUR_MAX ? n + 1 : 0;
}

static void check_shown(const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		unsigned char c = (unsigned char)s[i], next = (unsigned char)s[i + 1];
		size_t sgr = colour(s + i);

		if (!sgr && ((c < 0x20 && c != '\t' && c != '\n') || c == 0x7f))
			BUG("byte %#x at %zu drives a terminal", c, i);
		if (c == 0xc2 && next >= 0x80 && next < 0xa0)
			BUG("C1 byte %#x at %zu drives a terminal", next, i);
		i += sgr ? sgr : 1;
	}
}

static bool plain(char c)
{
	return (c >= 0x20 && c < 0x7f) || c == '\t' || c == '\n';
}

/* What everybody can read is neither lost nor added. */
static void check_kept(const char *data, size_t len, const char *shown, size_t shown_len)
{
	size_t i = 0, k = 0;

	for (;; i++, k++) {
		while (i < len && !plain(data[i]))
			i++;
		while (k < shown_len && !plain(shown[k]))
			k++;
		if (i == len || k == shown_len)
			break;
		if (data[i] != shown[k])
			BUG("byte %zu became byte %zu", i, k);
	}
	if (i != len || k != shown_len)
		BUG("text was lost or added");
}

static void check_text(const struct strbuf *text, const char *data, size_t len)
{
	struct strbuf quoted = STRBUF_INIT, err = STRBUF_INIT;
	json_t *json;

	for (size_t i = 0; i < text->len; i++)
		if ((unsigned char)text->buf[i] < 0x20)
			BUG("byte %zu is a bare control", i);
	strbuf_addch(&quoted, '"');
	strbuf_add(&quoted, text->buf, text->len);
	strbuf_addch(&quoted, '"');
	json = json_parse(quoted.buf, quoted.len, &err);
	if (!json || !json_is_string(json))
		BUG("no JSON string: %s", err.buf);
	check_shown(json_string_value(json), json_string_length(json));
	check_kept(data, len, json_string_value(json), json_string_length(json));
	json_decref(json);
	strbuf_finish(&quoted);
}

/* ---- in pieces */

static size_t take(struct strbuf *out, const char *data, size_t len, bool last)
{
	/* A copy without a byte to spare, so that a step past it is seen. */
	char *exact = xmalloc(len);
	size_t used;

	memcpy(exact, data, len);
	used = json_log_text(out, exact, len, last);
	free(exact);
	if (used > len)
		BUG("%zu of %zu bytes used", used, len);
	if (last ? used != len : len - used >= COLOUR_MAX)
		BUG("%zu of %zu bytes are left", len - used, len);
	return used;
}

/* As a log that grows is read: what a piece leaves comes again, in front of the next. cuts: how many bytes come each time. */
static void feed(struct strbuf *out, const char *data, size_t len, const char *cuts, size_t count)
{
	size_t used = 0, end = 0;

	for (size_t i = 0; end < len; i++) {
		size_t more = 1 + (unsigned char)cuts[i % count] % 80;

		end = more < len - end ? end + more : len;
		used += take(out, data + used, end - used, end == len);
	}
	if (len && used != len)
		BUG("%zu of %zu bytes", used, len);
}

static void check_cuts(
	const struct strbuf *whole, const char *data, size_t len, const char *cuts, size_t count)
{
	struct strbuf pieces = STRBUF_INIT;

	feed(&pieces, data, len, cuts, count);
	if (pieces.len != whole->len || memcmp(pieces.buf, whole->buf, whole->len) != 0)
		BUG("in pieces it became %s, whole %s", pieces.buf, whole->buf);
	strbuf_finish(&pieces);
}

/* The first byte says how many of the others are the distances of the cuts as well. However the bytes come, the same must be shown,
 * and no terminal be driven by it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf whole = STRBUF_INIT;
	const char *text = (const char *)data + 1;
	size_t len = size - 1;

	if (size < 2)
		return 0;
	take(&whole, text, len, true);
	check_text(&whole, text, len);
	check_cuts(&whole, text, len, "", 1);
	check_cuts(&whole, text, len, text, 1 + data[0] % len);
	strbuf_finish(&whole);
	return 0;
}
