// SPDX-License-Identifier: MIT
#include "crowd.h"

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
	expect_trace(wa, 5, "H2 3 4 5 ");
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
	expect_trace(wa, 3, "H2 3 ");
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
	expect_trace(wa, 4, "H2 3 4 ");
	assert_int_equal(w.rooms->lingering, 0);
	assert_int_equal(w.version_reads, 1);
}

static void what_was_lost_while_the_room_lingered_is_found_at_once(void **state)
{
	struct watcher *wa;

	(void)state;
	rooms_tuning.gap_ms = 1;
	reopen_world(0);
	wa = settled();
	world_publish(&w, 2);
	until(wa->have == 2);
	cut(wa);
	msg_unref(world_commit(&w, 0, false));
	watcher_resume(wa, &w, 2, EPOCH, 0);
	expect_trace(wa, 3, "H2 S3 ");
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
	reopen_world(0);
	resume_falls_back(3, EPOCH);
}

static void a_resume_at_the_edge_of_the_ring_is_granted(void **state)
{
	struct watcher *wa;

	(void)state;
	rooms_tuning.ring_messages = 4;
	reopen_world(0);
	wa = settled();
	world_publish(&w, 4);
	until(wa->have == 4);
	cut(wa);
	world_publish(&w, 4);
	watcher_resume(wa, &w, 4, EPOCH, 0);
	expect_trace(wa, 8, "H4 5 6 7 8 ");
}

/* A watcher that had seq of a build whose room has heard nothing: the server was started again. */
static struct watcher *back_after_restart(int64_t since)
{
	struct watcher *wa = &a[joined++];

	memset(wa, 0, sizeof(*wa));
	strbuf_init(&wa->trace);
	wa->have = since;
	wa->world = &w;
	memcpy(wa->items, w.past[since].items, sizeof(wa->items));
	watcher_resume(wa, &w, since, EPOCH, 0);
	return wa;
}

static void a_resume_in_a_new_room_that_missed_nothing_gets_a_heartbeat(void **state)
{
	struct watcher *wa, *other;

	(void)state;
	world_publish(&w, 3);
	wa = back_after_restart(3);
	other = back_after_restart(3);
	until(wa->heartbeats && other->heartbeats);
	world_publish(&w, 1);
	expect_trace(wa, 4, "H3 4 ");
	expect_trace(other, 4, "H3 4 ");
	assert_int_equal(w.reads, 0);
	assert_int_equal(w.version_reads, 1);
	assert_int_equal(w.rooms->stats.resumed, 2);
}

static void a_resume_in_a_new_room_that_missed_something_gets_a_snapshot(void **state)
{
	struct watcher *wa;

	(void)state;
	world_publish(&w, 3);
	wa = back_after_restart(2);
	expect_trace(wa, 3, "S3 ");
	assert_int_equal(w.rooms->stats.resumed, 0);
}

/* What is committed after the versions were read comes as a message, be it before their answer or after. */
static void a_resume_in_a_new_room_misses_no_message_of_that_time(void **state)
{
	struct watcher *wa;
	struct msg *late;

	(void)state;
	w.prompt = false;
	world_publish(&w, 3);
	wa = back_after_restart(3);
	until(w.version_reads);
	world_see(&w);
	world_publish(&w, 1);
	late = world_commit(&w, 0, false);
	world_turn(&w);
	world_answer(&w);
	world_send(&w, BUILD, late);
	expect_trace(wa, 5, "H3 4 5 ");
	assert_int_equal(w.reads, 0);
}

/* The versions have what a message says that is still on its way: it is not sent to who got it in his snapshot. */
static void a_new_room_takes_no_message_that_its_versions_have(void **state)
{
	struct watcher *wa;
	struct msg *late;

	(void)state;
	w.prompt = false;
	world_publish(&w, 3);
	wa = back_after_restart(3);
	until(w.version_reads);
	late = world_commit(&w, 0, false);
	world_answer(&w);
	until(w.reads);
	world_answer(&w);
	world_send(&w, BUILD, late);
	world_publish(&w, 1);
	expect_trace(wa, 5, "S4 5 ");
}

static void a_resume_in_a_new_room_waits_for_a_snapshot_that_is_being_read(void **state)
{
	struct watcher *fresh = &a[joined++], *wa;

	(void)state;
	w.prompt = false;
	world_publish(&w, 3);
	watcher_join(fresh, &w, BUILD, 0);
	until(w.reads);
	wa = back_after_restart(3);
	for (int i = 0; i < 20; i++)
		world_turn(&w);
	assert_int_equal(w.version_reads, 0);
	world_answer(&w);
	expect_trace(fresh, 3, "S3 ");
	expect_trace(wa, 3, "S3 ");
}

static void a_resume_of_what_is_gone_is_closed_4404(void **state)
{
	struct watcher *wa;

	(void)state;
	world_publish(&w, 3);
	w.status = -ENOENT;
	wa = back_after_restart(3);
	until(wa->peer.closed);
	assert_int_equal(wa->peer.closed, WS_CLOSE_NOT_FOUND);
}

static void a_room_lingers_only_so_long(void **state)
{
	(void)state;
	rooms_tuning.linger_ms = 5;
	reopen_world(0);
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
	reopen_world(0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		CROWD_TEST(a_resume_gets_a_heartbeat_and_what_it_missed),
		CROWD_TEST(a_resume_that_missed_nothing_gets_a_heartbeat),
		CROWD_TEST(an_empty_room_lingers_for_those_who_resume),
		CROWD_TEST(what_was_lost_while_the_room_lingered_is_found_at_once),
		CROWD_TEST(a_resume_from_another_database_gets_a_snapshot),
		CROWD_TEST(a_resume_from_the_future_gets_a_snapshot),
		CROWD_TEST(a_resume_from_before_the_ring_gets_a_snapshot),
		CROWD_TEST(a_resume_at_the_edge_of_the_ring_is_granted),
		CROWD_TEST(a_resume_in_a_new_room_that_missed_nothing_gets_a_heartbeat),
		CROWD_TEST(a_resume_in_a_new_room_that_missed_something_gets_a_snapshot),
		CROWD_TEST(a_resume_in_a_new_room_misses_no_message_of_that_time),
		CROWD_TEST(a_new_room_takes_no_message_that_its_versions_have),
		CROWD_TEST(a_resume_in_a_new_room_waits_for_a_snapshot_that_is_being_read),
		CROWD_TEST(a_resume_of_what_is_gone_is_closed_4404),
		CROWD_TEST(a_room_lingers_only_so_long),
		CROWD_TEST(the_oldest_empty_rooms_go_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
