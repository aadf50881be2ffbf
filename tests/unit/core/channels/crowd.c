// SPDX-License-Identifier: MIT
#include "crowd.h"

#include "core/ws/ws_internal.h"

struct world w;
struct watcher a[8];
size_t joined;
static struct rooms_tuning real;
static struct ws_tuning real_ws;

int open_world(void **state)
{
	(void)state;
	real = rooms_tuning;
	real_ws = ws_tuning;
	joined = 0;
	world_open(&w, 8192);
	return 0;
}

int close_world(void **state)
{
	(void)state;
	for (size_t i = 0; i < joined; i++)
		watcher_leave(&a[i], false);
	world_close(&w);
	rooms_tuning = real;
	ws_tuning = real_ws;
	return 0;
}

void reopen_world(int sndbuf)
{
	world_close(&w);
	world_open(&w, sndbuf);
}

struct watcher *join_room(const char *group)
{
	watcher_join(&a[joined], &w, group, 4096);
	return &a[joined++];
}

struct room *room(const char *group)
{
	return map_get(&w.rooms->by_group, group);
}

size_t viewers(void)
{
	return w.rooms->stats.viewers;
}

struct watcher *settled(void)
{
	struct watcher *wa = join_room(BUILD);

	world_until(&w, a, joined, wa->snapshots);
	return wa;
}

void cut(struct watcher *wa)
{
	size_t left = viewers() - 1;

	peer_end(&wa->peer, true);
	world_until(&w, a, joined, viewers() == left);
}

void until_read_is_open(void)
{
	world_until(&w, a, joined, !list_empty(&w.questions));
}

void some_turns(void)
{
	for (int i = 0; i < 5; i++) {
		world_turn(&w);
		for (size_t k = 0; k < joined; k++)
			peer_read(&a[k].peer, SIZE_MAX);
	}
}

struct watcher *stalled_viewer(void)
{
	struct watcher *wa = settled();

	wa->peer.stalled = true;
	return wa;
}
