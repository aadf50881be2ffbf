// SPDX-License-Identifier: MIT
#include "core/channels/rooms_internal.h"

struct versions *versions_take(struct room_version *items, size_t count)
{
	struct versions *v = xcalloc(1, sizeof(*v));

	v->refs = 1;
	v->items = items;
	v->count = v->cap = count;
	return v;
}

struct versions *versions_ref(struct versions *v)
{
	v->refs++;
	return v;
}

void versions_unref(struct versions *v)
{
	if (!v || --v->refs)
		return;
	free(v->items);
	free(v);
}

/* The place of key, or where it would stand. */
static size_t find(const struct versions *v, int64_t key)
{
	size_t low = 0, high = v->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (v->items[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int64_t versions_get(const struct versions *v, int64_t key)
{
	size_t at = find(v, key);

	return at < v->count && v->items[at].key == key ? v->items[at].seq : -1;
}

void versions_raise(struct versions *v, int64_t key, int64_t seq, size_t max)
{
	size_t at = find(v, key);

	if (at < v->count && v->items[at].key == key) {
		if (v->items[at].seq < seq)
			v->items[at].seq = seq;
		return;
	}
	if (v->count == v->cap) {
		v->cap = v->cap ? v->cap * 2 : 1;
		v->items = xrealloc(v->items, v->cap * sizeof(*v->items));
	}
	memmove(v->items + at + 1, v->items + at, (v->count - at) * sizeof(*v->items));
	v->items[at] = (struct room_version){key, seq};
	if (++v->count > max)
		memmove(v->items, v->items + 1, --v->count * sizeof(*v->items));
}

void versions_clear(struct versions *v)
{
	free(v->items);
	v->items = NULL;
	v->count = v->cap = 0;
}

bool versions_cover(const struct versions *v, const struct versions *other)
{
	for (size_t i = 0; i < other->count; i++) {
		if (versions_get(v, other->items[i].key) < other->items[i].seq)
			return false;
	}
	return true;
}
