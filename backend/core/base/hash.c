// SPDX-License-Identifier: MIT
#include "core/base/base.h"

#include <pthread.h>

/*
 * Open addressing with linear probing; a removal shifts the rest of its run back, so that there are
 * no tombstones and a map that lives long does not slow down. The hash is SipHash-1-3 (two words of
 * secret), against keys chosen to collide.
 */
#define MAP_FIRST 8 /* slots; always a power of two */

static uint64_t seed[2];
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void seed_init(void)
{
	random_bytes(seed, sizeof(seed));
}

static uint64_t rotate(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

static void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	sip_round(v);
	v[0] ^= word;
}

static uint64_t hash_string(const char *s)
{
	uint64_t v[4], tail = 0;
	size_t len = strlen(s), left = len;

	pthread_once(&seed_once, seed_init);
	v[0] = seed[0] ^ 0x736f6d6570736575;
	v[1] = seed[1] ^ 0x646f72616e646f6d;
	v[2] = seed[0] ^ 0x6c7967656e657261;
	v[3] = seed[1] ^ 0x7465646279746573;
	for (; left >= 8; left -= 8, s += 8) {
		uint64_t word;

		memcpy(&word, s, 8);
		sip_word(v, word);
	}
	memcpy(&tail, s, left);
	sip_word(v, tail | (uint64_t)len << 56);
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_init(struct map *m)
{
	*m = (struct map){0};
}

void map_finish(struct map *m)
{
	for (size_t i = 0; i < m->cap; i++)
		free(m->slots[i].key);
	free(m->slots);
	map_init(m);
}

/* The slot of key, or the free slot where it belongs. There is always a free one. */
static struct map_slot *map_find(const struct map *m, const char *key, uint64_t hash)
{
	size_t i = hash & (m->cap - 1);

	while (m->slots[i].key && (m->slots[i].hash != hash || strcmp(m->slots[i].key, key) != 0))
		i = (i + 1) & (m->cap - 1);
	return &m->slots[i];
}

void *map_get(const struct map *m, const char *key)
{
	struct map_slot *slot;

	if (!m->count)
		return NULL;
	slot = map_find(m, key, hash_string(key));
	return slot->key ? slot->value : NULL;
}

static void map_resize(struct map *m, size_t cap)
{
	struct map bigger = {
		.slots = xcalloc(cap, sizeof(*m->slots)), .count = m->count, .cap = cap};

	for (size_t i = 0; i < m->cap; i++) {
		struct map_slot *slot = &m->slots[i];

		if (slot->key)
			*map_find(&bigger, slot->key, slot->hash) = *slot;
	}
	free(m->slots);
	*m = bigger;
}

void map_set(struct map *m, const char *key, void *value)
{
	uint64_t hash = hash_string(key);
	struct map_slot *slot;

	if (!value)
		BUG("map: no value for %s", key);
	if (m->count >= m->cap - m->cap / 4)
		map_resize(m, m->cap ? m->cap * 2 : MAP_FIRST);
	slot = map_find(m, key, hash);
	if (!slot->key) {
		slot->key = xstrdup(key);
		slot->hash = hash;
		m->count++;
	}
	slot->value = value;
}

/* Closes the hole: a later slot of the run moves into it unless that is before its home. */
static void map_close_hole(struct map *m, size_t hole)
{
	size_t mask = m->cap - 1;

	for (size_t i = (hole + 1) & mask; m->slots[i].key; i = (i + 1) & mask) {
		size_t home = m->slots[i].hash & mask;

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		m->slots[hole] = m->slots[i];
		hole = i;
	}
	m->slots[hole] = (struct map_slot){0};
}

void *map_remove(struct map *m, const char *key)
{
	struct map_slot *slot;
	void *value;

	if (!m->count)
		return NULL;
	slot = map_find(m, key, hash_string(key));
	if (!slot->key)
		return NULL;
	value = slot->value;
	free(slot->key);
	map_close_hole(m, (size_t)(slot - m->slots));
	m->count--;
	return value;
}
