/* SPDX-License-Identifier: MIT
 *
 * Text on a terminal: what came from elsewhere is made harmless, lines are cut to columns, durations and
 * sizes are short. Pure, but text_style_detect().
 */
#ifndef REQPM_CLI_TEXT_H
#define REQPM_CLI_TEXT_H

#include "core/base/base.h"

struct style {
	bool color; /* SGR sequences may be used */
	bool utf8; /* else ASCII only */
	const char *program; /* how hints call this client; NULL: reqpm */
	const char *server; /* what hints say with --server; NULL: they need not */
};

/* Appends text as part of one line: control bytes, DEL, C1 and what is not UTF-8 become '?', newlines and
 * tabs spaces. */
void text_clean(struct strbuf *out, const char *s, size_t len);
/* Appends text as one word of a shell's command line. */
void text_word(struct strbuf *out, const char *s);
/* Replaces what is not ASCII by '?', in place. */
void text_to_ascii(struct strbuf *sb);

/* A piece of a build log for a terminal: newline, tab and, with colour, SGR sequences pass, carriage returns
 * before a newline go, the rest is cleaned. A sequence that len cuts is left for the next piece unless last.
 * Returns the bytes used. */
size_t text_log(
	struct strbuf *out, const struct style *style, const char *s, size_t len, bool last);

/* Columns that a line takes; SGR sequences take none. */
size_t text_columns(const char *s);
/* Of stdout; 24 and 80 where it does not say. */
void terminal_size(int *ret_rows, int *ret_columns);
/* Shortens the line that begins at `from` to at most `columns`; a colour it had is ended. */
void text_cut(struct strbuf *line, size_t from, size_t columns);

/* "0s", "31s", "3m12s", "2h05m" */
void text_duration(struct strbuf *out, int64_t ms);
/* "812 B", "4.2 MB" */
void text_size(struct strbuf *out, int64_t bytes);
/* RFC 3339 in UTC ("…Z") to wall ms; 0 when it is none, or NULL. */
int64_t text_time(const char *s);

#endif
