// SPDX-License-Identifier: MIT
/* Finds what came before: positions with the same four bytes hang in one chain, newest first. */
#include <stdlib.h>
#include <string.h>

#include "strand-impl.h"

enum {
	HASH_BITS = 15,
	NOWHERE = -1,
};

struct matcher {
	const unsigned char *data;
	size_t len;
	size_t known; /* positions before it hang in the chains */
	int depth;
	int lazy;
	int64_t head[1 << HASH_BITS];
	int64_t older[WINDOW];
};

struct matcher *matcher_create(const unsigned char *data, size_t len, int level)
{
	struct matcher *m = malloc(sizeof(*m));

	if (!m)
		return NULL;
	m->data = data;
	m->len = len;
	m->known = 0;
	m->depth = 2 << level;
	m->lazy = level >= 4;
	for (size_t i = 0; i < 1 << HASH_BITS; i++)
		m->head[i] = NOWHERE;
	return m;
}

void matcher_destroy(struct matcher *m)
{
	free(m);
}

static size_t place_hash(const unsigned char *p)
{
	uint32_t word = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;

	return word * UINT32_C(2654435761) >> (32 - HASH_BITS);
}

static void learn_until(struct matcher *m, size_t at)
{
	for (; m->known < at && m->known + MATCH_MIN <= m->len; m->known++) {
		int64_t *head = &m->head[place_hash(m->data + m->known)];

		m->older[m->known % WINDOW] = *head;
		*head = (int64_t)m->known;
	}
}

static size_t common_length(const unsigned char *a, const unsigned char *b, size_t most)
{
	size_t n = 0;

	while (n < most && a[n] == b[n])
		n++;
	return n;
}

/* About how many bits a match saves: a far one costs more to name. */
static int saves(struct token token)
{
	return (int)token.length * 6 - (int)bucket_of_value(token.value).extra;
}

/* The best match at this place; length 0 when there is none. */
static struct token best_match(struct matcher *m, size_t at)
{
	struct token best = {0, m->data[at]};
	size_t most = m->len - at < MATCH_MAX ? m->len - at : MATCH_MAX;
	int64_t place;

	if (most < MATCH_MIN)
		return best;
	learn_until(m, at);
	place = m->head[place_hash(m->data + at)];
	for (int i = 0; i < m->depth && place != NOWHERE; i++) {
		struct token found = {0, (uint32_t)(at - (size_t)place)};

		if (at - (size_t)place > WINDOW - 1)
			break;
		found.length = (uint32_t)common_length(m->data + place, m->data + at, most);
		if (found.length >= MATCH_MIN && (best.length == 0 || saves(found) > saves(best)))
			best = found;
		if (found.length == most)
			break;
		place = m->older[(size_t)place % WINDOW];
	}
	return best;
}

/* A match gives way to a literal when the next byte starts a better one. */
struct token matcher_next(struct matcher *m, size_t *at)
{
	struct token token = best_match(m, *at), next = {0};

	if (m->lazy && token.length > 0 && token.length < 64 && *at + 1 < m->len)
		next = best_match(m, *at + 1);
	if (next.length > 0 && saves(next) > saves(token))
		token = (struct token){0, m->data[*at]};
	*at += token.length ? token.length : 1;
	return token;
}
