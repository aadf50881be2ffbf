// SPDX-License-Identifier: MIT
#include "cli/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#define SGR_MAX 64 /* bytes of a colour sequence */

/* ---- harmless */

static bool is_c1(const char *s, size_t len)
{
	return len == 2 && (unsigned char)s[0] == 0xc2 && (unsigned char)s[1] < 0xa0;
}

/* One character of any bytes; returns how many it took. */
static size_t clean_character(struct strbuf *out, const char *s, size_t len)
{
	unsigned char c = (unsigned char)s[0];
	size_t step = utf8_sequence(s, len);

	if (c == '\n' || c == '\t')
		strbuf_addch(out, ' ');
	else if (!step || c < 0x20 || c == 0x7f || is_c1(s, step))
		strbuf_addch(out, '?');
	else
		strbuf_add(out, s, step);
	return step ? step : 1;
}

void text_clean(struct strbuf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len;)
		i += clean_character(out, s + i, len - i);
}

void text_to_ascii(struct strbuf *sb)
{
	size_t from = 0, to = 0;

	while (from < sb->len) {
		size_t step = utf8_sequence(sb->buf + from, sb->len - from);
		char c = sb->buf[from];

		sb->buf[to++] = step == 1 ? c : '?';
		from += step ? step : 1;
	}
	strbuf_setlen(sb, to);
}

/* Bytes of the colour sequence at s; 0: it is none, or (*ret_cut) may become one with more bytes. */
static size_t sgr_sequence(const char *s, size_t len, bool *ret_cut)
{
	size_t i = 2;

	*ret_cut = len == 1 && s[0] == '\033';
	if (len < 2 || s[0] != '\033' || s[1] != '[')
		return 0;
	while (i < len && i < SGR_MAX - 1 && ((s[i] >= '0' && s[i] <= '9') || s[i] == ';'))
		i++;
	*ret_cut = i == len;
	return i < len && s[i] == 'm' ? i + 1 : 0;
}

/* What stands at s in a log; 0: more bytes are needed to tell. */
static size_t log_character(
	struct strbuf *out, const struct style *style, const char *s, size_t len, bool last)
{
	bool cut;
	size_t sgr = sgr_sequence(s, len, &cut), need;

	if (sgr && style->color)
		strbuf_add(out, s, sgr);
	if (sgr)
		return sgr;
	if (!last && (cut || (s[0] == '\r' && len == 1)))
		return 0;
	if (!last && utf8_prefix(s, len, &need) == len && len < need)
		return 0;
	if (s[0] == '\r' && len > 1 && s[1] == '\n')
		return 1;
	if (s[0] != '\n' && s[0] != '\t')
		return clean_character(out, s, len);
	strbuf_addch(out, s[0]);
	return 1;
}

size_t text_log(struct strbuf *out, const struct style *style, const char *s, size_t len, bool last)
{
	size_t i = 0, used, start = out->len;

	while (i < len) {
		used = log_character(out, style, s + i, len - i, last);
		if (!used)
			break;
		i += used;
	}
	if (!style->utf8) {
		struct strbuf ascii = STRBUF_INIT;

		strbuf_add(&ascii, out->buf + start, out->len - start);
		text_to_ascii(&ascii);
		strbuf_setlen(out, start);
		strbuf_add(out, ascii.buf, ascii.len);
		strbuf_finish(&ascii);
	}
	return i;
}

/* ---- for a shell */

#define WORD_SAFE "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./:@%+=,"

void text_word(struct strbuf *out, const char *s)
{
	if (*s && !s[strspn(s, WORD_SAFE)]) {
		strbuf_addstr(out, s);
		return;
	}
	strbuf_addch(out, '\'');
	for (; *s; s++)
		strbuf_addstr(out, *s == '\'' ? "'\\''" : (char[]){*s, '\0'});
	strbuf_addch(out, '\'');
}

/* ---- columns */

/* The character at s and its columns; a sequence that sets a colour takes none. */
static size_t measure(const char *s, size_t len, size_t *ret_columns)
{
	bool cut;
	size_t step = sgr_sequence(s, len, &cut);
	mbstate_t state = {0};
	wchar_t wide;
	int columns = 1;

	*ret_columns = 0;
	if (step)
		return step;
	step = utf8_sequence(s, len);
	if (step > 1 && mbrtowc(&wide, s, step, &state) == step)
		columns = wcwidth(wide);
	*ret_columns = columns < 0 ? 1 : (size_t)columns;
	return step ? step : 1;
}

size_t text_columns(const char *s)
{
	size_t len = strlen(s), total = 0, columns;

	for (size_t i = 0; i < len; total += columns)
		i += measure(s + i, len - i, &columns);
	return total;
}

void text_cut(struct strbuf *line, size_t from, size_t columns)
{
	size_t i = from, total = 0, width, step;
	bool colored = false;

	while (i < line->len) {
		step = measure(line->buf + i, line->len - i, &width);
		if (total + width > columns)
			break;
		colored |= line->buf[i] == '\033';
		total += width;
		i += step;
	}
	if (i == line->len)
		return;
	strbuf_setlen(line, i);
	if (colored)
		strbuf_addstr(line, "\033[0m");
}

/* ---- numbers */

void text_duration(struct strbuf *out, int64_t ms)
{
	int64_t s = ms > 0 ? ms / 1000 : 0;

	if (s < 60)
		strbuf_addf(out, "%" PRId64 "s", s);
	else if (s < 3600)
		strbuf_addf(out, "%" PRId64 "m%02" PRId64 "s", s / 60, s % 60);
	else
		strbuf_addf(out, "%" PRId64 "h%02" PRId64 "m", s / 3600, s / 60 % 60);
}

void text_size(struct strbuf *out, int64_t bytes)
{
	static const char *const units[] = {"kB", "MB", "GB", "TB"};
	double size = (double)bytes / 1000;
	size_t unit = 0;

	if (bytes < 1000) {
		strbuf_addf(out, "%" PRId64 " B", bytes);
		return;
	}
	/* 999.95 would be printed as 1000.0. */
	for (; size >= 999.95 && unit + 1 < countof(units); unit++)
		size /= 1000;
	strbuf_addf(out, "%.1f %s", size, units[unit]);
}

int64_t text_time(const char *s)
{
	struct tm tm = {0};
	int used = 0, fraction = 0;
	double part = 0;

	if (!s || sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
			  &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &used) != 6)
		return 0;
	if (s[used] == '.' && sscanf(s + used, "%lf%n", &part, &fraction) != 1)
		return 0;
	if (strcmp(s + used + fraction, "Z") != 0)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	return (int64_t)timegm(&tm) * 1000 + (int64_t)(part * 1000 + 0.5);
}

void terminal_size(int *ret_rows, int *ret_columns)
{
	struct winsize size = {0};

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
		size = (struct winsize){.ws_row = 24, .ws_col = 80};
	*ret_rows = size.ws_row;
	*ret_columns = size.ws_col;
}
