// SPDX-License-Identifier: MIT
#include "core/channels/rooms_internal.h"

#define RING_FIRST 16 /* entries of the first allocation */

static struct ring_entry *slot(const struct ring *r, uint64_t number)
{
	return &r->entries[number & (r->cap - 1)];
}

const struct ring_entry *ring_at(const struct ring *r, uint64_t number)
{
	if (number < r->first || number >= r->end)
		BUG("message %llu is not in the ring", (unsigned long long)number);
	return slot(r, number);
}

static void drop_first(struct ring *r)
{
	struct ring_entry *e = slot(r, r->first++);

	r->bytes -= e->frame->len;
	ws_frame_unref(e->frame);
}

static void grow(struct ring *r)
{
	struct ring bigger = *r;

	bigger.cap = r->cap ? r->cap * 2 : RING_FIRST;
	bigger.entries = xcalloc(bigger.cap, sizeof(*bigger.entries));
	for (uint64_t n = r->first; n < r->end; n++)
		*slot(&bigger, n) = *slot(r, n);
	free(r->entries);
	*r = bigger;
}

void ring_append(struct ring *r, struct ws_frame *take_frame, int64_t key, int64_t seq,
	size_t bytes_max, size_t messages_max)
{
	if (r->end - r->first == r->cap)
		grow(r);
	*slot(r, r->end++) = (struct ring_entry){take_frame, key, seq};
	r->bytes += take_frame->len;
	while (r->end - r->first > 1 && (r->bytes > bytes_max || r->end - r->first > messages_max))
		drop_first(r);
}

void ring_break(struct ring *r)
{
	while (r->first < r->end)
		drop_first(r);
	/* What is missing takes a number too, so that a position at the old end is behind. */
	r->first = ++r->end;
}

void ring_finish(struct ring *r)
{
	ring_break(r);
	free(r->entries);
	r->entries = NULL;
	r->cap = 0;
}
