/* SPDX-License-Identifier: MIT
 *
 * Memory that is freed all at once: the many small pieces of a graph or of a rich dependency.
 */
#ifndef REQPM_PACKAGES_ARENA_H
#define REQPM_PACKAGES_ARENA_H

#include "core/base/base.h"

struct arena;
struct arena *arena_create(void);
void arena_destroy(struct arena *arena); /* NULL: fine */
void *arena_alloc(
	struct arena *arena, size_t size); /* zeroed, aligned for any type; dies when out */
char *arena_strndup(struct arena *arena, const char *s, size_t len);
#endif
