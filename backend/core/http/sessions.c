// SPDX-License-Identifier: MIT
/* Login codes and sessions, in memory: a restart signs everyone out. Both are found by their
 * digest: how long a look-up takes says nothing about ids that exist. */
#include "core/http/http_internal.h"

#define ID_BYTES 16

struct entry {
	struct list link; /* oldest first */
	char digest[SHA256_HEX_MAX];
	int64_t expires_ms; /* of codes */
};

struct table {
	struct map by_digest;
	struct list entries;
	size_t max;
};

struct access_sessions {
	struct table codes, sessions;
};

static void digest_of(const char *id, char buf[SHA256_HEX_MAX])
{
	struct digest *d = digest_create();

	digest_add(d, id, strlen(id));
	digest_hex(d, buf);
	digest_destroy(d);
}

static void table_init(struct table *t, size_t max)
{
	map_init(&t->by_digest);
	list_init(&t->entries);
	t->max = max;
}

static void table_remove(struct table *t, struct entry *e)
{
	map_remove(&t->by_digest, e->digest);
	list_remove(&e->link);
	free(e);
}

static void table_finish(struct table *t)
{
	while (!list_empty(&t->entries))
		table_remove(t, list_first(&t->entries, struct entry, link));
	map_finish(&t->by_digest);
}

static struct entry *table_find(const struct table *t, const char *id)
{
	char digest[SHA256_HEX_MAX];

	digest_of(id, digest);
	return map_get(&t->by_digest, digest);
}

static void table_add(struct table *t, int64_t expires_ms, char buf[ACCESS_CODE_MAX])
{
	struct entry *e = xcalloc(1, sizeof(*e));

	while (t->by_digest.count >= t->max)
		table_remove(t, list_first(&t->entries, struct entry, link));
	random_hex(buf, ID_BYTES);
	digest_of(buf, e->digest);
	e->expires_ms = expires_ms;
	map_set(&t->by_digest, e->digest, e);
	list_append(&t->entries, &e->link);
}

struct access_sessions *access_sessions_create(void)
{
	struct access_sessions *s = xcalloc(1, sizeof(*s));

	table_init(&s->codes, ACCESS_CODES_MAX);
	table_init(&s->sessions, ACCESS_SESSIONS_MAX);
	return s;
}

void access_sessions_destroy(struct access_sessions *s)
{
	if (!s)
		return;
	table_finish(&s->codes);
	table_finish(&s->sessions);
	free(s);
}

void access_sessions_code(struct access_sessions *s, int64_t now_ms, char buf[ACCESS_CODE_MAX])
{
	table_add(&s->codes, now_ms + ACCESS_CODE_TTL_MS, buf);
}

bool access_sessions_open(
	struct access_sessions *s, const char *code, int64_t now_ms, char buf[ACCESS_CODE_MAX])
{
	struct entry *e = table_find(&s->codes, code);
	bool valid = e && now_ms < e->expires_ms;

	if (e)
		table_remove(&s->codes, e);
	if (valid)
		table_add(&s->sessions, 0, buf);
	return valid;
}

bool access_sessions_has(const struct access_sessions *s, const char *id)
{
	return table_find(&s->sessions, id);
}
