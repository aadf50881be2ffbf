// SPDX-License-Identifier: MIT
#include "crowd.h"

#include <stdio.h>

/* ---- joining */

static void a_viewer_gets_a_snapshot_and_then_what_follows(void **state)
{
	struct watcher *wa;

	(void)state;
	world_publish(&w, 3);
	wa = settled();
	world_publish(&w, 2);
	expect_trace(wa, 5, "S3 4 5 ");
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
	expect_trace(wa, 6, "S4 5 6 ");
	assert_int_equal(w.reads, 1);
}

static void a_snapshot_whose_successor_is_lost_is_read_again(void **state)
{
	struct watcher *wa;

	(void)state;
	rooms_tuning.ring_messages = 4;
	reopen_world(0);
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
	expect_trace(wa, 13, "S13 ");
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
	expect_trace(wa, 4, "S4 ");
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
	expect_trace(wa, 3, "S0 1 2 3 ");
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
	expect_trace(wa, 4, "S0 1 2 3 4 ");
	assert_int_equal(room(BUILD)->held_count, 0);
	assert_true(list_empty(&room(BUILD)->gap));
	assert_int_equal(w.reads, 1);
}

static void a_message_that_never_comes_is_healed_by_a_snapshot(void **state)
{
	struct watcher *wa, *other;

	(void)state;
	rooms_tuning.gap_ms = 1;
	reopen_world(0);
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
	reopen_world(0);
	wa = settled();
	msg_unref(world_commit(&w, 0, false));
	world_publish(&w, 3);
	some_turns();
	assert_string_equal(wa->trace.buf, "S0 ");
	world_publish(&w, 1);
	expect_trace(wa, 5, "S0 S5 ");
}

static void a_message_without_a_version_is_applied_as_it_comes(void **state)
{
	static const char text[] = "{\"type\":\"note\",\"seq\":0}";
	struct watcher *wa = settled();

	(void)state;
	world_publish(&w, 1);
	world_send(&w, BUILD, msg_create(0, 0, false, text, strlen(text)));
	world_publish(&w, 1);
	expect_trace(wa, 2, "S0 1 0 2 ");
}

static void a_lost_last_message_is_found_by_the_heartbeat(void **state)
{
	struct watcher *wa;

	(void)state;
	rooms_tuning.heartbeat_ms = 5;
	rooms_tuning.gap_ms = 1;
	reopen_world(0);
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
	reopen_world(0);
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
	reopen_world(0);
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
	reopen_world(0);
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
	reopen_world(0);
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
	reopen_world(0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		CROWD_TEST(a_viewer_gets_a_snapshot_and_then_what_follows),
		CROWD_TEST(one_read_serves_all_who_wait),
		CROWD_TEST(what_a_snapshot_holds_is_not_sent_again),
		CROWD_TEST(a_snapshot_whose_successor_is_lost_is_read_again),
		CROWD_TEST(a_snapshot_before_a_hole_is_read_again),
		CROWD_TEST(what_does_not_exist_is_4404_and_leaves_no_room),
		CROWD_TEST(a_read_that_fails_is_1011),
		CROWD_TEST(rooms_are_apart),
		CROWD_TEST(repeats_are_dropped),
		CROWD_TEST(messages_out_of_order_wait_for_their_predecessors),
		CROWD_TEST(a_message_that_never_comes_is_healed_by_a_snapshot),
		CROWD_TEST(too_many_out_of_order_are_not_waited_for),
		CROWD_TEST(a_message_without_a_version_is_applied_as_it_comes),
		CROWD_TEST(a_lost_last_message_is_found_by_the_heartbeat),
		CROWD_TEST(a_build_that_is_gone_at_the_heartbeat_is_4404),
		CROWD_TEST(a_snapshot_ahead_of_the_messages_makes_no_gap_for_anybody),
		CROWD_TEST(what_a_snapshot_has_and_nobody_was_sent_is_healed),
		CROWD_TEST(a_database_that_went_back_decides),
		CROWD_TEST(a_message_that_does_not_carry_its_change_is_a_snapshot),
		CROWD_TEST(heartbeats_come_to_those_who_have_all),
		CROWD_TEST(a_heartbeat_of_the_list_has_no_seq),
		CROWD_TEST(the_list_keeps_order_by_build_and_sees_no_gaps),
		CROWD_TEST(a_lost_message_of_the_list_is_found_by_the_heartbeat),
		CROWD_TEST(a_list_that_was_joined_later_has_no_repeats),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
