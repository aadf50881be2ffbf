// SPDX-License-Identifier: MIT
#include "core/channels/layer_internal.h"

#include <ctype.h>
#include "core/base/log.h"

static uint64_t send_failures;

struct msg *msg_create(int64_t key, int64_t seq, bool final, const char *text, size_t len)
{
	struct msg *m = xmalloc(sizeof(*m) + len + 1);

	m->refs = 1;
	m->key = key;
	m->seq = seq;
	m->final = final;
	m->resync = false;
	m->len = len;
	memcpy(m->text, text, len);
	m->text[len] = '\0';
	return m;
}

struct msg *msg_ref(struct msg *m)
{
	m->refs++;
	return m;
}

void msg_unref(struct msg *m)
{
	if (m && --m->refs == 0)
		free(m);
}

struct layer *layer_open(struct loop *loop, const char *url, struct strbuf *err)
{
	struct layer *l;

	if (url) {
		err_set(err, -ENOTSUP,
			"a Redis channel layer is not in this build yet: start the server without "
			"--redis-url and REQPM_REDIS_URL, and run one server process");
		return NULL;
	}
	l = xcalloc(1, sizeof(*l));
	l->loop = loop;
	l->ops = &layer_memory;
	if (trace_enabled("layer"))
		layer_trace_wrap(l, &layer_memory);
	if (l->ops->open(l, url, err)) {
		free(l);
		return NULL;
	}
	return l;
}

void layer_close(struct layer *l)
{
	if (!l)
		return;
	l->ops->close(l);
	free(l);
}

static bool group_name_valid(const char *group)
{
	size_t len = 0;

	for (; group[len] && len < GROUP_NAME_MAX; len++) {
		if (!isalnum((unsigned char)group[len]) && !strchr("-_.", group[len]))
			return false;
	}
	return len && len < GROUP_NAME_MAX;
}

int group_send(struct layer *l, const char *group, struct msg *m)
{
	int r = group_name_valid(group) ? l->ops->group_send(l, group, m) : -EINVAL;

	if (r) {
		send_failures++;
		log_warn("layer: message to group %s is lost (%s); rooms heal from the database",
			group, strerror(-r));
	}
	return r;
}

uint64_t layer_send_failures(void)
{
	return send_failures;
}
