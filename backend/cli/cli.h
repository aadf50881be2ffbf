/* SPDX-License-Identifier: MIT
 *
 * The terminal client: a table of commands that speak the public HTTP and WebSocket API of a server,
 * which may run anywhere. One thread, blocking; it takes the signals it cares about while a command
 * runs. What a command has to say goes to stdout, why it did not work to stderr.
 */
#ifndef REQPM_CLI_H
#define REQPM_CLI_H

#include <stdio.h>

#include "core/base/base.h"

/* What a command ends with; the same for a build that had ended before. */
enum cli_exit {
	CLI_OK = 0,
	CLI_BUILD_FAILED = 1,
	CLI_UNHEALTHY = 1, /* status: the server says so of itself */
	CLI_REFUSED = 2, /* usage, or input that the server or the client refused */
	CLI_CANCELLED = 3,
	CLI_LOST =
		4, /* the server cannot be reached, or not any more; or the output takes no more */
	CLI_NO_SUCH_BUILD = 5,
	CLI_TIMEOUT = 124,
	CLI_INTERRUPTED = 130, /* the build goes on */
};

struct session;
struct cli_command {
	const char *name;
	const char *operands; /* "ID PACKAGE" */
	const char *summary; /* one line */
	const char
		*options; /* names of those it takes besides the common ones, each between spaces */
	int min, max; /* operands */
	int (*run)(struct session *s);
};
extern const struct cli_command cli_commands[];
extern const size_t cli_command_count;

/* For the program's own --help: a line for each command. */
void cli_print_commands(FILE *out);
bool cli_knows(const char *command);

/* Runs argv[0], a command that is known, with the arguments behind it; argv is reordered. Returns an exit code. */
int cli_main(int argc, char **argv);

/* The last thing before an exit with code: what was printed is a result only when it could be written, for a disk may be
 * full behind a pipe or a file. Returns code; where that is 0 and the output takes no more, CLI_LOST after a sentence. */
int cli_check_output(int code);

#endif
