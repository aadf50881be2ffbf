// SPDX-License-Identifier: MIT
#include "builders/rpm_role.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "builders/rpm.h"
#include "builders/rpm_solve.h"

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
} verbs[] = {
	{"base", role_base},
	{"prepare", role_prepare},
	{"describe", role_describe},
};

static NORETURN void exec_program(const char *const *argv, int out, bool quiet)
{
	if (out >= 0) {
		dup2(out, STDOUT_FILENO);
		if (quiet)
			dup2(out, STDERR_FILENO);
	}
	execvp(argv[0], (char *const *)argv);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static int read_to_end(int fd, struct strbuf *out)
{
	char part[65536];
	ssize_t got;

	while ((got = read(fd, part, sizeof(part))) != 0) {
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0)
			strbuf_add(out, part, (size_t)got);
		if (out->len > ROLE_TEXT_MAX)
			return -EFBIG;
	}
	return 0;
}

int role_run(const char *const *argv, struct strbuf *out, bool quiet)
{
	int fds[2] = {-1, -1}, status, r = 0;
	pid_t pid;

	if (out && pipe2(fds, O_CLOEXEC))
		return -errno;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		exec_program(argv, fds[1], quiet);
	if (fds[1] >= 0)
		close(fds[1]);
	if (pid < 0)
		r = -errno;
	else if (out)
		r = read_to_end(fds[0], out);
	if (fds[0] >= 0)
		close(fds[0]); /* ends one that prints for ever */
	if (pid < 0)
		return r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return r ? r : status;
}

void role_answer(const char *json)
{
	printf("\n" RPM_ROLE_RESULT "%s\n", json);
	fflush(stdout);
}

int role_answer_error(const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT, json = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&json);
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	json_begin_object(&w, NULL);
	json_put_text(&w, "error", text.buf, text.len);
	json_end_object(&w);
	role_answer(json.buf);
	strbuf_finish(&text);
	strbuf_finish(&json);
	return 0;
}

void role_status_text(int status, struct strbuf *out)
{
	if (status < 0)
		strbuf_addf(out, "failed: %s", strerror(-status));
	else if (WIFSIGNALED(status))
		strbuf_addf(out, "was killed by signal %d (%s)", WTERMSIG(status),
			sigabbrev_np(WTERMSIG(status)));
	else
		strbuf_addf(out, "ended with exit code %d", WEXITSTATUS(status));
}

static int is_rpm(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && !strcmp(entry->d_name + len - 4, ".rpm");
}

/* One process for all: a header that crashes librpm ends it, and that is the package's fault too. */
int role_describe(int argc, char **argv)
{
	struct strbuf json = STRBUF_INIT, err = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&json);
	struct dirent **entries;
	int count = scandir(RPM_ROLE_REPO, &entries, is_rpm, alphasort), r = 0;

	(void)argc;
	(void)argv;
	if (count < 0)
		return 1;
	json_begin_object(&w, NULL);
	json_begin_array(&w, "rpms");
	for (int i = 0; i < count; i++) {
		char *path = xasprintf(RPM_ROLE_REPO "/%s", entries[i]->d_name);

		if (!r)
			r = solve_describe(path, &w, &err);
		free(path);
		free(entries[i]);
	}
	free(entries);
	json_end_array(&w);
	json_end_object(&w);
	if (r)
		role_answer_error("%s", err.buf);
	else
		role_answer(json.buf);
	strbuf_finish(&json);
	strbuf_finish(&err);
	return 0;
}

int rpm_role_main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < countof(verbs); i++)
		if (!strcmp(argv[1], verbs[i].name))
			return verbs[i].main(argc - 2, argv + 2);
	fprintf(stderr, "reqpm " RPM_ROLE " is for reqpm itself\n");
	return 2;
}
