/* SPDX-License-Identifier: MIT
 *
 * A world for one test: a data folder, a keeper, a server process without privileges with a sandbox open in it, and the search for
 * whatever may be left of it afterwards. A scenario runs in the server process, so it cannot use cmocka's assertions: CHECK
 * says where and lets the test fail when the world ends.
 */
#ifndef REQPM_TEST_WORLD_H
#define REQPM_TEST_WORLD_H

#include <stdio.h>
#include "builders/builder.h"

#define WORLD_SLOTS 4

enum who { ROOT, ORDINARY };

struct world {
	const char *data;
	enum who who;
	struct loop loop;
	struct keeper keeper;
	struct sandbox *sb;
	bool failed;
};
typedef void scenario_fn(struct world *w);

#define CHECK(cond, ...)                                                                           \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: not true: %s; ", __FILE__, __LINE__, #cond);       \
			fprintf(stderr, __VA_ARGS__);                                              \
			fputc('\n', stderr);                                                       \
			w->failed = true;                                                          \
		}                                                                                  \
	} while (0)

/* A folder of our own below /tmp that everybody may pass. */
void world_make_data(char path[64]);
/* Starts the keeper in a child and runs the scenario in its server. The pid is the keeper's. */
pid_t world_start(const char *data, enum who who, scenario_fn *scenario);
int world_wait(pid_t pid); /* the exit status, 128 + signal */
/* world_start, world_wait: 0 when every CHECK held; then nothing may be left. Removes the data folder. */
int world_run(enum who who, scenario_fn *scenario);

/* Runs each scenario as root, where the tests are, and as an ordinary user. Returns how many failed. */
struct scenario {
	const char *name;
	scenario_fn *fn;
};
#define SCENARIO(fn)                                                                               \
	{                                                                                          \
#fn, fn                                                                            \
	}
int world_run_all(const struct scenario *scenarios, size_t count);

/* A run to its end. */
struct outcome {
	struct run *run;
	struct world *w;
	bool ended, stop_loop;
	bool hold; /* its work folder, when spec says so */
	int held;
	enum run_end end;
	int code;
	char why[512];
	int64_t memory_peak_bytes, cpu_ms;
	struct strbuf output;
};
/* spec's environment gets REQPM_TEST=<data folder>, so that what the run leaves behind can be found. */
struct run *outcome_start(struct world *w, const struct run_spec *spec, struct outcome *ret);
void outcome_wait(struct outcome *o); /* turns the loop until it has ended */
void outcome_let_go(struct outcome *o);
void outcome_finish(struct outcome *o);
bool path_goes(const char *path); /* waits until it is removed; false: it stays */
/* sh -c script in a folder of slot 1, all limits default */
void world_sh(struct world *w, const char *script, struct outcome *ret);

/* Everything that carries the data folder's name or id: counts processes, mounts, cgroups and files in slots,
 * and prints them. */
int world_leftovers(const char *data);
int world_processes(const char *data); /* those but the keeper and the server */
int world_cgroups(const char *data, const char *tree); /* of runs, with processes in them */
#define LAUNCHER "reqpm --launcher"
/* The first process whose arguments begin so and that carries the data folder's name; 0: none. */
pid_t world_find(const char *data, const char *start);

#endif
