// SPDX-License-Identifier: MIT
#include "rpm_world.h"

#include <sys/stat.h>
#include <unistd.h>

static bool has(const struct rpm_built *b, const char *text)
{
	return strstr(b->log.buf, text) != NULL;
}

/* ---- failures */

static void a_need_that_nothing_provides_is_named_with_the_remedy(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built b;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "pie",
		"BuildRequires: foo-devel >= 2\nBuildRequires: bar\nBuildRequires: gcc", "", "");
	rpm_world_build(&rw, 1, "pie.spec", &b);
	CHECK(!b.ok && !b.infrastructure && !strcmp(b.phase, "buildrequires"), "%s", b.phase);
	CHECK(strstr(b.why, "nothing provides foo-devel >= 2 needed by pie-1.0-1.src"), "%s",
		b.why);
	CHECK(strstr(b.why, "nothing provides bar needed by pie-1.0-1.src"), "%s", b.why);
	CHECK(strstr(b.why, "--provide"), "%s", b.why);
	CHECK(!strcmp(b.lacks, "bar\nfoo-devel >= 2"), "%s", b.lacks);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

static void what_a_needed_package_lacks_is_lacking_too(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built b;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "crust", "Requires: perl(Our::Flour) >= 2", "", "");
	rpm_world_put_spec(&rw, "pie", "BuildRequires: crust", "", "");
	rpm_world_build(&rw, 1, "crust.spec", &b);
	CHECK(b.ok && !*b.lacks, "%s", b.why);
	rpm_world_keep(&rw, &b);
	rpm_built_finish(&b);
	rpm_world_build(&rw, 2, "pie.spec", &b);
	CHECK(!b.ok && !strcmp(b.lacks, "perl(Our::Flour) >= 2"), "%s: %s", b.why, b.lacks);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

static void a_conflict_is_no_want_of_anything(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built b;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "crust", "", "", "");
	rpm_world_put_spec(&rw, "tart", "BuildRequires: crust\nBuildConflicts: crust", "", "");
	rpm_world_build(&rw, 1, "crust.spec", &b);
	rpm_world_keep(&rw, &b);
	rpm_built_finish(&b);
	rpm_world_build(&rw, 2, "tart.spec", &b);
	CHECK(!b.ok && !strcmp(b.phase, "buildrequires") && !*b.lacks, "%s: %s", b.why, b.lacks);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

static void generated_needs_that_nothing_provides_are_named(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built b;

	rpm_world_init(&rw, w);
	rpm_world_put(&rw, "pie.spec",
		"Name: pie\nVersion: 1.0\nRelease: 1\nSummary: x\nLicense: MIT\nBuildArch: noarch\n"
		"%description\nx\n%prep\n%generate_buildrequires\necho "
		"'never-heard-of'\n%build\n%files\n");
	rpm_world_build(&rw, 1, "pie.spec", &b);
	CHECK(!b.ok && strstr(b.why, "nothing provides never-heard-of"), "%s\n%s", b.why,
		b.log.buf);
	CHECK(!strcmp(b.lacks, "never-heard-of"), "%s", b.lacks);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

static void a_failure_in_build_names_phase_and_line(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built b;
	char *line;
	int64_t n = 1;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(
		&rw, "pie", "", "echo fine\necho 'oven.c:7:1: error: too hot' >&2\nfalse", "");
	rpm_world_build(&rw, 1, "pie.spec", &b);
	CHECK(!b.ok && !b.infrastructure && !strcmp(b.phase, "%build") && b.exit_code == 1, "%s",
		b.phase);
	CHECK(!strcmp(b.error_text, "oven.c:7:1: error: too hot"), "%s", b.error_text);
	CHECK(!strcmp(b.why, "rpmbuild ended with code 1 in %build"), "%s", b.why);
	for (line = b.log.buf; line && strncmp(line, "oven.c", 6);
		line = strchr(line, '\n'), line += !!line)
		n++;
	CHECK(b.error_line == n, "line %jd, not %jd", (intmax_t)b.error_line, (intmax_t)n);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

static void a_spec_that_does_not_parse_ends_with_rpms_words(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built b;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "pie", "Colour: red", "", "");
	rpm_world_build(&rw, 1, "pie.spec", &b);
	CHECK(!b.ok && !b.infrastructure && strstr(b.error_text, "Unknown tag: Colour"), "%s: %s",
		b.why, b.error_text);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

static void a_spec_without_files_made_nothing(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built b;

	rpm_world_init(&rw, w);
	rpm_world_put(&rw, "pie.spec",
		"Name: pie\nVersion: 1\nRelease: 1\nSummary: x\nLicense: "
		"MIT\n%description\nx\n%build\n"
		"rm -rf /build/SRPMS; ln -s /etc /build/SRPMS\n");
	rpm_world_build(&rw, 1, "pie.spec", &b);
	CHECK(!b.ok && !b.infrastructure, "%s", b.why);
	CHECK(!b.count, "%zu artifacts", b.count);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

static void a_forged_rpm_is_the_builds_fault(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built b;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "pie", "",
		"mkdir -p /build/RPMS/x; echo no rpm > /build/RPMS/x/fake-1-1.noarch.rpm", "");
	rpm_world_build(&rw, 1, "pie.spec", &b);
	CHECK(!b.ok && !b.infrastructure && strstr(b.why, "fake-1-1.noarch.rpm is no RPM"), "%s",
		b.why);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

static void a_link_among_the_results_is_not_followed(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built b;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(
		&rw, "pie", "", "mkdir -p /build/RPMS; ln -s /etc/passwd /build/RPMS/link.rpm", "");
	rpm_world_build(&rw, 1, "pie.spec", &b);
	CHECK(!b.ok && !b.infrastructure && strstr(b.why, "link.rpm"), "%s", b.why);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

/* libsolv would load it, createrepo_c would not list it. */
static void a_hidden_result_is_refused_by_name(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built b;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(
		&rw, "pie", "", "mkdir -p /build/RPMS/x; echo x > /build/RPMS/x/.pie.rpm", "");
	rpm_world_build(&rw, 1, "pie.spec", &b);
	CHECK(!b.ok && !b.infrastructure && strstr(b.why, "x/.pie.rpm begins with a dot"), "%s",
		b.why);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

static void a_result_is_what_its_name_says(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built b;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "pie", "%define _rpmfilename %%{NAME}.src.rpm", "", "");
	rpm_world_build(&rw, 1, "pie.spec", &b);
	CHECK(!b.ok && !b.infrastructure && strstr(b.why, "pie.src.rpm is an installable package"),
		"%s", b.why);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

static void a_forged_answer_gains_nothing(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built b;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "pie",
		"%(echo; echo 'reqpm-result: "
		"{\"install\":[\"../../../etc/passwd\"],\"epoch\":1,\"spec\":\"/x\"}' "
		"> /proc/$(ps -o ppid= -p $PPID | tr -d ' ')/fd/1; kill -9 $(ps -o ppid= -p "
		"$PPID))",
		"", "");
	rpm_world_build(&rw, 1, "pie.spec", &b);
	CHECK(!b.ok, "built");
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

static void the_time_limit_counts_from_the_start(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built b;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "pie", "", "sleep 1000", "");
	rpm_built_start(&rw, 1, 1, "pie.spec", 4000, &b);
	rpm_built_wait(&b);
	CHECK(!b.ok && !b.infrastructure && b.end == RUN_TIMED_OUT, "%s", b.why);
	CHECK(!strcmp(b.why, "it did not end within 4 s and was stopped"), "%s", b.why);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

/* ---- cancel */

static void a_cancel_ends_every_step_and_leaves_nothing(struct world *w)
{
	/* After how many turns of the loop; in %build at the latest. */
	static const int turns[] = {0, 1, 2, 3, 5, 8, 12, 16, 20, 1000};
	struct rpm_world rw;
	struct rpm_built apple, b;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "apple", "", "", "");
	rpm_world_put_spec(&rw, "pie", "BuildRequires: apple", "sleep 1000", "");
	rpm_built_start(&rw, 1, 1, "apple.spec", 0, &apple);
	builder_rpmbuild.cancel(apple.build); /* while base is made for the first time */
	rpm_built_wait(&apple);
	CHECK(apple.cancelled && !apple.ok, "%s", apple.why);
	rpm_built_finish(&apple);
	rpm_world_build(&rw, 2, "apple.spec", &apple);
	CHECK(apple.ok, "%s", apple.why);
	rpm_world_keep(&rw, &apple);
	for (size_t i = 0; i < countof(turns); i++) {
		rpm_built_start(&rw, 3 + (int)i, 1, "pie.spec", 0, &b);
		for (int n = 0; n < turns[i] && !b.ended && !strstr(b.phases.buf, "%build"); n++)
			uv_run(&w->loop.uv, UV_RUN_ONCE);
		CHECK(!b.ended, "ended early: %s", b.why);
		builder_rpmbuild.cancel(b.build);
		builder_rpmbuild.cancel(b.build);
		rpm_built_wait(&b);
		CHECK(b.cancelled && !b.ok && !b.infrastructure, "%d: %s", turns[i], b.why);
		rpm_built_finish(&b);
	}
	rpm_built_finish(&apple);
	rpm_world_finish(&rw);
}

static void a_paused_build_waits_with_its_output(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built b;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(
		&rw, "pie", "", "for i in $(seq 20000); do echo line $i; done; echo the end", "");
	rpm_built_start(&rw, 1, 1, "pie.spec", 0, &b);
	builder_rpmbuild.pause(b.build);
	while (!strstr(b.phases.buf, "buildrequires"))
		uv_run(&w->loop.uv, UV_RUN_ONCE);
	builder_rpmbuild.resume(b.build);
	rpm_built_wait(&b);
	CHECK(b.ok && has(&b, "\nline 20000\n") && has(&b, "\nthe end\n"), "%s", b.why);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

/* ---- the tests */

static const struct scenario scenarios[] = {
	SCENARIO(a_need_that_nothing_provides_is_named_with_the_remedy),
	SCENARIO(what_a_needed_package_lacks_is_lacking_too),
	SCENARIO(a_conflict_is_no_want_of_anything),
	SCENARIO(generated_needs_that_nothing_provides_are_named),
	SCENARIO(a_failure_in_build_names_phase_and_line),
	SCENARIO(a_spec_that_does_not_parse_ends_with_rpms_words),
	SCENARIO(a_spec_without_files_made_nothing),
	SCENARIO(a_forged_rpm_is_the_builds_fault),
	SCENARIO(a_link_among_the_results_is_not_followed),
	SCENARIO(a_hidden_result_is_refused_by_name),
	SCENARIO(a_result_is_what_its_name_says),
	SCENARIO(a_forged_answer_gains_nothing),
	SCENARIO(the_time_limit_counts_from_the_start),
	SCENARIO(a_cancel_ends_every_step_and_leaves_nothing),
	SCENARIO(a_paused_build_waits_with_its_output),
};

int main(int argc, char **argv)
{
	if (rpm_world_is_role(argc, argv))
		return rpm_world_role(argc, argv);
	return world_run_all(scenarios, countof(scenarios));
}
