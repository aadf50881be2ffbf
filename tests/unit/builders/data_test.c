// SPDX-License-Identifier: MIT
#include "world.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "../skip.h"

/* The data folder, which the server's user owns and a keeper with more rights puts in order. */

static void nothing_to_do(struct world *w)
{
	struct outcome o;

	world_sh(w, "echo alive", &o);
	CHECK(o.end == RUN_EXITED && !strcmp(o.output.buf, "alive\n"), "%s", o.why);
	outcome_finish(&o);
}

/* ---- a data folder on a small disk */

static void a_full_disk_is_not_the_builds_fault(struct world *w)
{
	struct outcome o;

	world_sh(w, "head -c 90000000 /dev/zero > big", &o);
	CHECK(o.end == RUN_BROKEN && !strcmp(o.why, "the disk of the data folder is full"),
		"end %d: %s", o.end, o.why);
	outcome_finish(&o);
	world_sh(w, "exit 3", &o);
	CHECK(o.end == RUN_EXITED && o.code == 3, "end %d: %s", o.end, o.why);
	outcome_finish(&o);
	world_sh(w, "head -c 30000000 /dev/zero > big", &o);
	CHECK(o.end == RUN_EXITED && !o.code, "end %d: %s", o.end, o.why);
	outcome_finish(&o);
}

static int with_a_small_disk(const char *data)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
		mount("tmpfs", data, "tmpfs", 0, "size=80m,mode=711"))
		return 95;
	return world_wait(world_start(data, ROOT, a_full_disk_is_not_the_builds_fault));
}

static void test_a_full_disk_is_not_the_builds_fault(void **state)
{
	char data[64];
	pid_t pid;

	(void)state;
	if (geteuid())
		skip_because("only root makes a small disk");
	world_make_data(data);
	pid = fork();
	if (!pid)
		exit(with_a_small_disk(data));
	assert_int_equal(world_wait(pid), 0);
	tree_remove(data);
}

/* ---- a build that closes its own folder */

static void closes_its_folder(struct world *w, const char *script, int64_t disk, enum run_end end)
{
	char *work = xasprintf("%s/closed", sandbox_slot_dir(w->sb, 1));
	const char *argv[] = {"sh", "-c", script, NULL};
	struct run_spec spec = {.slot = 1,
		.name = "closed",
		.argv = argv,
		.work = work,
		.limits.disk_bytes = disk,
		.timeout_ms = 20000,
		.wipe = true};
	struct outcome o;

	outcome_start(w, &spec, &o);
	outcome_wait(&o);
	CHECK(o.end == end, "end %d: %s", o.end, o.why);
	outcome_finish(&o);
	free(work);
}

static void a_closed_folder(struct world *w)
{
	closes_its_folder(w, "head -c 4000000 /dev/zero > big; chmod 0311 /build; sleep 1000",
		3 << 20, RUN_DISK_FULL);
	closes_its_folder(w, "mkdir a; chmod 0 a /build", 0, RUN_EXITED);
}

static void test_a_closed_folder_is_measured_and_wiped(void **state)
{
	(void)state;
	if (!geteuid())
		assert_int_equal(world_run(ROOT, a_closed_folder), 0);
	assert_int_equal(world_run(ORDINARY, a_closed_folder), 0);
}

/* ---- what an earlier server left */

static void leave(const char *data, const char *slot, uid_t uid)
{
	char *folder = xasprintf("%s/slots/%s/left", data, slot), *file = xasprintf("%s/f", folder);
	struct strbuf err = STRBUF_INIT;

	assert_int_equal(dir_create(folder, 0755, &err), 0);
	assert_int_equal(file_write_atomic(file, "x", 1, 0600, &err), 0);
	assert_int_equal(chown(file, uid, uid), 0);
	assert_int_equal(chown(folder, uid, uid), 0);
	assert_int_equal(chmod(folder, 0), 0);
	*strrchr(folder, '/') = '\0';
	assert_int_equal(chown(folder, uid, uid), 0);
	free(folder);
	free(file);
}

static void test_what_is_left_in_slots_is_removed(void **state)
{
	enum who who = geteuid() ? ORDINARY : ROOT;
	char data[64], extra[100];

	(void)state;
	world_make_data(data);
	assert_int_equal(world_wait(world_start(data, who, nothing_to_do)), 0);
	leave(data, "1", geteuid() ? getuid() : SLOT_UID_BASE + 1);
	leave(data, "40", geteuid() ? getuid() : SLOT_UID_BASE + 40);
	assert_int_equal(world_wait(world_start(data, who, nothing_to_do)), 0);
	assert_int_equal(world_leftovers(data), 0);
	snprintf(extra, sizeof(extra), "%s/slots/40", data);
	assert_int_equal(access(extra, F_OK), -1);
	tree_remove(data);
}

/* As far as a keeper can tell, a sandbox that somebody runs. */
static pid_t start_sandbox(const char *folder)
{
	pid_t pid = fork();

	if (!pid) {
		execl("/bin/sh", "bwrap", "-c", "read x", "sh", "--bind", folder, NULL);
		_exit(127);
	}
	return pid;
}

static bool is_alive(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == 0;
}

static void test_only_sandboxes_of_this_very_folder_are_ended(void **state)
{
	enum who who = geteuid() ? ORDINARY : ROOT;
	char data[64], own[100], other[120];
	int input[2];
	pid_t ours, theirs;

	(void)state;
	world_make_data(data);
	snprintf(own, sizeof(own), "%s/slots/1/x", data);
	snprintf(other, sizeof(other), "/srv%s", own);
	assert_int_equal(pipe(input), 0);
	dup2(input[0], 0); /* never ends while we live */
	ours = start_sandbox(own);
	theirs = start_sandbox(other);
	/* Until both bear the name: exec is not instant. */
	while (world_find(own, "bwrap") != ours || world_find(other, "bwrap") != theirs)
		usleep(1000);
	assert_int_equal(world_wait(world_start(data, who, nothing_to_do)), 0);
	assert_false(is_alive(ours));
	assert_true(is_alive(theirs));
	kill(theirs, SIGKILL);
	waitpid(theirs, NULL, 0);
	close(input[0]);
	close(input[1]);
	tree_remove(data);
}

/* ---- refusals */

/* Whoever owns the folder must not choose which file root writes to. */
static void test_a_lock_that_is_another_files_name_is_refused(void **state)
{
	struct strbuf err = STRBUF_INIT, text = STRBUF_INIT;
	struct keeper k;
	char data[64], lock[80], other[80];

	(void)state;
	world_make_data(data);
	snprintf(lock, sizeof(lock), "%s/lock", data);
	snprintf(other, sizeof(other), "%s-other", data);
	assert_int_equal(file_write_atomic(other, "precious", 8, 0644, &err), 0);
	assert_int_equal(link(other, lock), 0);
	assert_int_equal(keeper_start(data, "nobody", 2, &k, &err), -EPERM);
	assert_non_null(strstr(err.buf, "a second name of another"));
	assert_int_equal(file_read(other, 100, &text, &err), 0);
	assert_string_equal(text.buf, "precious");
	unlink(other);
	strbuf_finish(&err);
	strbuf_finish(&text);
	tree_remove(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_full_disk_is_not_the_builds_fault),
		cmocka_unit_test(test_a_closed_folder_is_measured_and_wiped),
		cmocka_unit_test(test_what_is_left_in_slots_is_removed),
		cmocka_unit_test(test_only_sandboxes_of_this_very_folder_are_ended),
		cmocka_unit_test(test_a_lock_that_is_another_files_name_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
