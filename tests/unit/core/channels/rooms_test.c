// SPDX-License-Identifier: MIT
#include "world.h"

#include <setjmp.h>
#include <cmocka.h>
#include <malloc.h>
#include <stdio.h>
#include "core/ws/ws_internal.h"

static struct world w;
static struct watcher a[8];
static size_t joined; /* of a */
static struct rooms_tuning real;
static struct ws_tuning real_ws;

static int open_world(void **state)
{
	(void)state;
	real = rooms_tuning;
	real_ws = ws_tuning;
	joined = 0;
	world_open(&w, 8192);
	return 0;
}

static int close_world(void **state)
{
	(void)state;
	for (size_t i = 0; i < joined; i++)
		watcher_leave(&a[i], false);
	world_close(&w);
	rooms_tuning = real;
	ws_tuning = real_ws;
	return 0;
}

static struct watcher *join_room(const char *group)
{
	watcher_join(&a[joined], &w, group, 4096);
	return &a[joined++];
}

static struct room *room(const char *group)
{
	return map_get(&w.rooms->by_group, group);
}

static size_t viewers(void)
{
	return w.rooms->stats.viewers;
}

/* A viewer with its snapshot. */
static struct watcher *settled(void)
{
	struct watcher *wa = join_room(BUILD);

	world_until(&w, a, joined, wa->snapshots);
	return wa;
}

static void cut(struct watcher *wa)
{
	size_t left = viewers() - 1;

	peer_end(&wa->peer, true);
	world_until(&w, a, joined, viewers() == left);
}

static void until_read_is_open(void)
{
	world_until(&w, a, joined, !list_empty(&w.questions));
}

static void some_turns(void)
{
	for (int i = 0; i < 5; i++) {
		world_turn(&w);
		for (size_t k = 0; k < joined; k++)
			peer_read(&a[k].peer, SIZE_MAX);
	}
}

#define until(condition) world_until(&w, a, joined, condition)

/* ---- joining */

static void a_viewer_gets_a_snapshot_and_then_what_follows(void **state)
{
	struct watcher *wa;

	(void)state;
	world_publish(&w, 3);
	wa = settled();
	world_publish(&w, 2);
	until(wa->have == 5);
	assert_string_equal(wa->trace.buf, "S3 4 5 ");
}

static void one_read_serves_all_who_wait(void **state)
{
	(void)state;
	w.prompt = false;
	world_publish(&w, 3);
	for (int i = 0; i < 5; i++)
		join_room(BUILD);
	until(viewers() == 5);
	world_answer(&w);
	until(a[0].snapshots + a[1].snapshots + a[2].snapshots + a[3].snapshots + a[4].snapshots ==
		5);
	assert_int_equal(w.reads, 1);
	assert_int_equal(room(BUILD)->snapshot_count, 0);
}

static void what_a_snapshot_holds_is_not_sent_again(void **state)
{
	struct watcher *wa;

	(void)state;
	w.prompt = false;
	world_publish(&w, 2);
	wa = join_room(BUILD);
	until_read_is_open();
	world_publish(&w, 2); /* 3, 4 come before the read sees the database */
	world_see(&w);
	world_publish(&w, 2); /* 5, 6 after it */
	world_answer(&w);
	until(wa->have == 6);
	assert_string_equal(wa->trace.buf, "S4 5 6 ");
	assert_int_equal(w.reads, 1);
}

static void a_snapshot_whose_successor_is_lost_is_read_again(void **state)
{
	struct watcher *wa;

	(void)state;
	rooms_tuning.ring_messages = 4;
	world_close(&w);
	world_open(&w, 0);
	w.prompt = false;
	world_publish(&w, 2);
	wa = join_room(BUILD);
	until_read_is_open();
	world_see(&w);
	world_publish(&w, 10); /* the ring holds 9 to 12 */
	world_answer(&w);
	assert_int_equal(w.reads, 2);
	world_publish(&w, 1);
	world_answer(&w);
	until(wa->have == 13);
	assert_string_equal(wa->trace.buf, "S13 ");
}

static void a_snapshot_before_a_hole_is_read_again(void **state)
{
	struct watcher *wa;

	(void)state;
	w.prompt = false;
	world_publish(&w, 2);
	wa = join_room(BUILD);
	until_read_is_open();
	world_see(&w);
	msg_unref(world_commit(&w, 0, false)); /* 3 is lost, and the room cannot know it */
	world_publish(&w, 1);
	world_answer(&w);
	some_turns();
	assert_int_equal(wa->snapshots, 0);
	world_answer(&w);
	until(wa->have == 4);
	assert_string_equal(wa->trace.buf, "S4 ");
}

static void what_does_not_exist_is_4404_and_leaves_no_room(void **state)
{
	(void)state;
	w.status = -ENOENT;
	join_room(BUILD);
	until(a[0].peer.gone);
	assert_int_equal(a[0].peer.closed, 4404);
	peer_end(&a[0].peer, false);
	until(viewers() == 0);
	assert_int_equal(w.rooms->by_group.count, 0);
}

static void a_read_that_fails_is_1011(void **state)
{
	(void)state;
	w.status = -EIO;
	join_room(BUILD);
	until(a[0].peer.gone);
	assert_int_equal(a[0].peer.closed, 1011);
}

static void rooms_are_apart(void **state)
{
	struct watcher *other = join_room("build_job_2"), *wa = settled();

	(void)state;
	until(other->snapshots);
	world_publish(&w, 2);
	until(wa->have == 2);
	assert_string_equal(other->trace.buf, "S0 ");
}

/* ---- resuming */

static void a_resume_gets_a_heartbeat_and_what_it_missed(void **state)
{
	struct watcher *wa = settled(), *other = settled();

	(void)state;
	world_publish(&w, 2);
	until(wa->have == 2 && other->have == 2);
	cut(wa);
	world_publish(&w, 3);
	until(other->have == 5);
	watcher_resume(wa, &w, 2, EPOCH, 0);
	until(wa->have == 5);
	assert_string_equal(wa->trace.buf, "H2 3 4 5 ");
	assert_int_equal(w.reads, 2);
	assert_int_equal(w.rooms->stats.resumed, 1);
}

static void a_resume_that_missed_nothing_gets_a_heartbeat(void **state)
{
	struct watcher *wa = settled();

	(void)state;
	settled();
	world_publish(&w, 2);
	until(wa->have == 2);
	cut(wa);
	watcher_resume(wa, &w, 2, EPOCH, 0);
	until(wa->heartbeats);
	world_publish(&w, 1);
	until(wa->have == 3);
	assert_string_equal(wa->trace.buf, "H2 3 ");
}

static void an_empty_room_lingers_for_those_who_resume(void **state)
{
	struct watcher *wa = settled();

	(void)state;
	world_publish(&w, 2);
	until(wa->have == 2);
	cut(wa);
	world_publish(&w, 2);
	watcher_resume(wa, &w, 2, EPOCH, 0);
	until(wa->have == 4);
	assert_string_equal(wa->trace.buf, "H2 3 4 ");
	assert_int_equal(w.rooms->lingering, 0);
	assert_int_equal(w.version_reads, 1);
}

static void what_was_lost_while_the_room_lingered_is_found_at_once(void **state)
{
	struct watcher *wa;

	(void)state;
	rooms_tuning.gap_ms = 1;
	world_close(&w);
	world_open(&w, 0);
	wa = settled();
	world_publish(&w, 2);
	until(wa->have == 2);
	cut(wa);
	msg_unref(world_commit(&w, 0, false));
	watcher_resume(wa, &w, 2, EPOCH, 0);
	until(wa->have == 3);
	assert_string_equal(wa->trace.buf, "H2 S3 ");
}

static void resume_falls_back(int64_t since, const char *epoch)
{
	struct watcher *wa = settled();

	world_publish(&w, 8);
	until(wa->have == 8);
	cut(wa);
	watcher_resume(wa, &w, since, epoch, 0);
	until(wa->snapshots);
	assert_string_equal(wa->trace.buf, "S8 ");
	assert_int_equal(w.rooms->stats.resumed, 0);
}

static void a_resume_from_another_database_gets_a_snapshot(void **state)
{
	(void)state;
	resume_falls_back(8, "other");
}

static void a_resume_from_the_future_gets_a_snapshot(void **state)
{
	(void)state;
	resume_falls_back(9, EPOCH);
}

static void a_resume_from_before_the_ring_gets_a_snapshot(void **state)
{
	(void)state;
	rooms_tuning.ring_messages = 4;
	world_close(&w);
	world_open(&w, 0);
	resume_falls_back(3, EPOCH);
}

static void a_resume_at_the_edge_of_the_ring_is_granted(void **state)
{
	struct watcher *wa;

	(void)state;
	rooms_tuning.ring_messages = 4;
	world_close(&w);
	world_open(&w, 0);
	wa = settled();
	world_publish(&w, 4);
	until(wa->have == 4);
	cut(wa);
	world_publish(&w, 4);
	watcher_resume(wa, &w, 4, EPOCH, 0);
	until(wa->have == 8);
	assert_string_equal(wa->trace.buf, "H4 5 6 7 8 ");
}

static void a_resume_in_a_new_room_gets_a_snapshot(void **state)
{
	struct watcher *wa = &a[joined++];

	(void)state;
	memset(wa, 0, sizeof(*wa));
	strbuf_init(&wa->trace);
	world_publish(&w, 3);
	watcher_resume(wa, &w, 3, EPOCH, 0);
	until(wa->snapshots);
	assert_string_equal(wa->trace.buf, "S3 ");
}

static void a_room_lingers_only_so_long(void **state)
{
	(void)state;
	rooms_tuning.linger_ms = 5;
	world_close(&w);
	world_open(&w, 0);
	settled();
	cut(&a[0]);
	assert_int_equal(w.rooms->lingering, 1);
	until(!w.rooms->by_group.count);
	assert_int_equal(w.rooms->lingering, 0);
}

static void the_oldest_empty_rooms_go_first(void **state)
{
	char group[32];

	(void)state;
	rooms_tuning.lingering_max = 3;
	world_close(&w);
	world_open(&w, 0);
	for (int i = 0; i < 5; i++) {
		snprintf(group, sizeof(group), "build_job_%d", i);
		join_room(group);
		until(a[i].snapshots);
		cut(&a[i]);
	}
	assert_int_equal(w.rooms->lingering, 3);
	assert_null(room("build_job_1"));
	assert_non_null(room("build_job_2"));
}

/* ---- order */

static void repeats_are_dropped(void **state)
{
	struct watcher *wa = settled();
	struct msg *m;

	(void)state;
	m = world_commit(&w, 1, false);
	world_send(&w, BUILD, msg_ref(m));
	world_send(&w, BUILD, msg_ref(m));
	world_publish(&w, 1);
	world_send(&w, BUILD, m);
	world_publish(&w, 1);
	until(wa->have == 3);
	assert_string_equal(wa->trace.buf, "S0 1 2 3 ");
}

static void messages_out_of_order_wait_for_their_predecessors(void **state)
{
	struct watcher *wa = settled();
	struct msg *m[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		m[i] = world_commit(&w, i, false);
	world_send(&w, BUILD, msg_ref(m[3]));
	world_send(&w, BUILD, m[3]);
	world_send(&w, BUILD, m[1]);
	world_send(&w, BUILD, m[2]);
	some_turns();
	assert_string_equal(wa->trace.buf, "S0 ");
	world_send(&w, BUILD, m[0]);
	until(wa->have == 4);
	assert_string_equal(wa->trace.buf, "S0 1 2 3 4 ");
	assert_int_equal(room(BUILD)->held_count, 0);
	assert_true(list_empty(&room(BUILD)->gap));
	assert_int_equal(w.reads, 1);
}

static void a_message_that_never_comes_is_healed_by_a_snapshot(void **state)
{
	struct watcher *wa, *other;

	(void)state;
	rooms_tuning.gap_ms = 1;
	world_close(&w);
	world_open(&w, 0);
	wa = settled();
	other = settled();
	msg_unref(world_commit(&w, 0, false));
	world_publish(&w, 2);
	until(wa->have == 3 && other->have == 3);
	world_publish(&w, 1);
	until(wa->have == 4 && other->have == 4);
	assert_string_equal(wa->trace.buf, "S0 S3 4 ");
	assert_string_equal(other->trace.buf, "S0 S3 4 ");
	assert_int_equal(w.reads, 3);
}

static void too_many_out_of_order_are_not_waited_for(void **state)
{
	struct watcher *wa;

	(void)state;
	rooms_tuning.gap_ms = 1000000;
	rooms_tuning.reorder_max = 3;
	world_close(&w);
	world_open(&w, 0);
	wa = settled();
	msg_unref(world_commit(&w, 0, false));
	world_publish(&w, 3);
	some_turns();
	assert_string_equal(wa->trace.buf, "S0 ");
	world_publish(&w, 1);
	until(wa->have == 5);
	assert_string_equal(wa->trace.buf, "S0 S5 ");
}

static void a_message_without_a_version_is_applied_as_it_comes(void **state)
{
	static const char text[] = "{\"type\":\"note\",\"seq\":0}";
	struct watcher *wa = settled();

	(void)state;
	world_publish(&w, 1);
	world_send(&w, BUILD, msg_create(0, 0, false, text, strlen(text)));
	world_publish(&w, 1);
	until(wa->have == 2);
	assert_string_equal(wa->trace.buf, "S0 1 0 2 ");
}

static void a_lost_last_message_is_found_by_the_heartbeat(void **state)
{
	struct watcher *wa;

	(void)state;
	rooms_tuning.heartbeat_ms = 5;
	rooms_tuning.gap_ms = 1;
	world_close(&w);
	world_open(&w, 0);
	wa = settled();
	world_publish(&w, 1);
	msg_unref(world_commit(&w, 0, false));
	until(wa->have == 2);
	assert_int_equal(wa->snapshots, 2);
}

static void a_build_that_is_gone_at_the_heartbeat_is_4404(void **state)
{
	struct watcher *wa;

	(void)state;
	rooms_tuning.heartbeat_ms = 5;
	world_close(&w);
	world_open(&w, 0);
	wa = settled();
	w.status = -ENOENT;
	until(wa->peer.gone);
	assert_int_equal(wa->peer.closed, 4404);
}

/* The message of what one viewer's snapshot held is still under way when it joins: the others get it, that one does not. */
static void a_snapshot_ahead_of_the_messages_makes_no_gap_for_anybody(void **state)
{
	struct watcher *wa = settled(), *late;
	struct msg *m;

	(void)state;
	world_publish(&w, 1);
	until(wa->have == 1);
	m = world_commit(&w, 2, false);
	late = settled();
	world_send(&w, BUILD, m);
	world_publish(&w, 1);
	until(wa->have == 3 && late->have == 3);
	assert_string_equal(wa->trace.buf, "S0 1 2 3 ");
	assert_string_equal(late->trace.buf, "S2 3 ");
	assert_true(list_empty(&room(BUILD)->gap));
}

static void what_a_snapshot_has_and_nobody_was_sent_is_healed(void **state)
{
	struct watcher *wa, *late;

	(void)state;
	rooms_tuning.gap_ms = 1;
	world_close(&w);
	world_open(&w, 0);
	wa = settled();
	world_publish(&w, 1);
	until(wa->have == 1);
	msg_unref(world_commit(&w, 2, false));
	late = settled();
	until(wa->have == 2);
	world_publish(&w, 1);
	until(wa->have == 3 && late->have == 3);
	assert_string_equal(wa->trace.buf, "S0 1 S2 3 ");
	assert_string_equal(late->trace.buf, "S2 3 ");
}

static void a_database_that_went_back_decides(void **state)
{
	struct watcher *wa = settled(), *late;

	(void)state;
	world_publish(&w, 5);
	until(wa->have == 5);
	w.seq = 2;
	wa->have = -1; /* this once a step back is right */
	late = settled();
	until(wa->have == 2 && late->have == 2);
	world_publish(&w, 1);
	until(wa->have == 3 && late->have == 3);
	assert_string_equal(wa->trace.buf, "S0 1 2 3 4 5 S2 3 ");
}

static void a_message_that_does_not_carry_its_change_is_a_snapshot(void **state)
{
	struct watcher *wa = settled(), *late;
	struct msg *m;

	(void)state;
	world_publish(&w, 1);
	until(wa->have == 1);
	m = world_commit_resync(&w);
	late = settled();
	world_send(&w, BUILD, m);
	world_publish(&w, 1);
	until(wa->have == 3 && late->have == 3);
	assert_string_equal(wa->trace.buf, "S0 1 S3 ");
	assert_string_equal(late->trace.buf, "S2 3 ");
}

/* ---- heartbeats */

static void heartbeats_come_to_those_who_have_all(void **state)
{
	struct watcher *wa;

	(void)state;
	rooms_tuning.heartbeat_ms = 3;
	world_close(&w);
	world_open(&w, 0);
	world_publish(&w, 2);
	wa = settled();
	until(wa->heartbeats >= 2);
	assert_string_equal(wa->trace.buf, "S2 H2 H2 ");
	assert_true(w.version_reads >= 1);
	assert_int_equal(w.reads, 1);
}

static void a_heartbeat_of_the_list_has_no_seq(void **state)
{
	struct watcher *wa;

	(void)state;
	rooms_tuning.heartbeat_ms = 3;
	world_close(&w);
	world_open(&w, 0);
	world_send(&w, LIST, world_commit_list(&w, 1, 0));
	wa = join_room(LIST);
	until(wa->heartbeats >= 2);
	assert_string_equal(wa->trace.buf, "A H0 H0 ");
}

/* ---- the list: many keys */

static void the_list_keeps_order_by_build_and_sees_no_gaps(void **state)
{
	struct watcher *wa = join_room(LIST);
	struct msg *old, *new;

	(void)state;
	until(wa->snapshots);
	world_send(&w, LIST, world_commit_list(&w, 1, 0));
	world_send(&w, LIST, world_commit_list(&w, 2, 6));
	old = world_commit_list(&w, 1, 3);
	new = world_commit_list(&w, 1, 3);
	world_send(&w, LIST, new);
	world_send(&w, LIST, old);
	until(wa->messages == 3);
	some_turns();
	assert_string_equal(wa->trace.buf, "A B1:1 B2:7 B1:9 ");
	watcher_current(wa);
}

static void a_lost_message_of_the_list_is_found_by_the_heartbeat(void **state)
{
	struct watcher *wa;
	int snapshots;

	(void)state;
	rooms_tuning.heartbeat_ms = 5;
	rooms_tuning.gap_ms = 1;
	world_close(&w);
	world_open(&w, 0);
	wa = join_room(LIST);
	until(wa->snapshots);
	msg_unref(world_commit_list(&w, 3, 0));
	until(wa->have_of[3] == 1);
	snapshots = wa->snapshots;
	/* Once: the room knows of it then. */
	wa->heartbeats = 0;
	until(wa->heartbeats > 2);
	assert_int_equal(wa->snapshots, snapshots);
}

static void a_list_that_was_joined_later_has_no_repeats(void **state)
{
	struct watcher *wa = join_room(LIST), *late;
	struct msg *m;

	(void)state;
	until(wa->snapshots);
	world_send(&w, LIST, world_commit_list(&w, 1, 0));
	m = world_commit_list(&w, 2, 0);
	late = join_room(LIST);
	until(late->snapshots);
	world_send(&w, LIST, m);
	world_send(&w, LIST, world_commit_list(&w, 1, 0));
	until(wa->messages == 3 && late->messages == 1);
	assert_string_equal(late->trace.buf, "A B1:2 ");
}

/* ---- slow viewers */

static struct watcher *stalled_viewer(void)
{
	struct watcher *wa = settled();

	wa->peer.stalled = true;
	return wa;
}

static void who_falls_out_of_the_ring_finishes_its_frame_and_gets_a_snapshot(void **state)
{
	struct watcher *slow, *quick;

	(void)state;
	rooms_tuning.ring_bytes = 100000;
	world_close(&w);
	world_open(&w, 8192);
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
	world_close(&w);
	world_open(&w, 8192);
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
	world_close(&w);
	world_open(&w, 8192);
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
	world_close(&w);
	world_open(&w, 0);
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
	world_close(&w);
	world_open(&w, 0);
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
	world_close(&w);
	world_open(&w, 8192);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_viewer_gets_a_snapshot_and_then_what_follows),
		TEST(one_read_serves_all_who_wait),
		TEST(what_a_snapshot_holds_is_not_sent_again),
		TEST(a_snapshot_whose_successor_is_lost_is_read_again),
		TEST(a_snapshot_before_a_hole_is_read_again),
		TEST(what_does_not_exist_is_4404_and_leaves_no_room),
		TEST(a_read_that_fails_is_1011),
		TEST(rooms_are_apart),
		TEST(a_resume_gets_a_heartbeat_and_what_it_missed),
		TEST(a_resume_that_missed_nothing_gets_a_heartbeat),
		TEST(an_empty_room_lingers_for_those_who_resume),
		TEST(what_was_lost_while_the_room_lingered_is_found_at_once),
		TEST(a_resume_from_another_database_gets_a_snapshot),
		TEST(a_resume_from_the_future_gets_a_snapshot),
		TEST(a_resume_from_before_the_ring_gets_a_snapshot),
		TEST(a_resume_at_the_edge_of_the_ring_is_granted),
		TEST(a_resume_in_a_new_room_gets_a_snapshot),
		TEST(a_room_lingers_only_so_long),
		TEST(the_oldest_empty_rooms_go_first),
		TEST(repeats_are_dropped),
		TEST(messages_out_of_order_wait_for_their_predecessors),
		TEST(a_message_that_never_comes_is_healed_by_a_snapshot),
		TEST(too_many_out_of_order_are_not_waited_for),
		TEST(a_message_without_a_version_is_applied_as_it_comes),
		TEST(a_lost_last_message_is_found_by_the_heartbeat),
		TEST(a_build_that_is_gone_at_the_heartbeat_is_4404),
		TEST(a_snapshot_ahead_of_the_messages_makes_no_gap_for_anybody),
		TEST(what_a_snapshot_has_and_nobody_was_sent_is_healed),
		TEST(a_database_that_went_back_decides),
		TEST(a_message_that_does_not_carry_its_change_is_a_snapshot),
		TEST(heartbeats_come_to_those_who_have_all),
		TEST(a_heartbeat_of_the_list_has_no_seq),
		TEST(the_list_keeps_order_by_build_and_sees_no_gaps),
		TEST(a_lost_message_of_the_list_is_found_by_the_heartbeat),
		TEST(a_list_that_was_joined_later_has_no_repeats),
		TEST(who_falls_out_of_the_ring_finishes_its_frame_and_gets_a_snapshot),
		TEST(who_stalls_is_dropped_and_the_others_go_on),
		TEST(live_snapshots_are_few),
		TEST(a_snapshot_whose_successors_are_all_held_serves_again),
		TEST(the_last_message_closes_with_1000),
		TEST(a_finished_build_is_a_snapshot_and_1000),
		TEST(a_resume_into_a_finished_build_ends_with_1000),
		TEST(a_lost_last_message_of_a_build_still_closes),
		TEST(a_room_learns_that_nothing_follows),
		TEST(a_last_heartbeat_says_what_was_sent),
		TEST(a_drain_sends_everybody_away_with_a_time_to_come_back),
		TEST(a_drain_of_nobody_is_done),
		TEST(a_drain_does_not_wait_for_who_is_stuck),
		TEST(rooms_can_go_while_viewers_and_reads_are_there),
		TEST(a_viewer_costs_little),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
