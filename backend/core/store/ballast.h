/* SPDX-License-Identifier: MIT
 *
 * Room for the database on a full disk: a file beside it, which holds nothing and is given up when little is left; private to
 * core/store. The writer's thread alone, and store_open() before there is one.
 */
#ifndef REQPM_BALLAST_H
#define REQPM_BALLAST_H

#include "core/base/base.h"

#define BALLAST_AGAIN_MS 60000 /* after it was given up, before it is made anew */

struct ballast {
	char *path, *folder;
	bool there;
	int64_t not_before_ms; /* monotonic */
};
void ballast_init(struct ballast *b, const char *database);
void ballast_finish(struct ballast *b); /* the file stays, for the next start */
/* Makes it where there is STORE_ROOM_ENOUGH, and gives it up below STORE_ROOM_LEAST. True: given up just now. */
bool ballast_weigh(struct ballast *b);
/* False: there was none. */
bool ballast_drop(struct ballast *b);

#endif
