// SPDX-License-Identifier: MIT
//
// How watching ends: slow viewers, finished builds, drains, memory given back.
#include "crowd.h"

#include <malloc.h>
#include "core/ws/ws_internal.h"

/* ---- slow viewers */

static void who_falls_out_of_the_ring_finishes_its_frame_and_gets_a_snapshot(void **state)
{
	struct watcher *slow, *quick;

	(void)state;
	rooms_tuning.ring_bytes = 100000;
	reopen_world(8192);
	slow = stalled_viewer();
	quick = settled();
	w.pad = 10000;
	for (int i = 0; i < 60; i++) {
		world_publish(&w, 1);
		until(quick->have == w.seq);
	}
	assert_int_equal(w.reads, 2);
	assert_true(room(BUILD)->ring.bytes <= 100000);
	slow->peer.stalled = false;
	until(slow->have == w.seq);
	assert_int_equal(slow->snapshots, 2);
	assert_int_equal(slow->peer.fault, 0);
	assert_int_equal(quick->snapshots, 1);
	world_publish(&w, 1);
	until(slow->have == w.seq && quick->have == w.seq);
	assert_int_equal(w.rooms->stats.slow_dropped, 0);
}

/* Nothing but answers to its own pings stands in its way. */
static void a_snapshot_that_grew_old_before_it_began_is_read_again(void **state)
{
	char ping[125] = {0};
	struct watcher *wa;
	struct viewer *v;

	(void)state;
	rooms_tuning.ring_messages = 4;
	reopen_world(8192);
	w.prompt = false;
	wa = join_room(BUILD);
	until_read_is_open();
	wa->peer.stalled = true;
	v = list_first(&room(BUILD)->viewers, struct viewer, link);
	while (ws_writable(v->conn)) {
		peer_send(&wa->peer, WS_PING, ping, sizeof(ping));
		stage_turn(&w.stage);
	}
	world_answer(&w);
	assert_int_equal(v->state, VIEWER_SNAPSHOT);
	world_publish(&w, 10);
	some_turns();
	w.prompt = true;
	wa->peer.stalled = false;
	expect_trace(wa, 10, "S10 ");
	assert_int_equal(room(BUILD)->snapshot_count, 0);
}

static void who_stalls_is_dropped_and_the_others_go_on(void **state)
{
	struct watcher *slow, *quick;

	(void)state;
	ws_tuning.stall_ms = 200;
	ws_tuning.tick_ms = 1;
	slow = stalled_viewer();
	quick = settled();
	w.pad = 100000;
	world_publish(&w, 5);
	until(viewers() == 1);
	assert_int_equal(w.rooms->stats.slow_dropped, 1);
	world_publish(&w, 2);
	until(quick->have == 7);
	slow->peer.stalled = false;
	until(slow->peer.gone);
}

static void live_snapshots_are_few(void **state)
{
	(void)state;
	rooms_tuning.ring_messages = 2;
	reopen_world(8192);
	w.snapshot_pad = 200000;
	/* Each is stuck in a snapshot of its own, since the ring turns over before the next comes. */
	for (int i = 0; i < ROOM_SNAPSHOTS_MAX; i++) {
		join_room(BUILD);
		a[i].peer.stalled = true;
		until((int)w.rooms->stats.snapshots_sent == i + 1);
		world_publish(&w, 3);
	}
	assert_int_equal(room(BUILD)->snapshot_count, ROOM_SNAPSHOTS_MAX);
	assert_int_equal(viewers(), ROOM_SNAPSHOTS_MAX);
	join_room(BUILD);
	until(a[ROOM_SNAPSHOTS_MAX].snapshots);
	assert_int_equal(w.rooms->stats.slow_dropped, 1);
	a[0].peer.stalled = false;
	until(a[0].peer.gone);
	assert_int_equal(viewers(), ROOM_SNAPSHOTS_MAX);
}

static void a_snapshot_whose_successors_are_all_held_serves_again(void **state)
{
	(void)state;
	rooms_tuning.ring_messages = 2;
	reopen_world(8192);
	w.snapshot_pad = 200000;
	for (int i = 0; i < ROOM_SNAPSHOTS_MAX; i++) {
		join_room(BUILD);
		a[i].peer.stalled = true;
		until((int)w.rooms->stats.snapshots_sent == i + 1);
		world_publish(&w, i + 1 < ROOM_SNAPSHOTS_MAX ? 3 : 1);
	}
	join_room(BUILD);
	until(a[ROOM_SNAPSHOTS_MAX].have == w.seq);
	assert_int_equal(w.rooms->stats.slow_dropped, 0);
	assert_int_equal(room(BUILD)->snapshot_count, ROOM_SNAPSHOTS_MAX);
	assert_int_equal(a[ROOM_SNAPSHOTS_MAX].messages, 1);
}

/* ---- the end of a build */

static void the_last_message_closes_with_1000(void **state)
{
	struct watcher *wa = settled(), *other = settled();

	(void)state;
	world_publish(&w, 1);
	world_send(&w, BUILD, world_commit(&w, 0, true));
	until(wa->peer.gone && other->peer.gone);
	assert_string_equal(wa->trace.buf, "S0 1 2 ");
	assert_int_equal(wa->peer.closed, 1000);
	assert_int_equal(other->peer.closed, 1000);
	peer_end(&wa->peer, false);
	peer_end(&other->peer, false);
	until(!w.rooms->by_group.count);
}

static void a_finished_build_is_a_snapshot_and_1000(void **state)
{
	struct watcher *wa;

	(void)state;
	world_publish(&w, 2);
	msg_unref(world_commit(&w, 0, true));
	wa = join_room(BUILD);
	until(wa->peer.gone);
	assert_string_equal(wa->trace.buf, "S3 ");
	assert_int_equal(wa->peer.closed, 1000);
}

/* Slow readers of it are as many as like to come: they hold one, until each has all of it. */
static void slow_readers_of_a_finished_build_share_its_snapshot(void **state)
{
	(void)state;
	w.snapshot_pad = 400000;
	world_publish(&w, 2);
	msg_unref(world_commit(&w, 0, true));
	for (size_t i = 0; i < countof(a); i++) {
		join_room(BUILD);
		a[i].peer.stalled = true;
		until(w.rooms->stats.snapshots_sent == i + 1);
	}
	assert_int_equal(room(BUILD)->snapshot_count, ROOM_SNAPSHOTS_MAX);
	for (size_t i = 0; i < countof(a); i++)
		a[i].peer.stalled = false;
	for (size_t i = 0; i < countof(a); i++) {
		until(a[i].peer.gone);
		assert_string_equal(a[i].trace.buf, "S3 ");
		assert_int_equal(a[i].peer.closed, 1000);
	}
	assert_int_equal(w.rooms->stats.slow_dropped, 0);
}

static void a_resume_into_a_finished_build_ends_with_1000(void **state)
{
	struct watcher *wa = settled(), *stays = stalled_viewer();

	(void)state;
	cut(wa);
	w.pad = 400000; /* keeps the other one, and with it the room */
	world_publish(&w, 1);
	world_send(&w, BUILD, world_commit(&w, 0, true));
	some_turns();
	watcher_resume(wa, &w, 0, EPOCH, 0);
	until(wa->peer.gone);
	assert_string_equal(wa->trace.buf, "H0 1 2 ");
	assert_int_equal(wa->peer.closed, 1000);
	peer_end(&wa->peer, false);
	watcher_resume(wa, &w, 2, EPOCH, 0);
	until(wa->peer.gone);
	assert_string_equal(wa->trace.buf, "H2 ");
	assert_int_equal(wa->peer.closed, 1000);
	stays->peer.stalled = false;
	until(stays->peer.gone);
	assert_int_equal(stays->peer.closed, 1000);
	assert_int_equal(stays->have, 2);
}

static void a_lost_last_message_of_a_build_still_closes(void **state)
{
	struct watcher *wa;

	(void)state;
	rooms_tuning.heartbeat_ms = 5;
	rooms_tuning.gap_ms = 1;
	reopen_world(0);
	wa = settled();
	world_publish(&w, 1);
	msg_unref(world_commit(&w, 0, true));
	until(wa->peer.gone);
	assert_int_equal(wa->peer.closed, 1000);
	assert_int_equal(wa->have, 2);
}

/* The last message was lost, and all that it changed is known to the room by other ways. */
static void a_room_learns_that_nothing_follows(void **state)
{
	struct watcher *wa, *late;

	(void)state;
	rooms_tuning.gap_ms = 1000000;
	reopen_world(0);
	wa = settled();
	world_publish(&w, 1);
	until(wa->have == 1);
	msg_unref(world_commit(&w, 0, true));
	late = join_room(BUILD);
	until(late->peer.gone);
	cut(late);
	cut(wa);
	room_heal(room(BUILD));
	watcher_resume(late, &w, 2, EPOCH, 0);
	until(late->peer.gone);
	assert_string_equal(late->trace.buf, "H2 ");
	assert_int_equal(late->peer.closed, 1000);
}

/* ---- drain */

static void note_done(void *arg)
{
	++*(int *)arg;
}

static void a_drain_sends_everybody_away_with_a_time_to_come_back(void **state)
{
	struct watcher *wa = settled(), *late;
	int done = 0;

	(void)state;
	settled();
	world_publish(&w, 1);
	until(wa->have == 1);
	rooms_drain(w.rooms, note_done, &done);
	assert_int_equal(done, 0);
	until(a[0].peer.gone && a[1].peer.gone);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(a[i].peer.closed, 1012);
		assert_in_range(a[i].retry_ms, 500, 5000);
	}
	assert_string_equal(wa->trace.buf, "S0 1 R1 ");
	late = join_room(BUILD);
	until(late->peer.gone);
	assert_int_equal(late->peer.closed, 1012);
	assert_in_range(late->retry_ms, 500, 5000);
	for (int i = 0; i < 2; i++)
		peer_end(&a[i].peer, false);
	until(done);
	assert_int_equal(viewers(), 0);
	some_turns();
	assert_int_equal(done, 1);
}

static void a_drain_of_nobody_is_done(void **state)
{
	int done = 0;

	(void)state;
	rooms_drain(w.rooms, note_done, &done);
	assert_int_equal(done, 0);
	while (!done)
		world_turn(&w);
}

static void a_drain_does_not_wait_for_who_is_stuck(void **state)
{
	struct watcher *wa;
	int done = 0;

	(void)state;
	rooms_tuning.drain_ms = 10;
	reopen_world(8192);
	wa = stalled_viewer();
	w.pad = 400000;
	world_publish(&w, 1);
	some_turns();
	rooms_drain(w.rooms, note_done, &done);
	until(done);
	until(viewers() == 0);
	assert_int_equal(done, 1);
	wa->peer.stalled = false;
	until(wa->peer.gone);
}

/* What has not begun to go was not sent. */
static void a_last_heartbeat_says_what_was_sent(void **state)
{
	struct watcher *wa;
	int done = 0;

	(void)state;
	wa = settled();
	wa->peer.stalled = true;
	w.snapshot_pad = w.pad = 400000;
	world_publish(&w, 1);
	some_turns();
	w.rooms->tuning.ring_messages = 1;
	world_publish(&w, 3);
	some_turns();
	rooms_drain(w.rooms, note_done, &done);
	wa->peer.stalled = false;
	until(wa->peer.gone);
	assert_string_equal(wa->trace.buf, "S0 1 R1 ");
	peer_end(&wa->peer, false);
	until(done);
}

/* ---- memory */

static void rooms_can_go_while_viewers_and_reads_are_there(void **state)
{
	(void)state;
	settled();
	w.prompt = false;
	join_room(BUILD);
	until_read_is_open();
}

static void a_viewer_costs_little(void **state)
{
	struct viewer *v;
	size_t bytes;

	(void)state;
	settled();
	v = list_first(&room(BUILD)->viewers, struct viewer, link);
	assert_null(v->snapshot);
	assert_null(v->floor);
	bytes = malloc_usable_size(v) + malloc_usable_size(v->conn) +
		malloc_usable_size(v->conn->stream);
	print_message("a viewer with its connection and stream: %zu bytes\n", bytes);
	assert_true(bytes <= WS_CONNECTION_BYTES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CROWD_TEST(who_falls_out_of_the_ring_finishes_its_frame_and_gets_a_snapshot),
		CROWD_TEST(a_snapshot_that_grew_old_before_it_began_is_read_again),
		CROWD_TEST(who_stalls_is_dropped_and_the_others_go_on),
		CROWD_TEST(live_snapshots_are_few),
		CROWD_TEST(a_snapshot_whose_successors_are_all_held_serves_again),
		CROWD_TEST(the_last_message_closes_with_1000),
		CROWD_TEST(a_finished_build_is_a_snapshot_and_1000),
		CROWD_TEST(slow_readers_of_a_finished_build_share_its_snapshot),
		CROWD_TEST(a_resume_into_a_finished_build_ends_with_1000),
		CROWD_TEST(a_lost_last_message_of_a_build_still_closes),
		CROWD_TEST(a_room_learns_that_nothing_follows),
		CROWD_TEST(a_last_heartbeat_says_what_was_sent),
		CROWD_TEST(a_drain_sends_everybody_away_with_a_time_to_come_back),
		CROWD_TEST(a_drain_of_nobody_is_done),
		CROWD_TEST(a_drain_does_not_wait_for_who_is_stuck),
		CROWD_TEST(rooms_can_go_while_viewers_and_reads_are_there),
		CROWD_TEST(a_viewer_costs_little),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
