// SPDX-License-Identifier: MIT
#include "apps/packages/packages.h"

#include <setjmp.h>
#include <cmocka.h>
#include "../../skip.h"
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the reader */

static const char whole[] = "\nF\t/build/SPECS/foo.spec\n"
			    "building foo now\n" /* %{echo:} */
			    "\n"
			    "S\tfoo\t2\t1.0~rc1\t1.fc40\n"
			    "R\t(bar-devel >= 1 if baz)\t\t\n"
			    "R\tcheck-devel\t\t\n"
			    "R\tgcc\t>=\t4.8\n"
			    "R\tgcc\t<\t99\n"
			    "R\trpmlib(CompressedFileNames)\t<=\t3.0.4-1\n"
			    "C\tevil\t\t\n"
			    "O\tfoo.tar.gz\n"
			    "O\thttps://example.com/dir/extra.conf\n"
			    "A\tfix.patch\n"
			    "E\tx86_64\n"
			    "E\taarch64\n"
			    "X\ts390x\n"
			    "\n"
			    "P\tfoo\t2\t1.0~rc1\t1.fc40\tx86_64\n"
			    "V\tfoo\t=\t2:1.0~rc1-1.fc40\n"
			    "Q\t/bin/sh\t\t\n"
			    "P\tfoo-doc\t2\t1.0~rc1\t1.fc40\tnoarch\n"
			    "V\tfoo-doc\t=\t2:1.0~rc1-1.fc40\n"
			    "V\tbundled(x)\t\t\n"
			    "\n"
			    "W\n"
			    "H\tgcc\t>=\t4.8\n"
			    "H\t(bar-devel >= 1 if baz)\t\t\n";

static void assert_parsed(enum spec_query_kind kind, const char *text, struct spec_query *ret)
{
	struct strbuf err = STRBUF_INIT;
	int r = spec_query_parse(kind, text, strlen(text), ret, &err);

	assert_string_equal(err.buf, "");
	assert_int_equal(r, 0);
	strbuf_finish(&err);
}

static void assert_capability(const struct capability *c, const char *name, unsigned flags,
	const char *version, bool soft)
{
	assert_string_equal(c->name, name);
	assert_int_equal(c->flags, flags);
	assert_string_equal(c->version, version);
	assert_int_equal(c->soft, soft);
}

static void a_spec_is_read_whole(void **state)
{
	struct spec_query q;
	const struct spec *s;

	(void)state;
	assert_parsed(SPEC_QUERY_SPEC, whole, &q);
	assert_int_equal(q.spec_count, 1);
	s = &q.specs[0];
	assert_string_equal(s->file, "/build/SPECS/foo.spec");
	assert_string_equal(s->name, "foo");
	assert_string_equal(s->epoch, "2");
	assert_string_equal(s->version, "1.0~rc1");
	assert_string_equal(s->release, "1.fc40");
	assert_int_equal(s->need_count, 4);
	assert_capability(&s->needs[2], "gcc", CAPABILITY_GREATER | CAPABILITY_EQUAL, "4.8", false);
	assert_int_equal(s->conflict_count, 1);
	assert_string_equal(s->conflicts[0].name, "evil");
	assert_int_equal(s->sources.count, 2);
	assert_string_equal(s->sources.names[0], "foo.tar.gz");
	assert_string_equal(s->sources.names[1], "extra.conf");
	assert_int_equal(s->patches.count, 1);
	assert_string_equal(s->patches.names[0], "fix.patch");
	assert_int_equal(s->only_archs.count, 2);
	assert_int_equal(s->not_archs.count, 1);
	assert_int_equal(s->part_count, 2);
	assert_string_equal(s->parts[0].arch, "x86_64");
	assert_int_equal(s->parts[0].need_count, 1);
	assert_string_equal(s->parts[1].name, "foo-doc");
	assert_string_equal(s->parts[1].arch, "noarch");
	assert_int_equal(s->parts[1].provide_count, 2);
	assert_capability(
		&s->parts[1].provides[0], "foo-doc", CAPABILITY_EQUAL, "2:1.0~rc1-1.fc40", false);
	assert_capability(&s->parts[1].provides[1], "bundled(x)", 0, "", false);
	assert_int_equal(s->parts[1].need_count, 0);
	spec_query_finish(&q);
}

static void needs_that_vanish_without_check_are_soft(void **state)
{
	struct spec_query q;

	(void)state;
	assert_parsed(SPEC_QUERY_SPEC, whole, &q);
	assert_capability(&q.specs[0].needs[0], "(bar-devel >= 1 if baz)", 0, "", false);
	assert_capability(&q.specs[0].needs[1], "check-devel", 0, "", true);
	assert_capability(&q.specs[0].needs[3], "gcc", CAPABILITY_LESS, "99", true);
	spec_query_finish(&q);
	assert_parsed(SPEC_QUERY_SPEC, "S\ta\t0\t1\t1\nR\tb\t\t\nW\n", &q);
	assert_true(q.specs[0].needs[0].soft);
	spec_query_finish(&q);
	assert_parsed(
		SPEC_QUERY_SPEC, "S\ta\t0\t1\t1\nR\tb\t\t\n", &q); /* not asked without %check */
	assert_false(q.specs[0].needs[0].soft);
	spec_query_finish(&q);
}

static void many_specs_may_follow_each_other(void **state)
{
	struct spec_query q;

	(void)state;
	assert_parsed(SPEC_QUERY_SPEC,
		"S\tc\t(none)\t1\t1\nR\tz\t\t\nS\td\t0\t1\t1\n"
		"F\ta.spec\nS\ta\t0\t1\t1\nR\tx\t\t\nW\nP\ta\t0\t1\t1\tnoarch\nV\ta\t=\t1-1\n"
		"F\tb.spec\nS\tb\t0\t1\t1\nR\ty\t\t\n",
		&q);
	assert_int_equal(q.spec_count, 4);
	assert_string_equal(q.specs[0].file, "");
	assert_string_equal(q.specs[0].epoch, "0");
	assert_string_equal(q.specs[1].name, "d");
	assert_string_equal(q.specs[3].file, "b.spec");
	assert_false(q.specs[0].needs[0].soft);
	assert_true(q.specs[2].needs[0].soft);
	assert_false(q.specs[3].needs[0].soft);
	assert_int_equal(q.specs[2].part_count, 1);
	assert_int_equal(q.specs[3].part_count, 0);
	spec_query_finish(&q);
}

static void built_rpms_are_subpackages_without_a_spec(void **state)
{
	struct spec_query q;

	(void)state;
	assert_parsed(SPEC_QUERY_RPMS,
		"\nP\ta\t0\t1\t1\tnoarch\nV\ta\t=\t1-1\nQ\trpmlib(X)\t<=\t1\nQ\tb\t\t\n"
		"\nP\ta-devel\t0\t1\t1\tx86_64\nV\tpkgconfig(a)\t=\t1\n",
		&q);
	assert_int_equal(q.spec_count, 0);
	assert_int_equal(q.part_count, 2);
	assert_int_equal(q.parts[0].need_count, 1);
	assert_string_equal(q.parts[0].needs[0].name, "b");
	assert_string_equal(q.parts[1].provides[0].name, "pkgconfig(a)");
	spec_query_finish(&q);
}

static void assert_refused(enum spec_query_kind kind, const char *text, size_t len, const char *why)
{
	struct spec_query q = {.part_count = 77};
	struct strbuf err = STRBUF_INIT;

	assert_int_equal(spec_query_parse(kind, text, len, &q, &err), -EINVAL);
	assert_string_equal(err.buf, why);
	assert_int_equal(q.part_count, 77);
	strbuf_finish(&err);
}

#define S "S\ta\t0\t1\t1\n"
#define P "P\ta\t0\t1\t1\tnoarch\n"
static const struct {
	enum spec_query_kind kind;
	const char *text, *why;
} broken[] = {
	{SPEC_QUERY_SPEC, "", "the query's output names no package"},
	{SPEC_QUERY_SPEC, "hello\n", "the query's output names no package"},
	{SPEC_QUERY_SPEC, "F\ta.spec\n", "the query's output says nothing about a.spec"},
	{SPEC_QUERY_SPEC, "F\ta.spec\nF\tb.spec\n" S,
		"the query's output says nothing about a.spec"},
	{SPEC_QUERY_SPEC, S "R\tb\t\n", "line 2 of the query's output: it has too few fields"},
	{SPEC_QUERY_SPEC, S "O\tb\tc\n", "line 2 of the query's output: it has too many fields"},
	{SPEC_QUERY_SPEC, S "R\tb\t~\t1\n",
		"line 2 of the query's output: a comparison must be one of < <= = >= >"},
	{SPEC_QUERY_SPEC, S "R\tb\t=\t\n",
		"line 2 of the query's output: a name or version is empty"},
	{SPEC_QUERY_SPEC, S "R\t\t\t\n",
		"line 2 of the query's output: a name or version is empty"},
	{SPEC_QUERY_SPEC, S "R\tb\xff\t\t\n", "line 2 of the query's output: it is not text"},
	{SPEC_QUERY_SPEC, S "R\tb\x1b[0m\t\t\n",
		"line 2 of the query's output: it has control characters"},
	{SPEC_QUERY_SPEC, S "O\t\n", "line 2 of the query's output: a source has no file name"},
	{SPEC_QUERY_SPEC, S "O\tdir/..\n",
		"line 2 of the query's output: a source has no file name"},
	{SPEC_QUERY_SPEC, S "A\thttp://x/\n",
		"line 2 of the query's output: a source has no file name"},
	{SPEC_QUERY_SPEC, S "E\t\n", "line 2 of the query's output: a name is empty"},
	{SPEC_QUERY_SPEC, "R\tb\t\t\n", "line 1 of the query's output: no source was named before"},
	{SPEC_QUERY_SPEC, "F\ta.spec\nR\tb\t\t\n",
		"line 2 of the query's output: no source was named before"},
	{SPEC_QUERY_SPEC, P, "line 1 of the query's output: no source was named before"},
	{SPEC_QUERY_SPEC, S "V\tb\t\t\n",
		"line 2 of the query's output: no subpackage was named before"},
	{SPEC_QUERY_SPEC, S P "F\tb\nV\tb\t\t\n",
		"line 4 of the query's output: no subpackage was named before"},
	{SPEC_QUERY_SPEC, "F\ta.spec\n" S S,
		"line 3 of the query's output: one spec names two sources"},
	{SPEC_QUERY_SPEC, S P "R\tb\t\t\nV\tc\t\t\nR\td\t\t\n",
		"line 5 of the query's output: it is out of order"},
	{SPEC_QUERY_SPEC, S "O\tb\nA\tc\nO\td\n",
		"line 4 of the query's output: it is out of order"},
	{SPEC_QUERY_SPEC, "S\t../a\t0\t1\t1\n",
		"line 1 of the query's output: the source's name may have letters, digits and + . "
		"_ - "
		"only, a letter or digit first"},
	{SPEC_QUERY_SPEC, "S\ta\tx\t1\t1\n",
		"line 1 of the query's output: the epoch is no number"},
	{SPEC_QUERY_SPEC, "S\ta\t0\t1/2\t1\n",
		"line 1 of the query's output: version and release may have letters, digits and + "
		". _ ~ "
		"^ only"},
	{SPEC_QUERY_SPEC, "S\ta\t0\t1\t\n",
		"line 1 of the query's output: version and release may have letters, digits and + "
		". _ ~ "
		"^ only"},
	{SPEC_QUERY_SPEC, S "P\t../a\t0\t1\t1\tnoarch\n",
		"line 2 of the query's output: a subpackage has no proper name or architecture"},
	{SPEC_QUERY_RPMS, S, "line 1 of the query's output: built RPMs have no such record"},
	{SPEC_QUERY_RPMS, "V\ta\t\t\n",
		"line 1 of the query's output: no subpackage was named before"},
};

static void broken_output_is_refused_with_the_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(broken); i++)
		assert_refused(
			broken[i].kind, broken[i].text, strlen(broken[i].text), broken[i].why);
	assert_refused(SPEC_QUERY_SPEC, S "O\ta\0b\n", strlen(S) + 6,
		"line 2 of the query's output: it is not text");
}

static void output_is_bounded_in_bytes_fields_and_specs(void **state)
{
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	struct spec_query q;

	(void)state;
	strbuf_addstr(&text, S "O\t");
	for (int i = 0; i < SPEC_FIELD_MAX; i++)
		strbuf_addch(&text, 'x');
	assert_int_equal(spec_query_parse(SPEC_QUERY_SPEC, text.buf, text.len, &q, &err), 0);
	spec_query_finish(&q);
	strbuf_addch(&text, 'x');
	assert_refused(SPEC_QUERY_SPEC, text.buf, text.len,
		"line 2 of the query's output: it has a field that is too long");
	strbuf_reset(&text);
	for (int i = 0; i <= PACKAGES_MAX; i++)
		strbuf_addstr(&text, S);
	assert_int_equal(spec_query_parse(SPEC_QUERY_SPEC, text.buf, text.len, &q, &err), -E2BIG);
	assert_string_equal(err.buf, "the query's output has more than 10000 specs");
	strbuf_setlen(&text, text.len - strlen(S));
	assert_int_equal(spec_query_parse(SPEC_QUERY_SPEC, text.buf, text.len, &q, &err), 0);
	spec_query_finish(&q);
	while (text.len <= SPEC_QUERY_MAX_BYTES)
		strbuf_addstr(&text, "\n");
	assert_int_equal(spec_query_parse(SPEC_QUERY_SPEC, text.buf, text.len, &q, &err), -E2BIG);
	assert_string_equal(err.buf, "the query's output is larger than 16 MiB");
	assert_int_equal(spec_query_parse(SPEC_QUERY_SPEC, text.buf, text.len - 1, &q, &err), 0);
	spec_query_finish(&q);
	strbuf_finish(&text);
	strbuf_finish(&err);
}

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void damaged_output_is_read_or_refused_and_nothing_else(void **state)
{
	uint32_t seed = 2463534242u;
	unsigned fine = 0, refused = 0;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[sizeof(whole)];
		struct spec_query q;

		memcpy(text, whole, sizeof(text));
		for (unsigned n = next_random(&seed) % 4 + 1; n; n--)
			text[next_random(&seed) % (sizeof(text) - 1)] =
				"\t\nSRPVQ\xff(x\0"[next_random(&seed) % 11];
		if (spec_query_parse(SPEC_QUERY_SPEC, text, sizeof(text) - 1, &q, NULL) == 0) {
			fine++;
			spec_query_finish(&q);
		} else {
			refused++;
		}
	}
	assert_true(fine > 1000 && refused > 1000);
}

static void a_spec_says_where_it_builds(void **state)
{
	struct strbuf err = STRBUF_INIT;
	struct spec_query q;

	(void)state;
	assert_parsed(SPEC_QUERY_SPEC, whole, &q);
	assert_true(spec_builds_on(&q.specs[0], "x86_64", &err));
	assert_string_equal(err.buf, "");
	assert_false(spec_builds_on(&q.specs[0], "s390x", &err));
	assert_string_equal(err.buf, "foo does not build on s390x: its ExcludeArch names it");
	assert_false(spec_builds_on(&q.specs[0], "riscv64", &err));
	assert_string_equal(
		err.buf, "foo does not build on riscv64: its ExclusiveArch does not name it");
	spec_query_finish(&q);
	assert_parsed(SPEC_QUERY_SPEC, S, &q);
	assert_true(spec_builds_on(&q.specs[0], "riscv64", NULL));
	spec_query_finish(&q);
	strbuf_finish(&err);
}

/* ---- the command lines, with the rpm of this machine */

static const char spec_text[] =
	"%{echo:parsing}\n"
	"%bcond_without check\n"
	"Name: foo\nVersion: 1.0\nRelease: 2\nEpoch: 3\nSummary: x\nLicense: MIT\nBuildArch: "
	"noarch\n"
	"Source0: https://example.com/dl/%{name}-%{version}.tar.gz\nSource1: foo.conf\n"
	"Source2: https://example.com/get?id=7#/renamed.zip\nPatch0: "
	"https://example.com/a/fix.patch\n"
	"BuildRequires: make gcc >= 4.8 (b or c)\nBuildConflicts: evil\n"
	"%if %{with check}\nBuildRequires: check-devel\n%endif\n"
	"%if 0%{?with_check}\nBuildRequires: pytest\n%endif\n"
	"%description\nx\n"
	"%package devel\nSummary: y\nProvides: libfoo-devel = %{version}\n"
	"Requires: bar = %{epoch}:%{version}-%{release}\n"
	"%description devel\ny\n"
	"%install\nmkdir -p %{buildroot}/usr/share && echo x > %{buildroot}/usr/share/foo\n"
	"%files devel\n/usr/share/foo\n";

/* Runs argv and returns its exit code. */
static int run(char **argv, struct strbuf *ret_output)
{
	int fds[2], status;
	ssize_t n;
	char buf[4096];
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(fds[1]);
	while ((n = read(fds[0], buf, sizeof(buf))) > 0)
		strbuf_add(ret_output, buf, n);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static void query(
	enum spec_query_kind kind, const char *folder, const char *path, struct spec_query *ret)
{
	char *db = xasprintf("_dbpath %s/db", folder);
	const char *options[] = {"--define", db, NULL}, *paths[] = {path, NULL};
	char **argv = spec_query_argv(kind, options, paths);
	struct strbuf output = STRBUF_INIT;

	assert_int_equal(run(argv, &output), 0);
	assert_parsed(kind, output.buf, ret);
	strbuf_finish(&output);
	spec_query_argv_free(argv);
	free(db);
}

static bool have_rpm(void)
{
	return system("rpmspec --version > /dev/null 2>&1") == 0 &&
	       system("rpmbuild --version > /dev/null 2>&1") == 0;
}

static void rpmspec_answers_in_our_format(void **state)
{
	char folder[] = "/tmp/reqpm-query-XXXXXX";
	struct spec_query q;
	const struct spec *s;
	char *path;

	(void)state;
	if (!have_rpm())
		skip_because("rpm is not here");
	assert_non_null(mkdtemp(folder));
	path = xasprintf("%s/it's a \"spec\".spec", folder);
	write_file(path, spec_text);
	query(SPEC_QUERY_SPEC, folder, path, &q);
	assert_int_equal(q.spec_count, 1);
	s = &q.specs[0];
	assert_string_equal(s->file, path);
	assert_string_equal(s->name, "foo");
	assert_string_equal(s->epoch, "3");
	assert_int_equal(s->need_count, 5);
	assert_capability(&s->needs[0], "(b or c)", 0, "", false);
	assert_capability(&s->needs[1], "check-devel", 0, "", true);
	assert_capability(&s->needs[2], "gcc", CAPABILITY_GREATER | CAPABILITY_EQUAL, "4.8", false);
	assert_capability(&s->needs[3], "make", 0, "", false);
	assert_capability(&s->needs[4], "pytest", 0, "", true);
	assert_int_equal(s->conflict_count, 1);
	assert_int_equal(s->sources.count, 3);
	assert_string_equal(s->sources.names[0], "renamed.zip");
	assert_string_equal(s->sources.names[1], "foo.conf");
	assert_string_equal(s->sources.names[2], "foo-1.0.tar.gz");
	assert_int_equal(s->patches.count, 1);
	assert_string_equal(s->patches.names[0], "fix.patch");
	/* The main package has no %files: it is never built, and must satisfy nobody. */
	assert_int_equal(s->part_count, 1);
	assert_string_equal(s->parts[0].name, "foo-devel");
	assert_string_equal(s->parts[0].arch, "noarch");
	assert_int_equal(s->parts[0].provide_count, 2);
	assert_capability(&s->parts[0].provides[1], "libfoo-devel", CAPABILITY_EQUAL, "1.0", false);
	assert_int_equal(s->parts[0].need_count, 1);
	assert_capability(&s->parts[0].needs[0], "bar", CAPABILITY_EQUAL, "3:1.0-2", false);
	spec_query_finish(&q);
	tree_remove(folder);
	free(path);
}

static void a_spec_that_does_not_parse_ends_the_query_with_an_error(void **state)
{
	char folder[] = "/tmp/reqpm-query-XXXXXX";
	struct strbuf output = STRBUF_INIT;
	char *path, **argv;

	(void)state;
	if (!have_rpm())
		skip_because("rpm is not here");
	assert_non_null(mkdtemp(folder));
	path = xasprintf("%s/a.spec", folder);
	write_file(path, "Name: a\n");
	const char *paths[] = {path, NULL};
	argv = spec_query_argv(SPEC_QUERY_SPEC, NULL, paths);
	assert_int_equal(run(argv, &output), 1);
	spec_query_argv_free(argv);
	strbuf_finish(&output);
	tree_remove(folder);
	free(path);
}

static void rpm_answers_in_our_format(void **state)
{
	char folder[] = "/tmp/reqpm-query-XXXXXX";
	struct spec_query q;
	char *command, *path;

	(void)state;
	if (!have_rpm())
		skip_because("rpm is not here");
	assert_non_null(mkdtemp(folder));
	path = xasprintf("%s/foo.spec", folder);
	write_file(path, spec_text);
	command = xasprintf("cd %s && touch renamed.zip foo.conf foo-1.0.tar.gz fix.patch && "
			    "rpmbuild -ba --nodeps --define '_topdir %s' --define '_sourcedir %s' "
			    "--define '_dbpath %s/db' foo.spec > log 2>&1 && "
			    "mv SRPMS/*.src.rpm s.rpm && mv RPMS/*/*.rpm b.rpm",
		folder, folder, folder, folder);
	assert_int_equal(system(command), 0);
	free(path);
	path = xasprintf("%s/s.rpm", folder);
	query(SPEC_QUERY_SRPM, folder, path, &q);
	assert_int_equal(q.spec_count, 1);
	assert_string_equal(q.specs[0].name, "foo");
	assert_int_equal(q.specs[0].need_count, 5);
	assert_int_equal(q.specs[0].sources.count, 3);
	assert_int_equal(q.specs[0].files.count, 5);
	assert_string_equal(q.specs[0].files.names[3], "foo.spec");
	spec_query_finish(&q);
	free(path);
	path = xasprintf("%s/b.rpm", folder);
	query(SPEC_QUERY_RPMS, folder, path, &q);
	assert_int_equal(q.part_count, 1);
	assert_string_equal(q.parts[0].name, "foo-devel");
	assert_int_equal(q.parts[0].provide_count, 2);
	assert_int_equal(q.parts[0].need_count, 1);
	spec_query_finish(&q);
	tree_remove(folder);
	free(command);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_spec_is_read_whole),
		cmocka_unit_test(needs_that_vanish_without_check_are_soft),
		cmocka_unit_test(many_specs_may_follow_each_other),
		cmocka_unit_test(built_rpms_are_subpackages_without_a_spec),
		cmocka_unit_test(broken_output_is_refused_with_the_line),
		cmocka_unit_test(output_is_bounded_in_bytes_fields_and_specs),
		cmocka_unit_test(damaged_output_is_read_or_refused_and_nothing_else),
		cmocka_unit_test(a_spec_says_where_it_builds),
		cmocka_unit_test(rpmspec_answers_in_our_format),
		cmocka_unit_test(a_spec_that_does_not_parse_ends_the_query_with_an_error),
		cmocka_unit_test(rpm_answers_in_our_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
