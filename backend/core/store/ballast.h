/* SPDX-License-Identifier: MIT
 *
 * Room for the start of a server on a full disk: a file beside the database, which holds nothing; private to core/store. The
 * writer's thread alone, and store_open() before there is one.
 */
#ifndef REQPM_BALLAST_H
#define REQPM_BALLAST_H

#include "core/base/base.h"

#define BALLAST_LOOK_MS 60000 /* between two looks whether there is room for it */

struct ballast {
	char *path, *folder;
	bool there;
	int64_t not_before_ms; /* of the next look, monotonic */
};
void ballast_init(struct ballast *b, const char *database);
void ballast_finish(struct ballast *b); /* the file stays */
/* Now and then: makes it where STORE_ROOM_ENOUGH is free. True: made just now. */
bool ballast_make(struct ballast *b);
/* Gives its room back; false: there was none. */
bool ballast_drop(struct ballast *b);

#endif
