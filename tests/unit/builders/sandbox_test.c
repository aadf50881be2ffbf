// SPDX-License-Identifier: MIT
#include "world.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "../skip.h"

/* ---- how a run ends, and what it said */

static void exit_status_and_output_arrive(struct world *w)
{
	struct outcome o;

	world_sh(w, "echo hello; pwd; id -u; exit 3", &o);
	CHECK(o.end == RUN_EXITED && o.code == 3, "end %d code %d: %s", o.end, o.code, o.why);
	CHECK(!strcmp(o.output.buf, "hello\n/build\n1000\n"), "output: %s", o.output.buf);
	outcome_finish(&o);
}

static void both_streams_keep_their_order(struct world *w)
{
	struct outcome o;

	world_sh(w, "for i in 1 2 3 4 5; do echo out$i; echo err$i >&2; done", &o);
	CHECK(!strcmp(o.output.buf, "out1\nerr1\nout2\nerr2\nout3\nerr3\nout4\nerr4\nout5\nerr5\n"),
		"output: %s", o.output.buf);
	outcome_finish(&o);
}

static void a_signal_is_reported_as_one(struct world *w)
{
	struct outcome o;

	world_sh(w, "kill -SEGV $$", &o);
	CHECK(o.end == RUN_SIGNALED && o.code == SIGSEGV, "end %d code %d", o.end, o.code);
	CHECK(strstr(o.why, "signal 11"), "why: %s", o.why);
	outcome_finish(&o);
}

static void a_missing_program_is_the_runs_fault(struct world *w)
{
	const char *argv[] = {"no-such-program", NULL};
	char *work = xasprintf("%s/missing", sandbox_slot_dir(w->sb, 1));
	struct run_spec spec = {.slot = 1, .name = "x", .argv = argv, .work = work, .wipe = true};
	struct outcome o;

	outcome_start(w, &spec, &o);
	outcome_wait(&o);
	CHECK(o.end == RUN_EXITED && o.code == 127, "end %d code %d: %s", o.end, o.code, o.why);
	CHECK(strstr(o.output.buf, "no-such-program: not found"), "output: %s", o.output.buf);
	outcome_finish(&o);
	free(work);
}

static void the_environment_is_clean_and_known(struct world *w)
{
	const char *argv[] = {"sh", "-c", "env | grep -v ^REQPM_TEST= | sort", NULL};
	const char *env[] = {"REQPM_PACKAGE=zlib", "SOURCE_DATE_EPOCH=1700000000", NULL};
	char *work = xasprintf("%s/env", sandbox_slot_dir(w->sb, 1));
	struct run_spec spec = {
		.slot = 1, .name = "x", .argv = argv, .env = env, .work = work, .wipe = true};
	struct outcome o;

	setenv("SECRET_OF_THE_SERVER", "1", 1);
	outcome_start(w, &spec, &o);
	outcome_wait(&o);
	CHECK(!strcmp(o.output.buf,
		      "HOME=/build\nLC_ALL=C.UTF-8\nPATH=/usr/bin:/usr/sbin\nPWD=/build\n"
		      "REQPM_PACKAGE=zlib\nSOURCE_DATE_EPOCH=1700000000\nTZ=UTC\n"),
		"environment: %s", o.output.buf);
	outcome_finish(&o);
	free(work);
}

/* A reader that stops after each piece for one turn of the loop. */
struct stutter {
	struct outcome o;
	uint64_t sum;
	size_t len, pauses;
	uv_idle_t idle;
};

static void stutter_resume(uv_idle_t *idle)
{
	struct stutter *s = idle->data;

	uv_idle_stop(idle);
	run_resume(s->o.run);
}

static void stutter_output(struct run *r, const char *data, size_t len, void *arg)
{
	struct stutter *s = arg;

	for (size_t i = 0; i < len; i++)
		s->sum += (unsigned char)data[i];
	s->len += len;
	s->pauses++;
	run_pause(r);
	uv_idle_start(&s->idle, stutter_resume);
}

static void stutter_end(struct run *r, const struct run_result *result, void *arg)
{
	struct stutter *s = arg;

	(void)r;
	s->o.ended = true;
	s->o.end = result->end;
	s->o.code = result->code;
	loop_stop(&s->o.w->loop);
}

static void output_larger_than_any_buffer_comes_whole(struct world *w)
{
	static const struct run_handlers handlers = {stutter_output, stutter_end};
	const char *argv[] = {"sh", "-c", "yes abcdefg | head -c 32000000", NULL};
	char *work = xasprintf("%s/yes", sandbox_slot_dir(w->sb, 1));
	struct run_spec spec = {.slot = 1, .name = "x", .argv = argv, .work = work, .wipe = true};
	static struct stutter s; /* its handle closes when the scenario is over */
	uint64_t line = 'a' + 'b' + 'c' + 'd' + 'e' + 'f' + 'g' + '\n';

	s.o.w = w;
	uv_idle_init(&w->loop.uv, &s.idle);
	s.idle.data = &s;
	s.o.run = run_start(w->sb, &spec, &handlers, &s, NULL);
	outcome_wait(&s.o);
	CHECK(s.o.end == RUN_EXITED && !s.o.code, "end %d code %d", s.o.end, s.o.code);
	CHECK(s.len == 32000000, "%zu bytes", s.len);
	CHECK(s.sum == 4000000 * line, "other bytes than were written");
	CHECK(s.pauses > 100, "only %zu pieces", s.pauses);
	uv_close((uv_handle_t *)&s.idle, NULL);
	free(work);
}

/* ---- ends that others decide */

/* False: it has ended by then. */
static bool started_until_ready(struct world *w, const char *script, struct outcome *o)
{
	char *work = xasprintf("%s/cancel", sandbox_slot_dir(w->sb, 2));
	const char *argv[] = {"sh", "-c", script, NULL};
	struct run_spec spec = {.slot = 2, .name = "c", .argv = argv, .work = work, .wipe = true};

	if (outcome_start(w, &spec, o))
		while (!o->ended && !strstr(o->output.buf, "ready\n"))
			uv_run(&w->loop.uv, UV_RUN_ONCE);
	free(work);
	return !o->ended;
}

static void cancelled_when_ready(struct world *w, const char *script, struct outcome *o)
{
	if (started_until_ready(w, script, o)) {
		run_cancel(o->run);
		run_cancel(o->run);
	}
	outcome_wait(o);
}

static void cancel_ends_what_refuses_to_end(struct world *w)
{
	struct outcome o;
	int64_t before = clock_monotonic_ms();

	cancelled_when_ready(w,
		"trap '' TERM INT HUP\n"
		"for i in 1 2 3; do setsid sh -c \"trap '' TERM; (sleep 1000 & sleep 1000) &\" & "
		"done\n"
		"wait; echo ready; sleep 1000; sleep 1000",
		&o);
	CHECK(o.end == RUN_CANCELLED, "end %d: %s", o.end, o.why);
	CHECK(!world_find(w->data, "sleep"), "a process lives");
	CHECK(clock_monotonic_ms() - before < 5000, "it took too long");
	outcome_finish(&o);
}

static void what_a_program_leaves_running_ends_with_it(struct world *w)
{
	struct outcome o;

	world_sh(w, "setsid sleep 1000 & setsid sh -c 'sleep 1000' & exit 0", &o);
	CHECK(o.end == RUN_EXITED && !o.code, "end %d code %d", o.end, o.code);
	CHECK(!world_find(w->data, "sleep"), "a process lives");
	outcome_finish(&o);
}

static void a_timeout_ends_a_run(struct world *w)
{
	char *work = xasprintf("%s/slow", sandbox_slot_dir(w->sb, 1));
	const char *argv[] = {"sleep", "1000", NULL};
	struct run_spec spec = {.slot = 1,
		.name = "slow",
		.argv = argv,
		.work = work,
		.timeout_ms = 200,
		.wipe = true};
	struct outcome o;

	outcome_start(w, &spec, &o);
	outcome_wait(&o);
	CHECK(o.end == RUN_TIMED_OUT, "end %d", o.end);
	CHECK(!strcmp(o.why, "it did not end within 1 s and was stopped"), "why: %s", o.why);
	outcome_finish(&o);
	free(work);
}

/* ---- cgroups. Without them all is killed and limited in another way, so that no other test tells whether they are used. */

static const char *const trees[] = {
	"/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"};
static bool offered[countof(trees)]; /* root can make a group there */

static bool makes_group(const char *tree)
{
	char *group = xasprintf("%s/reqpm-test-%d", tree, (int)getpid());
	char *procs = xasprintf("%s/cgroup.procs", group);
	char *type = xasprintf("%s/cgroup.type", tree);
	bool made = !mkdir(group, 0755), is_group = !access(procs, F_OK);

	if (made)
		rmdir(group);
	/* In a v2 tree that is not the machine's whole there may be processes beside us, and then no controller can be on. */
	is_group &= access(type, F_OK) != 0;
	free(group);
	free(procs);
	free(type);
	return made && is_group;
}

static void find_trees(void)
{
	for (size_t i = 0; i < countof(trees); i++)
		offered[i] = makes_group(trees[i]);
}

static bool limits_memory(size_t tree)
{
	struct strbuf on = STRBUF_INIT;
	char *path = xasprintf("%s/cgroup.controllers", trees[tree]);
	bool v2 = !file_read(path, 1000, &on, NULL);
	bool has = v2 ? strstr(on.buf, "memory") != NULL : tree == 0;

	free(path);
	strbuf_finish(&on);
	return has && offered[tree];
}

static void cgroups_that_root_can_make_are_used(struct world *w)
{
	const char *cgroup = sandbox_protections(w->sb)->cgroup;
	bool limited = false;
	struct outcome o;

	if (w->who != ROOT)
		return;
	for (size_t i = 0; i < countof(trees); i++)
		limited |= limits_memory(i);
	CHECK(!limited || cgroup, "no cgroup is used");
	if (started_until_ready(w, "echo ready; sleep 1000", &o)) {
		for (size_t i = 0; i < countof(trees); i++)
			CHECK(!offered[i] || world_cgroups(w->data, trees[i]) > 0, "none in %s",
				trees[i]);
		run_cancel(o.run);
	}
	outcome_wait(&o);
	CHECK(o.end == RUN_CANCELLED, "end %d: %s", o.end, o.why);
	outcome_finish(&o);
}

/* ---- limits */

static void limited(
	struct world *w, const char *script, struct run_limits limits, struct outcome *o)
{
	char *work = xasprintf("%s/limited", sandbox_slot_dir(w->sb, 1));
	const char *argv[] = {"sh", "-c", script, NULL};
	struct run_spec spec = {.slot = 1,
		.name = "limited",
		.argv = argv,
		.work = work,
		.limits = limits,
		.wipe = true};

	outcome_start(w, &spec, o);
	outcome_wait(o);
	free(work);
}

static void a_fork_bomb_stays_below_its_limit(struct world *w)
{
	struct outcome o;

	limited(w, "i=0; while sleep 1000 & do i=$((i + 1)); echo $i; done",
		(struct run_limits){.processes = 60}, &o);
	CHECK(o.end == RUN_EXITED && o.code, "end %d: %s", o.end, o.why);
	CHECK(strstr(o.output.buf, "\n40\n") && !strstr(o.output.buf, "\n60\n"), "processes: %s",
		o.output.buf);
	CHECK(strstr(o.output.buf, "Cannot fork"), "output: %s", o.output.buf);
	outcome_finish(&o);
	cancelled_when_ready(w, "bomb() { bomb & bomb & }; echo ready; bomb 2>/dev/null", &o);
	CHECK(o.end == RUN_CANCELLED || o.end == RUN_EXITED, "end %d: %s", o.end, o.why);
	outcome_finish(&o);
}

static void memory_is_limited(struct world *w)
{
	struct outcome o;

	limited(w, "exec awk 'BEGIN { x = \"x\"; while (length(x) < 2e9) x = x x }'",
		(struct run_limits){.memory_bytes = 64 << 20}, &o);
	if (sandbox_protections(w->sb)->cgroup) {
		CHECK(o.end == RUN_OUT_OF_MEMORY, "end %d code %d: %s", o.end, o.code, o.why);
		CHECK(!strcmp(o.why, "it needed more than its 64 MiB of memory"), "why: %s", o.why);
		CHECK(o.memory_peak_bytes > 32 << 20, "peak %lld", (long long)o.memory_peak_bytes);
	} else {
		CHECK(o.end == RUN_EXITED && o.code, "end %d code %d: %s", o.end, o.code, o.why);
	}
	outcome_finish(&o);
}

static void temporary_space_is_limited(struct world *w)
{
	struct outcome o;

	world_sh(w,
		"for d in /tmp /var/tmp /dev/shm /run; do df -B1048576 --output=size $d | tail -1; "
		"done",
		&o);
	CHECK(!strcmp(o.output.buf, "     1024\n     1024\n     1024\n       64\n"), "sizes: %s",
		o.output.buf);
	outcome_finish(&o);
	world_sh(w, "head -c 70000000 /dev/zero > /run/x", &o);
	CHECK(o.end == RUN_EXITED && o.code == 1 && strstr(o.output.buf, "No space left"),
		"end %d code %d: %s", o.end, o.code, o.output.buf);
	outcome_finish(&o);
}

static void a_file_has_a_largest_size(struct world *w)
{
	struct outcome o;

	limited(w, "head -c 3000000 /dev/zero > big; ls -l big | cut -d' ' -f5",
		(struct run_limits){.file_bytes = 1 << 20}, &o);
	CHECK(strstr(o.output.buf, "1048576\n"), "output: %s", o.output.buf);
	outcome_finish(&o);
}

static void a_folder_that_grows_too_large_ends_the_run(struct world *w)
{
	struct outcome o;

	limited(w,
		"mkdir a; for i in 1 2 3 4; do head -c 1000000 /dev/zero > a/$i; done; sleep 1000",
		(struct run_limits){.disk_bytes = 3 << 20}, &o);
	CHECK(o.end == RUN_DISK_FULL, "end %d: %s", o.end, o.why);
	CHECK(!strcmp(o.why, "its folder grew past the limit of 3 MiB"), "why: %s", o.why);
	outcome_finish(&o);
}

static void processor_time_is_limited(struct world *w)
{
	struct outcome o;

	limited(w, "while :; do :; done", (struct run_limits){.cpu_seconds = 1}, &o);
	CHECK(o.end == RUN_SIGNALED && (o.code == SIGXCPU || o.code == SIGKILL), "end %d code %d",
		o.end, o.code);
	CHECK(o.cpu_ms > 500, "%lld ms", (long long)o.cpu_ms);
	outcome_finish(&o);
}

/* ---- folders */

static void collected_folders_can_be_read_and_the_rest_wiped(struct world *w)
{
	char *work = xasprintf("%s/keep", sandbox_slot_dir(w->sb, 3));
	const char *argv[] = {"sh", "-c",
		"mkdir -p results/a/b && echo hi > results/a/b/f && chmod 600 results/a/b/f &&"
		"ln -s /etc/passwd results/link && chmod 700 results/a/b && chmod 0 results/a",
		NULL};
	const char *collect[] = {"results"};
	struct run_spec spec = {.slot = 3,
		.name = "keep",
		.argv = argv,
		.work = work,
		.collect = collect,
		.collect_count = 1};
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	struct outcome o;
	char *file = xasprintf("%s/results/a/b/f", work);

	outcome_start(w, &spec, &o);
	outcome_wait(&o);
	CHECK(o.end == RUN_EXITED && !o.code, "end %d code %d: %s", o.end, o.code, o.output.buf);
	CHECK(!file_read(file, 100, &text, &err) && !strcmp(text.buf, "hi\n"), "%s", err.buf);
	sandbox_wipe(w->sb, 3, work, (loop_fn *)loop_stop, &w->loop);
	loop_run(&w->loop);
	CHECK(access(work, F_OK) && errno == ENOENT, "%s is still there", work);
	outcome_finish(&o);
	strbuf_finish(&text);
	strbuf_finish(&err);
	free(file);
	free(work);
}

static void what_a_run_holds_goes_when_it_is_let_go(struct world *w)
{
	char *work = xasprintf("%s/held", sandbox_slot_dir(w->sb, 3));
	const char *argv[] = {"sh", "-c", "echo hi > results/f; mkdir -p a/b; chmod 0 a", NULL};
	const char *collect[] = {"results"};
	struct run_spec spec = {.slot = 3,
		.name = "held",
		.argv = argv,
		.work = work,
		.collect = collect,
		.collect_count = 1,
		.hold = true};
	char *file = xasprintf("%s/results/f", work);
	struct outcome o;

	outcome_start(w, &spec, &o);
	outcome_wait(&o);
	CHECK(o.end == RUN_EXITED && !o.code, "end %d code %d: %s", o.end, o.code, o.output.buf);
	CHECK(!access(file, R_OK), "%s cannot be read", file);
	outcome_let_go(&o);
	CHECK(path_goes(work), "%s is still there", work);
	outcome_finish(&o);
	free(file);
	free(work);
}

static void what_nobody_holds_goes_at_once(struct world *w)
{
	char *work = xasprintf("%s/held", sandbox_slot_dir(w->sb, 3));
	const char *argv[] = {"sh", "-c", "echo hi > f", NULL};
	struct run_spec spec = {
		.slot = 3, .name = "held", .argv = argv, .work = work, .hold = true};
	struct outcome o;

	outcome_start(w, &spec, &o);
	o.hold = false;
	outcome_wait(&o);
	CHECK(path_goes(work), "%s is still there", work);
	outcome_finish(&o);
	free(work);
}

static void a_folder_outside_the_slot_is_refused(struct world *w)
{
	const char *argv[] = {"true", NULL};
	char *up = xasprintf("%s/../2/x", sandbox_slot_dir(w->sb, 1));
	char *other = xasprintf("%s/x", sandbox_slot_dir(w->sb, 2));
	struct run_spec spec = {.slot = 1, .name = "x", .argv = argv};
	struct outcome o;

	spec.work = up;
	outcome_start(w, &spec, &o);
	outcome_wait(&o);
	CHECK(o.end == RUN_BROKEN && strstr(o.why, "Invalid argument"), "end %d: %s", o.end, o.why);
	outcome_finish(&o);
	spec.work = other;
	outcome_start(w, &spec, &o);
	CHECK(o.end == RUN_BROKEN && strstr(o.why, "is not below"), "end %d: %s", o.end, o.why);
	outcome_finish(&o);
	free(up);
	free(other);
}

static void a_link_in_place_of_the_folder_is_refused(struct world *w)
{
	const char *argv[] = {"true", NULL};
	char *work = xasprintf("%s/x", sandbox_slot_dir(w->sb, 1));
	struct run_spec spec = {.slot = 1, .name = "x", .argv = argv, .work = work, .wipe = true};
	struct outcome o;

	CHECK(!symlink("/tmp", work), "%s", strerror(errno));
	outcome_start(w, &spec, &o);
	outcome_wait(&o);
	CHECK(o.end == RUN_BROKEN && strstr(o.why, "cannot make the folder"), "end %d: %s", o.end,
		o.why);
	CHECK(!unlink(work), "%s", strerror(errno));
	outcome_finish(&o);
	free(work);
}

static void many_runs_share_slot_0(struct world *w)
{
	enum { MANY = 24 };
	struct outcome o[MANY];

	for (int i = 0; i < MANY; i++) {
		char *work = xasprintf("%s/many%d", sandbox_slot_dir(w->sb, 0), i);
		char number[16];
		const char *argv[] = {"sh", "-c", "echo $0; echo $0 > f; cat f", number, NULL};
		struct run_spec spec = {.name = "many", .argv = argv, .work = work, .wipe = true};

		snprintf(number, sizeof(number), "%d", i);
		outcome_start(w, &spec, &o[i]);
		free(work);
	}
	for (int i = 0; i < MANY; i++) {
		char expected[32];

		outcome_wait(&o[i]);
		snprintf(expected, sizeof(expected), "%d\n%d\n", i, i);
		CHECK(o[i].end == RUN_EXITED && !strcmp(o[i].output.buf, expected), "%d: %s %s", i,
			o[i].why, o[i].output.buf);
		outcome_finish(&o[i]);
	}
}

/* ---- what a machine lacks */

static void nothing_runs_unsandboxed(struct world *w, const char *remedy)
{
	const struct protections *p = sandbox_protections(w->sb);
	struct outcome o;

	CHECK(p->missing && strstr(p->missing, remedy), "missing: %s", p->missing);
	world_sh(w, "echo it ran", &o);
	CHECK(o.end == RUN_BROKEN && !o.output.len, "end %d: %s", o.end, o.output.buf);
	CHECK(strstr(o.why, remedy), "why: %s", o.why);
	outcome_finish(&o);
}

static void no_bubblewrap(struct world *w)
{
	CHECK(!sandbox_protections(w->sb)->bubblewrap, "where was it found?");
	nothing_runs_unsandboxed(w, "apt-get install bubblewrap");
}

static void no_user_namespaces(struct world *w)
{
	CHECK(!sandbox_protections(w->sb)->user_namespaces, "they are closed");
	nothing_runs_unsandboxed(w, "user.max_user_namespaces");
}

static void test_without_bubblewrap_nothing_runs_and_the_remedy_is_named(void **state)
{
	char *path = xstrdup(getenv("PATH"));

	(void)state;
	setenv("PATH", "/nonexistent", 1);
	assert_int_equal(world_run(ORDINARY, no_bubblewrap), 0);
	setenv("PATH", path, 1);
	free(path);
}

/* In a user namespace of our own that allows no other: from the inside as a machine whose
 * administrator closed them. */
static int close_user_namespaces(void)
{
	int fd, r;

	if (!geteuid() && setresuid(65534, 65534, 65534))
		return -1;
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	if (unshare(CLONE_NEWUSER))
		return -1;
	fd = open("/proc/self/uid_map", O_WRONLY);
	r = write(fd, "65534 65534 1", 13) == 13 ? 0 : -1;
	close(fd);
	fd = open("/proc/sys/user/max_user_namespaces", O_WRONLY);
	r |= write(fd, "0", 1) == 1 ? 0 : -1;
	close(fd);
	return r;
}

static void test_without_user_namespaces_nothing_runs_and_the_remedy_is_named(void **state)
{
	char data[64];
	pid_t pid;

	(void)state;
	world_make_data(data);
	pid = fork();
	if (!pid)
		exit(close_user_namespaces()
				? 95
				: world_wait(world_start(data, ROOT, no_user_namespaces)));
	assert_int_equal(world_wait(pid), 0);
	tree_remove(data);
}

/* ---- the keeper's refusals */

static void test_a_folder_that_is_somebody_elses_is_refused(void **state)
{
	struct strbuf err = STRBUF_INIT;
	struct keeper k;
	char data[64], file[80];

	(void)state;
	world_make_data(data);
	snprintf(file, sizeof(file), "%s/thesis.txt", data);
	assert_int_equal(file_write_atomic(file, "x", 1, 0644, &err), 0);
	assert_int_equal(keeper_start(data, "nobody", 2, &k, &err), -ENOTEMPTY);
	assert_non_null(strstr(err.buf, "neither empty nor a data folder of reqpm"));
	strbuf_finish(&err);
	tree_remove(data);
}

static void test_a_user_that_does_not_exist_is_named(void **state)
{
	struct strbuf err = STRBUF_INIT;
	struct keeper k;

	(void)state;
	if (geteuid())
		skip_because("only root becomes somebody else");
	assert_int_equal(keeper_start("/tmp/never-made", "no-such-user", 2, &k, &err), -ENOENT);
	assert_non_null(strstr(err.buf, "useradd --system"));
	assert_int_equal(keeper_start("/tmp/never-made", "root", 2, &k, &err), -EPERM);
	assert_int_equal(keeper_start("relative", "nobody", 2, &k, &err), -EINVAL);
	assert_int_equal(keeper_start("/tmp/x", "nobody", SLOTS_MAX + 2, &k, &err), -EINVAL);
	strbuf_finish(&err);
}

static const struct scenario scenarios[] = {
	SCENARIO(exit_status_and_output_arrive),
	SCENARIO(both_streams_keep_their_order),
	SCENARIO(a_signal_is_reported_as_one),
	SCENARIO(a_missing_program_is_the_runs_fault),
	SCENARIO(the_environment_is_clean_and_known),
	SCENARIO(output_larger_than_any_buffer_comes_whole),
	SCENARIO(cancel_ends_what_refuses_to_end),
	SCENARIO(what_a_program_leaves_running_ends_with_it),
	SCENARIO(a_timeout_ends_a_run),
	SCENARIO(cgroups_that_root_can_make_are_used),
	SCENARIO(a_fork_bomb_stays_below_its_limit),
	SCENARIO(memory_is_limited),
	SCENARIO(temporary_space_is_limited),
	SCENARIO(a_file_has_a_largest_size),
	SCENARIO(a_folder_that_grows_too_large_ends_the_run),
	SCENARIO(processor_time_is_limited),
	SCENARIO(collected_folders_can_be_read_and_the_rest_wiped),
	SCENARIO(what_a_run_holds_goes_when_it_is_let_go),
	SCENARIO(what_nobody_holds_goes_at_once),
	SCENARIO(a_folder_outside_the_slot_is_refused),
	SCENARIO(a_link_in_place_of_the_folder_is_refused),
	SCENARIO(many_runs_share_slot_0),
};

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_bubblewrap_nothing_runs_and_the_remedy_is_named),
		cmocka_unit_test(test_without_user_namespaces_nothing_runs_and_the_remedy_is_named),
		cmocka_unit_test(test_a_folder_that_is_somebody_elses_is_refused),
		cmocka_unit_test(test_a_user_that_does_not_exist_is_named),
	};

	find_trees();
	return cmocka_run_group_tests(tests, NULL, NULL) +
	       world_run_all(scenarios, countof(scenarios));
}
