// SPDX-License-Identifier: MIT
#include "world.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "../skip.h"

/*
 * Whoever dies, whenever: the run, the launcher, bubblewrap, the server, the keeper, all at once. Afterwards there is no process,
 * no mount, no cgroup and no file. The first ten milliseconds are the dangerous ones, because that is when each
 * process is about to start the next.
 */

#define CANCELS 480
#define STEP_US 500
#define STEPS 21 /* 0 to 10 ms */

static int announce_fd; /* a scenario says here that it is under way */

/* Daemons that ignore what they can, and a foreground program. */
static const char stubborn[] = "trap '' TERM HUP INT; setsid sh -c 'sleep 1000 & sleep 1000' & "
			       "echo started; sleep 1000";

static struct run *start_stubborn(
	struct world *w, int slot, int number, bool wipe, struct outcome *ret)
{
	char *work = xasprintf("%s/stubborn%d", sandbox_slot_dir(w->sb, slot), number);
	char *layer = xasprintf("%s/layer", w->data);
	const char *argv[] = {"sh", "-c", stubborn, NULL}, *layers[] = {layer};
	struct run_spec spec = {.slot = slot,
		.name = "stubborn",
		.argv = argv,
		.work = work,
		.layers = layers,
		.layer_count = number & 1, /* with namespaces of ours, and without */
		.wipe = wipe};
	struct run *r;

	mkdir(layer, 0755);
	r = outcome_start(w, &spec, ret);
	CHECK(r, "%s", ret->why);
	free(work);
	free(layer);
	return r;
}

static void turn_for(struct world *w, const struct outcome *o, int64_t us)
{
	uint64_t until = uv_hrtime() + (uint64_t)us * 1000;

	while (uv_hrtime() < until && !o->ended)
		uv_run(&w->loop.uv, UV_RUN_NOWAIT);
}

static void announce(struct world *w)
{
	CHECK(write(announce_fd, "x", 1) == 1, "%s", strerror(errno));
}

static void nothing_to_do(struct world *w)
{
	struct outcome o;

	world_sh(w, "echo alive", &o);
	CHECK(o.end == RUN_EXITED && !strcmp(o.output.buf, "alive\n"), "%s", o.why);
	outcome_finish(&o);
}

/* ---- a service manager that signals everything of a service at once */

static void sandbox_gets_sigterm(struct world *w, bool server_stops, enum run_end end)
{
	struct outcome o;
	pid_t bwrap;

	if (!start_stubborn(w, 1, 0, true, &o))
		return;
	while (!o.ended && !strstr(o.output.buf, "started"))
		uv_run(&w->loop.uv, UV_RUN_ONCE);
	bwrap = world_find(w->data, "bwrap");
	CHECK(bwrap && !kill(bwrap, SIGTERM), "%d: %s", (int)bwrap, strerror(errno));
	turn_for(w, &o, 200000);
	if (server_stops && !o.ended)
		run_cancel(o.run);
	outcome_wait(&o);
	CHECK(o.end == end, "end %d: %s", o.end, o.why);
	outcome_finish(&o);
}

static void stopped_with_its_server(struct world *w)
{
	sandbox_gets_sigterm(w, true, RUN_CANCELLED);
}

static void stopped_alone(struct world *w)
{
	sandbox_gets_sigterm(w, false, RUN_BROKEN);
}

/* As an ordinary user, for a server that root started may not signal what it runs. */
static void test_a_sandbox_that_is_stopped_with_its_server_was_cancelled(void **state)
{
	(void)state;
	assert_int_equal(world_run(ORDINARY, stopped_with_its_server), 0);
	assert_int_equal(world_run(ORDINARY, stopped_alone), 0);
}

/* ---- cancel */

static void cancelled_in_its_first_10_ms(struct world *w)
{
	for (int i = 0; i < CANCELS && !w->failed; i++) {
		struct outcome o;

		if (!start_stubborn(w, 1 + i % 3, i, true, &o))
			return;
		turn_for(w, &o, i % STEPS * STEP_US);
		run_cancel(o.run);
		outcome_wait(&o);
		CHECK(o.end == RUN_CANCELLED, "kill %d: end %d: %s", i, o.end, o.why);
		outcome_finish(&o);
	}
	CHECK(!world_find(w->data, "sleep") && !world_find(w->data, "bwrap"), "a process lives");
}

static void test_480_cancels_leave_nothing_as_root(void **state)
{
	(void)state;
	if (geteuid())
		skip_because("only root has uids for its slots");
	assert_int_equal(world_run(ROOT, cancelled_in_its_first_10_ms), 0);
}

static void test_480_cancels_leave_nothing_as_an_ordinary_user(void **state)
{
	(void)state;
	assert_int_equal(world_run(ORDINARY, cancelled_in_its_first_10_ms), 0);
}

/* ---- the launcher or bubblewrap is killed: by an administrator, or for want of memory */

#define MURDERS 42

static void murdered(struct world *w)
{
	announce(w);
	for (int i = 0; i < MURDERS && !w->failed; i++) {
		struct outcome o;

		if (!start_stubborn(w, 1, i, false, &o))
			return;
		outcome_wait(&o);
		CHECK(o.end == RUN_BROKEN, "murder %d: end %d: %s", i, o.end, o.why);
		CHECK(strstr(o.why, "killed") || strstr(o.why, "could not make"), "why: %s", o.why);
		CHECK(!world_find(w->data, "sleep"), "murder %d left a process", i);
		outcome_finish(&o);
	}
}

static void murdered_once(struct world *w)
{
	struct outcome o;

	if (!start_stubborn(w, 1, 0, true, &o))
		return;
	announce(w);
	outcome_wait(&o);
	CHECK(o.end == RUN_BROKEN && strstr(o.why, "killed by signal 9"), "why: %s", o.why);
	outcome_finish(&o);
}

static pid_t announced_world(const char *data, enum who who, scenario_fn *scenario)
{
	char byte;
	int fds[2];
	pid_t world;

	if (pipe(fds))
		BUG("pipe: %s", strerror(errno));
	announce_fd = fds[1];
	world = world_start(data, who, scenario);
	close(fds[1]);
	if (read(fds[0], &byte, 1) != 1)
		BUG("the scenario did not begin");
	close(fds[0]);
	return world;
}

/* Kills every process of that name, after a growing delay, until the world ends. */
static void murder(enum who who, const char *victim)
{
	char data[64];
	int status = 0;
	pid_t world;

	world_make_data(data);
	world = announced_world(data, who, murdered);
	for (int i = 0; !waitpid(world, &status, WNOHANG); i++) {
		pid_t pid = world_find(data, victim);

		usleep((useconds_t)(i % STEPS * STEP_US));
		if (pid)
			kill(pid, SIGKILL);
	}
	assert_int_equal(status, 0);
	assert_int_equal(world_processes(data), 0);
	/* Their folders were to be kept; the next start empties the slots. */
	assert_int_equal(world_wait(world_start(data, who, nothing_to_do)), 0);
	assert_int_equal(world_leftovers(data), 0);
	tree_remove(data);
}

static void test_a_run_whose_launcher_was_killed_is_wiped_all_the_same(void **state)
{
	enum who who = geteuid() ? ORDINARY : ROOT;
	char data[64];
	pid_t world, launcher;

	(void)state;
	world_make_data(data);
	world = announced_world(data, who, murdered_once);
	/* Its sandbox is there, so it is the run's launcher and not the last trial's. */
	while (!world_find(data, "sleep"))
		;
	launcher = world_find(data, LAUNCHER);
	assert_true(launcher > 0);
	kill(launcher, SIGKILL);
	assert_int_equal(world_wait(world), 0);
	assert_int_equal(world_leftovers(data), 0);
	tree_remove(data);
}

static void test_killed_launchers_leave_nothing(void **state)
{
	(void)state;
	if (!geteuid())
		murder(ROOT, LAUNCHER);
	murder(ORDINARY, LAUNCHER);
}

static void test_killed_bubblewraps_leave_nothing(void **state)
{
	(void)state;
	if (!geteuid())
		murder(ROOT, "bwrap");
	murder(ORDINARY, "bwrap");
}

/* ---- the server dies */

#define DEATHS 21
static int death; /* which one of them */

static void dies_with_three_runs(struct world *w)
{
	struct outcome o[3];

	for (int i = 0; i < 3; i++)
		start_stubborn(w, 1 + i, i, true, &o[i]);
	turn_for(w, &o[0], death % STEPS * STEP_US);
	kill(getpid(), SIGKILL);
}

static void killed_servers(enum who who)
{
	char data[64];

	world_make_data(data);
	for (death = 0; death < DEATHS; death++) {
		assert_int_equal(
			world_wait(world_start(data, who, dies_with_three_runs)), 128 + SIGKILL);
		/* The keeper has waited for the launchers. */
		assert_int_equal(world_leftovers(data), 0);
	}
	assert_int_equal(world_wait(world_start(data, who, nothing_to_do)), 0);
	tree_remove(data);
}

static void test_a_killed_server_leaves_nothing(void **state)
{
	(void)state;
	if (!geteuid())
		killed_servers(ROOT);
	killed_servers(ORDINARY);
}

/* ---- the keeper dies, or all do: the next start waits, sweeps and works */

static void runs_until_killed(struct world *w)
{
	struct outcome o[3];
	char *file = xasprintf("%s/left-by-nobody", sandbox_slot_dir(w->sb, 2));

	for (int i = 0; i < 3; i++)
		start_stubborn(w, 1 + i, i, true, &o[i]);
	CHECK(!mkdir(file, 0750), "%s", strerror(errno));
	turn_for(w, &o[0], death % STEPS * STEP_US);
	announce(w);
	outcome_wait(&o[0]);
	free(file);
}

/* The keeper alone; with its launchers too, so that nobody is left who could clean up. */
static int kill_keeper(enum who who, bool launchers)
{
	char data[64];
	pid_t world, launcher;
	int r;

	world_make_data(data);
	world = announced_world(data, who, runs_until_killed);
	kill(world, launchers ? SIGSTOP : SIGKILL);
	while (launchers && (launcher = world_find(data, LAUNCHER)))
		kill(launcher, SIGKILL);
	kill(world, SIGKILL);
	world_wait(world);
	r = world_wait(world_start(data, who, nothing_to_do));
	if (!r && world_leftovers(data))
		r = 96;
	tree_remove(data);
	return r;
}

static void kill_keepers(bool launchers)
{
	for (death = 0; death < STEPS; death += 3) {
		assert_int_equal(kill_keeper(geteuid() ? ORDINARY : ROOT, launchers), 0);
		assert_int_equal(kill_keeper(ORDINARY, launchers), 0);
	}
}

static void test_after_a_killed_keeper_the_next_start_finds_nothing(void **state)
{
	(void)state;
	kill_keepers(false);
}

static void test_after_all_were_killed_at_once_the_next_start_sweeps(void **state)
{
	(void)state;
	kill_keepers(true);
}

static void waits_for_a_signal(struct world *w)
{
	sigset_t mask;
	int got;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	announce(w);
	sigwait(&mask, &got);
	CHECK(got == SIGTERM, "signal %d", got);
}

static void test_a_second_server_is_refused_and_a_signal_is_passed_on(void **state)
{
	struct strbuf err = STRBUF_INIT;
	struct keeper k;
	char data[64];
	pid_t world;

	(void)state;
	world_make_data(data);
	world = announced_world(data, geteuid() ? ORDINARY : ROOT, waits_for_a_signal);
	assert_int_equal(keeper_start(data, "nobody", WORLD_SLOTS, &k, &err), -EBUSY);
	assert_non_null(strstr(err.buf, "another reqpm server runs on"));
	kill(world, SIGTERM);
	assert_int_equal(world_wait(world), 0);
	strbuf_finish(&err);
	tree_remove(data);
}

static void foreign_cgroup_stays(const char *tree)
{
	char *dir = xasprintf("/sys/fs/cgroup/%s/reqpm-0123456789abcdef-1-1", tree);
	bool made = !mkdir(dir, 0755);

	if (made) {
		assert_int_equal(world_run(ROOT, nothing_to_do), 0);
		assert_int_equal(rmdir(dir), 0);
	}
	free(dir);
}

static void test_another_data_folders_cgroups_are_left_alone(void **state)
{
	(void)state;
	if (geteuid())
		skip_because("only root makes cgroups wherever it wants");
	foreign_cgroup_stays(".");
	foreign_cgroup_stays("pids");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_sandbox_that_is_stopped_with_its_server_was_cancelled),
		cmocka_unit_test(test_480_cancels_leave_nothing_as_root),
		cmocka_unit_test(test_480_cancels_leave_nothing_as_an_ordinary_user),
		cmocka_unit_test(test_killed_launchers_leave_nothing),
		cmocka_unit_test(test_killed_bubblewraps_leave_nothing),
		cmocka_unit_test(test_a_run_whose_launcher_was_killed_is_wiped_all_the_same),
		cmocka_unit_test(test_a_killed_server_leaves_nothing),
		cmocka_unit_test(test_after_a_killed_keeper_the_next_start_finds_nothing),
		cmocka_unit_test(test_after_all_were_killed_at_once_the_next_start_sweeps),
		cmocka_unit_test(test_a_second_server_is_refused_and_a_signal_is_passed_on),
		cmocka_unit_test(test_another_data_folders_cgroups_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
