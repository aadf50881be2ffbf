/* SPDX-License-Identifier: MIT
 *
 * RPM: the words that reading a spec and building it share, and what stands ready on this host for every build.
 *
 * Whatever reads a spec, a header or a payload runs in the sandbox: rpm's own programs, and this binary in a hidden role
 * (`reqpm --rpm-role VERB`, rpm_role.c) where libsolv has to look into RPMs. The server only copies, hashes and renames.
 */
#ifndef REQPM_RPM_H
#define REQPM_RPM_H

#include "builders/builder.h"

/* Where things lie inside the sandbox, for a query as for a build, so that both see the same paths. */
#define RPM_TOPDIR "/build"
#define RPM_SOURCES "/sources" /* the upload's files, read-only */
#define RPM_SELF "/run/reqpm" /* this binary */

/* Below a job's folder: the RPMs that it has built so far, each whole. apps/repositories fills it, build roots are made from it. */
#define RPM_JOB_DIR "rpms"

/* Of a spec without a dated %changelog; also of what reading it sees. */
#define RPM_SOURCE_DATE_EPOCH 1700000000

enum rpm_input {
	RPM_INPUT_SPEC, /* spec and sources in RPM_SOURCES */
	RPM_INPUT_SRPM, /* unpacked into RPM_TOPDIR/SPECS and SOURCES */
};
enum rpm_input rpm_input_of(const char *file); /* by its name: *.src.rpm or not */
/* By its name: a package that others are built with and that a repository offers. No source package, with its sources or without, and
 * no hidden file, which one program lists and the next one does not. */
bool rpm_is_binary(const char *file);
/* "--define", "_topdir /build", …, NULL: the one place that makes them, static. For rpmspec, rpmbuild and rpm. */
const char *const *rpm_macros(enum rpm_input input);
/* One argv of three NULL-terminated lists, each of which may be NULL. The caller frees the array, not the words. */
const char **rpm_argv(const char *const *first, const char *const *more, const char *const *last);

/* ---- a run whose output is wanted as a text (run_text.c) */
struct run_text;
/* Once, when every process is gone; rt is freed on return. text is NUL-terminated; with more than max bytes the run is
 * cancelled and ended as RUN_CANCELLED with a sentence. */
typedef void run_text_fn(struct run_text *rt, const struct run_result *result, const char *text,
	size_t len, void *arg);
/* NULL: err says why, and done is not called. */
struct run_text *run_text_start(struct sandbox *sb, const struct run_spec *spec, size_t max,
	run_text_fn *done, void *arg, struct strbuf *err);
void run_text_cancel(struct run_text *rt);

/* ---- what stands ready (rpm_env.c): made at start, used by the rpmbuild builder and by whoever reads specs */
struct rpm_env;
/* Blocking: copies this binary to DATA/tools, where slots may read it. provides: what the operator says the host has ("name"
 * or "name = version"), may be NULL. NULL: err says why. */
struct rpm_env *rpm_env_open(struct loop *loop, struct sandbox *sb, const char *data_dir,
	const char *const *provides, struct strbuf *err);
/* Removes unpacked RPMs that no build has used for two weeks, while builds go on. Not after rpm_env_drain(). */
void rpm_env_prune(struct rpm_env *env);
/* done(arg) on the loop, once nothing of its own is under way any more: a build that was cancelled does not wait for
 * what it asked for. After the last build has ended. */
void rpm_env_drain(struct rpm_env *env, loop_fn *done, void *arg);
void rpm_env_close(struct rpm_env *env); /* drained, or with a loop that never turns again */
const char *rpm_env_self(const struct rpm_env *env); /* to be bound at RPM_SELF */

/* What this host provides to builds (rpm_base.c), the operator's wishes included. done once, on the loop, never from within: the
 * file that lists it, one capability a line, borrowed until it returns; or NULL and why not. */
typedef void rpm_host_fn(void *arg, const char *path, const char *why);
void rpm_host_provides(struct rpm_env *env, rpm_host_fn *done, void *arg);

/* The hidden role of this binary: `reqpm --rpm-role VERB …`, always inside the sandbox. argv[0] is RPM_ROLE. Returns the exit code. */
#define RPM_ROLE "--rpm-role"
int rpm_role_main(int argc, char **argv);

#endif
