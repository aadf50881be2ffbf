// SPDX-License-Identifier: MIT
#include "world.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "../skip.h"

#define ORDINARY_ID 65534

/* ---- worlds */

void world_make_data(char path[64])
{
	char base[] = "/tmp/reqpm-sandbox-XXXXXX";

	if (!mkdtemp(base))
		BUG("mkdtemp: %s", strerror(errno));
	/* An ordinary user's own; root's keeper gives it away. */
	if (chmod(base, 0711) || (!geteuid() && chown(base, ORDINARY_ID, ORDINARY_ID)))
		BUG("%s: %s", base, strerror(errno));
	snprintf(path, 64, "%s", base);
}

static void become_ordinary(void)
{
	if (geteuid())
		return;
	if (setgroups(0, NULL) || setresgid(ORDINARY_ID, ORDINARY_ID, ORDINARY_ID) ||
		setresuid(ORDINARY_ID, ORDINARY_ID, ORDINARY_ID))
		BUG("cannot become an ordinary user: %s", strerror(errno));
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int live(const char *data, enum who who, scenario_fn *scenario)
{
	struct strbuf err = STRBUF_INIT;
	struct world w = {.data = data, .who = who};

	if (who == ORDINARY)
		become_ordinary();
	if (keeper_start(data, "nobody", WORLD_SLOTS, &w.keeper, &err)) {
		fprintf(stderr, "keeper: %s\n", err.buf);
		return 99;
	}
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* for leak checkers and debuggers */
	loop_init(&w.loop);
	w.sb = sandbox_open(&w.loop, &w.keeper, data, WORLD_SLOTS, &err);
	if (!w.sb) {
		fprintf(stderr, "sandbox: %s\n", err.buf);
		return 98;
	}
	scenario(&w);
	sandbox_close(w.sb);
	loop_finish(&w.loop);
	strbuf_finish(&err);
	close(w.keeper.fd);
	return w.failed;
}

pid_t world_start(const char *data, enum who who, scenario_fn *scenario)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	exit(live(data, who, scenario));
}

int world_wait(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return 97;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int world_run(enum who who, scenario_fn *scenario)
{
	char data[64];
	int r;

	world_make_data(data);
	r = world_wait(world_start(data, who, scenario));
	if (!r && world_leftovers(data))
		r = 96;
	tree_remove(data);
	return r;
}

/* ---- scenarios */

static void test_as_root(void **state)
{
	const struct scenario *s = *state;

	if (geteuid())
		skip_because("only root starts a keeper that is root");
	assert_int_equal(world_run(ROOT, s->fn), 0);
}

static void test_as_an_ordinary_user(void **state)
{
	const struct scenario *s = *state;

	assert_int_equal(world_run(ORDINARY, s->fn), 0);
}

int world_run_all(const struct scenario *scenarios, size_t count)
{
	static struct CMUnitTest tests[128];
	size_t n = 0;

	if (2 * count > countof(tests))
		BUG("more scenarios than tests");
	for (size_t i = 0; i < count; i++) {
		struct CMUnitTest test = {.initial_state = (void *)&scenarios[i]};

		test.name = xasprintf("%s (root)", scenarios[i].name);
		test.test_func = test_as_root;
		tests[n++] = test;
		test.name = xasprintf("%s (ordinary user)", scenarios[i].name);
		test.test_func = test_as_an_ordinary_user;
		tests[n++] = test;
	}
	/* The function behind the macro, because the number is not that of the array. */
	return _cmocka_run_group_tests("scenarios", tests, n, NULL, NULL);
}

/* ---- runs */

static void outcome_output(struct run *r, const char *data, size_t len, void *arg)
{
	struct outcome *o = arg;

	(void)r;
	strbuf_add(&o->output, data, len);
}

static void outcome_end(struct run *r, const struct run_result *result, void *arg)
{
	struct outcome *o = arg;

	if (o->hold)
		o->held = run_hold(r);
	o->ended = true;
	o->end = result->end;
	o->code = result->code;
	o->memory_peak_bytes = result->memory_peak_bytes;
	o->cpu_ms = result->cpu_ms;
	snprintf(o->why, sizeof(o->why), "%s", result->why);
	loop_stop(&o->w->loop);
}

struct run *outcome_start(struct world *w, const struct run_spec *spec, struct outcome *ret)
{
	static const struct run_handlers handlers = {outcome_output, outcome_end};
	struct strbuf err = STRBUF_INIT;

	struct run_spec marked = *spec;
	char *mark = xasprintf("REQPM_TEST=%s", w->data);
	const char *env[16] = {mark};

	for (size_t i = 0; spec->env && spec->env[i]; i++)
		env[i + 1] = spec->env[i];
	marked.env = env;
	*ret = (struct outcome){.w = w, .output = STRBUF_INIT, .held = -1, .hold = spec->hold};
	ret->run = run_start(w->sb, &marked, &handlers, ret, &err);
	free(mark);
	if (!ret->run) {
		ret->ended = true;
		ret->end = RUN_BROKEN;
		snprintf(ret->why, sizeof(ret->why), "%s", err.buf);
	}
	strbuf_finish(&err);
	return ret->run;
}

void outcome_wait(struct outcome *o)
{
	while (!o->ended)
		loop_run(&o->w->loop);
}

void outcome_let_go(struct outcome *o)
{
	if (o->held >= 0)
		close(o->held);
	o->held = -1;
}

bool path_goes(const char *path)
{
	char *parent = xstrndup(path, (size_t)(strrchr(path, '/') - path)), events[4096];
	struct pollfd fd = {inotify_init1(IN_CLOEXEC), POLLIN, 0};

	inotify_add_watch(fd.fd, parent, IN_DELETE);
	free(parent);
	while (!access(path, F_OK) && poll(&fd, 1, 20000) > 0 &&
		read(fd.fd, events, sizeof(events)) > 0)
		;
	close(fd.fd);
	return access(path, F_OK) && errno == ENOENT;
}

void outcome_finish(struct outcome *o)
{
	outcome_let_go(o);
	strbuf_finish(&o->output);
}

void world_sh(struct world *w, const char *script, struct outcome *ret)
{
	char *work = xasprintf("%s/sh", sandbox_slot_dir(w->sb, 1));
	const char *argv[] = {"sh", "-c", script, NULL};
	const struct run_spec spec = {
		.slot = 1, .name = "sh", .argv = argv, .work = work, .wipe = true};

	outcome_start(w, &spec, ret);
	outcome_wait(ret);
	free(work);
}

/* ---- what is left */

static bool proc_has(const char *pid, const char *file, const char *text)
{
	struct strbuf content = STRBUF_INIT;
	char path[300];
	bool found;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, file);
	if (file_read(path, 1 << 22, &content, NULL))
		strbuf_reset(&content);
	found = memmem(content.buf, content.len, text, strlen(text));
	strbuf_finish(&content);
	return found;
}

/* Calls fn for each process whose arguments or environment name the data folder. */
static int each_process(const char *data, bool (*fn)(const char *pid, void *arg), void *arg)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	while ((entry = readdir(dir)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
			(proc_has(entry->d_name, "cmdline", data) ||
				proc_has(entry->d_name, "environ", data)))
			count += fn(entry->d_name, arg);
	closedir(dir);
	return count;
}

static bool print_process(const char *pid, void *arg)
{
	struct strbuf line = STRBUF_INIT;
	char path[300];

	(void)arg;
	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	file_read(path, 1 << 22, &line, NULL);
	for (size_t i = 0; i < line.len; i++)
		if (!line.buf[i])
			line.buf[i] = ' ';
	fprintf(stderr, "left: process %s: %.200s\n", pid, line.buf);
	strbuf_finish(&line);
	return true;
}

static bool count_process(const char *pid, void *arg)
{
	(void)pid;
	(void)arg;
	return true;
}

int world_processes(const char *data)
{
	return each_process(data, count_process, NULL);
}

struct wanted {
	const char *start;
	pid_t pid;
};

static bool match_process(const char *pid, void *arg)
{
	struct wanted *wanted = arg;
	struct strbuf line = STRBUF_INIT;
	char path[300];

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	if (!file_read(path, 1 << 22, &line, NULL) &&
		!strncmp(line.buf, wanted->start, strlen(wanted->start)) &&
		(!wanted->pid || atoi(pid) < wanted->pid))
		wanted->pid = atoi(pid);
	strbuf_finish(&line);
	return false;
}

pid_t world_find(const char *data, const char *start)
{
	struct wanted wanted = {start, 0};

	each_process(data, match_process, &wanted);
	return wanted.pid;
}

static int count_cgroups(
	const char *path, const char *prefix, int depth, bool (*counts)(const char *path))
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int count = 0;

	while (dir && (entry = readdir(dir))) {
		char *below;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		below = xasprintf("%s/%s", path, entry->d_name);
		if (!strncmp(entry->d_name, prefix, strlen(prefix)))
			count += counts(below);
		else if (depth < 8)
			count += count_cgroups(below, prefix, depth + 1, counts);
		free(below);
	}
	if (dir)
		closedir(dir);
	return count;
}

static int cgroups_of(const char *data, const char *tree, bool (*counts)(const char *path))
{
	struct strbuf id = STRBUF_INIT;
	char path[300], prefix[100];
	int count = -1;

	snprintf(path, sizeof(path), "%s/lock", data);
	if (!file_read(path, 100, &id, NULL)) {
		snprintf(prefix, sizeof(prefix), "reqpm-%s-", id.buf);
		count = count_cgroups(tree, prefix, 0, counts);
	}
	strbuf_finish(&id);
	return count;
}

static bool print_cgroup(const char *path)
{
	fprintf(stderr, "left: cgroup %s\n", path);
	return true;
}

static int left_cgroups(const char *data)
{
	int count = cgroups_of(data, "/sys/fs/cgroup", print_cgroup);

	return count < 0 ? 0 : count; /* no server has been here */
}

static bool holds_processes(const char *path)
{
	char *procs = xasprintf("%s/cgroup.procs", path);
	struct strbuf pids = STRBUF_INIT;
	bool holds = !file_read(procs, 1 << 16, &pids, NULL) && pids.len;

	free(procs);
	strbuf_finish(&pids);
	return holds;
}

int world_cgroups(const char *data, const char *tree)
{
	return cgroups_of(data, tree, holds_processes);
}

static int left_files(const char *data)
{
	int count = 0;

	for (int slot = 0; slot < WORLD_SLOTS; slot++) {
		char path[300];
		DIR *dir;
		struct dirent *entry;

		snprintf(path, sizeof(path), "%s/slots/%d", data, slot);
		dir = opendir(path);
		while (dir && (entry = readdir(dir)))
			if (entry->d_name[0] != '.') {
				fprintf(stderr, "left: file %s/%s\n", path, entry->d_name);
				count++;
			}
		if (dir)
			closedir(dir);
	}
	return count;
}

static int left_mounts(const char *data)
{
	int found = proc_has("self", "mountinfo", data);

	if (found)
		fprintf(stderr, "left: a mount of %s\n", data);
	return found;
}

int world_leftovers(const char *data)
{
	return each_process(data, print_process, NULL) + left_cgroups(data) + left_files(data) +
	       left_mounts(data);
}
