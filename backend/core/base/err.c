// SPDX-License-Identifier: MIT
#include "core/base/base.h"

#include <stdio.h>
#include <unistd.h>

int err_set(struct strbuf *err, int code, const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT;
	va_list ap;

	if (!err)
		return code;
	/* Formatted apart, because the arguments may point into what *err says so far. */
	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	strbuf_finish(err);
	*err = text;
	return code;
}

void bug_at(const char *file, int line, const char *fmt, ...)
{
	va_list ap;

	dprintf(STDERR_FILENO, "reqpm: bug at %s:%d: ", file, line);
	va_start(ap, fmt);
	vdprintf(STDERR_FILENO, fmt, ap);
	va_end(ap);
	dprintf(STDERR_FILENO, "\n");
	abort();
}
