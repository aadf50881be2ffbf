/* SPDX-License-Identifier: MIT
 *
 * A world (world.h) that builds RPMs: an upload folder, a job, and builds of it one after the other or side by side.
 */
#ifndef REQPM_TEST_RPM_WORLD_H
#define REQPM_TEST_RPM_WORLD_H

#include "builders/rpm.h"
#include "world.h"

/* The hidden roles: the sandbox starts the test program itself in them. */
bool rpm_world_is_role(int argc, char **argv);
int rpm_world_role(int argc, char **argv);

struct rpm_world {
	struct world *w;
	struct rpm_env *env;
	char *upload; /* specs and sources */
	char *job; /* DATA/builds/1 */
	int live; /* builds that have not ended */
};
void rpm_world_init(struct rpm_world *rw, struct world *w);
void rpm_world_finish(struct rpm_world *rw);
void rpm_world_put(struct rpm_world *rw, const char *file, const char *text); /* into the upload */
/* Copies every file of a folder into the upload. */
void rpm_world_put_folder(struct rpm_world *rw, const char *folder);
/* A noarch spec that installs one file; `more` is preamble, build and install are shell. */
void rpm_world_put_spec(struct rpm_world *rw, const char *name, const char *more, const char *build,
	const char *install);

struct rpm_built {
	struct rpm_world *rw;
	struct build *build;
	bool ended, ok, infrastructure, cancelled;
	enum run_end end;
	char phase[64], lacks[200], why[2048], error_text[1100];
	int64_t error_line, exit_code;
	struct strbuf log, phases; /* phases: one per line */
	char *results;
	size_t count;
	char *nevra[32], *file[32], *provides[32], *kind[32], *sha256[32];
};
/* file: a spec or source RPM of the upload. number: unique in the world. */
void rpm_built_start(struct rpm_world *rw, int number, int slot, const char *file,
	int64_t timeout_ms, struct rpm_built *ret);
void rpm_built_wait(struct rpm_built *b);
void rpm_built_finish(struct rpm_built *b);
/* start and wait, in slot 1 */
void rpm_world_build(struct rpm_world *rw, int number, const char *file, struct rpm_built *ret);
/* The index of the artifact whose NEVRA begins so, or -1. */
int rpm_built_find(const struct rpm_built *b, const char *nevra);
/* Links its RPMs into the job, for builds that come later. */
void rpm_world_keep(struct rpm_world *rw, const struct rpm_built *b);

#endif
