/* SPDX-License-Identifier: MIT
 *
 * What the files of the rooms share: the ring, what a room has heard, viewers, and the numbers that tests turn. Nobody else
 * includes this.
 */
#ifndef REQPM_ROOMS_INTERNAL_H
#define REQPM_ROOMS_INTERNAL_H

#include "core/channels/channels.h"

/* The limits of channels.h, copied by rooms_create(). */
struct rooms_tuning {
	size_t ring_bytes, ring_messages, reorder_max, versions_max, lingering_max;
	uint64_t heartbeat_ms, gap_ms, linger_ms, drain_ms, retry_least_ms, retry_most_ms;
};
extern struct rooms_tuning rooms_tuning;

/* ---- versions.c: the newest seq of each key */
struct versions {
	unsigned refs;
	size_t count, cap;
	struct room_version *items; /* sorted by key */
};
struct versions *versions_take(struct room_version *items, size_t count); /* refs 1 */
struct versions *versions_ref(struct versions *v);
void versions_unref(struct versions *v);
int64_t versions_get(const struct versions *v, int64_t key); /* -1: unknown */
/* Never lowers. Beyond max keys the smallest goes. */
void versions_raise(struct versions *v, int64_t key, int64_t seq, size_t max);
void versions_clear(struct versions *v);
bool versions_cover(
	const struct versions *v, const struct versions *other); /* v >= other, key by key */

/* ---- ring.c: framed messages by their absolute numbers, the first that is held to the end */
struct ring_entry {
	struct ws_frame *frame;
	int64_t key, seq;
};
struct ring {
	struct ring_entry *entries;
	size_t cap; /* power of two */
	size_t bytes;
	uint64_t first, end;
};
const struct ring_entry *ring_at(const struct ring *r, uint64_t number);
/* Takes the frame. Drops from the front what is over the limits, but never the new one. */
void ring_append(struct ring *r, struct ws_frame *take_frame, int64_t key, int64_t seq,
	size_t bytes_max, size_t messages_max);
/* Something is missing at the end: all positions so far are behind. */
void ring_break(struct ring *r);
void ring_finish(struct ring *r);

/* ---- rooms */
struct room;
struct room_read { /* one question to the source, from its start to its answer */
	struct room *room; /* NULL: the room has gone */
	uint64_t start; /* the ring's end when it began */
	int64_t seq; /* what the room had heard of key 0 then */
};

struct snapshot { /* framed once, shared by those who wait */
	struct list link;
	struct room *room;
	unsigned holders;
	struct ws_frame *frame;
	struct versions *versions;
	int64_t seq; /* of key 0, or -1 */
	uint64_t start; /* what follows it stands from here on in the ring */
	bool final;
};

enum viewer_state {
	VIEWER_RESUMING, /* in a room that has heard nothing: for the versions, which say whether anything is missing */
	VIEWER_WAITING, /* for a snapshot to be read */
	VIEWER_SNAPSHOT, /* has one that has not begun to go */
	VIEWER_LIVE,
	VIEWER_LEFT, /* being closed */
};

struct viewer {
	struct list link;
	struct room *room; /* NULL: rooms_destroy() was called */
	struct ws_conn *conn;
	uint64_t position; /* in the ring; before ring.first: fallen out */
	int64_t seq; /* of key 0, what was sent to it (while resuming, elsewhere), or -1 */
	struct versions
		*floor; /* of other keys, what its snapshot had; NULL: the room's is enough */
	struct snapshot *snapshot; /* held until it is written */
	enum viewer_state state;
};

struct held { /* a message that came before its predecessor */
	struct list link;
	struct msg *m;
};

struct room {
	struct rooms *rooms;
	char *group;
	struct ring ring;
	struct versions heard; /* newest seq of each key that came or was adopted */
	struct versions ahead; /* what is known to exist beyond heard; see room_heal() */
	struct list held; /* struct held, of key 0, by seq */
	size_t held_count;
	struct list viewers;
	size_t viewer_count;
	struct list snapshots; /* oldest first */
	size_t snapshot_count;
	struct room_read *read, *check; /* in progress, or NULL */
	struct list dirty, beat, gap, linger; /* in the lists of struct rooms */
	uint64_t beat_at, gap_at, linger_at;
	bool final; /* nothing can follow what is in the ring */
};

struct rooms {
	struct loop *loop;
	struct layer *layer;
	struct room_source source;
	struct rooms_tuning tuning;
	char *epoch;
	struct map by_group;
	struct loop_hook hook;
	uv_timer_t
		timer; /* for the three lists below: each has one constant delay, so its first room is the next one */
	struct list beats, gaps, lingers;
	struct list dirty;
	size_t lingering;
	struct rooms_stats stats;
	bool draining;
	uint64_t drain_at;
	loop_fn *drained;
	void *drained_arg;
};

/* ---- rooms.c */
void rooms_arm(struct rooms *rooms); /* after anything was added to a list of the timer */
uint64_t rooms_now(const struct rooms *rooms);
/* seq < 0: none; retry: a random time after which to come back. refs 1. */
struct ws_frame *rooms_heartbeat(struct rooms *rooms, int64_t seq, bool retry);
void rooms_mark_dirty(struct room *room);
void rooms_room_emptied(struct room *room); /* its last viewer has left; may destroy it */
void rooms_viewer_gone(struct rooms *rooms);

/* ---- room.c */
struct room *room_create(struct rooms *rooms, const char *group);
void room_destroy(struct room *room); /* without viewers */
void room_deliver(struct room *room, struct msg *m);
void room_flush(struct room *room);
void room_read(struct room *room); /* for those who wait, unless one is in progress */
void room_check(struct room *room); /* compares heard with the source's versions */
void room_heal(struct room *room); /* what is missing is not waited for any longer */
void room_heartbeat(struct room *room);
bool room_resume_position(const struct room *room, int64_t since, uint64_t *ret_position);
/* Goes on from v->seq: at once, when the room or else the database says that nothing is missing, or with a snapshot. */
void room_resume(struct room *room, struct viewer *v);
void snapshot_release(struct snapshot *s);

/* ---- viewer.c */
extern const struct ws_handlers viewer_handlers;
void viewer_join(struct viewer *v, struct room *room);
/* Writes what the socket takes. May begin a read; never removes a viewer. */
void viewer_catch_up(struct viewer *v);
int64_t viewer_will_have(const struct viewer *v); /* seq, once its snapshot has gone */
bool viewer_resume(
	struct viewer *v); /* from v->seq, with a heartbeat; false: something is missing */
void viewer_give(struct viewer *v, struct snapshot *s);
void viewer_close(struct viewer *v, uint16_t code, const char *reason);
void viewer_send_away(
	struct viewer *v, uint16_t code, const char *reason); /* with a last heartbeat */
void viewer_drop(struct viewer *v); /* too slow: reset */
void viewer_orphan(struct viewer *v); /* its room goes, it is reset */

#endif
