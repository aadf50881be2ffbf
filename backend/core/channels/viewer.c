// SPDX-License-Identifier: MIT
#include "core/channels/rooms_internal.h"

int64_t viewer_will_have(const struct viewer *v)
{
	return v->state == VIEWER_SNAPSHOT ? v->snapshot->seq : v->seq;
}

/* Does the viewer have this already, from its snapshot or from before its resume? */
static bool has(const struct viewer *v, const struct ring_entry *e)
{
	if (!e->seq)
		return false;
	if (!e->key)
		return e->seq <= viewer_will_have(v);
	return v->floor && e->seq <= versions_get(v->floor, e->key);
}

static void let_go_of_snapshot(struct viewer *v)
{
	if (v->snapshot)
		snapshot_release(v->snapshot);
	v->snapshot = NULL;
}

/* ---- one gathered write: the snapshot if it has one to send, then the ring from its position */

struct gathered {
	struct ws_frame *frames[WS_SEND_MAX];
	uint64_t number[WS_SEND_MAX]; /* of each frame in the ring; not of a snapshot */
	size_t count;
	uint64_t reached; /* the position when all have gone */
};

static void gather(const struct viewer *v, struct gathered *ret)
{
	const struct ring *ring = &v->room->ring;

	ret->count = 0;
	ret->reached = v->position;
	if (v->state == VIEWER_SNAPSHOT) {
		ret->number[ret->count] = v->position;
		ret->frames[ret->count++] = v->snapshot->frame;
		if (v->snapshot->final)
			return;
	}
	for (; ret->reached < ring->end && ret->count < WS_SEND_MAX; ret->reached++) {
		const struct ring_entry *e = ring_at(ring, ret->reached);

		if (has(v, e))
			continue;
		ret->number[ret->count] = ret->reached;
		ret->frames[ret->count++] = e->frame;
	}
}

static void account(struct viewer *v, const struct gathered *g, size_t taken)
{
	struct rooms_stats *stats = &v->room->rooms->stats;
	size_t i = 0;

	if (taken && v->state == VIEWER_SNAPSHOT) {
		v->seq = v->snapshot->seq;
		v->state = VIEWER_LIVE;
		stats->snapshots_sent++;
		i = 1;
	}
	for (; i < taken; i++) {
		const struct ring_entry *e = ring_at(&v->room->ring, g->number[i]);

		if (!e->key && e->seq)
			v->seq = e->seq;
		stats->delivered++;
	}
	v->position = taken == g->count ? g->reached : g->number[taken];
}

static void send_all(struct viewer *v)
{
	struct gathered g;
	size_t taken;

	do {
		gather(v, &g);
		taken = ws_send(v->conn, g.frames, g.count);
		account(v, &g, taken);
	} while (g.count && taken == g.count);
}

/* Nothing that comes after this one is meant for its viewer. */
static bool has_begun_final_snapshot(const struct viewer *v)
{
	return v->state == VIEWER_LIVE && v->snapshot && v->snapshot->final;
}

/* A snapshot holds what it takes from the database, and its viewer what it takes from the socket: it is let go of as soon
 * as its bytes are out, and not before, so that the room knows how many of them slow viewers keep alive. */
static void settle(struct viewer *v)
{
	struct room *room = v->room;
	bool finished;

	if (v->state != VIEWER_LIVE || !ws_writable(v->conn))
		return;
	finished = has_begun_final_snapshot(v) || (room->final && v->position == room->ring.end);
	let_go_of_snapshot(v);
	if (finished)
		viewer_close(v, WS_CLOSE_NORMAL, "finished");
}

void viewer_catch_up(struct viewer *v)
{
	struct room *room = v->room;
	bool final = has_begun_final_snapshot(v);

	if ((v->state != VIEWER_SNAPSHOT && v->state != VIEWER_LIVE) || !ws_writable(v->conn))
		return;
	if (!final && v->position < room->ring.first) {
		let_go_of_snapshot(v);
		v->state = VIEWER_WAITING;
		room_read(room);
		return;
	}
	if (!final)
		send_all(v);
	settle(v);
}

/* The heartbeat says that the resume was accepted and where it starts. */
bool viewer_resume(struct viewer *v)
{
	struct room *room = v->room;
	uint64_t position;
	struct ws_frame *f;
	size_t sent;

	if (!room_resume_position(room, v->seq, &position))
		return false;
	f = rooms_heartbeat(room->rooms, v->seq, false);
	sent = ws_send(v->conn, &f, 1);
	ws_frame_unref(f);
	if (!sent)
		return false;
	room->rooms->stats.resumed++;
	v->state = VIEWER_LIVE;
	v->position = position;
	viewer_catch_up(v);
	return true;
}

void viewer_give(struct viewer *v, struct snapshot *s)
{
	let_go_of_snapshot(v);
	s->holders++;
	v->snapshot = s;
	v->state = VIEWER_SNAPSHOT;
	v->position = s->start;
	versions_unref(v->floor);
	v->floor = s->versions->count > (s->seq >= 0) ? versions_ref(s->versions) : NULL;
	viewer_catch_up(v);
}

/* ---- leaving */

void viewer_close(struct viewer *v, uint16_t code, const char *reason)
{
	v->state = VIEWER_LEFT;
	let_go_of_snapshot(v);
	ws_close(v->conn, code, reason);
}

void viewer_send_away(struct viewer *v, uint16_t code, const char *reason)
{
	struct ws_frame *last = rooms_heartbeat(v->room->rooms, v->seq, true);

	v->state = VIEWER_LEFT;
	let_go_of_snapshot(v);
	ws_close_after(v->conn, last, code, reason);
	ws_frame_unref(last);
}

void viewer_drop(struct viewer *v)
{
	v->state = VIEWER_LEFT;
	v->room->rooms->stats.slow_dropped++;
	let_go_of_snapshot(v);
	ws_reset(v->conn);
}

void viewer_orphan(struct viewer *v)
{
	let_go_of_snapshot(v);
	list_remove(&v->link);
	v->state = VIEWER_LEFT;
	v->room = NULL;
	ws_reset(v->conn);
}

/* ---- what the connection says */

static void on_writable(struct ws_conn *c)
{
	struct viewer *v = ws_data(c);

	if (v->room)
		viewer_catch_up(v);
}

static void on_stalled(struct ws_conn *c, bool frame_begun)
{
	struct viewer *v = ws_data(c);

	if (!v->room || v->state == VIEWER_LEFT)
		return;
	if (frame_begun) {
		viewer_drop(v);
		return;
	}
	v->room->rooms->stats.slow_dropped++;
	viewer_send_away(v, WS_CLOSE_TRY_LATER, "too slow");
}

static void on_closed(struct ws_conn *c, uint16_t code)
{
	struct viewer *v = ws_data(c);
	struct room *room = v->room;
	struct rooms *rooms;

	(void)code;
	list_remove(&v->link);
	let_go_of_snapshot(v);
	versions_unref(v->floor);
	free(v);
	if (!room)
		return;
	rooms = room->rooms;
	if (--room->viewer_count == 0)
		rooms_room_emptied(room);
	rooms_viewer_gone(rooms);
}

const struct ws_handlers viewer_handlers = {
	.on_writable = on_writable,
	.on_stalled = on_stalled,
	.on_closed = on_closed,
};

void viewer_join(struct viewer *v, struct room *room)
{
	v->room = room;
	v->seq = -1;
	v->state = VIEWER_WAITING;
	list_append(&room->viewers, &v->link);
	room->viewer_count++;
	room->rooms->stats.viewers++;
}
