// SPDX-License-Identifier: MIT
#include "../../builders/rpm_world.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <unistd.h>
#include <cmocka.h>

#include "apps/packages/reader.h"

/* A reading to its end. */
struct reading {
	struct world *w;
	bool ended, failed, infrastructure, gone;
	char package[256], detail[2000];
	struct read_package *packages;
	size_t count;
};

static void on_read(struct reader *r, const struct read_error *error, void *arg)
{
	struct reading *rd = arg;

	rd->ended = true;
	rd->failed = error;
	if (error) {
		rd->infrastructure = error->infrastructure;
		snprintf(rd->package, sizeof(rd->package), "%s", error->package);
		snprintf(rd->detail, sizeof(rd->detail), "%s", error->detail);
	} else {
		rd->packages = reader_take(r, &rd->count);
	}
	loop_stop(&rd->w->loop);
}

static void on_gone(void *arg)
{
	struct reading *rd = arg;

	rd->gone = true;
	loop_stop(&rd->w->loop);
}

/* limits: its timeout_ms and bytes_max. */
static struct reader *begin_within(
	struct rpm_world *rw, struct reader_spec limits, struct reading *ret)
{
	struct reader_spec spec = limits;

	spec.loop = &rw->w->loop;
	spec.sandbox = rw->w->sb;
	spec.folder = rw->upload;
	spec.name = "job1";
	*ret = (struct reading){.w = rw->w};
	return reader_start(&spec, on_read, ret);
}

static struct reader *begin(struct rpm_world *rw, struct reading *ret)
{
	return begin_within(rw, (struct reader_spec){0}, ret);
}

static void reading_wait(struct reading *rd)
{
	while (!rd->ended && !rd->gone)
		loop_run(&rd->w->loop);
}

static void reading_finish(struct reading *rd)
{
	read_packages_free(rd->packages, rd->count);
}

#define HEAD(name)                                                                                 \
	"Name: " name                                                                              \
	"\nVersion: 1.0\nRelease: 1\nSummary: A test\nLicense: MIT\nBuildArch: noarch\n"
#define TAIL "\n%description\nA test.\n%files\n"

/* What reading this one spec beside a good one says. */
static void read_one(struct world *w, const char *file, const char *text, struct reading *ret)
{
	struct rpm_world rw;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "good", "", "", "");
	rpm_world_put(&rw, file, text);
	begin(&rw, ret);
	reading_wait(ret);
	rpm_world_finish(&rw);
}

static void specs_are_read_with_their_needs_and_subpackages(struct world *w)
{
	struct rpm_world rw;
	struct reading rd;
	const struct spec *spec;

	rpm_world_init(&rw, w);
	for (int i = 0; i < 3 * READER_CONCURRENCY; i++) {
		char name[32];

		snprintf(name, sizeof(name), "filler%02d", i);
		rpm_world_put_spec(&rw, name, "", "", "");
	}
	rpm_world_put(&rw, "a.spec",
		HEAD("apple") "Source0: https://example.org/x/apple-1.0.tar.gz\nBuildRequires: "
			      "pear >= 2\n"
			      "%bcond_without check\n%if %{with check}\nBuildRequires: "
			      "quince\n%endif\n"
			      "%description\nx\n%package devel\nSummary: x\n%description devel\nx\n"
			      "%files\n%files devel\n");
	rpm_world_put(&rw, "apple-1.0.tar.gz", "x");
	begin(&rw, &rd);
	reading_wait(&rd);
	CHECK(!rd.failed, "%s: %s", rd.package, rd.detail);
	CHECK(rd.count == 1 + 3 * READER_CONCURRENCY, "%zu", rd.count);
	if (rd.count) {
		spec = rd.packages[0].spec;
		CHECK(!strcmp(rd.packages[0].file, "a.spec") && !strcmp(spec->name, "apple"), "%s",
			spec->name);
		CHECK(spec->need_count == 2 && spec->part_count == 2, "%zu needs, %zu parts",
			spec->need_count, spec->part_count);
		CHECK(!strcmp(spec->needs[0].name, "pear") && !spec->needs[0].soft &&
				spec->needs[1].soft,
			"%s is not soft", spec->needs[1].name);
	}
	reading_finish(&rd);
	rpm_world_finish(&rw);
}

static void read_source_rpm_of(struct world *w, const char *spec_file)
{
	struct rpm_world rw;
	struct reading rd;
	struct rpm_built b;
	struct strbuf data = STRBUF_INIT;
	char *path;
	int srpm;

	rpm_world_init(&rw, w);
	rpm_world_put(&rw, spec_file,
		HEAD("xylem") "BuildRequires: bash\nProvides: sap = 3\nSource0: data.txt" TAIL);
	rpm_world_put(&rw, "data.txt", "x");
	rpm_world_build(&rw, 1, spec_file, &b);
	CHECK(b.ok, "%s\n%s", b.why, b.log.buf);
	srpm = rpm_built_find(&b, "xylem-1.0-1.src");
	path = xasprintf("%s/%s", b.results, b.file[srpm]);
	CHECK(!file_read(path, 1 << 20, &data, NULL), "no %s", path);
	free(rw.upload);
	rw.upload = xasprintf("%s/upload2", w->data);
	dir_create(rw.upload, 0750, NULL);
	free(path);
	path = xasprintf("%s/xylem.src.rpm", rw.upload);
	file_write_atomic(path, data.buf, data.len, 0644, NULL);
	begin(&rw, &rd);
	reading_wait(&rd);
	CHECK(!rd.failed && rd.count == 1, "%s", rd.detail);
	if (rd.count) {
		const struct spec *spec = rd.packages[0].spec;

		CHECK(!strcmp(spec->name, "xylem") && spec->need_count == 1, "%s", spec->name);
		CHECK(spec->part_count == 1 && spec->parts[0].provide_count == 2, "%zu provides",
			spec->parts[0].provide_count);
	}
	reading_finish(&rd);
	free(path);
	strbuf_finish(&data);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

static void a_source_rpm_is_read_like_its_spec(struct world *w)
{
	read_source_rpm_of(w, "x.spec");
}

static void a_source_rpm_may_name_its_spec_as_we_do(struct world *w)
{
	read_source_rpm_of(w, "package.spec");
}

static void a_spec_that_does_not_parse_is_named_with_rpms_words(struct world *w)
{
	struct reading rd;

	read_one(w, "bad.spec", HEAD("bad") "Colour: red" TAIL, &rd);
	CHECK(rd.failed && !rd.infrastructure && !strcmp(rd.package, "bad.spec"), "%s", rd.package);
	CHECK(!strcmp(rd.detail, "bad.spec does not parse: line 7: Unknown tag: Colour: red "
				 "(rpmspec -P bad.spec says the same)"),
		"%s", rd.detail);
}

static void what_a_spec_calls_an_error_is_told_in_part(struct world *w)
{
	static const char end[] = "A… (rpmspec -P loud.spec says the same)";
	struct reading rd;

	read_one(w, "loud.spec",
		HEAD("loud") "%(printf 'error: ' >&2; head -c 100000 /dev/zero | tr '\\0' A >&2)\n"
			     "Colour: red" TAIL,
		&rd);
	CHECK(rd.failed && strlen(rd.detail) < READER_ERROR_MAX + 100, "%zu bytes",
		strlen(rd.detail));
	CHECK(strlen(rd.detail) > sizeof(end) &&
			!strcmp(rd.detail + strlen(rd.detail) - strlen(end), end),
		"%s", rd.detail);
}

static void a_lua_loop_is_ended_and_named(struct world *w)
{
	struct reading rd;

	read_one(w, "lua.spec", HEAD("lua") "%{lua: while true do end}" TAIL, &rd);
	CHECK(rd.failed && strstr(rd.detail, "lua.spec was still being read after 10 s"), "%s",
		rd.detail);
}

static void a_shell_loop_is_ended_and_named(struct world *w)
{
	struct reading rd;

	read_one(w, "shell.spec", HEAD("shell") "%(while :; do sleep 1; done)" TAIL, &rd);
	CHECK(rd.failed && strstr(rd.detail, "shell.spec was still being read after 10 s"), "%s",
		rd.detail);
}

static void a_crash_of_rpmspec_is_named_with_its_signal(struct world *w)
{
	struct reading rd;

	read_one(w, "crash.spec", HEAD("crash") "%(kill -SEGV $PPID)" TAIL, &rd);
	CHECK(rd.failed && !rd.infrastructure, "not failed");
	CHECK(strstr(rd.detail, "killed by signal 11 (SIGSEGV) while it read crash.spec"), "%s",
		rd.detail);
}

static void a_missing_source_file_is_named(struct world *w)
{
	struct reading rd;

	read_one(w, "lost.spec",
		HEAD("lost") "Source0: http://example.org/lost-1.0.tar.gz\nPatch0: fix.patch" TAIL,
		&rd);
	CHECK(rd.failed && !strcmp(rd.package, "lost"), "%s", rd.package);
	CHECK(!strcmp(rd.detail, "lost.spec names the source file lost-1.0.tar.gz, which was not "
				 "given; put it "
				 "beside the spec"),
		"%s", rd.detail);
}

static void two_specs_of_one_name_are_named_both(struct world *w)
{
	struct reading rd;

	read_one(w, "other.spec", HEAD("good") TAIL, &rd);
	CHECK(rd.failed && !strcmp(rd.package, "good"), "%s", rd.package);
	CHECK(!strcmp(rd.detail, "good.spec and other.spec both make a package named good; leave "
				 "one of them out"),
		"%s", rd.detail);
}

static void what_prints_for_ever_is_ended(struct world *w)
{
	struct reading rd;

	read_one(w, "loud.spec",
		HEAD("loud") "%{lua: while true do print(string.rep('x', 100000)) io.stderr:write("
			     "string.rep('x', 100000)) end}" TAIL,
		&rd);
	CHECK(rd.failed && strstr(rd.detail, "loud.spec cannot be read: it printed more than"),
		"%s", rd.detail);
}

static void a_file_that_is_no_source_rpm_is_named(struct world *w)
{
	struct reading rd;

	read_one(w, "fake.src.rpm", "this is not an rpm", &rd);
	CHECK(rd.failed && strstr(rd.detail, "fake.src.rpm does not parse: "), "%s", rd.detail);
}

static void put_in_folder(
	struct rpm_world *rw, const char *folder, const char *file, const char *text)
{
	char *path = xasprintf("%s/%s", rw->upload, folder),
	     *name = xasprintf("%s/%s", folder, file);

	dir_create(path, 0750, NULL);
	rpm_world_put(rw, name, text);
	free(path);
	free(name);
}

/* Both have a file `list` of their own, which reading the spec shows. */
static void folders_side_by_side_have_their_sources_to_themselves(struct world *w)
{
	struct rpm_world rw;
	struct reading rd;

	rpm_world_init(&rw, w);
	put_in_folder(&rw, "set", "README", "x");
	put_in_folder(&rw, "set/apple", "apple.spec",
		HEAD("apple") "Source0: list\nProvides: word(%(cat %{SOURCE0}))" TAIL);
	put_in_folder(&rw, "set/apple", "list", "red");
	put_in_folder(&rw, "set/apple/tests", "more.spec", "this is no package of the set");
	put_in_folder(&rw, "set/pear", "pear.spec",
		HEAD("pear") "Source0: list\nProvides: word(%(cat %{_sourcedir}/list))" TAIL);
	put_in_folder(&rw, "set/pear", "list", "green");
	begin(&rw, &rd);
	reading_wait(&rd);
	CHECK(!rd.failed && rd.count == 2, "%zu: %s", rd.count, rd.detail);
	if (rd.count == 2) {
		CHECK(!strcmp(rd.packages[0].file, "set/apple/apple.spec"), "%s",
			rd.packages[0].file);
		CHECK(!strcmp(rd.packages[0].spec->parts[0].provides[1].name, "word(red)"), "%s",
			rd.packages[0].spec->parts[0].provides[1].name);
		CHECK(!strcmp(rd.packages[1].spec->parts[0].provides[1].name, "word(green)"), "%s",
			rd.packages[1].spec->parts[0].provides[1].name);
	}
	reading_finish(&rd);
	rpm_world_finish(&rw);
}

static void a_source_in_another_packages_folder_is_missing(struct world *w)
{
	struct rpm_world rw;
	struct reading rd;

	rpm_world_init(&rw, w);
	put_in_folder(&rw, "apple", "apple.spec", HEAD("apple") "Source0: list" TAIL);
	put_in_folder(&rw, "pear", "pear.spec", HEAD("pear") TAIL);
	put_in_folder(&rw, "pear", "list", "green");
	begin(&rw, &rd);
	reading_wait(&rd);
	CHECK(rd.failed && strstr(rd.detail, "apple/apple.spec names the source file list"), "%s",
		rd.detail);
	rpm_world_finish(&rw);
}

static void a_folder_without_a_spec_is_refused(struct world *w)
{
	struct rpm_world rw;
	struct reading rd;

	rpm_world_init(&rw, w);
	rpm_world_put(&rw, "README", "x");
	begin(&rw, &rd);
	reading_wait(&rd);
	CHECK(rd.failed && strstr(rd.detail, "no .spec and no .src.rpm"), "%s", rd.detail);
	rpm_world_finish(&rw);
}

static void more_specs_than_a_build_may_have_are_refused_unread(struct world *w)
{
	struct rpm_world rw;
	struct reading rd;

	rpm_world_init(&rw, w);
	for (int i = 0; i <= PACKAGES_MAX; i++) {
		char *path = xasprintf("%s/%d.spec", rw.upload, i);

		close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
		free(path);
	}
	begin(&rw, &rd);
	reading_wait(&rd);
	CHECK(rd.failed && strstr(rd.detail, "10001 packages are more than the 10000"), "%s",
		rd.detail);
	rpm_world_finish(&rw);
}

/* A few small ones, and one that says a lot and takes a while. */
static void read_set_within(struct world *w, struct reader_spec limits, struct reading *ret)
{
	struct rpm_world rw;

	rpm_world_init(&rw, w);
	for (int i = 0; i < READER_CONCURRENCY; i++) {
		char name[32];

		snprintf(name, sizeof(name), "small%d", i);
		rpm_world_put_spec(&rw, name, "", "", "");
	}
	rpm_world_put(&rw, "a.spec",
		HEAD("large") "%{lua: for i = 1, 9000 do print('BuildRequires: n' .. i .. '\\n') "
			      "end}"
			      "%(sleep 1)" TAIL);
	begin_within(&rw, limits, ret);
	reading_wait(ret);
	rpm_world_finish(&rw);
}

static void a_set_that_says_too_much_is_refused_with_the_spec_that_says_most(struct world *w)
{
	struct reading rd;

	read_set_within(w, (struct reader_spec){.bytes_max = 100 << 10}, &rd);
	CHECK(rd.failed && !rd.infrastructure && !strcmp(rd.package, "a.spec"), "%s", rd.package);
	CHECK(strstr(rd.detail, "more than fits into 100 KiB; a.spec says most, "), "%s",
		rd.detail);
	read_set_within(w, (struct reader_spec){0}, &rd);
	CHECK(!rd.failed, "%s", rd.detail);
	reading_finish(&rd);
}

/* One of the five has not begun when the first has ended, and by then the time is over. */
static void a_set_that_takes_too_long_is_refused_with_the_slowest_spec(struct world *w)
{
	struct reading rd;

	read_set_within(w, (struct reader_spec){.timeout_ms = 1}, &rd);
	CHECK(rd.failed && !rd.infrastructure, "%s", rd.detail);
	CHECK(strstr(rd.detail, "after 0 s 1 of the 5 specs of this set are still to be read"),
		"%s", rd.detail);
	CHECK(strstr(rd.detail, " took longest, "), "%s", rd.detail);
}

static void reading_changes_nothing_and_reaches_nothing(struct world *w)
{
	struct reading rd;

	read_one(w, "x.spec",
		HEAD("x") "%(touch /sources/planted; echo x > /usr/planted; cat /etc/shadow >&2; "
			  "ls " RPM_SOURCES "/.. >&2)" TAIL,
		&rd);
	CHECK(!rd.failed && rd.count == 2, "%s", rd.detail);
	if (rd.count == 2) {
		char *planted = xasprintf("%s/upload/planted", w->data);

		CHECK(access(planted, F_OK) && access("/usr/planted", F_OK),
			"something was written");
		free(planted);
	}
	reading_finish(&rd);
}

static void a_cancel_ends_all_and_done_is_not_called(struct world *w)
{
	struct rpm_world rw;
	struct reading rd;
	struct reader *r;

	rpm_world_init(&rw, w);
	for (int i = 0; i < 2 * READER_CONCURRENCY; i++) {
		char file[32];

		snprintf(file, sizeof(file), "slow%d.spec", i);
		rpm_world_put(&rw, file, HEAD("slow") "%(sleep 1000)" TAIL);
	}
	r = begin(&rw, &rd);
	while (!world_find(w->data, "sleep") && !world_processes(w->data))
		uv_run(&w->loop.uv, UV_RUN_ONCE);
	reader_cancel(r, on_gone, &rd);
	reading_wait(&rd);
	CHECK(rd.gone && !rd.ended, "ended %d", rd.ended);
	rpm_world_finish(&rw);
}

/* ---- the tests */

static const struct scenario scenarios[] = {
	SCENARIO(specs_are_read_with_their_needs_and_subpackages),
	SCENARIO(a_source_rpm_is_read_like_its_spec),
	SCENARIO(a_source_rpm_may_name_its_spec_as_we_do),
	SCENARIO(a_spec_that_does_not_parse_is_named_with_rpms_words),
	SCENARIO(what_a_spec_calls_an_error_is_told_in_part),
	SCENARIO(a_crash_of_rpmspec_is_named_with_its_signal),
	SCENARIO(a_missing_source_file_is_named),
	SCENARIO(two_specs_of_one_name_are_named_both),
	SCENARIO(what_prints_for_ever_is_ended),
	SCENARIO(a_file_that_is_no_source_rpm_is_named),
	SCENARIO(folders_side_by_side_have_their_sources_to_themselves),
	SCENARIO(a_source_in_another_packages_folder_is_missing),
	SCENARIO(a_folder_without_a_spec_is_refused),
	SCENARIO(more_specs_than_a_build_may_have_are_refused_unread),
	SCENARIO(a_set_that_says_too_much_is_refused_with_the_spec_that_says_most),
	SCENARIO(a_set_that_takes_too_long_is_refused_with_the_slowest_spec),
	SCENARIO(reading_changes_nothing_and_reaches_nothing),
	SCENARIO(a_cancel_ends_all_and_done_is_not_called),
};

/* These wait for the time limit, which is real: both at once. */
static void test_loops_in_lua_and_shell_are_ended_and_named(void **state)
{
	char data[2][64];
	pid_t lua, shell;

	(void)state;
	world_make_data(data[0]);
	world_make_data(data[1]);
	lua = world_start(data[0], geteuid() ? ORDINARY : ROOT, a_lua_loop_is_ended_and_named);
	shell = world_start(data[1], ORDINARY, a_shell_loop_is_ended_and_named);
	assert_int_equal(world_wait(lua), 0);
	assert_int_equal(world_wait(shell), 0);
	assert_int_equal(world_leftovers(data[0]) + world_leftovers(data[1]), 0);
	tree_remove(data[0]);
	tree_remove(data[1]);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loops_in_lua_and_shell_are_ended_and_named),
	};

	if (rpm_world_is_role(argc, argv))
		return rpm_world_role(argc, argv);
	return world_run_all(scenarios, countof(scenarios)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
