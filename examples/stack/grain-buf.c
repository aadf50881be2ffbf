// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grain.h"

static int buf_reserve(struct grain_buf *b, size_t more)
{
	size_t want;
	char *data;

	if (b->error)
		return b->error;
	if (more >= SIZE_MAX / 2 - b->len)
		return b->error = -ENOMEM;
	want = b->len + more + 1;
	if (want <= b->capacity)
		return 0;
	if (want < b->capacity * 2)
		want = b->capacity * 2;
	if (want < 32)
		want = 32;
	data = realloc(b->data, want);
	if (!data)
		return b->error = -ENOMEM;
	b->data = data;
	b->capacity = want;
	return 0;
}

void grain_buf_add(struct grain_buf *b, const void *data, size_t len)
{
	if (buf_reserve(b, len) < 0)
		return;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void grain_buf_addstr(struct grain_buf *b, const char *text)
{
	grain_buf_add(b, text, strlen(text));
}

void grain_buf_addc(struct grain_buf *b, char c)
{
	grain_buf_add(b, &c, 1);
}

void grain_buf_addf(struct grain_buf *b, const char *format, ...)
{
	va_list arguments, again;
	int len;

	va_start(arguments, format);
	va_copy(again, arguments);
	len = vsnprintf(NULL, 0, format, arguments);
	if (len < 0)
		b->error = b->error ? b->error : -EINVAL;
	else if (buf_reserve(b, (size_t)len) == 0)
		b->len += (size_t)vsnprintf(b->data + b->len, (size_t)len + 1, format, again);
	va_end(again);
	va_end(arguments);
}

const char *grain_buf_text(const struct grain_buf *b)
{
	return b->data ? b->data : "";
}

void grain_buf_reset(struct grain_buf *b)
{
	b->len = 0;
	b->error = 0;
	if (b->data)
		b->data[0] = '\0';
}

void grain_buf_finish(struct grain_buf *b)
{
	free(b->data);
	*b = (struct grain_buf)GRAIN_BUF_INIT;
}
