/* SPDX-License-Identifier: MIT
 *
 * Runs a command of the terminal client in this process, with what it prints caught.
 */
#ifndef REQPM_RUN_CLI_H
#define REQPM_RUN_CLI_H

#include "cli/cli.h"

struct printed {
	char *out, *err;
};
/* line: the command and its arguments, with single spaces between them. Returns the exit code. */
int run_cli(struct printed *ret, const char *url, const char *line);
void printed_finish(struct printed *p);

#endif
