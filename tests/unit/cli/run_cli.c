// SPDX-License-Identifier: MIT
#include "run_cli.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define ARGUMENTS_MAX 16

/* Puts a file in the place of fd; returns a copy of what was there. */
static int redirect(int fd, int *ret_file)
{
	int before = dup(fd);

	*ret_file = memfd_create("printed", MFD_CLOEXEC);
	if (before < 0 || *ret_file < 0 || dup2(*ret_file, fd) < 0)
		BUG("cannot redirect %d", fd);
	return before;
}

static char *restore(int fd, int before, int file)
{
	off_t size = lseek(file, 0, SEEK_END);
	char *text = xcalloc(1, (size_t)size + 1);

	if (pread(file, text, (size_t)size, 0) != size)
		BUG("cannot read what was printed");
	dup2(before, fd);
	close(before);
	close(file);
	return text;
}

int run_cli(struct printed *ret, const char *url, const char *line)
{
	char *words = xstrdup(line), *arguments[ARGUMENTS_MAX];
	int count = 0, code, out, err, before_out, before_err;

	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		arguments[count++] = word;
	setenv("REQPM_SERVER", url, 1);
	setenv("REQPM_DATA_DIR", "/nonexistent", 1);
	unsetenv("REQPM_PROGRAM");
	setenv("NO_COLOR", "1", 1);
	setenv("LC_ALL", "C", 1);
	fflush(stdout);
	before_out = redirect(STDOUT_FILENO, &out);
	before_err = redirect(STDERR_FILENO, &err);
	code = cli_main(count, arguments);
	fflush(stdout);
	ret->out = restore(STDOUT_FILENO, before_out, out);
	ret->err = restore(STDERR_FILENO, before_err, err);
	free(words);
	return code;
}

void printed_finish(struct printed *p)
{
	free(p->out);
	free(p->err);
}
