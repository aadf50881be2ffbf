// SPDX-License-Identifier: MIT
#include "core/channels/rooms_internal.h"

#include "core/base/json.h"
#include "core/base/log.h"

struct rooms_tuning rooms_tuning = {
	.ring_bytes = ROOM_RING_BYTES_MAX,
	.ring_messages = ROOM_RING_MESSAGES_MAX,
	.reorder_max = ROOM_REORDER_MAX,
	.versions_max = ROOM_VERSIONS_MAX,
	.lingering_max = ROOMS_LINGERING_MAX,
	.heartbeat_ms = ROOM_HEARTBEAT_MS,
	.gap_ms = ROOM_GAP_MS,
	.linger_ms = ROOM_LINGER_MS,
	.drain_ms = WS_CLOSE_MS,
	.retry_least_ms = 500,
	.retry_most_ms = 5000,
};

/* ---- the registry */

static void on_deliver(void *arg, const char *group, struct msg *m)
{
	struct rooms *rooms = arg;
	struct room *room = map_get(&rooms->by_group, group);

	if (room)
		room_deliver(room, m);
}

/* NULL: the layer refused the group. */
static struct room *room_open(struct rooms *rooms, const char *group)
{
	struct room *room = map_get(&rooms->by_group, group);
	int r;

	if (room)
		return room;
	r = rooms->layer->ops->group_add(rooms->layer, group);
	if (r) {
		log_error("room %s: the layer refuses the group (%s), its viewer is closed", group,
			strerror(-r));
		return NULL;
	}
	room = room_create(rooms, group);
	map_set(&rooms->by_group, group, room);
	return room;
}

static void room_close(struct room *room)
{
	struct rooms *rooms = room->rooms;

	if (!list_empty(&room->linger))
		rooms->lingering--;
	rooms->layer->ops->group_discard(rooms->layer, room->group);
	map_remove(&rooms->by_group, room->group);
	room_destroy(room);
}

/* An empty room goes on listening, so that those whose connection was cut find what they missed. */
static void linger(struct room *room)
{
	struct rooms *rooms = room->rooms;

	list_remove(&room->beat);
	room->linger_at = rooms_now(rooms) + rooms->tuning.linger_ms;
	list_append(&rooms->lingers, &room->linger);
	if (++rooms->lingering > rooms->tuning.lingering_max)
		room_close(list_first(&rooms->lingers, struct room, linger));
	rooms_arm(rooms);
}

void rooms_room_emptied(struct room *room)
{
	/* Nothing follows the last message, and in a room that heard nothing there is nothing to find. */
	if (room->final || !room->heard.count || room->rooms->draining)
		room_close(room);
	else
		linger(room);
}

static void revive(struct room *room)
{
	struct rooms *rooms = room->rooms;

	if (!list_empty(&room->linger)) {
		list_remove(&room->linger);
		rooms->lingering--;
	}
	if (!list_empty(&room->beat))
		return;
	room->beat_at = rooms_now(rooms) + rooms->tuning.heartbeat_ms;
	list_append(&rooms->beats, &room->beat);
	rooms_arm(rooms);
}

void rooms_mark_dirty(struct room *room)
{
	if (list_empty(&room->dirty))
		list_append(&room->rooms->dirty, &room->dirty);
}

/* The end of a turn: whatever came in it goes to each viewer in one write. */
static void flush_dirty(void *arg)
{
	struct rooms *rooms = arg;

	while (!list_empty(&rooms->dirty)) {
		struct room *room = list_first(&rooms->dirty, struct room, dirty);

		list_remove(&room->dirty);
		room_flush(room);
	}
}

/* ---- time */

uint64_t rooms_now(const struct rooms *rooms)
{
	return uv_now(&rooms->loop->uv);
}

static void drop_all_viewers(struct rooms *rooms)
{
	struct map_slot *slot;
	struct viewer *v;

	map_for_each (slot, &rooms->by_group) {
		list_for_each (v, &((struct room *)slot->value)->viewers, link)
			ws_reset(v->conn);
	}
}

static void drain_done(struct rooms *rooms)
{
	rooms->drain_at = 0;
	loop_post(rooms->loop, rooms->drained, rooms->drained_arg);
}

static void heartbeats_due(struct rooms *rooms, uint64_t now)
{
	while (!list_empty(&rooms->beats)) {
		struct room *room = list_first(&rooms->beats, struct room, beat);

		if (room->beat_at > now)
			return;
		list_remove(&room->beat);
		room->beat_at = now + rooms->tuning.heartbeat_ms;
		list_append(&rooms->beats, &room->beat);
		room_heartbeat(room);
	}
}

static void gaps_due(struct rooms *rooms, uint64_t now)
{
	while (!list_empty(&rooms->gaps)) {
		struct room *room = list_first(&rooms->gaps, struct room, gap);

		if (room->gap_at > now)
			return;
		room_heal(room);
	}
}

static void lingers_due(struct rooms *rooms, uint64_t now)
{
	while (!list_empty(&rooms->lingers)) {
		struct room *room = list_first(&rooms->lingers, struct room, linger);

		if (room->linger_at > now)
			return;
		room_close(room);
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct rooms *rooms = timer->data;
	uint64_t now = rooms_now(rooms);

	heartbeats_due(rooms, now);
	gaps_due(rooms, now);
	lingers_due(rooms, now);
	if (rooms->drain_at && rooms->drain_at <= now) {
		drop_all_viewers(rooms);
		drain_done(rooms);
	}
	rooms_arm(rooms);
}

static uint64_t sooner(uint64_t at, uint64_t other)
{
	return other && other < at ? other : at;
}

void rooms_arm(struct rooms *rooms)
{
	uint64_t at = UINT64_MAX, now = rooms_now(rooms);

	if (!list_empty(&rooms->beats))
		at = sooner(at, list_first(&rooms->beats, struct room, beat)->beat_at);
	if (!list_empty(&rooms->gaps))
		at = sooner(at, list_first(&rooms->gaps, struct room, gap)->gap_at);
	if (!list_empty(&rooms->lingers))
		at = sooner(at, list_first(&rooms->lingers, struct room, linger)->linger_at);
	at = sooner(at, rooms->drain_at);
	if (at == UINT64_MAX)
		uv_timer_stop(&rooms->timer);
	else
		uv_timer_start(&rooms->timer, on_timer, at > now ? at - now : 0, 0);
}

struct ws_frame *rooms_heartbeat(struct rooms *rooms, int64_t seq, bool retry)
{
	const struct rooms_tuning *t = &rooms->tuning;
	struct strbuf text = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&text);
	struct ws_frame *f;

	json_begin_object(&w, NULL);
	json_put_string(&w, "type", "heartbeat");
	if (seq >= 0)
		json_put_int(&w, "seq", seq);
	json_put_string(&w, "epoch", rooms->epoch);
	json_put_time(&w, "now", clock_wall_ms());
	/* Spread, so that those who are sent away together do not come back together. */
	if (retry)
		json_put_int(&w, "retry_ms",
			(int64_t)(t->retry_least_ms +
				  random_u64() % (t->retry_most_ms - t->retry_least_ms + 1)));
	json_end_object(&w);
	f = ws_frame_create(WS_TEXT, text.buf, text.len);
	strbuf_finish(&text);
	return f;
}

/* ---- joining */

static void send_away_at_door(struct rooms *rooms, struct http_request *req)
{
	static const struct ws_handlers nobody = {0};
	struct ws_conn *c = ws_accept(req, rooms->loop, &nobody, NULL);
	struct ws_frame *last;

	if (!c)
		return;
	last = rooms_heartbeat(rooms, -1, true);
	ws_close_after(c, last, WS_CLOSE_RESTART, "restarting");
	ws_frame_unref(last);
}

void room_join(struct rooms *rooms, const char *group, struct http_request *req,
	const struct room_resume *resume)
{
	/* The request ends with the upgrade, and what resume points to may end with it. */
	bool resumes =
		resume && resume->wanted && resume->epoch && !strcmp(resume->epoch, rooms->epoch);
	int64_t since = resumes ? resume->since : -1;
	bool lingered;
	struct room *room;
	struct viewer *v;

	if (rooms->draining) {
		send_away_at_door(rooms, req);
		return;
	}
	room = room_open(rooms, group);
	if (!room) {
		ws_refuse(req, rooms->loop, WS_CLOSE_INTERNAL, "the server could not listen to it");
		return;
	}
	v = xcalloc(1, sizeof(*v));
	list_init(&v->link);
	v->conn = ws_accept(req, rooms->loop, &viewer_handlers, v);
	if (!v->conn) {
		free(v);
		if (!room->viewer_count && list_empty(&room->linger))
			room_close(room);
		return;
	}
	lingered = !list_empty(&room->linger);
	revive(room);
	viewer_join(v, room);
	v->seq = since;
	room_resume(room, v);
	/* A message that was lost while nobody was here is not left to the next heartbeat. */
	if (lingered)
		room_check(room);
}

/* ---- the end */

void rooms_viewer_gone(struct rooms *rooms)
{
	if (--rooms->stats.viewers == 0 && rooms->drain_at)
		drain_done(rooms);
}

void rooms_drain(struct rooms *rooms, loop_fn *done, void *arg)
{
	struct map_slot *slot;
	struct viewer *v;

	rooms->draining = true;
	rooms->drained = done;
	rooms->drained_arg = arg;
	map_for_each (slot, &rooms->by_group) {
		list_for_each (v, &((struct room *)slot->value)->viewers, link) {
			if (v->state != VIEWER_LEFT)
				viewer_send_away(v, WS_CLOSE_RESTART, "restarting");
		}
	}
	if (!rooms->stats.viewers) {
		drain_done(rooms);
		return;
	}
	rooms->drain_at = rooms_now(rooms) + rooms->tuning.drain_ms;
	rooms_arm(rooms);
}

struct rooms *rooms_create(
	struct loop *loop, struct layer *layer, const struct room_source *source, const char *epoch)
{
	struct rooms *rooms = xcalloc(1, sizeof(*rooms));

	rooms->loop = loop;
	rooms->layer = layer;
	rooms->source = *source;
	rooms->tuning = rooms_tuning;
	rooms->epoch = xstrdup(epoch);
	map_init(&rooms->by_group);
	list_init(&rooms->beats);
	list_init(&rooms->gaps);
	list_init(&rooms->lingers);
	list_init(&rooms->dirty);
	rooms->hook.fn = flush_dirty;
	rooms->hook.arg = rooms;
	loop_add_hook(loop, &rooms->hook);
	uv_timer_init(&loop->uv, &rooms->timer);
	rooms->timer.data = rooms;
	layer->deliver = on_deliver;
	layer->deliver_arg = rooms;
	return rooms;
}

static void on_timer_closed(uv_handle_t *timer)
{
	struct rooms *rooms = timer->data;

	map_finish(&rooms->by_group);
	free(rooms->epoch);
	free(rooms);
}

static void close_with_viewers(struct room *room)
{
	struct viewer *v, *next;

	list_for_each_safe (v, next, &room->viewers, link)
		viewer_orphan(v);
	room_close(room);
}

void rooms_destroy(struct rooms *rooms)
{
	struct map_slot *slot;
	bool found = true;

	if (!rooms)
		return;
	rooms->layer->deliver = NULL;
	list_remove(&rooms->hook.link);
	/* Closing changes the map, so each walk closes one. */
	while (found) {
		found = false;
		map_for_each (slot, &rooms->by_group) {
			close_with_viewers(slot->value);
			found = true;
			break;
		}
	}
	uv_timer_stop(&rooms->timer);
	uv_close((uv_handle_t *)&rooms->timer, on_timer_closed);
}

void rooms_stats(const struct rooms *rooms, struct rooms_stats *ret_stats)
{
	struct map_slot *slot;

	*ret_stats = rooms->stats;
	ret_stats->rooms = rooms->by_group.count;
	ret_stats->send_failures = layer_send_failures();
	ret_stats->ring_bytes = 0;
	map_for_each (slot, &rooms->by_group)
		ret_stats->ring_bytes += ((const struct room *)slot->value)->ring.bytes;
}
