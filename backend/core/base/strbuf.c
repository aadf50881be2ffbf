// SPDX-License-Identifier: MIT
#include "core/base/base.h"

#include <stdio.h>

#define STRBUF_FIRST 64 /* bytes of the first allocation: most sentences fit */

/* Shared by every empty strbuf of every thread, so it is never written to. */
char strbuf_empty[1];

void strbuf_init(struct strbuf *sb)
{
	*sb = (struct strbuf)STRBUF_INIT;
}

void strbuf_finish(struct strbuf *sb)
{
	if (sb->cap)
		free(sb->buf);
	strbuf_init(sb);
}

void strbuf_reset(struct strbuf *sb)
{
	strbuf_setlen(sb, 0);
}

void strbuf_setlen(struct strbuf *sb, size_t len)
{
	if (len > sb->len)
		BUG("strbuf of %zu bytes asked to be %zu", sb->len, len);
	sb->len = len;
	if (sb->cap)
		sb->buf[len] = '\0';
}

void strbuf_grow(struct strbuf *sb, size_t extra)
{
	size_t need = sb->len + 1 + extra, cap;

	if (extra > SIZE_MAX / 4)
		BUG("strbuf of %zu bytes asked for %zu more", sb->len, extra);
	if (need <= sb->cap)
		return;
	cap = sb->cap ? sb->cap * 2 : STRBUF_FIRST;
	if (cap < need)
		cap = need;
	sb->buf = xrealloc(sb->cap ? sb->buf : NULL, cap);
	sb->cap = cap;
	sb->buf[sb->len] = '\0';
}

void strbuf_add(struct strbuf *sb, const void *data, size_t len)
{
	if (!len)
		return;
	strbuf_grow(sb, len);
	memcpy(sb->buf + sb->len, data, len);
	sb->len += len;
	sb->buf[sb->len] = '\0';
}

void strbuf_addstr(struct strbuf *sb, const char *s)
{
	strbuf_add(sb, s, strlen(s));
}

void strbuf_addch(struct strbuf *sb, char c)
{
	strbuf_add(sb, &c, 1);
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(sb, fmt, ap);
	va_end(ap);
}

void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap)
{
	va_list again;
	int len;

	strbuf_grow(sb, STRBUF_FIRST - 1);
	va_copy(again, ap);
	len = vsnprintf(sb->buf + sb->len, sb->cap - sb->len, fmt, again);
	va_end(again);
	if (len < 0)
		BUG("cannot format \"%s\"", fmt);
	if ((size_t)len >= sb->cap - sb->len) {
		strbuf_grow(sb, (size_t)len);
		vsnprintf(sb->buf + sb->len, sb->cap - sb->len, fmt, ap);
	}
	sb->len += (size_t)len;
}

void strbuf_remove(struct strbuf *sb, size_t pos, size_t len)
{
	if (pos > sb->len || len > sb->len - pos)
		BUG("%zu bytes at %zu to be removed from a strbuf of %zu", len, pos, sb->len);
	memmove(sb->buf + pos, sb->buf + pos + len, sb->len - pos - len);
	strbuf_setlen(sb, sb->len - len);
}

char *strbuf_detach(struct strbuf *sb, size_t *ret_len)
{
	char *buf;

	strbuf_grow(sb, 0);
	buf = sb->buf;
	if (ret_len)
		*ret_len = sb->len;
	strbuf_init(sb);
	return buf;
}
