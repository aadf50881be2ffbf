// SPDX-License-Identifier: MIT
#include "builders/diagnose.h"

#include <ctype.h>

/* Ranks of a line. A higher one replaces a lower one; among equals the first stays, but of RANK_NONE the last. */
enum { RANK_NONE, RANK_SUMMARY, RANK_FAILED, RANK_TELLING, RANK_ERROR };

static const struct {
	const char *text;
	int rank;
} signs[] = {
	{"error:", RANK_ERROR},
	{"Error:", RANK_ERROR},
	{"ERROR:", RANK_ERROR},
	{"undefined reference to", RANK_TELLING},
	{"cannot find -l", RANK_TELLING},
	{"command not found", RANK_TELLING},
	{": not found", RANK_TELLING},
	{"No rule to make target", RANK_TELLING},
	{"No such file or directory", RANK_TELLING},
	{"Segmentation fault", RANK_TELLING},
	{"Assertion", RANK_TELLING},
	{"Traceback", RANK_TELLING},
	{"fatal:", RANK_TELLING},
	{"panic:", RANK_TELLING},
	{"not ok ", RANK_TELLING},
	{"FAILED", RANK_FAILED},
	{"FAIL:", RANK_FAILED},
	{"*** ", RANK_FAILED},
};

void diagnosis_init(struct diagnosis *d)
{
	memset(d, 0, sizeof(*d));
}

/* A sign counts at the start of a word: not in "0 errors" or "terror:". */
static bool stands_in(const char *line, const char *sign)
{
	for (const char *p = line; (p = strstr(p, sign)); p++)
		if (p == line || !isalnum((unsigned char)p[-1]))
			return true;
	return false;
}

static int rank_of(const struct diagnosis *d, const char *line)
{
	int rank = RANK_NONE;

	if (d->summary || !strncmp(line, "error: Bad exit status", 22) ||
		!strncmp(line, "RPM build errors:", 17))
		return RANK_SUMMARY;
	/* What a shell traces is what it is about to do, not what came of it. */
	if (!strncmp(line, "+ ", 2))
		return RANK_NONE;
	for (size_t i = 0; i < countof(signs); i++)
		if (signs[i].rank > rank && stands_in(line, signs[i].text))
			rank = signs[i].rank;
	return rank;
}

/* "Executing(%build): /bin/sh -e /tmp/rpm-tmp.x" */
static bool take_marker(struct diagnosis *d)
{
	const char *start = d->text + strlen("Executing("), *end;
	size_t len;

	if (strncmp(d->text, "Executing(%", strlen("Executing(%")) != 0)
		return false;
	end = strstr(start, "):");
	len = end ? (size_t)(end - start) : 0;
	if (!len || len >= sizeof(d->phase) ||
		strspn(start + 1, "abcdefghijklmnopqrstuvwxyz_") != len - 1)
		return false;
	memcpy(d->phase, start, len);
	d->phase[len] = '\0';
	d->rank = RANK_NONE;
	d->best_line = 0;
	d->best_text[0] = '\0';
	return true;
}

static bool is_blank(const char *line)
{
	return !line[strspn(line, " \t\r")];
}

static void take_line(struct diagnosis *d, diagnosis_phase_fn *on_phase, void *arg)
{
	int rank;

	d->line++;
	d->text[d->len] = '\0';
	while (d->len && d->text[d->len - 1] == '\r')
		d->text[--d->len] = '\0';
	d->len = 0;
	if (take_marker(d)) {
		if (on_phase)
			on_phase(d->phase, arg);
		return;
	}
	d->summary |= !strncmp(d->text, "RPM build errors:", 17);
	rank = rank_of(d, d->text);
	if (is_blank(d->text) || rank < d->rank || (rank && rank == d->rank))
		return;
	d->rank = rank;
	d->best_line = d->line;
	strcpy(d->best_text, d->text);
}

void diagnosis_add(
	struct diagnosis *d, const char *data, size_t len, diagnosis_phase_fn *on_phase, void *arg)
{
	while (len) {
		const char *newline = memchr(data, '\n', len);
		size_t piece = newline ? (size_t)(newline - data) : len;
		size_t room = DIAGNOSE_LINE_MAX - d->len, keep = piece < room ? piece : room;

		/* A NUL would hide the rest of the line. */
		for (size_t i = 0; i < keep; i++)
			d->text[d->len++] = data[i] ? data[i] : ' ';
		if (!newline)
			return;
		take_line(d, on_phase, arg);
		data += piece + 1;
		len -= piece + 1;
	}
}

void diagnosis_end(struct diagnosis *d)
{
	if (d->len)
		take_line(d, NULL, NULL);
}
