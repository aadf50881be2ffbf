// SPDX-License-Identifier: MIT
#include "apps/packages/packages.h"

/* A piece of a version; nothing is copied, because ordering a big set compares many. */
struct span {
	const char *p, *end;
};

/* ASCII only, whatever the locale: a version means the same on every machine. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool package_name_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > PACKAGE_NAME_MAX || !(is_digit(*name) || is_letter(*name)))
		return false;
	for (const char *p = name; *p; p++)
		if (!is_digit(*p) && !is_letter(*p) && !strchr("+._-", *p))
			return false;
	return true;
}

bool package_version_valid(const char *version)
{
	const char *p = version;

	while (is_digit(*p) || is_letter(*p) || (*p && strchr("+._-~^:", *p)))
		p++;
	return !*p && p - version <= PACKAGE_NAME_MAX;
}

static char span_peek(const struct span *s)
{
	return s->p < s->end ? *s->p : '\0';
}

static void span_skip_separators(struct span *s)
{
	while (s->p < s->end && !is_digit(*s->p) && !is_letter(*s->p) && *s->p != '~' &&
		*s->p != '^')
		s->p++;
}

static struct span span_take(struct span *s, bool (*belongs)(char))
{
	struct span taken = {s->p, s->p};

	while (taken.end < s->end && belongs(*taken.end))
		taken.end++;
	s->p = taken.end;
	return taken;
}

static int sign(long long n)
{
	return (n > 0) - (n < 0);
}

static int compare_text(struct span a, struct span b)
{
	size_t alen = a.end - a.p, blen = b.end - b.p;
	int c = memcmp(a.p, b.p, alen < blen ? alen : blen);

	return sign(c ? c : (long long)alen - (long long)blen);
}

/* Numbers of any length: without leading zeros the longer one is the bigger one. */
static int compare_numbers(struct span a, struct span b)
{
	while (a.p < a.end && *a.p == '0')
		a.p++;
	while (b.p < b.end && *b.p == '0')
		b.p++;
	if (a.end - a.p != b.end - b.p)
		return sign((a.end - a.p) - (b.end - b.p));
	return compare_text(a, b);
}

/* Both start with a digit or letter. A number is newer than a word at the same place. */
static int compare_segment(struct span *a, struct span *b)
{
	bool number = is_digit(*a->p);
	struct span x = span_take(a, number ? is_digit : is_letter);
	struct span y = span_take(b, number ? is_digit : is_letter);

	if (y.p == y.end)
		return number ? 1 : -1;
	return number ? compare_numbers(x, y) : compare_text(x, y);
}

static int span_compare(struct span a, struct span b)
{
	for (;;) {
		span_skip_separators(&a);
		span_skip_separators(&b);
		char x = span_peek(&a), y = span_peek(&b);

		if (x == '~' || y == '~') { /* older than anything, the end included */
			if (x != y)
				return x == '~' ? -1 : 1;
		} else if (x == '^' || y == '^') { /* newer than the end, older than the rest */
			if (x != y)
				return x == '^' ? (y ? -1 : 1) : (x ? 1 : -1);
		} else if (!x || !y) {
			return (x != '\0') - (y != '\0');
		} else {
			int c = compare_segment(&a, &b);
			if (c)
				return c;
			continue;
		}
		a.p++;
		b.p++;
	}
}

int version_compare(const char *a, const char *b)
{
	return span_compare((struct span){a, a + strlen(a)}, (struct span){b, b + strlen(b)});
}

struct evr {
	struct span epoch, version, release; /* empty: not given */
};

static struct evr evr_split(const char *text)
{
	struct span all = {text, text + strlen(text)};
	struct evr evr = {{text, text}, all, {all.end, all.end}};
	struct span digits = span_take(&all, is_digit);
	const char *dash;

	if (span_peek(&all) == ':') {
		evr.epoch = digits;
		evr.version.p = all.p + 1;
	}
	dash = memrchr(evr.version.p, '-', evr.version.end - evr.version.p);
	if (dash) {
		evr.release = (struct span){dash + 1, evr.version.end};
		evr.version.end = dash;
	}
	return evr;
}

/* No epoch is epoch 0. */
static int evr_compare_base(const struct evr *a, const struct evr *b)
{
	int c = compare_numbers(a->epoch, b->epoch);

	return c ? c : span_compare(a->version, b->version);
}

static bool span_empty(const struct span *s)
{
	return s->p == s->end;
}

int evr_compare(const char *a, const char *b)
{
	struct evr x = evr_split(a), y = evr_split(b);
	int c = evr_compare_base(&x, &y);

	if (c)
		return c;
	if (span_empty(&x.release) || span_empty(&y.release))
		return !span_empty(&x.release) - !span_empty(&y.release);
	return span_compare(x.release, y.release);
}

/* Do the two ranges share a version? A release that one side does not name is any release. */
static bool ranges_overlap(const struct capability *a, const struct capability *b)
{
	struct evr x = evr_split(a->version), y = evr_split(b->version);
	int c = evr_compare_base(&x, &y);

	if (c == 0 && !span_empty(&x.release) && !span_empty(&y.release))
		c = span_compare(x.release, y.release);
	else if (c == 0 && ((!span_empty(&x.release) && (b->flags & CAPABILITY_EQUAL)) ||
				   (!span_empty(&y.release) && (a->flags & CAPABILITY_EQUAL))))
		return true;
	if (c < 0)
		return (a->flags & CAPABILITY_GREATER) || (b->flags & CAPABILITY_LESS);
	if (c > 0)
		return (a->flags & CAPABILITY_LESS) || (b->flags & CAPABILITY_GREATER);
	return (a->flags & b->flags) != 0;
}

bool capability_satisfies(const struct capability *provide, const struct capability *need)
{
	if (strcmp(provide->name, need->name) != 0)
		return false;
	return !provide->flags || !need->flags || ranges_overlap(provide, need);
}

unsigned capability_flags(const char *signs, size_t len)
{
	unsigned flags = 0;

	for (size_t i = 0; i < len; i++)
		flags |= signs[i] == '<'   ? CAPABILITY_LESS
			 : signs[i] == '>' ? CAPABILITY_GREATER
					   : CAPABILITY_EQUAL;
	return flags;
}

int capability_parse(char *text, struct capability *ret)
{
	char *blank = *text == '(' ? NULL : strchr(text, ' '), *op = blank ? blank + 1 : NULL;
	size_t len = op ? strspn(op, "<=>") : 0;
	struct capability c = {.name = text, .version = ""};

	if (!*text || blank == text || (op && (!len || op[len] != ' ' || !op[len + 1])))
		return -EINVAL;
	if (op) {
		c.flags = capability_flags(op, len);
		c.version = op + len + 1;
		*blank = '\0';
	}
	*ret = c;
	return 0;
}

void capability_format(struct strbuf *out, const struct capability *c)
{
	strbuf_addstr(out, c->name);
	if (!c->flags)
		return;
	strbuf_addch(out, ' ');
	if (c->flags & CAPABILITY_LESS)
		strbuf_addch(out, '<');
	if (c->flags & CAPABILITY_GREATER)
		strbuf_addch(out, '>');
	if (c->flags & CAPABILITY_EQUAL)
		strbuf_addch(out, '=');
	strbuf_addf(out, " %s", c->version);
}

void capability_say(struct strbuf *out, const struct capability *c)
{
	struct strbuf whole = STRBUF_INIT;

	capability_format(&whole, c);
	text_shorten(out, whole.buf, whole.len, SAID_NAME_MAX);
	strbuf_finish(&whole);
}
