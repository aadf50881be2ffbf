// SPDX-License-Identifier: MIT
/*
 * Open addressing, linear probing, at most three quarters full. A removal moves later entries
 * back, so that there are no graves to skip.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grain.h"

struct entry {
	char *key; /* NULL: free */
	void *value;
	uint64_t hash;
};

struct grain_map {
	struct entry *entries;
	size_t size; /* a power of two */
	size_t count;
};

/* FNV-1a, with the high bits mixed in because only the low ones choose the place. */
static uint64_t key_hash(const char *key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
	return hash ^ (hash >> 32);
}

/* The place of the key, or the free one where it belongs. */
static size_t map_find(const struct grain_map *m, const char *key, uint64_t hash)
{
	size_t i = hash & (m->size - 1);

	while (m->entries[i].key &&
		(m->entries[i].hash != hash || strcmp(m->entries[i].key, key) != 0))
		i = (i + 1) & (m->size - 1);
	return i;
}

struct grain_map *grain_map_create(void)
{
	struct grain_map *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->size = 16;
	m->entries = calloc(m->size, sizeof(*m->entries));
	if (m->entries)
		return m;
	free(m);
	return NULL;
}

void grain_map_destroy(struct grain_map *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->size; i++)
		free(m->entries[i].key);
	free(m->entries);
	free(m);
}

static int map_grow(struct grain_map *m)
{
	struct grain_map bigger = {.size = m->size * 2, .count = m->count};

	bigger.entries = calloc(bigger.size, sizeof(*bigger.entries));
	if (!bigger.entries)
		return -ENOMEM;
	for (size_t i = 0; i < m->size; i++) {
		const struct entry *e = &m->entries[i];

		if (e->key)
			bigger.entries[map_find(&bigger, e->key, e->hash)] = *e;
	}
	free(m->entries);
	*m = bigger;
	return 0;
}

int grain_map_set(struct grain_map *m, const char *key, void *value)
{
	uint64_t hash = key_hash(key);
	size_t i = map_find(m, key, hash);
	char *copy;

	if (m->entries[i].key) {
		m->entries[i].value = value;
		return 0;
	}
	if ((m->count + 1) * 4 > m->size * 3) {
		if (map_grow(m) < 0)
			return -ENOMEM;
		i = map_find(m, key, hash);
	}
	copy = strdup(key);
	if (!copy)
		return -ENOMEM;
	m->entries[i] = (struct entry){.key = copy, .value = value, .hash = hash};
	m->count++;
	return 0;
}

void *grain_map_get(const struct grain_map *m, const char *key)
{
	return m->entries[map_find(m, key, key_hash(key))].value;
}

void *grain_map_remove(struct grain_map *m, const char *key)
{
	size_t hole = map_find(m, key, key_hash(key)), mask = m->size - 1;
	void *value = m->entries[hole].value;

	if (!m->entries[hole].key)
		return NULL;
	free(m->entries[hole].key);
	m->count--;
	for (size_t i = (hole + 1) & mask; m->entries[i].key; i = (i + 1) & mask) {
		/* An entry may move into the hole unless its own place lies after it. */
		if (((i - m->entries[i].hash) & mask) < ((i - hole) & mask))
			continue;
		m->entries[hole] = m->entries[i];
		hole = i;
	}
	m->entries[hole] = (struct entry){0};
	return value;
}

size_t grain_map_count(const struct grain_map *m)
{
	return m->count;
}
