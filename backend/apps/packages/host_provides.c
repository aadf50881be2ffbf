// SPDX-License-Identifier: MIT
#include "apps/packages/arena.h"
#include "apps/packages/packages.h"

struct version { /* one that the host has of a name */
	struct capability capability;
	struct version *next;
};

struct host_provides {
	struct map by_name; /* struct version */
	struct arena *arena;
};

static void add_line(struct host_provides *host, const char *line, size_t len)
{
	struct version *v = arena_alloc(host->arena, sizeof(*v));

	if (capability_parse(arena_strndup(host->arena, line, len), &v->capability))
		return;
	v->next = map_get(&host->by_name, v->capability.name);
	map_set(&host->by_name, v->capability.name, v);
}

struct host_provides *host_provides_create(const char *lines)
{
	struct host_provides *host = xcalloc(1, sizeof(*host));

	map_init(&host->by_name);
	host->arena = arena_create();
	while (*lines) {
		size_t len = strcspn(lines, "\n");

		add_line(host, lines, len);
		lines += len + (lines[len] == '\n');
	}
	return host;
}

bool host_provides_has(const struct host_provides *host, const struct capability *need)
{
	const struct version *v = map_get(&host->by_name, need->name);

	while (v && !capability_satisfies(&v->capability, need))
		v = v->next;
	return v != NULL;
}

void host_provides_destroy(struct host_provides *host)
{
	if (!host)
		return;
	map_finish(&host->by_name);
	arena_destroy(host->arena);
	free(host);
}
