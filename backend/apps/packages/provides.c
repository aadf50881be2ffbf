// SPDX-License-Identifier: MIT
#include "apps/packages/arena.h"
#include "apps/packages/packages.h"
#include "apps/packages/rich.h"

/* "lib-a-1.0-1.noarch": "lib-a" */
static const char *name_of(struct arena *arena, const char *nevra)
{
	char *name = arena_strndup(arena, nevra, strlen(nevra));

	for (int dashes = 0; dashes < 2; dashes++) {
		char *dash = strrchr(name, '-');

		if (dash)
			*dash = '\0';
	}
	return name;
}

static struct subpackage *add_rpm(struct provides *p)
{
	if (p->count == p->cap) {
		p->cap = p->cap ? 2 * p->cap : 8;
		p->rpms = xrealloc(p->rpms, p->cap * sizeof(*p->rpms));
	}
	return &p->rpms[p->count++];
}

int provides_add(struct provides *p, const char *nevra, const char *json)
{
	json_t *list = json_parse(json, strlen(json), NULL), *item;
	struct capability *all;
	size_t count = 0, i;

	if (!json_is_array(list)) {
		json_decref(list);
		return -EINVAL;
	}
	if (!p->arena)
		p->arena = arena_create();
	all = arena_alloc(p->arena, (json_array_size(list) + 1) * sizeof(*all));
	json_array_foreach(list, i, item)
	{
		const char *text = json_string_value(item);

		if (text &&
			!capability_parse(arena_strndup(p->arena, text, strlen(text)), &all[count]))
			count++;
	}
	json_decref(list);
	*add_rpm(p) = (struct subpackage){
		.name = name_of(p->arena, nevra), .provides = all, .provide_count = count};
	return 0;
}

static bool satisfies(const struct provides *p, const struct capability *need)
{
	for (size_t i = 0; i < p->count; i++)
		for (size_t k = 0; k < p->rpms[i].provide_count; k++)
			if (capability_satisfies(&p->rpms[i].provides[k], need))
				return true;
	return false;
}

/* The host may have the other pieces: who asks tries, and knows then. */
static bool satisfies_piece(const struct provides *p, const struct rich *node)
{
	if (node->op == RICH_ATOM)
		return satisfies(p, &node->atom);
	for (const struct rich *n = node->first; n; n = n->next)
		if (satisfies_piece(p, n))
			return true;
	return false;
}

bool provides_any_of(const struct provides *p, const char *lines)
{
	struct arena *arena = arena_create();
	bool found = false;

	while (*lines && !found) {
		size_t len = strcspn(lines, "\n");
		struct capability need;

		if (!capability_parse(arena_strndup(arena, lines, len), &need)) {
			const struct rich *tree =
				rich_is(need.name) ? rich_parse(arena, &need, NULL) : NULL;

			found = tree ? satisfies_piece(p, tree) : satisfies(p, &need);
		}
		lines += len + (lines[len] == '\n');
	}
	arena_destroy(arena);
	return found;
}

void provides_finish(struct provides *p)
{
	free(p->rpms);
	arena_destroy(p->arena);
	*p = (struct provides){0};
}
