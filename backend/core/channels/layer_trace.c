// SPDX-License-Identifier: MIT
#include "core/channels/layer_internal.h"

#include <inttypes.h>
#include "core/base/log.h"

/* The wrapped layer is a whole one of its own inside the outer one's impl; what it delivers passes through here. */

static void trace_deliver(void *arg, const char *group, struct msg *m)
{
	struct layer *outer = arg;

	log_info("layer: deliver %s key %" PRId64 " seq %" PRId64 " %zu bytes", group, m->key,
		m->seq, m->len);
	if (outer->deliver)
		outer->deliver(outer->deliver_arg, group, m);
}

static int trace_open(struct layer *l, const char *url, struct strbuf *err)
{
	struct layer *inner = l->impl;
	int r = inner->ops->open(inner, url, err);

	log_info("layer: open %s: %d", inner->ops->name, r);
	if (r)
		free(inner);
	return r;
}

static void trace_close(struct layer *l)
{
	struct layer *inner = l->impl;

	log_info("layer: close %s", inner->ops->name);
	inner->ops->close(inner);
	free(inner);
}

static int trace_group_add(struct layer *l, const char *group)
{
	struct layer *inner = l->impl;
	int r = inner->ops->group_add(inner, group);

	log_info("layer: group_add %s: %d", group, r);
	return r;
}

static int trace_group_discard(struct layer *l, const char *group)
{
	struct layer *inner = l->impl;
	int r = inner->ops->group_discard(inner, group);

	log_info("layer: group_discard %s: %d", group, r);
	return r;
}

static int trace_group_send(struct layer *l, const char *group, struct msg *m)
{
	struct layer *inner = l->impl;
	int r = inner->ops->group_send(inner, group, m);

	log_info("layer: group_send %s key %" PRId64 " seq %" PRId64 " %zu bytes: %d", group,
		m->key, m->seq, m->len, r);
	return r;
}

static const struct layer_ops layer_trace = {
	.name = "trace",
	.open = trace_open,
	.close = trace_close,
	.group_add = trace_group_add,
	.group_discard = trace_group_discard,
	.group_send = trace_group_send,
};

void layer_trace_wrap(struct layer *l, const struct layer_ops *ops)
{
	struct layer *inner = xcalloc(1, sizeof(*inner));

	inner->ops = ops;
	inner->loop = l->loop;
	inner->deliver = trace_deliver;
	inner->deliver_arg = l;
	l->impl = inner;
	l->ops = &layer_trace;
}
