// SPDX-License-Identifier: MIT
#include "core/channels/rooms_internal.h"

#include <inttypes.h>
#include "core/base/log.h"

/* ---- messages in */

static void append(struct room *room, const struct msg *m)
{
	const struct rooms_tuning *t = &room->rooms->tuning;

	ring_append(&room->ring, ws_frame_create(WS_TEXT, m->text, m->len), m->key, m->seq,
		t->ring_bytes, t->ring_messages);
	if (m->seq)
		versions_raise(&room->heard, m->key, m->seq, t->versions_max);
	room->final |= m->final;
	room->rooms->stats.messages++;
	rooms_mark_dirty(room);
}

static void drop_first_held(struct room *room)
{
	struct held *h = list_first(&room->held, struct held, link);

	list_remove(&h->link);
	room->held_count--;
	msg_unref(h->m);
	free(h);
}

static void drop_held(struct room *room)
{
	while (!list_empty(&room->held))
		drop_first_held(room);
}

/* Those whose predecessor has come by now go into the ring. */
static void release_held(struct room *room)
{
	while (!list_empty(&room->held)) {
		struct held *h = list_first(&room->held, struct held, link);
		int64_t next = versions_get(&room->heard, 0) + 1;

		if (h->m->seq > next)
			return;
		if (h->m->seq == next)
			append(room, h->m);
		drop_first_held(room);
	}
}

/* Sorted by seq; a repeat is dropped. */
static void hold(struct room *room, struct msg *m)
{
	struct list *before = room->held.next;
	struct held *h;

	while (before != &room->held) {
		int64_t seq = container_of(before, struct held, link)->m->seq;

		if (seq == m->seq)
			return;
		if (seq > m->seq)
			break;
		before = before->next;
	}
	h = xcalloc(1, sizeof(*h));
	h->m = msg_ref(m);
	list_append(before, &h->link);
	room->held_count++;
}

static void stop_waiting_for_gap(struct room *room)
{
	if (!list_empty(&room->held) || !versions_cover(&room->heard, &room->ahead))
		return;
	versions_clear(&room->ahead);
	list_remove(&room->gap);
}

/* Something newer than what came is known to exist: it has ROOM_GAP_MS to come. */
static void note_ahead(struct room *room, int64_t key, int64_t seq)
{
	if (seq <= versions_get(&room->heard, key))
		return;
	versions_raise(&room->ahead, key, seq, room->rooms->tuning.versions_max);
	if (!list_empty(&room->gap))
		return;
	room->gap_at = rooms_now(room->rooms) + room->rooms->tuning.gap_ms;
	list_append(&room->rooms->gaps, &room->gap);
	rooms_arm(room->rooms);
}

void room_deliver(struct room *room, struct msg *m)
{
	int64_t heard = versions_get(&room->heard, m->key);

	if (room->final || (m->seq && m->seq <= heard))
		return;
	if (m->resync) {
		versions_raise(&room->ahead, m->key, m->seq, room->rooms->tuning.versions_max);
		room_heal(room);
		return;
	}
	/* Only one key's versions are one sequence; a job's also count what the list is not told. */
	if (m->seq && !m->key && heard >= 0 && m->seq > heard + 1) {
		hold(room, m);
		note_ahead(room, m->key, m->seq);
		if (room->held_count > room->rooms->tuning.reorder_max)
			room_heal(room);
		return;
	}
	append(room, m);
	release_held(room);
	if (!list_empty(&room->gap))
		stop_waiting_for_gap(room);
}

void room_flush(struct room *room)
{
	struct viewer *v;

	/* A connection tells of its end in a turn of its own, so that nobody leaves this list meanwhile. */
	list_for_each (v, &room->viewers, link)
		viewer_catch_up(v);
}

/* ---- healing: everybody who lacks what is ahead gets a snapshot */

void room_heal(struct room *room)
{
	const struct versions *ahead = &room->ahead;
	struct viewer *v;
	int64_t seq;

	list_remove(&room->gap);
	if (!list_empty(&room->held))
		log_info("room %s: messages are missing, viewers get a snapshot", room->group);
	/* Whatever of it comes late is old: the snapshots will have it. */
	for (size_t i = 0; i < ahead->count; i++)
		versions_raise(&room->heard, ahead->items[i].key, ahead->items[i].seq,
			room->rooms->tuning.versions_max);
	versions_clear(&room->ahead);
	drop_held(room);
	ring_break(&room->ring);
	seq = versions_get(&room->heard, 0);
	list_for_each (v, &room->viewers, link) {
		if (seq >= 0 && v->state != VIEWER_WAITING && viewer_will_have(v) >= seq)
			v->position = room->ring.end;
	}
	room_flush(room);
}

/* ---- reading snapshots */

void snapshot_release(struct snapshot *s)
{
	if (--s->holders)
		return;
	list_remove(&s->link);
	s->room->snapshot_count--;
	ws_frame_unref(s->frame);
	versions_unref(s->versions);
	free(s);
}

/* Held once by the caller. */
static struct snapshot *snapshot_create(
	struct room *room, struct room_snapshot *answer, uint64_t start)
{
	struct snapshot *s = xcalloc(1, sizeof(*s));

	s->room = room;
	s->holders = 1;
	s->frame = ws_frame_create(WS_TEXT, answer->json.buf, answer->json.len);
	s->versions = versions_take(answer->versions, answer->version_count);
	answer->versions = NULL;
	s->seq = versions_get(s->versions, 0);
	s->start = start;
	s->final = answer->final;
	list_append(&room->snapshots, &s->link);
	room->snapshot_count++;
	return s;
}

static void refuse_waiting(struct room *room, int status)
{
	struct viewer *v;

	if (status != -ENOENT)
		log_error("room %s: no snapshot (%s), viewers are closed", room->group,
			strerror(-status));
	list_for_each (v, &room->viewers, link) {
		if (v->state != VIEWER_WAITING)
			continue;
		if (status == -ENOENT)
			viewer_close(v, WS_CLOSE_NOT_FOUND, "no such build");
		else
			viewer_close(v, WS_CLOSE_INTERNAL, "the server could not read it");
	}
}

static size_t count_viewers(const struct room *room, enum viewer_state state)
{
	struct viewer *v;
	size_t count = 0;

	list_for_each (v, &room->viewers, link)
		count += v->state == state;
	return count;
}

/* Does anybody depend on the ring? */
static bool followed(const struct room *room)
{
	struct viewer *v;

	list_for_each (v, &room->viewers, link) {
		if ((v->state == VIEWER_LIVE || v->state == VIEWER_SNAPSHOT) &&
			v->position >= room->ring.first)
			return true;
	}
	return false;
}

/* Is what follows seq in the ring, from start on, without a hole? */
static bool ring_follows(const struct ring *ring, uint64_t start, int64_t seq)
{
	for (uint64_t n = start; n < ring->end; n++) {
		const struct ring_entry *e = ring_at(ring, n);

		if (!e->key && e->seq > seq)
			return e->seq == seq + 1;
	}
	return true;
}

/* The database holds less than what was heard before it was asked: it was put back. It decides. */
static void start_over(struct room *room, int64_t seq)
{
	struct viewer *v;

	log_warn("room %s: the database is at %" PRId64
		 ", behind what was sent: viewers start over",
		room->group, seq);
	versions_clear(&room->heard);
	versions_clear(&room->ahead);
	drop_held(room);
	list_remove(&room->gap);
	ring_break(&room->ring);
	list_for_each (v, &room->viewers, link) {
		if (v->state != VIEWER_LEFT)
			v->state = VIEWER_WAITING;
	}
}

/* Nobody depends on what the snapshot has and the ring has not: the room may take it as heard. */
static void adopt(struct room *room, struct snapshot *s)
{
	const struct versions *v = s->versions;

	if (s->seq >= 0 && versions_get(&room->heard, 0) >= 0 &&
		s->seq > versions_get(&room->heard, 0)) {
		ring_break(&room->ring);
		s->start = room->ring.end;
	}
	for (size_t i = 0; i < v->count; i++)
		versions_raise(&room->heard, v->items[i].key, v->items[i].seq,
			room->rooms->tuning.versions_max);
	room->final |= s->final;
	release_held(room);
	stop_waiting_for_gap(room);
}

/* Room for one more snapshot. Those who hold the oldest have not taken one in the time of three others. */
static void make_space(struct room *room)
{
	while (room->snapshot_count >= ROOM_SNAPSHOTS_MAX) {
		struct snapshot *oldest = list_first(&room->snapshots, struct snapshot, link);
		struct viewer *v;

		oldest->holders++;
		list_for_each (v, &room->viewers, link) {
			if (v->snapshot == oldest)
				viewer_drop(v);
		}
		snapshot_release(oldest);
	}
}

/* When all places are taken, the newest one serves as long as the ring holds all that follows it. */
static struct snapshot *reusable(struct room *room)
{
	struct snapshot *newest = container_of(room->snapshots.prev, struct snapshot, link);

	if (room->snapshot_count < ROOM_SNAPSHOTS_MAX || newest->start < room->ring.first)
		return NULL;
	newest->holders++;
	return newest;
}

static void give_to_waiting(struct room *room, struct snapshot *s)
{
	struct viewer *v;

	list_for_each (v, &room->viewers, link) {
		if (v->state == VIEWER_WAITING)
			viewer_give(v, s);
	}
}

/* The message that said so may have been lost, while all that it changed came in a snapshot. */
static void learn_final(struct room *room, const struct room_snapshot *answer)
{
	struct versions versions = {.items = answer->versions, .count = answer->version_count};

	if (!answer->final || room->final || !versions_cover(&room->heard, &versions))
		return;
	room->final = true;
	rooms_mark_dirty(room);
}

static void use_answer(struct room *room, struct room_snapshot *answer, uint64_t start)
{
	struct snapshot *s = reusable(room);

	learn_final(room, answer);
	if (!s) {
		make_space(room);
		s = snapshot_create(room, answer, start);
	}
	if (!followed(room))
		adopt(room, s);
	else if (s->seq >= 0)
		note_ahead(room, 0, s->seq);
	give_to_waiting(room, s);
	snapshot_release(s);
}

static int64_t answer_seq(const struct room_snapshot *answer)
{
	return answer->version_count && !answer->versions[0].key ? answer->versions[0].seq : -1;
}

static void on_snapshot(void *arg, struct room_snapshot *answer)
{
	struct room_read *read = arg, began = *read;
	struct room *room = began.room;
	int64_t seq = answer_seq(answer);

	free(read);
	if (!room)
		goto done;
	room->read = NULL;
	if (!count_viewers(room, VIEWER_WAITING))
		goto done;
	if (answer->status) {
		refuse_waiting(room, answer->status);
		goto done;
	}
	if (seq >= 0 && seq < began.seq) {
		start_over(room, seq);
		began.start = room->ring.end;
	}
	/* What came since the read began must be there to follow the snapshot. */
	if (began.start < room->ring.first ||
		(seq >= 0 && !ring_follows(&room->ring, began.start, seq)))
		room_read(room);
	else
		use_answer(room, answer, began.start);
done:
	strbuf_finish(&answer->json);
	free(answer->versions);
}

static struct room_read *read_create(struct room *room)
{
	struct room_read *read = xcalloc(1, sizeof(*read));

	read->room = room;
	read->start = room->ring.end;
	read->seq = versions_get(&room->heard, 0);
	return read;
}

void room_read(struct room *room)
{
	struct room_source *source = &room->rooms->source;

	if (room->read)
		return;
	room->read = read_create(room);
	room->rooms->stats.snapshots_read++;
	source->read_snapshot(source->arg, room->group, on_snapshot, room->read);
}

/* ---- every 20 s */

/* The versions are known now, or the room has heard messages meanwhile. Without either, as with an older seq, it is a snapshot. */
static void answer_resuming(struct room *room)
{
	struct viewer *v;

	list_for_each (v, &room->viewers, link) {
		if (v->state != VIEWER_RESUMING || viewer_resume(v))
			continue;
		v->state = VIEWER_WAITING;
		room_read(room);
	}
}

static void use_versions(struct room *room, const struct room_snapshot *answer)
{
	/* Whoever waits for a snapshot that is being read may be given one that is older than this. */
	bool adopts = versions_get(&room->heard, 0) < 0 && !room->read && !followed(room);

	for (size_t i = 0; i < answer->version_count; i++) {
		const struct room_version *v = &answer->versions[i];

		if (adopts)
			versions_raise(
				&room->heard, v->key, v->seq, room->rooms->tuning.versions_max);
		else
			note_ahead(room, v->key, v->seq);
	}
	learn_final(room, answer);
}

static void on_versions(void *arg, struct room_snapshot *answer)
{
	struct room_read *check = arg;
	struct room *room = check->room;

	free(check);
	if (room) {
		room->check = NULL;
		if (!answer->status)
			use_versions(room, answer);
		/* Gone from the database: the read that follows closes everybody. */
		if (answer->status == -ENOENT) {
			ring_break(&room->ring);
			room_flush(room);
		}
		answer_resuming(room);
	}
	strbuf_finish(&answer->json);
	free(answer->versions);
}

void room_check(struct room *room)
{
	struct room_source *source = &room->rooms->source;

	if (room->check || (!followed(room) && !count_viewers(room, VIEWER_RESUMING)))
		return;
	room->check = read_create(room);
	source->read_versions(source->arg, room->group, on_versions, room->check);
}

void room_resume(struct room *room, struct viewer *v)
{
	if (v->seq >= 0 && viewer_resume(v))
		return;
	v->state = VIEWER_WAITING;
	/* After a restart everybody comes back with the newest seq, to rooms that have heard nothing: the database need not
	 * read the whole build to say that nothing is missing. */
	if (v->seq >= 0 && versions_get(&room->heard, 0) < 0 && !room->read) {
		v->state = VIEWER_RESUMING;
		room_check(room);
		return;
	}
	room_read(room);
}

/* To those who have all: for the others what they are sent is sign enough, and the heartbeat's seq is what its
 * reader has reached. */
void room_heartbeat(struct room *room)
{
	int64_t seq = versions_get(&room->heard, 0);
	struct ws_frame *f = rooms_heartbeat(room->rooms, seq, false);
	struct viewer *v;

	list_for_each (v, &room->viewers, link) {
		if (v->state != VIEWER_LIVE || v->position != room->ring.end || v->seq != seq)
			continue;
		ws_send(v->conn, &f, 1);
		if (v->floor && versions_cover(&room->heard, v->floor)) {
			versions_unref(v->floor);
			v->floor = NULL;
		}
	}
	ws_frame_unref(f);
	room_check(room);
}

/* ---- life */

bool room_resume_position(const struct room *room, int64_t since, uint64_t *ret_position)
{
	const struct ring *ring = &room->ring;

	if (since < 0)
		return false;
	for (uint64_t n = ring->first; n < ring->end; n++) {
		const struct ring_entry *e = ring_at(ring, n);

		if (e->key || e->seq <= since)
			continue;
		*ret_position = n;
		return e->seq == since + 1;
	}
	*ret_position = ring->end;
	return since == versions_get(&room->heard, 0);
}

struct room *room_create(struct rooms *rooms, const char *group)
{
	struct room *room = xcalloc(1, sizeof(*room));

	room->rooms = rooms;
	room->group = xstrdup(group);
	list_init(&room->held);
	list_init(&room->viewers);
	list_init(&room->snapshots);
	list_init(&room->dirty);
	list_init(&room->beat);
	list_init(&room->gap);
	list_init(&room->linger);
	return room;
}

void room_destroy(struct room *room)
{
	if (room->read)
		room->read->room = NULL;
	if (room->check)
		room->check->room = NULL;
	list_remove(&room->dirty);
	list_remove(&room->beat);
	list_remove(&room->gap);
	list_remove(&room->linger);
	drop_held(room);
	versions_clear(&room->heard);
	versions_clear(&room->ahead);
	ring_finish(&room->ring);
	free(room->group);
	free(room);
}
