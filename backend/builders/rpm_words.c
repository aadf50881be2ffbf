// SPDX-License-Identifier: MIT
#include "builders/rpm.h"

/* Debian's defaults that do not fit: _dbpath runs a shell, _buildshell is dash where specs expect bash. A fixed topdir,
 * host name and times make the same sources give the same bytes. */
#define MACROS_COMMON                                                                              \
	"--define", "_topdir " RPM_TOPDIR, "--define", "_dbpath " RPM_TOPDIR "/.rpmdb",            \
		"--define", "_rpmdir " RPM_TOPDIR "/RPMS", "--define",                             \
		"_srcrpmdir " RPM_TOPDIR "/SRPMS", "--define", "_builddir " RPM_TOPDIR "/BUILD",   \
		"--define", "_buildrootdir " RPM_TOPDIR "/BUILDROOT", "--define", "_tmppath /tmp", \
		"--define", "_buildshell /bin/bash", "--define", "_buildhost reqpm", "--define",   \
		"use_source_date_epoch_as_buildtime 1", "--define",                                \
		"clamp_mtime_to_source_date_epoch 1", "--define", "_db_backend sqlite"

static const char *const macros_spec[] = {MACROS_COMMON, "--define", "_sourcedir " RPM_SOURCES,
	"--define", "_specdir " RPM_SOURCES, NULL};
static const char *const macros_srpm[] = {MACROS_COMMON, "--define",
	"_sourcedir " RPM_TOPDIR "/SOURCES", "--define", "_specdir " RPM_TOPDIR "/SPECS", NULL};

static bool has_suffix(const char *file, const char *suffix)
{
	size_t len = strlen(file), want = strlen(suffix);

	return len > want && !strcmp(file + len - want, suffix);
}

enum rpm_input rpm_input_of(const char *file)
{
	return has_suffix(file, ".src.rpm") ? RPM_INPUT_SRPM : RPM_INPUT_SPEC;
}

bool rpm_is_binary(const char *file)
{
	return file[0] != '.' && has_suffix(file, ".rpm") && !has_suffix(file, ".src.rpm") &&
	       !has_suffix(file, ".nosrc.rpm");
}

const char *const *rpm_macros(enum rpm_input input)
{
	return input == RPM_INPUT_SRPM ? macros_srpm : macros_spec;
}

static size_t list_length(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

const char **rpm_argv(const char *const *first, const char *const *more, const char *const *last)
{
	const char *const *const lists[] = {first, more, last};
	const char **argv = xcalloc(
		list_length(first) + list_length(more) + list_length(last) + 1, sizeof(*argv));
	size_t at = 0;

	for (size_t i = 0; i < countof(lists); i++)
		for (size_t n = 0; n < list_length(lists[i]); n++)
			argv[at++] = lists[i][n];
	return argv;
}
