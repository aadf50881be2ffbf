/* SPDX-License-Identifier: MIT
 *
 * What is built: reads packages.json and what rpmspec and rpm print, and compares versions;
 * graph.h puts a set of packages in order. Pure functions on text and structs: no files, no
 * processes, no database; any thread.
 *
 * The texts come from strangers: every reader takes any bytes, is bounded, and either fills the
 * result whole or refuses with one sentence and leaves it untouched. The strings in a result
 * live until its _finish().
 */
#ifndef REQPM_PACKAGES_H
#define REQPM_PACKAGES_H

#include "core/base/base.h"
#include "core/base/json.h"

#define PACKAGES_MAX 10000 /* in one set */
#define PACKAGE_NAME_MAX 200 /* bytes; also of a version */
#define PACKAGE_TIMEOUT_MAX_S (7 * 24 * 3600)
/* In a sentence, which many read: names that it lists, and bytes of each. */
#define SAID_NAMES_MAX 10
#define SAID_NAME_MAX 120

/* Letters, digits and + . _ -, a letter or digit first, 1 to PACKAGE_NAME_MAX bytes: safe as a
 * file name. */
bool package_name_valid(const char *name);
/* Letters, digits and + . _ - ~ ^ :, at most PACKAGE_NAME_MAX bytes; may be empty. */
bool package_version_valid(const char *version);

/* ---- capabilities (capability.c): what is needed and what is provided, with rpm's meaning */
enum { CAPABILITY_LESS = 1, CAPABILITY_EQUAL = 2, CAPABILITY_GREATER = 4 };
struct capability {
	const char *name; /* "zlib-devel", "pkgconfig(zlib)"; a need also "(a or b)" */
	const char *version; /* "[epoch:]version[-release]"; "" when flags is 0 */
	unsigned flags; /* CAPABILITY_…; 0: any version */
	bool soft; /* of a need: only %check wants it */
};
int version_compare(const char *a, const char *b); /* rpm's order, with ~ and ^: -1, 0, 1 */
int evr_compare(const char *a, const char *b); /* no epoch is 0, no release is the lowest */
/* CAPABILITY_* of len characters out of "<=>" */
unsigned capability_flags(const char *signs, size_t len);
bool capability_satisfies(const struct capability *provide, const struct capability *need);
void capability_format(struct strbuf *out, const struct capability *c); /* "zlib-devel >= 1.2" */
void capability_say(struct strbuf *out, const struct capability *c); /* at most SAID_NAME_MAX */
/* The reverse: cuts the text up, whose pieces the strings are then. -EINVAL: it is none. */
int capability_parse(char *text, struct capability *ret);

/* One RPM that comes out of a package. */
struct subpackage {
	const char *name, *epoch, *version, *release, *arch; /* arch "noarch": runs anywhere */
	struct capability *provides, *needs;
	size_t provide_count, need_count;
};

/* ---- what RPMs turned out to provide (provides.c) */
struct provides {
	struct subpackage *rpms; /* with name and provides alone */
	size_t count, cap;
	struct arena *arena; /* owns the strings; made when first needed */
};
/* One RPM of "name-version-release.arch" and its Provides, a JSON array: ["perl(A::B) = 1.0", …]. What is no capability is
 * left out; -EINVAL: it is no such array. */
int provides_add(struct provides *p, const char *nevra, const char *json);
/* Does any of them satisfy one of these capabilities, given one per line? Of a rich one any piece counts. */
bool provides_any_of(const struct provides *p, const char *lines);
void provides_finish(struct provides *p); /* leaves a usable empty one */

/* ---- what the host of the builds provides (host_provides.c) */
struct host_provides;
struct host_provides *host_provides_create(const char *lines); /* capabilities, one per line */
bool host_provides_has(const struct host_provides *host, const struct capability *need);
void host_provides_destroy(struct host_provides *host); /* NULL is fine */

/* ---- packages.json (packages_json.c), the input of the `command` builder:
 * {"packages":[{"name":"a","version":"1","requires":["b"],"command":["make"],"timeout":600}]}
 * version (default ""), requires and timeout (whole seconds) may be left out. Cycles are the
 * graph's. */
#define PACKAGES_JSON_MAX_BYTES (16 << 20)
#define PACKAGE_COMMAND_MAX_BYTES (128 << 10) /* of all arguments, each with its NUL */
struct json_package {
	const char *name, *version;
	struct capability *needs; /* "requires" */
	size_t need_count;
	const char **command; /* NULL-terminated argv, never empty */
	int64_t timeout_ms; /* 0: the server's default */
	struct capability provide;
	struct subpackage self;
};
struct packages_json {
	struct json_package *packages;
	size_t count;
	json_t *root; /* owns the strings */
};
int packages_json_parse(
	const char *text, size_t len, struct packages_json *ret, struct strbuf *err);
void packages_json_finish(struct packages_json *set);

/* ---- queries (spec_query.c, spec_parse.c): the command lines, and a reader of what they print */
enum spec_query_kind {
	SPEC_QUERY_SPEC, /* one spec; a shell runs rpmspec thrice, at last without %check */
	SPEC_QUERY_SRPM, /* source RPMs */
	SPEC_QUERY_RPMS, /* built RPMs: subpackages only */
};
#define SPEC_QUERY_MAX_BYTES (16 << 20) /* of output */
#define SPEC_FIELD_MAX 4096 /* bytes of one name or version */
#define SPEC_NEEDS_MAX 10000 /* BuildRequires of one spec; so many the build root knows as well */
/* The argv to run, in a sandbox: reading a spec runs its code. options: NULL-terminated, more
 * of rpmspec's ("--define", "_sourcedir /build/SOURCES"); paths: NULL-terminated, one for
 * SPEC_QUERY_SPEC. */
char **spec_query_argv(
	enum spec_query_kind kind, const char *const *options, const char *const *paths);
void spec_query_argv_free(char **argv);

struct name_list {
	const char **names;
	size_t count;
};
struct spec {
	const char *file; /* the path, where the output says it, else "" */
	const char *name, *epoch, *version, *release;
	struct capability *needs; /* BuildRequires; soft: gone without %check */
	struct capability *conflicts;
	size_t need_count, conflict_count;
	struct name_list sources, patches; /* names of files that must lie beside the spec */
	struct name_list only_archs, not_archs;
	struct name_list files; /* of a source RPM: what is packed in it */
	struct subpackage *parts;
	size_t part_count;
};
struct spec_query {
	struct spec *specs; /* none for SPEC_QUERY_RPMS */
	size_t spec_count;
	struct subpackage *parts; /* of all specs, or the RPMs */
	size_t part_count;
	struct capability *capabilities; /* this and what follows only own memory */
	const char **names;
	char *text;
	size_t bytes; /* of all that */
};
/* Lines that are no record are what the spec itself printed (%{echo:}) and are skipped. Takes
 * the output of one query, or of many after each other. -EINVAL: the line and what is wrong;
 * -E2BIG: a limit. */
int spec_query_parse(enum spec_query_kind kind, const char *text, size_t len,
	struct spec_query *ret, struct strbuf *err);
void spec_query_finish(struct spec_query *query);
/* By ExclusiveArch and ExcludeArch; false: err says which. err may be NULL. */
bool spec_builds_on(const struct spec *spec, const char *arch, struct strbuf *err);
#endif
