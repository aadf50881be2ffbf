// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "wick-impl.h"

enum {
	DEPTH_MAX = 32,
	NAME_MAX_LEN = 128,
};

struct render {
	const char *text, *at, *end;
	const struct wick_source *source;
	struct grain_buf *out, *err;
	int depth;
};

struct tag {
	const char *start;
	char kind; /* '#', '^', '/', '!', or 0 for a value */
	char name[NAME_MAX_LEN + 1];
};

static int complain(struct render *r, const char *at, const char *what, const char *name)
{
	size_t line = 1;

	for (const char *p = r->text; p < at; p++)
		line += *p == '\n';
	grain_buf_addf(r->err, "line %zu: %s", line, what);
	if (name)
		grain_buf_addf(r->err, " \"%s\"", name);
	return -EBADMSG;
}

static bool is_blank(const char *from, const char *to)
{
	while (from < to && (*from == ' ' || *from == '\t'))
		from++;
	return from == to;
}

/* A block's tag alone on its line: the line's start and end become the tag's. */
static void widen(const struct render *r, const char **start, const char **end)
{
	const char *from = *start, *to = *end;

	while (from > r->text && from[-1] != '\n')
		from--;
	while (to < r->end && *to != '\n')
		to++;
	if (!is_blank(from, *start) || !is_blank(*end, to))
		return;
	*start = from;
	*end = to + (to < r->end);
}

/* Copies the text up to the next tag and reads it. 1: a tag; 0: the end. */
static int next_tag(struct render *r, bool silent, struct tag *ret_tag)
{
	const char *from = r->at, *open, *close, *start, *end;
	size_t len;

	open = memmem(from, (size_t)(r->end - from), "{{", 2);
	start = open ? open : r->end;
	if (open) {
		close = memmem(open, (size_t)(r->end - open), "}}", 2);
		if (!close)
			return complain(r, open, "a tag that does not end", NULL);
		end = close + 2;
		open += 2;
		ret_tag->start = start;
		ret_tag->kind = open < close && strchr("#^/!", *open) && *open ? *open++ : '\0';
		len = (size_t)(close - open);
		if (ret_tag->kind == '!')
			len = 0;
		if (len > NAME_MAX_LEN)
			return complain(r, start, "a tag of more than 128 bytes", NULL);
		memcpy(ret_tag->name, open, len);
		ret_tag->name[len] = '\0';
		if (ret_tag->kind)
			widen(r, &start, &end);
		r->at = end;
	} else {
		r->at = r->end;
	}
	if (!silent && start > from)
		grain_buf_add(r->out, from, (size_t)(start - from));
	return open != NULL;
}

static int add_value(struct render *r, struct tag *tag)
{
	struct grain_buf value = GRAIN_BUF_INIT, filtered = GRAIN_BUF_INIT;
	char *rest = tag->name, *name = strsep(&rest, "|");
	const char *text = r->source->value(r->source->context, name);
	int result = 0;

	if (!text)
		return complain(r, tag->start, "there is no value", name);
	grain_buf_addstr(&value, text);
	while (rest && result == 0) {
		name = strsep(&rest, "|");
		grain_buf_reset(&filtered);
		if (!filter_apply(name, grain_buf_text(&value), &filtered))
			result = complain(r, tag->start, "there is no filter", name);
		grain_buf_reset(&value);
		grain_buf_add(&value, grain_buf_text(&filtered), filtered.len);
	}
	grain_buf_add(r->out, grain_buf_text(&value), value.len);
	if (value.error || filtered.error)
		result = -ENOMEM;
	grain_buf_finish(&value);
	grain_buf_finish(&filtered);
	return result;
}

static int render_body(struct render *r, const struct tag *opening, bool silent);

/* Renders what stands between a block's tags as often as it says, at least once silently. */
static int render_block(struct render *r, const struct tag *tag, bool silent)
{
	const struct wick_source *s = r->source;
	const char *body = r->at;
	size_t record = 0;
	int result;

	if (tag->kind == '#') {
		for (; !silent && s->enter(s->context, tag->name, record); record++) {
			r->at = body;
			result = render_body(r, tag, false);
			if (result < 0)
				return result;
		}
		return record > 0 ? 0 : render_body(r, tag, true);
	}
	if (!silent && s->enter(s->context, tag->name, 0)) {
		s->enter(s->context, tag->name, SIZE_MAX);
		silent = true;
	}
	return render_body(r, tag, silent);
}

static int render_tag(struct render *r, struct tag *tag, bool silent)
{
	int result;

	if (tag->kind == '!')
		return 0;
	if (!tag->kind)
		return silent ? 0 : add_value(r, tag);
	if (r->depth == DEPTH_MAX)
		return complain(r, tag->start, "more than 32 blocks within each other", NULL);
	r->depth++;
	result = render_block(r, tag, silent);
	r->depth--;
	return result;
}

/* Up to the closing tag of `opening`, or to the end when it is NULL. */
static int render_body(struct render *r, const struct tag *opening, bool silent)
{
	struct tag tag;
	int result;

	while ((result = next_tag(r, silent, &tag)) > 0) {
		if (tag.kind == '/') {
			if (opening && strcmp(tag.name, opening->name) == 0)
				return 0;
			return complain(r, tag.start, "nothing is open that ends with", tag.name);
		}
		result = render_tag(r, &tag, silent);
		if (result < 0)
			return result;
	}
	if (result == 0 && opening)
		return complain(r, opening->start, "there is no end of", opening->name);
	return result;
}

int wick_render(const char *text, size_t len, const struct wick_source *source,
	struct grain_buf *out, struct grain_buf *err)
{
	struct render r = {text, text, text + len, source, out, err, 0};
	int result = render_body(&r, NULL, false);

	return result < 0 ? result : out->error;
}
