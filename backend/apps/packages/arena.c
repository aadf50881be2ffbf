// SPDX-License-Identifier: MIT
#include "apps/packages/arena.h"

#define CHUNK_BYTES (32 << 10)

struct chunk {
	struct chunk *next;
	max_align_t data[];
};

struct arena {
	struct chunk *chunks; /* newest first; small pieces come from it */
	size_t used, size; /* of the newest */
};

struct arena *arena_create(void)
{
	return xcalloc(1, sizeof(struct arena));
}

void arena_destroy(struct arena *arena)
{
	if (!arena)
		return;
	for (struct chunk *c = arena->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t align = sizeof(max_align_t);
	size_t rounded = (size + align - 1) / align * align;

	if (rounded > arena->size - arena->used) {
		size_t bytes = rounded > CHUNK_BYTES ? rounded : CHUNK_BYTES;
		struct chunk *c = xcalloc(1, sizeof(*c) + bytes);

		c->next = arena->chunks;
		arena->chunks = c;
		arena->size = bytes;
		arena->used = 0;
	}
	arena->used += rounded;
	return (char *)arena->chunks->data + arena->used - rounded;
}

char *arena_strndup(struct arena *arena, const char *s, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	memcpy(copy, s, len);
	return copy;
}
