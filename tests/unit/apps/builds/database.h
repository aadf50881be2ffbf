/* SPDX-License-Identifier: MIT
 *
 * A real database for a test of the models, in a folder of its own. Its updates reach nobody.
 */
#ifndef REQPM_TEST_DATABASE_H
#define REQPM_TEST_DATABASE_H

#include "apps/builds/builds.h"

extern struct database {
	char dir[64];
	struct loop loop;
	struct store *store;
} database;
extern const struct worker_identity database_worker;

/* For cmocka's setup and teardown; a test's own calls them. */
int database_open(void **state);
int database_close(void **state);
/* One write unit and what its commit posts: its result. */
int database_write(store_run_fn *fn, void *arg);

#endif
