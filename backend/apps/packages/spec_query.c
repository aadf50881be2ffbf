// SPDX-License-Identifier: MIT
#include "apps/packages/packages.h"

/* One record per line, fields between tabs, the first a letter that says what it is. A line
 * break comes first, because a spec may have printed half a line of its own before. Letters:
 * see spec_parse.c. */
#define RECORD_SOURCE "\\nS\\t%{NAME}\\t%{EPOCHNUM}\\t%{VERSION}\\t%{RELEASE}\\n"
#define LIST(letter, tag)                                                                          \
	"[" letter "\\t%{" tag "NAME}\\t%{" tag "FLAGS:depflags}\\t%{" tag "VERSION}\\n]"
#define NAMES(letter, tag) "[" letter "\\t%{" tag "}\\n]"
#define FORMAT_SOURCE                                                                              \
	RECORD_SOURCE LIST("R", "REQUIRE") LIST("C", "CONFLICT") NAMES("O", "SOURCE")              \
		NAMES("A", "PATCH") NAMES("E", "EXCLUSIVEARCH") NAMES("X", "EXCLUDEARCH")
#define FORMAT_PACKAGE                                                                             \
	"\\nP\\t%{NAME}\\t%{EPOCHNUM}\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\n" LIST("V", "PROVIDE") \
		LIST("Q", "REQUIRE")
#define FORMAT_WITHOUT_CHECK "\\nW\\n" LIST("H", "REQUIRE")

/* One shell for three queries: a sandbox costs more than a query. When the last one fails (a
 * spec that does not parse without %check) its W is missing and every need counts as hard.
 * with_check is taken away and not set to 0: %{with check} asks only whether it is there, while
 * others ask for its value. */
static const char spec_script[] =
	"spec=$1; shift; printf '\\nF\\t%s\\n' \"$spec\"\n"
	"rpmspec -q --srpm --qf '" FORMAT_SOURCE "' \"$@\" -- \"$spec\" &&\n"
	"rpmspec -q --builtrpms --qf '" FORMAT_PACKAGE "' \"$@\" -- \"$spec\" || exit\n"
	"rpmspec -q --srpm --qf '" FORMAT_WITHOUT_CHECK "' \"$@\""
	" --without check --undefine=with_check -- \"$spec\" || :\n";

static size_t list_length(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

static void append(char **argv, const char *const *words)
{
	size_t at = list_length((const char *const *)argv);

	for (; words && *words; words++)
		argv[at++] = xstrdup(*words);
}

char **spec_query_argv(
	enum spec_query_kind kind, const char *const *options, const char *const *paths)
{
	/* A file that is no RPM must not be read as a list of others; keys are not judged. */
	static const char *const rpm[] = {"rpm", "-qp", "--nomanifest", "--nosignature", NULL};
	static const char *const shell[] = {"/bin/sh", "-c", spec_script, "rpmspec", NULL};
	static const char *const format_srpm[] = {
		"--qf", FORMAT_SOURCE NAMES("L", "FILENAMES"), NULL};
	static const char *const format_rpms[] = {"--qf", FORMAT_PACKAGE, NULL};
	static const char *const dashes[] = {"--", NULL};
	char **argv = xcalloc(
		countof(rpm) + 4 + list_length(options) + list_length(paths), sizeof(*argv));

	if (kind == SPEC_QUERY_SPEC) {
		append(argv, shell);
		append(argv, paths);
		append(argv, options);
		return argv;
	}
	append(argv, rpm);
	append(argv, kind == SPEC_QUERY_SRPM ? format_srpm : format_rpms);
	append(argv, options);
	append(argv, dashes);
	append(argv, paths);
	return argv;
}

void spec_query_argv_free(char **argv)
{
	for (char **word = argv; word && *word; word++)
		free(*word);
	free(argv);
}

bool spec_builds_on(const struct spec *spec, const char *arch, struct strbuf *err)
{
	for (size_t i = 0; i < spec->not_archs.count; i++) {
		if (!strcmp(spec->not_archs.names[i], arch)) {
			err_set(err, -EINVAL, "%s does not build on %s: its ExcludeArch names it",
				spec->name, arch);
			return false;
		}
	}
	for (size_t i = 0; i < spec->only_archs.count; i++)
		if (!strcmp(spec->only_archs.names[i], arch))
			return true;
	if (spec->only_archs.count == 0)
		return true;
	err_set(err, -EINVAL, "%s does not build on %s: its ExclusiveArch does not name it",
		spec->name, arch);
	return false;
}
