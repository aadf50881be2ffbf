// SPDX-License-Identifier: MIT
#include "core/channels/channels.h"

/* One process: a group is somebody's or nobody's, and what is sent is delivered at once. */
static int memory_open(struct layer *l, const char *url, struct strbuf *err)
{
	struct map *groups = xcalloc(1, sizeof(*groups));

	(void)url;
	(void)err;
	map_init(groups);
	l->impl = groups;
	return 0;
}

static void memory_close(struct layer *l)
{
	map_finish(l->impl);
	free(l->impl);
}

static int memory_group_add(struct layer *l, const char *group)
{
	map_set(l->impl, group, l);
	return 0;
}

static int memory_group_discard(struct layer *l, const char *group)
{
	map_remove(l->impl, group);
	return 0;
}

static int memory_group_send(struct layer *l, const char *group, struct msg *m)
{
	if (l->deliver && map_get(l->impl, group))
		l->deliver(l->deliver_arg, group, m);
	return 0;
}

const struct layer_ops layer_memory = {
	.name = "memory",
	.open = memory_open,
	.close = memory_close,
	.group_add = memory_group_add,
	.group_discard = memory_group_discard,
	.group_send = memory_group_send,
};
