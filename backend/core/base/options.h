/* SPDX-License-Identifier: MIT
 *
 * Command line options from a table: --name VALUE, --name=VALUE, flags, positional arguments.
 * Used by every subcommand; the same table prints --help.
 */
#ifndef REQPM_OPTIONS_H
#define REQPM_OPTIONS_H

#include "core/base/base.h"

enum option_kind {
	OPTION_FLAG,
	OPTION_STRING,
	OPTION_INT,
	OPTION_SIZE,
	OPTION_DURATION,
	OPTION_LIST
};

#define OPTION_LIST_MAX 64
struct option_list {
	const char *values[OPTION_LIST_MAX]; /* point into argv */
	int count;
};

struct option_spec {
	const char *name; /* without dashes */
	enum option_kind kind;
	void *value; /* to bool, const char *, int64_t (SIZE: bytes, DURATION: ms), option_list */
	const char *meta; /* "PORT"; NULL for flags */
	const char *help;
	int64_t min, max; /* OPTION_INT only; both 0: any */
};

/* argv[0] is the first argument, not the program's name. Moves the positional arguments to the
 * front of argv, and *ret_count says how many. A "--" ends the options; "-" is positional; a
 * value that begins with "--" is given as --name=VALUE. Given twice, the last one counts, but
 * lists collect. -EINVAL: err says which and why. -ECANCELED: --help or -h was asked for. */
int options_parse(const struct option_spec *specs, size_t count, int argc, char **argv,
	int *ret_count, struct strbuf *err);
/* One line for each, and for --help, to stdout. */
void options_print(const struct option_spec *specs, size_t count);

#endif
