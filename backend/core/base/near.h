/* SPDX-License-Identifier: MIT
 *
 * Which name was meant: offered all names that there are, it keeps those closest to what was typed. Up to a third of a name may be
 * wrong; one that begins with what was typed is closest of all.
 */
#ifndef REQPM_NEAR_H
#define REQPM_NEAR_H

#include "core/base/base.h"

#define NEAR_MAX 3 /* names that are kept */
#define NEAR_NAME_MAX 200 /* bytes; longer ones are near to nothing */

struct near { /* caller's memory; nothing to finish */
	const char *typed; /* borrowed, as the names are */
	size_t len; /* of it */
	size_t count;
	const char *names[NEAR_MAX]; /* closest first; of equals the one that was offered first */
	size_t distances[NEAR_MAX];
};
void near_init(struct near *n, const char *typed, size_t len);
void near_offer(struct near *n, const char *name);
/* Appends "; did you mean zlib, zlibx or libz?", or "; " and otherwise when no name is near. */
void near_add(const struct near *n, struct strbuf *out, const char *otherwise);

#endif
