/* SPDX-License-Identifier: MIT
 *
 * Test's own: rooms on a loopback server, a database in memory behind them, and watchers that check each message they get
 * against what the database held at that seq. A test says when a read sees the database and when it is answered, and which
 * messages of a commit arrive, so that every order of events can be had without waiting.
 */
#ifndef REQPM_TEST_WORLD_H
#define REQPM_TEST_WORLD_H

#include "../ws/peer.h"
#include "core/channels/rooms_internal.h"

#define ITEMS 6 /* of a build */
#define LISTED 12 /* builds of the list; not all of them are there at once */
#define BUILD "build_job_1"
#define LIST "build_list"
#define EPOCH "k3Jd"

struct state {
	int64_t seq;
	int items[ITEMS];
};

struct question { /* a read of the source that is not answered yet */
	struct list link;
	char *group;
	bool versions_only, seen;
	struct room_snapshot answer; /* once seen */
	room_snapshot_fn *done;
	void *read;
};

struct world {
	struct stage stage;
	struct layer *layer;
	struct rooms *rooms;
	struct list questions;
	bool prompt; /* each turn answers all questions */
	int status; /* of the next answers */
	struct state *past; /* of the build: past[seq] */
	int64_t seq;
	size_t past_cap;
	bool final;
	struct state
		list[LISTED]; /* of the list: items[0] is the build's value; seq 0: not made yet */
	bool removed[LISTED];
	size_t pad, snapshot_pad; /* bytes that make messages big */
	size_t reads, version_reads;
};
void world_open(struct world *w, int sndbuf);
void world_close(struct world *w);
void world_turn(struct world *w); /* one of the loop; answers questions if prompt */
void world_see(struct world *w); /* open questions see the database as it is now */
void world_answer(
	struct world *w); /* those that have seen it are answered, the others see it and are too */

/* A commit: changes the database and returns the message, which the test sends, keeps, loses. */
struct msg *world_commit(struct world *w, int item, bool final);
struct msg *world_commit_resync(
	struct world *w); /* changes all items, and its message carries one */
struct msg *world_commit_list(
	struct world *w, int build, int skipped); /* skipped: seqs that the list is not told */
/* The build leaves the list and never comes back. */
struct msg *world_commit_removal(struct world *w, int build, int skipped);
void world_send(struct world *w, const char *group, struct msg *take_m);
void world_publish(struct world *w, int commits); /* commits to the build and sends */

struct watcher {
	struct peer peer;
	struct world *world;
	bool list;
	int64_t have; /* -1: nothing */
	int64_t have_of[LISTED], value_of[LISTED]; /* of the list's builds */
	bool shows[LISTED], removed[LISTED]; /* likewise: is in its list, was told to be gone */
	int items[ITEMS];
	bool final; /* the last message came */
	struct strbuf
		trace; /* "S3 4 5 H5 ": snapshot, messages, heartbeat; R: with retry_ms; A: snapshot of the list; B2:7, X2:8: a build of
			  it, gone */
	int snapshots, messages, heartbeats;
	int64_t retry_ms;
};
void watcher_join(struct watcher *wa, struct world *w, const char *group, int rcvbuf);
void watcher_resume(
	struct watcher *wa, struct world *w, int64_t since, const char *epoch, int rcvbuf);
void watcher_leave(struct watcher *wa, bool reset);
/* Is this build in its list as the database has it? */
bool watcher_has_listed(const struct watcher *wa, int build);
void watcher_current(const struct watcher *wa); /* fails unless it shows what the database holds */

/* Turns until condition holds, reading all watchers. */
#define world_until(w, watchers, count, condition)                                                 \
	do {                                                                                       \
		int64_t give_up = clock_monotonic_ms() + 20000;                                    \
		while (!(condition)) {                                                             \
			world_turn(w);                                                             \
			for (size_t watcher_i = 0; watcher_i < (count); watcher_i++)               \
				peer_read(&(watchers)[watcher_i].peer, SIZE_MAX);                  \
			if (clock_monotonic_ms() > give_up)                                        \
				fail_msg("never came: %s; the first watcher has %s", #condition,   \
					(watchers)[0].trace.buf);                                  \
		}                                                                                  \
	} while (0)

#endif
