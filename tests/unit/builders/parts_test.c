// SPDX-License-Identifier: MIT
#include "builders/diagnose.h"
#include "builders/launch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* ---- the line to show */

static int phases_seen;

static void count_phase(const char *phase, void *arg)
{
	(void)arg;
	assert_int_equal(phase[0], '%');
	phases_seen++;
}

static void expect_line(const char *output, int64_t line, const char *text, const char *phase)
{
	/* In one piece, and byte by byte: it must not matter how the output comes. */
	for (size_t step = strlen(output); step; step = step == 1 ? 0 : 1) {
		struct diagnosis d;

		diagnosis_init(&d);
		for (size_t at = 0; at < strlen(output); at += step)
			diagnosis_add(&d, output + at, step, count_phase, NULL);
		diagnosis_end(&d);
		assert_string_equal(d.best_text, text);
		assert_int_equal(d.best_line, line);
		assert_string_equal(d.phase, phase);
	}
}

static void test_the_first_error_of_the_last_phase_is_shown(void **state)
{
	(void)state;
	expect_line("Executing(%prep): /bin/sh -e x\n+ cd /build\nerror: harmless\n"
		    "Executing(%build): /bin/sh -e x\n+ make\ngcc -c a.c\na.c:1:1: error: one\n"
		    "a.c:2:1: error: two\nmake: *** [Makefile:2: a.o] Error 1\n"
		    "error: Bad exit status from /tmp/rpm-tmp.x (%build)\n\nRPM build errors:\n"
		    "    Bad exit status from /tmp/rpm-tmp.x (%build)\n",
		7, "a.c:1:1: error: one", "%build");
	assert_int_equal(phases_seen, 4);
}

static void test_a_more_telling_line_wins_over_an_earlier_one(void **state)
{
	(void)state;
	expect_line("FAILED: a.o\nld: undefined reference to `x'\nb.c:1: fatal error: x.h: No such "
		    "file or directory\n*** stop\n",
		3, "b.c:1: fatal error: x.h: No such file or directory", "");
	expect_line("checking...\nmake: *** No rule to make target 'x'.  Stop.\nbye\n", 2,
		"make: *** No rule to make target 'x'.  Stop.", "");
}

static void test_without_an_error_the_last_line_is_shown(void **state)
{
	(void)state;
	expect_line("one\ntwo\n\n  \n", 2, "two", "");
	expect_line("one\nno newline", 2, "no newline", "");
	expect_line("crlf\r\n", 1, "crlf", "");
	expect_line("", 0, "", "");
	expect_line("0 errors: none\nterror: no\ndone\n", 3, "done", "");
	expect_line("+ echo error: not yet\nnothing\n", 2, "nothing", "");
}

static void test_what_rpmbuild_says_in_summary_counts_when_nothing_else_does(void **state)
{
	(void)state;
	expect_line("Executing(%check): /bin/sh\n+ false\n"
		    "error: Bad exit status from /var/tmp/rpm-tmp.y (%check)\n\nRPM build errors:\n"
		    "    Bad exit status\n",
		3, "error: Bad exit status from /var/tmp/rpm-tmp.y (%check)", "%check");
	expect_line("error: Failed build dependencies:\n\tfoo is needed by bar-1\n", 1,
		"error: Failed build dependencies:", "");
}

static void test_only_markers_at_the_start_of_a_line_are_phases(void **state)
{
	(void)state;
	expect_line("echo Executing(%build): x\nExecuting(%BAD): x\nExecuting(%prep x\nlast\n", 4,
		"last", "");
}

static void test_lines_of_any_length_and_kind_are_kept_bounded(void **state)
{
	struct diagnosis d;
	static char flood[100000];

	(void)state;
	memset(flood, 'x', sizeof(flood));
	memcpy(flood, "error: \0hidden", 14);
	diagnosis_init(&d);
	for (int i = 0; i < 100; i++)
		diagnosis_add(&d, flood, sizeof(flood), NULL, NULL);
	diagnosis_add(&d, "\nlast\n", 6, NULL, NULL);
	diagnosis_end(&d);
	assert_int_equal(d.line, 2);
	assert_int_equal(d.best_line, 1);
	assert_int_equal(strlen(d.best_text), DIAGNOSE_LINE_MAX);
	assert_memory_equal(d.best_text, "error:  hidden", 14);
}

/* ---- requests */

static const struct run_bind example_binds[] = {{"/srv/a", "/sources", false}, {"/x", "/y", true}};

static void encode_example(struct strbuf *ret)
{
	static const char *const argv[] = {"make", "", "all", NULL}, *const env[] = {"A=b", NULL};
	static const char *const layers[] = {"/l/1", "/l/2"}, *const collect[] = {"results"};
	struct run_spec spec = {
		.slot = 3,
		.name = "job1-item2-1",
		.argv = argv,
		.env = env,
		.work = "/data/slots/3/job1",
		.binds = example_binds,
		.bind_count = 2,
		.layers = layers,
		.layer_count = 2,
		.collect = collect,
		.collect_count = 1,
		.limits = {.processes = 7},
		.network = true,
	};

	assert_int_equal(launch_encode(&spec, "/data/slots/3", ret, NULL), 0);
}

static void test_a_request_survives_its_journey(void **state)
{
	struct strbuf request = STRBUF_INIT;
	struct run_spec spec;

	(void)state;
	encode_example(&request);
	assert_int_equal(launch_decode(request.buf, request.len, &spec, NULL), 0);
	assert_string_equal(spec.name, "job1-item2-1");
	assert_string_equal(spec.work, "job1");
	assert_string_equal(spec.argv[0], "make");
	assert_string_equal(spec.argv[1], "");
	assert_null(spec.argv[3]);
	assert_string_equal(spec.env[0], "A=b");
	assert_string_equal(spec.binds[1].target, "/y");
	assert_true(spec.binds[1].writable && !spec.binds[0].writable);
	assert_string_equal(spec.layers[1], "/l/2");
	assert_string_equal(spec.collect[0], "results");
	assert_int_equal(spec.limits.processes, 7);
	assert_int_equal(spec.limits.memory_bytes, RUN_MEMORY_BYTES);
	assert_true(spec.network && !spec.wipe);
	launch_finish(&spec);
	strbuf_finish(&request);
}

static void test_a_request_cut_anywhere_is_refused(void **state)
{
	struct strbuf request = STRBUF_INIT;

	(void)state;
	encode_example(&request);
	for (size_t len = 0; len < request.len; len++) {
		char *copy = xmalloc(
			len + 1); /* of its own size, so that a sanitizer sees a step too far */
		struct run_spec spec;

		memcpy(copy, request.buf, len);
		assert_int_equal(launch_decode(copy, len, &spec, NULL), -EINVAL);
		launch_finish(&spec);
		free(copy);
	}
	strbuf_finish(&request);
}

static void test_a_request_with_any_byte_changed_is_read_or_refused_but_never_trusted(void **state)
{
	struct strbuf request = STRBUF_INIT;

	(void)state;
	encode_example(&request);
	for (size_t at = 0; at < request.len; at++)
		for (int bit = 0; bit < 8; bit++) {
			char *copy = xmalloc(request.len);
			struct run_spec spec;

			memcpy(copy, request.buf, request.len);
			copy[at] = (char)(copy[at] ^ (1 << bit));
			if (!launch_decode(copy, request.len, &spec, NULL)) {
				assert_true(strlen(spec.name) < 256);
				assert_true(spec.layer_count <= RUN_LAYERS_MAX);
			}
			launch_finish(&spec);
			free(copy);
		}
	strbuf_finish(&request);
}

static void refuse_spec(struct run_spec *spec, const char *why)
{
	struct strbuf request = STRBUF_INIT, err = STRBUF_INIT;
	struct run_spec decoded;

	if (!launch_encode(spec, "/s", &request, &err)) {
		assert_int_equal(launch_decode(request.buf, request.len, &decoded, &err), -EINVAL);
		launch_finish(&decoded);
	}
	assert_non_null(strstr(err.buf, why));
	strbuf_finish(&err);
	strbuf_finish(&request);
}

static void test_paths_and_names_that_climb_are_refused(void **state)
{
	static const char *const argv[] = {"true", NULL}, *const bad_env[] = {"NOVALUE", NULL};
	const struct run_bind up = {"/srv/../root", "/x", false}, relative = {"srv", "/x", false},
			      into = {"/srv", "/build/..", true}, fine = {"/srv/..a", "/x", false};
	const char *up_layer[] = {"/l/.."};
	struct run_spec ok = {.name = "n", .argv = argv, .work = "/s/w"}, spec;
	struct strbuf request = STRBUF_INIT;

	(void)state;
	const struct run_bind *const bad_binds[] = {&up, &relative, &into};
	for (size_t i = 0; i < countof(bad_binds); i++) {
		spec = ok;
		spec.binds = bad_binds[i];
		spec.bind_count = 1;
		refuse_spec(&spec, "cannot read what it is asked to run");
	}
	spec = ok;
	spec.name = "a/b";
	refuse_spec(&spec, "cannot read");
	spec = ok;
	spec.env = bad_env;
	refuse_spec(&spec, "cannot read");
	spec = ok;
	spec.layers = up_layer;
	spec.layer_count = 1;
	refuse_spec(&spec, "cannot read");
	spec = ok;
	spec.work = "/elsewhere/w";
	refuse_spec(&spec, "is not below /s");
	spec = ok;
	spec.binds = &fine;
	spec.bind_count = 1;
	assert_int_equal(launch_encode(&spec, "/s", &request, NULL), 0);
	assert_int_equal(launch_decode(request.buf, request.len, &spec, NULL), 0);
	launch_finish(&spec);
	strbuf_finish(&request);
}

static void test_a_command_that_is_too_long_is_refused(void **state)
{
	static char word[RUN_ARGV_BYTES_MAX + 1];
	const char *argv[] = {"echo", word, NULL};
	struct run_spec spec = {.name = "n", .argv = argv, .work = "/s/w"};

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	refuse_spec(&spec, "longer than 1048576 bytes");
}

/* ---- cgroup v2's files, on a tree of ordinary files */

static void fake_file(const char *dir, const char *name, const char *text)
{
	struct strbuf err = STRBUF_INIT;
	char *path = xasprintf("%s/%s", dir, name);

	assert_int_equal(file_write_atomic(path, text, strlen(text), 0644, &err), 0);
	free(path);
	strbuf_finish(&err);
}

static void expect_file(const char *dir, const char *name, const char *text)
{
	struct strbuf content = STRBUF_INIT;
	char *path = xasprintf("%s/%s", dir, name);

	assert_int_equal(file_read(path, 1000, &content, NULL), 0);
	assert_string_equal(content.buf, text);
	free(path);
	strbuf_finish(&content);
}

static void test_limits_of_cgroup_v2_are_written_and_its_counters_read(void **state)
{
	static const char *const files[] = {"memory.max", "memory.swap.max", "memory.oom.group",
		"pids.max", "cpu.weight", "cgroup.procs", "cgroup.kill"};
	char base[] = "/tmp/reqpm-cgroup-XXXXXX", group[64];
	struct cgroup_place place = {0};
	struct cgroup cg;

	(void)state;
	assert_non_null(mkdtemp(base));
	snprintf(place.dir[CGROUP_V2], sizeof(place.dir[0]), "%s", base);
	snprintf(group, sizeof(group), "%s/reqpm-x-1-2", base);
	cgroup_create(&cg, &place, "reqpm-x-1-2");
	for (size_t i = 0; i < countof(files); i++)
		fake_file(group, files[i], "");
	fake_file(group, "memory.events", "low 0\noom 2\noom_kill 3\noom_group_kill 1\n");
	fake_file(group, "memory.peak", "12345\n");
	cgroup_limit(&cg, 1 << 30, 99);
	assert_true(cg.memory && cg.pids);
	assert_int_equal(cgroup_version(&cg), 2);
	expect_file(group, "memory.max", "1073741824");
	expect_file(group, "memory.swap.max", "0");
	expect_file(group, "memory.oom.group", "1");
	expect_file(group, "pids.max", "99");
	expect_file(group, "cpu.weight", "50");
	assert_int_equal(cgroup_oom_kills(&cg), 3);
	assert_int_equal(cgroup_memory_peak(&cg), 12345);
	assert_true(cgroup_empty(&cg));
	assert_int_equal(cgroup_join(&cg), 0);
	expect_file(group, "cgroup.procs", "0");
	assert_false(cgroup_empty(&cg));
	cgroup_kill(&cg);
	expect_file(group, "cgroup.kill", "1");
	tree_remove(base);
}

static void test_where_no_cgroup_can_be_made_nothing_claims_to_be_limited(void **state)
{
	struct cgroup_place place = {.dir = {"/nonexistent", "/nonexistent", ""}};
	struct cgroup cg;

	(void)state;
	cgroup_create(&cg, &place, "reqpm-x-1-2");
	cgroup_limit(&cg, 1 << 30, 99);
	assert_false(cg.memory || cg.pids);
	assert_int_equal(cgroup_version(&cg), 0);
	assert_int_equal(cgroup_join(&cg), 0);
	assert_int_equal(cgroup_oom_kills(&cg), 0);
	assert_int_equal(cgroup_remove(&cg), 0);
}

static void test_without_the_cpu_controller_a_group_is_good_enough(void **state)
{
	char base[] = "/tmp/reqpm-cgroup-XXXXXX", *control;

	(void)state;
	assert_non_null(mkdtemp(base));
	control = xasprintf("%s/cgroup.subtree_control", base);
	/* A file that takes no write, whoever we are. */
	assert_int_equal(symlink("/proc/self/mountstats", control), 0);
	fake_file(base, "cgroup.controllers", "cpu\n");
	assert_int_equal(cgroup_enable(base), 0);
	fake_file(base, "cgroup.controllers", "memory cpu\n");
	assert_true(cgroup_enable(base) < 0);
	free(control);
	tree_remove(base);
}

/* ---- folders of a slot */

static void test_no_link_is_followed_on_the_way_to_a_folder(void **state)
{
	char base[] = "/tmp/reqpm-slot-XXXXXX";
	int slot, fd;

	(void)state;
	assert_non_null(mkdtemp(base));
	slot = open(base, O_RDONLY | O_DIRECTORY);
	fd = slot_open(slot, "a/b", true);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(symlinkat("/tmp", slot, "out"), 0);
	assert_int_equal(symlinkat("a", slot, "in"), 0);
	assert_true(slot_open(slot, "out", false) < 0);
	assert_true(slot_open(slot, "out/x", true) < 0);
	assert_true(slot_open(slot, "in/b", true) < 0);
	assert_int_equal(slot_open(slot, "a/../a", true), -EINVAL);
	assert_int_equal(slot_open(slot, "/a", false), -EINVAL);
	assert_int_equal(slot_open(slot, "", false), -EINVAL);
	assert_int_equal(slot_open(slot, "missing", false), -ENOENT);
	close(slot);
	tree_remove(base);
}

static const struct slot_size no_limit = {INT64_MAX, INT64_MAX, 1 << 20};

static bool holds_less(int slot, int64_t bytes)
{
	struct slot_size max = no_limit;

	max.bytes = bytes;
	return slot_measure(slot, &max) == SLOT_FITS;
}

static void write_zeros(int dir, const char *name, size_t size)
{
	static const char zeros[65536];
	int fd = openat(dir, name, O_WRONLY | O_CREAT, 0600);

	for (size_t done = 0; done < size; done += sizeof(zeros))
		assert_int_equal(write(fd, zeros, sizeof(zeros)), sizeof(zeros));
	close(fd);
}

static void test_a_file_of_many_names_counts_once(void **state)
{
	char base[] = "/tmp/reqpm-slot-XXXXXX", name[16];
	int slot;

	(void)state;
	assert_non_null(mkdtemp(base));
	slot = open(base, O_RDONLY | O_DIRECTORY);
	write_zeros(slot, "0", 1 << 20);
	for (int i = 1; i < 8; i++) {
		snprintf(name, sizeof(name), "%d", i);
		assert_int_equal(linkat(slot, "0", slot, name, 0), 0);
	}
	assert_true(holds_less(slot, 2 << 20));
	assert_false(holds_less(slot, 1 << 20));
	close(slot);
	tree_remove(base);
}

static void test_bytes_entries_and_depth_have_limits_of_their_own(void **state)
{
	char base[] = "/tmp/reqpm-slot-XXXXXX";
	struct slot_size max = no_limit;
	int slot;

	(void)state;
	assert_non_null(mkdtemp(base));
	slot = open(base, O_RDONLY | O_DIRECTORY);
	close(slot_open(slot, "a/b/c", true));
	write_zeros(slot, "file", 1 << 20);
	max.entries = 4;
	max.depth = 4;
	assert_int_equal(slot_measure(slot, &max), SLOT_FITS);
	max.entries = 3;
	assert_int_equal(slot_measure(slot, &max), SLOT_ENTRIES);
	max.entries = 4;
	max.depth = 3;
	assert_int_equal(slot_measure(slot, &max), SLOT_DEPTH);
	max.depth = 4;
	max.bytes = 1 << 20;
	assert_int_equal(slot_measure(slot, &max), SLOT_BYTES);
	close(slot);
	tree_remove(base);
}

/* What is to be counted whether its owner may look at it or not. */
static void test_what_is_hidden_or_deep_is_measured_all_the_same(void **state)
{
	static const mode_t modes[] = {0300, 0111, 0600, 0};
	static const struct slot_size deep = {1 << 30, INT64_MAX, MEASURE_DEPTH_MAX};
	char base[] = "/tmp/reqpm-slot-XXXXXX";
	struct stat st;
	int slot, fd, below;

	(void)state;
	if (!geteuid())
		assert_int_equal(setegid(65534) | seteuid(65534), 0);
	assert_non_null(mkdtemp(base));
	slot = open(base, O_RDONLY | O_DIRECTORY);
	fd = slot_open(slot, "hidden/below", true);
	write_zeros(fd, "file", 65536);
	close(fd);
	for (size_t i = 0; i < countof(modes); i++) {
		assert_int_equal(fchmodat(slot, "hidden/below", modes[i], 0), 0);
		assert_int_equal(fchmodat(slot, "hidden", modes[i], 0), 0);
		assert_false(holds_less(slot, 65536));
		assert_int_equal(fstatat(slot, "hidden", &st, 0), 0);
		assert_int_equal(st.st_mode & 07777, modes[i]);
		assert_int_equal(fchmodat(slot, "hidden", 0700, 0), 0);
	}

	fd = openat(slot, ".", O_RDONLY | O_DIRECTORY);
	for (int depth = 0; depth < 1000; depth++) {
		assert_int_equal(mkdirat(fd, "d", 0700), 0);
		below = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		close(fd);
		fd = below;
		if (depth == 400) /* as deep as a test suite goes */
			assert_int_equal(slot_measure(slot, &deep), SLOT_FITS);
	}
	close(fd);
	assert_int_equal(slot_measure(slot, &deep), SLOT_DEPTH);
	close(slot);
	assert_int_equal(tree_remove(base), 0);
	if (!getuid())
		assert_int_equal(seteuid(0) | setegid(0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_first_error_of_the_last_phase_is_shown),
		cmocka_unit_test(test_a_more_telling_line_wins_over_an_earlier_one),
		cmocka_unit_test(test_without_an_error_the_last_line_is_shown),
		cmocka_unit_test(test_what_rpmbuild_says_in_summary_counts_when_nothing_else_does),
		cmocka_unit_test(test_only_markers_at_the_start_of_a_line_are_phases),
		cmocka_unit_test(test_lines_of_any_length_and_kind_are_kept_bounded),
		cmocka_unit_test(test_a_request_survives_its_journey),
		cmocka_unit_test(test_a_request_cut_anywhere_is_refused),
		cmocka_unit_test(
			test_a_request_with_any_byte_changed_is_read_or_refused_but_never_trusted),
		cmocka_unit_test(test_paths_and_names_that_climb_are_refused),
		cmocka_unit_test(test_a_command_that_is_too_long_is_refused),
		cmocka_unit_test(test_limits_of_cgroup_v2_are_written_and_its_counters_read),
		cmocka_unit_test(test_where_no_cgroup_can_be_made_nothing_claims_to_be_limited),
		cmocka_unit_test(test_without_the_cpu_controller_a_group_is_good_enough),
		cmocka_unit_test(test_no_link_is_followed_on_the_way_to_a_folder),
		cmocka_unit_test(test_a_file_of_many_names_counts_once),
		cmocka_unit_test(test_bytes_entries_and_depth_have_limits_of_their_own),
		cmocka_unit_test(test_what_is_hidden_or_deep_is_measured_all_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
