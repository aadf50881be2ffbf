// SPDX-License-Identifier: MIT
//
// Random histories of rooms: commits, messages lost and out of order, bursts that turn the ring over, reads that see the
// database early and answer late, watchers that join, are cut, resume, stall and leave, builds that end, drains. Each
// watcher checks each message against the database (world.c); in the end all must show what it holds.
//
// REQPM_SEED=n replays one history, REQPM_HISTORIES=n runs more of them.
#include "world.h"

#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include "core/base/log.h"
#include "core/ws/ws_internal.h"

#define WATCHERS 7
#define UNDER_WAY 256
#define HISTORIES 300

static struct {
	uint64_t resumed, snapshots, slow, finals, drains, messages, removals;
} total;

struct history {
	struct world w;
	struct watcher watchers[WATCHERS];
	bool here[WATCHERS]; /* has a connection */
	bool was[WATCHERS]; /* has been here, and may resume */
	struct msg *under_way[UNDER_WAY]; /* committed, not delivered yet */
	size_t under_way_count;
	unsigned loss, disorder; /* percent */
	unsigned crowd; /* how many of the watchers come */
	bool ended;
	/* Of the list: what said that the build is gone was lost, and who shows it goes on to. */
	bool removal_lost[LISTED];
};

static uint64_t seed, rng;
static bool finished;

static unsigned chance(unsigned n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (unsigned)((rng >> 16) % n);
}

static bool percent(unsigned n)
{
	return chance(100) < n;
}

static size_t pick(size_t least, size_t most)
{
	return least + chance((unsigned)(most - least + 1));
}

/* ---- messages */

static void deliver_first(struct history *h)
{
	struct msg *m = h->under_way[0];

	memmove(h->under_way, h->under_way + 1, --h->under_way_count * sizeof(m));
	if (!percent(h->loss)) {
		world_send(&h->w, m->key ? LIST : BUILD, m);
		return;
	}
	if (strstr(m->text, "list_removed"))
		h->removal_lost[m->key - 1] = true;
	msg_unref(m);
}

static void send_later(struct history *h, struct msg *m)
{
	size_t n;

	if (h->under_way_count == UNDER_WAY)
		deliver_first(h);
	n = h->under_way_count++;
	h->under_way[n] = m;
	for (; n && percent(h->disorder); n--) {
		h->under_way[n] = h->under_way[n - 1];
		h->under_way[n - 1] = m;
	}
}

/* Half of the time of a few, so that they change often before they go. */
static void commit_list(struct history *h)
{
	int build = (int)chance(percent(50) ? 3 : LISTED), skipped = (int)chance(3);

	if (h->w.removed[build])
		return;
	if (h->w.list[build].seq && percent(15)) {
		total.removals++;
		send_later(h, world_commit_removal(&h->w, build, skipped));
	} else {
		send_later(h, world_commit_list(&h->w, build, skipped));
	}
}

static void commit(struct history *h)
{
	if (!h->ended)
		send_later(h, percent(3) ? world_commit_resync(&h->w)
					 : world_commit(&h->w, (int)chance(ITEMS), false));
	if (percent(30))
		commit_list(h);
}

static void burst(struct history *h)
{
	size_t pad = h->w.pad;

	h->w.pad = percent(50) ? pick(0, 3000) : pad;
	for (size_t n = pick(5, 80); n; n--)
		commit(h);
	h->w.pad = pad;
	while (percent(80) && h->under_way_count)
		deliver_first(h);
}

static void finish_build(struct history *h)
{
	if (h->ended)
		return;
	h->ended = true;
	send_later(h, world_commit(&h->w, 0, true));
}

/* ---- watchers */

/* The last ones watch the list. */
static bool of_list(size_t i)
{
	return i >= WATCHERS - 2;
}

static void come(struct history *h, size_t i)
{
	struct watcher *wa = &h->watchers[i];
	int rcvbuf = percent(70) ? 4096 : 0;

	h->here[i] = true;
	if (of_list(i) || !h->was[i] || percent(20)) {
		if (h->was[i])
			strbuf_finish(&wa->trace);
		watcher_join(wa, &h->w, of_list(i) ? LIST : BUILD, rcvbuf);
	} else {
		watcher_resume(wa, &h->w, wa->have, percent(90) ? EPOCH : "other", rcvbuf);
	}
	h->was[i] = true;
}

static void go(struct history *h, size_t i, bool reset)
{
	peer_end(&h->watchers[i].peer, reset);
	h->here[i] = false;
}

static void check_watcher(struct history *h, size_t i)
{
	const struct watcher *wa = &h->watchers[i];

	if (wa->peer.fault)
		fail_msg("a frame is broken: %d", wa->peer.fault);
	if (wa->peer.closed == 1000 && !wa->final && wa->have != h->w.seq)
		fail_msg("closed as finished too early: %s", wa->trace.buf);
	if (wa->peer.closed && wa->peer.closed != 1000 && wa->peer.closed != 1012 &&
		wa->peer.closed != 1013)
		fail_msg("closed with %d: %s", wa->peer.closed, wa->trace.buf);
}

static void read_watcher(struct history *h, size_t i, size_t max)
{
	peer_read(&h->watchers[i].peer, max);
	check_watcher(h, i);
	if (h->watchers[i].peer.gone)
		go(h, i, false);
}

static void touch_watcher(struct history *h, size_t i)
{
	struct watcher *wa = &h->watchers[i];

	if (!h->here[i])
		come(h, i);
	else if (percent(15))
		go(h, i, percent(50));
	else if (percent(wa->peer.stalled ? 50 : 10))
		wa->peer.stalled = !wa->peer.stalled;
	else if (percent(10))
		peer_send(&wa->peer, WS_PING, "?", 1);
	else
		read_watcher(h, i, percent(50) ? SIZE_MAX : pick(1, 5000));
}

/* ---- one history */

static void check_bounds(struct history *h)
{
	const struct rooms *rooms = h->w.rooms;
	struct map_slot *slot;

	map_for_each (slot, &rooms->by_group) {
		const struct room *room = slot->value;
		const struct ring *ring = &room->ring;

		assert_true(ring->end - ring->first <= rooms->tuning.ring_messages);
		assert_true(
			ring->bytes <= rooms->tuning.ring_bytes || ring->end - ring->first == 1);
		assert_true(room->snapshot_count <= ROOM_SNAPSHOTS_MAX);
		assert_true(room->held_count <= rooms->tuning.reorder_max);
	}
}

static void step(struct history *h)
{
	switch (chance(16)) {
	case 0:
	case 1:
	case 2:
		commit(h);
		break;
	case 3:
	case 4:
	case 5:
		for (size_t n = pick(1, 4); n && h->under_way_count; n--)
			deliver_first(h);
		break;
	case 6:
		if (percent(25))
			burst(h);
		break;
	case 7:
		world_see(&h->w);
		break;
	case 8:
		world_answer(&h->w);
		break;
	case 9:
	case 10:
		for (size_t n = pick(1, 4); n; n--)
			world_turn(&h->w);
		break;
	case 11:
		if (percent(1))
			finish_build(h);
		break;
	default:
		touch_watcher(h, chance(h->crowd));
	}
	check_bounds(h);
}

static void open_history(struct history *h)
{
	memset(h, 0, sizeof(*h));
	rooms_tuning.ring_messages = percent(50) ? pick(1, 20) : pick(20, 500);
	rooms_tuning.ring_bytes = percent(50) ? pick(500, 60000) : 1000000;
	rooms_tuning.reorder_max = pick(1, 8);
	rooms_tuning.gap_ms = pick(1, 3);
	rooms_tuning.heartbeat_ms = pick(2, 10);
	rooms_tuning.linger_ms = percent(30) ? pick(1, 5) : 60000;
	rooms_tuning.lingering_max = percent(20) ? 0 : ROOMS_LINGERING_MAX;
	rooms_tuning.drain_ms = 5;
	ws_tuning.stall_ms = percent(30) ? pick(2, 10) : WS_STALL_MS;
	ws_tuning.ping_ms = percent(30) ? pick(2, 10) : WS_PING_MS;
	ws_tuning.tick_ms = 1;
	world_open(&h->w, percent(80) ? 8192 : 0);
	h->w.prompt = percent(40);
	h->w.pad = percent(50) ? 0 : pick(0, 2000);
	h->w.snapshot_pad = percent(70) ? 0 : pick(0, 60000);
	h->crowd = percent(30) ? 1 : WATCHERS;
	h->loss = percent(50) ? 0 : percent(20) ? 100 : (unsigned)pick(1, 20);
	h->disorder = percent(50) ? 0 : (unsigned)pick(1, 40);
}

/* Does watcher i show the whole truth? */
static bool current(struct history *h, size_t i)
{
	const struct watcher *wa = &h->watchers[i];

	for (int k = 0; of_list(i) && k < LISTED; k++) {
		if (!watcher_has_listed(wa, k) && !h->removal_lost[k])
			return false;
	}
	if (of_list(i))
		return wa->snapshots;
	return wa->have == h->w.seq && (!h->ended || wa->peer.closed == 1000);
}

/* Quiet comes: everybody is here again and reads, and must see the database's state, whatever was lost. */
static void settle(struct history *h)
{
	int64_t give_up = clock_monotonic_ms() + 20000;
	size_t agree = 0;

	h->w.prompt = true;
	while (h->under_way_count)
		deliver_first(h);
	while (agree < WATCHERS) {
		world_turn(&h->w);
		agree = 0;
		for (size_t i = 0; i < WATCHERS; i++) {
			h->watchers[i].peer.stalled = false;
			if (!h->here[i] && !(h->was[i] && current(h, i)))
				come(h, i);
			if (h->here[i])
				read_watcher(h, i, SIZE_MAX);
			agree += current(h, i);
		}
		check_bounds(h);
		for (size_t i = 0; clock_monotonic_ms() > give_up && i < WATCHERS; i++) {
			if (!current(h, i))
				fail_msg("watcher %zu never saw the end (database at %lld): %s", i,
					(long long)h->w.seq, h->watchers[i].trace.buf);
		}
	}
}

static void count_up(void *arg)
{
	++*(int *)arg;
}

static void drain(struct history *h)
{
	int done = 0;

	rooms_drain(h->w.rooms, count_up, &done);
	while (!done) {
		world_turn(&h->w);
		for (size_t i = 0; i < WATCHERS; i++) {
			if (h->here[i])
				read_watcher(h, i, SIZE_MAX);
		}
	}
	total.drains++;
}

static void close_history(struct history *h)
{
	struct rooms_stats stats;

	rooms_stats(h->w.rooms, &stats);
	total.resumed += stats.resumed;
	total.snapshots += stats.snapshots_sent;
	total.slow += stats.slow_dropped;
	total.messages += stats.delivered;
	total.finals += h->ended;
	while (h->under_way_count)
		msg_unref(h->under_way[--h->under_way_count]);
	for (size_t i = 0; i < WATCHERS; i++) {
		if (h->here[i])
			go(h, i, false);
		strbuf_finish(&h->watchers[i].trace);
	}
	world_close(&h->w);
}

static void run_history(void)
{
	static struct history h;

	open_history(&h);
	for (size_t n = pick(50, 400); n; n--)
		step(&h);
	if (percent(15))
		drain(&h);
	else if (percent(20))
		finish_build(&h);
	if (!h.w.rooms->draining)
		settle(&h);
	close_history(&h);
}

static void every_watcher_sees_every_history_whole(void **state)
{
	const char *one = getenv("REQPM_SEED"), *many = getenv("REQPM_HISTORIES");
	uint64_t first = one ? strtoull(one, NULL, 10) : random_u64() >> 24;
	int count = one ? 1 : many ? atoi(many) : HISTORIES;

	(void)state;
	for (int i = 0; i < count; i++) {
		seed = first + (uint64_t)i;
		rng = (seed + 1) * 0x9e3779b97f4a7c15u;
		run_history();
	}
	finished = true;
	print_message("%d histories: %llu messages, %llu snapshots, %llu resumed, %llu slow, %llu "
		      "ended, %llu drained, %llu removed\n",
		count, (unsigned long long)total.messages, (unsigned long long)total.snapshots,
		(unsigned long long)total.resumed, (unsigned long long)total.slow,
		(unsigned long long)total.finals, (unsigned long long)total.drains,
		(unsigned long long)total.removals);
	if (count >= HISTORIES)
		assert_true(total.resumed && total.snapshots && total.slow && total.finals &&
			    total.drains && total.removals);
}

static int say_seed(void **state)
{
	(void)state;
	if (!finished)
		print_error("REQPM_SEED=%llu replays it\n", (unsigned long long)seed);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_watcher_sees_every_history_whole, say_seed),
	};

	log_threshold(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
