// SPDX-License-Identifier: MIT
#include "builders/rpm_role.h"

#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "builders/rpm.h"
#include "builders/rpm_solve.h"

#define DATABASE "/tmp/rpmdb"
#define NEEDS_MAX 10000
#define FIELDS 4
#define LIST(letter, tag)                                                                          \
	"[" letter "\\t%{" tag "NAME}\\t%{" tag "FLAGS:depflags}\\t%{" tag "VERSION}\\n]"
#define FORMAT                                                                                     \
	"\\nS\\t%{NAME}\\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\t%{CHANGELOGTIME}\\n" LIST(   \
		"R", "REQUIRE") LIST("C", "CONFLICT")

/* What the spec says it needs, and what turned up while it was built before. */
struct wish {
	char *name, *evr;
	int64_t epoch; /* of the newest %changelog entry */
	struct solve_need *needs, *conflicts;
	size_t need_count, conflict_count;
};

static void wish_finish(struct wish *wish)
{
	free(wish->name);
	free(wish->evr);
	solve_needs_finish(wish->needs, wish->need_count);
	solve_needs_finish(wish->conflicts, wish->conflict_count);
}

static void add_need(struct solve_need **list, size_t *count, char **field)
{
	struct solve_need *need;

	if (*count >= NEEDS_MAX || !*field[1] || !strncmp(field[1], "rpmlib(", strlen("rpmlib(")))
		return;
	*list = xrealloc(*list, (*count + 1) * sizeof(**list));
	need = &(*list)[(*count)++];
	need->name = xstrdup(field[1]);
	need->op = xstrdup(field[2]);
	need->evr = xstrdup(field[3]);
}

static void take_record(struct wish *wish, char **field, bool whole)
{
	int64_t epoch;

	if (!strcmp(field[0], "S") && whole && !wish->name) {
		wish->name = xstrdup(field[1]);
		wish->evr = xstrdup(field[2]);
		wish->epoch = parse_id(field[3], &epoch) ? RPM_SOURCE_DATE_EPOCH : epoch;
	} else if (!strcmp(field[0], "R")) {
		add_need(&wish->needs, &wish->need_count, field);
	} else if (!strcmp(field[0], "C") && whole) {
		add_need(&wish->conflicts, &wish->conflict_count, field);
	}
}

/* Lines that are no record are what the spec itself printed. whole: not only the needs. */
static void take_records(struct wish *wish, char *text, bool whole)
{
	for (char *line; (line = strsep(&text, "\n"));) {
		char *field[FIELDS] = {NULL};
		size_t n = 0;

		while (n < FIELDS && (field[n] = strsep(&line, "\t")))
			n++;
		if (n == FIELDS && !line)
			take_record(wish, field, whole);
	}
}

/* ---- what to build */

static char *only_spec(void)
{
	glob_t found;
	char *path = NULL;

	if (!glob(RPM_TOPDIR "/SPECS/*.spec", 0, NULL, &found) && found.gl_pathc == 1)
		path = xstrdup(found.gl_pathv[0]);
	globfree(&found);
	return path;
}

/* The path of the spec; NULL: answered. Unpacked once, a second round finds it. */
static char *unpack_source(const char *file)
{
	char *source = xasprintf(RPM_SOURCES "/%s", file);
	const char *const program[] = {"rpm", NULL};
	const char *const rest[] = {
		"--define", "_dbpath /tmp/unpack", "-i", "--nosignature", source, NULL};
	struct strbuf text = STRBUF_INIT;
	char *spec;
	int status = 0;

	if (rpm_input_of(file) == RPM_INPUT_SPEC)
		return source;
	spec = only_spec();
	if (!spec) {
		const char **argv = rpm_argv(program, rpm_macros(RPM_INPUT_SRPM), rest);

		status = role_run(argv, &text, true);
		free(argv);
		spec = only_spec();
	}
	if (status || !spec) {
		role_answer_error("%s cannot be unpacked as a source RPM: %s", file,
			status ? text.buf : "it must hold exactly one spec");
		free(spec);
		spec = NULL;
	}
	strbuf_finish(&text);
	free(source);
	return spec;
}

static int query(const char *file, const char *spec, bool unchecked, struct wish *wish)
{
	const char *const program[] = {"rpmspec", NULL};
	const char *const rest[] = {"-q", "--srpm", "--qf", FORMAT, "--", spec, NULL};
	const char *const without[] = {"--without", "check", "--undefine=with_check", "-q",
		"--srpm", "--qf", FORMAT, "--", spec, NULL};
	const char **argv =
		rpm_argv(program, rpm_macros(rpm_input_of(file)), unchecked ? without : rest);
	struct strbuf text = STRBUF_INIT, how = STRBUF_INIT;
	int status = role_run(argv, &text, false), r = 0;

	take_records(wish, text.buf, true);
	if (status || !wish->name) {
		role_status_text(status, &how);
		role_answer_error("%s cannot be read: rpmspec %s", file, how.buf);
		r = -EINVAL;
	}
	free(argv);
	strbuf_finish(&text);
	strbuf_finish(&how);
	return r;
}

/* %generate_buildrequires: rpmbuild leaves its findings in a package without sources and ends with code 11. */
static void take_generated(struct wish *wish)
{
	glob_t found;

	if (!glob(RPM_TOPDIR "/SRPMS/*.buildreqs.nosrc.rpm", 0, NULL, &found)) {
		const char *const argv[] = {"rpm", "-qp", "--nomanifest", "--nosignature", "--qf",
			LIST("R", "REQUIRE"), "--", found.gl_pathv[0], NULL};
		struct strbuf text = STRBUF_INIT;

		if (role_run(argv, &text, false) == 0)
			take_records(wish, text.buf, false);
		strbuf_finish(&text);
	}
	globfree(&found);
	/* The next round begins from nothing. */
	tree_remove(RPM_TOPDIR "/BUILD");
	tree_remove(RPM_TOPDIR "/BUILDROOT");
	tree_remove(RPM_TOPDIR "/RPMS");
	tree_remove(RPM_TOPDIR "/SRPMS");
}

/* ---- the private database */

static int run_quietly(const char *const *argv)
{
	struct strbuf text = STRBUF_INIT;
	int status = role_run(argv, &text, true);

	if (status)
		printf("%s", text.buf);
	strbuf_finish(&text);
	return status;
}

/* In memory first: rpm syncs what it writes, and nobody needs that of a database for one build. */
static int fill_database(const json_t *install)
{
	static const char *const copy_in[] = {
		"cp", RPM_ROLE_BASE "/rpmdb.sqlite", DATABASE "/rpmdb.sqlite", NULL};
	static const char *const copy_out[] = {
		"cp", DATABASE "/rpmdb.sqlite", RPM_TOPDIR "/.rpmdb/rpmdb.sqlite", NULL};
	/* The solver has chosen; files that two packages share are the overlay's matter. */
	static const char *const rpm[] = {"rpm", "--define", "_db_backend sqlite", "--dbpath",
		DATABASE, "-i", "--justdb", "--nodeps", "--noscripts", "--notriggers",
		"--nosignature", "--noplugins", "--ignorearch", "--ignoreos", "--ignoresize",
		"--replacefiles", "--oldpackage", "--", NULL};
	size_t count = json_array_size(install);
	const char **files, **argv;
	int r;

	tree_remove(RPM_TOPDIR "/.rpmdb");
	if (mkdir(DATABASE, 0700) || mkdir(RPM_TOPDIR "/.rpmdb", 0755) || run_quietly(copy_in))
		return -EIO;
	files = xcalloc(count + 1, sizeof(*files));
	for (size_t i = 0; i < count; i++)
		files[i] = xasprintf(
			RPM_ROLE_REPO "/%s", json_string_value(json_array_get(install, i)));
	argv = rpm_argv(rpm, files, NULL);
	r = count ? run_quietly(argv) : 0;
	free(argv);
	for (size_t i = 0; i < count; i++)
		free((char *)files[i]);
	free(files);
	return r || run_quietly(copy_out) ? -EIO : 0;
}

/* ---- the verb */

static int solve(const struct wish *wish, const char *spec)
{
	const struct solve_request req = {.name = wish->name,
		.evr = wish->evr,
		.needs = wish->needs,
		.need_count = wish->need_count,
		.conflicts = wish->conflicts,
		.conflict_count = wish->conflict_count,
		.base = RPM_ROLE_BASE "/base.rpm",
		.repo_dir = RPM_ROLE_REPO};
	struct strbuf json = STRBUF_INIT, err = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&json);
	json_t *answer = NULL, *install;
	int r;

	json_begin_object(&w, NULL);
	r = solve_build_root(&req, &w, &err);
	json_put_int(&w, "epoch", wish->epoch);
	json_put_string(&w, "spec", spec);
	json_end_object(&w);
	if (r) {
		r = role_answer_error("%s", err.buf);
	} else {
		answer = json_parse(json.buf, json.len, &err);
		install = json_object_get(answer, "install");
		r = install ? fill_database(install) : 0;
		if (!r)
			role_answer(json.buf);
	}
	json_decref(answer);
	strbuf_finish(&json);
	strbuf_finish(&err);
	return r ? 1 : 0;
}

int role_prepare(int argc, char **argv)
{
	struct wish wish = {0};
	char *spec;
	bool unchecked = argc == 2 && !strcmp(argv[1], RPM_ROLE_UNCHECKED);
	int r = 0;

	if (argc != 1 && !unchecked)
		return 2;
	take_generated(&wish);
	spec = unpack_source(argv[0]);
	if (spec && !query(argv[0], spec, unchecked, &wish))
		r = solve(&wish, spec);
	free(spec);
	wish_finish(&wish);
	return r;
}
