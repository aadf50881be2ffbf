/* SPDX-License-Identifier: MIT
 *
 * The channel layer and the rooms: how a committed update reaches everybody who watches.
 *
 * A layer carries messages to groups ("build_job_7"); between processes when it is Redis, inside this one when it
 * is memory. A message is a hint that may be lost: versions decide. A room is the local end of a group:
 * a bounded log of framed messages in which each viewer is a cursor. The four jobs of a room - live delivery,
 * joining, resuming, slow viewers - are one mechanism: bring a cursor to the end, or send a snapshot and
 * go on from there. Everything here runs on the loop's thread.
 */
#ifndef REQPM_CHANNELS_H
#define REQPM_CHANNELS_H

#include "core/base/base.h"
#include "core/base/loop.h"
#include "core/ws/ws.h"

/* ---- messages */
#define GROUP_NAME_MAX                                                                             \
	100 /* ASCII letters, digits, hyphen, underscore, period: the ecosystem's rule */
struct msg {
	unsigned refs; /* loop thread only */
	int64_t key; /* whose versions these are: 0 in a build's room, the job's id in the list's */
	int64_t seq; /* version of that key; 0: none, applied as it comes */
	bool final; /* the room's last message: viewers are closed with 1000 after it */
	bool resync; /* set after msg_create(): rows changed that it does not carry: a room's viewers get a snapshot instead */
	size_t len; /* bytes of text */
	char text[]; /* finished JSON, NUL-terminated */
};
struct msg *msg_create(int64_t key, int64_t seq, bool final, const char *text,
	size_t len); /* any thread; refs 1 */
struct msg *msg_ref(struct msg *m);
void msg_unref(struct msg *m); /* NULL is fine */

/* ---- the seam: implementations know nothing of each other */
struct layer;
typedef void layer_deliver_fn(void *arg, const char *group, struct msg *m); /* m is borrowed */
struct layer_ops {
	const char *name;
	int (*open)(struct layer *l, const char *url, struct strbuf *err);
	void (*close)(struct layer *l);
	int (*group_add)(
		struct layer *l, const char *group); /* this process wants the group's messages */
	int (*group_discard)(struct layer *l, const char *group);
	int (*group_send)(struct layer *l, const char *group, struct msg *m); /* m is borrowed */
};
extern const struct layer_ops layer_memory;
struct layer {
	const struct layer_ops *ops;
	struct loop *loop;
	layer_deliver_fn *deliver; /* set by rooms_create() */
	void *deliver_arg;
	void *impl; /* the driver's */
};
/* url NULL: memory. Anything else is refused with one sentence until there is a driver for it. With
 * REQPM_TRACE=layer each call is logged. */
struct layer *layer_open(struct loop *loop, const char *url, struct strbuf *err);
void layer_close(struct layer *l);
/* Checks the name, sends, and logs and counts a failure: a failure to send never fails its task. m is borrowed. */
int group_send(struct layer *l, const char *group, struct msg *m);
uint64_t layer_send_failures(void);

/* ---- rooms */
#define ROOM_RING_BYTES_MAX                                                                        \
	(1 << 20) /* of framed messages; the newest one is kept whatever its size */
#define ROOM_RING_MESSAGES_MAX 4096
#define ROOM_SNAPSHOTS_MAX                                                                         \
	4 /* alive per room; for a fifth the viewer that held one longest is dropped */
#define ROOM_HEARTBEAT_MS 20000
#define ROOM_GAP_MS 100 /* how long a missing seq is waited for before all viewers get a snapshot */
#define ROOM_REORDER_MAX 64 /* messages that wait for a missing one; beyond, it is not waited for */
#define ROOM_VERSIONS_MAX 4096 /* keys whose newest seq a room remembers; the smallest key goes */
#define ROOM_LINGER_MS 60000 /* an empty room keeps its ring this long, for those who resume */
#define ROOMS_LINGERING_MAX 64 /* the oldest empty rooms beyond go at once */

struct room_version {
	int64_t key, seq;
};
/* What a room's source answers; the room takes json and versions, the struct stays the source's. */
struct room_snapshot {
	int status; /* 0, -ENOENT: no such thing (viewers are closed 4404), else an error (1011) */
	struct strbuf json; /* the snapshot message, whole */
	/* What the snapshot holds, sorted by key; malloc'ed. In a room of many keys a version counts the messages that were sent to
	 * this group: a key that runs ahead of them makes each heartbeat send a snapshot. */
	struct room_version *versions;
	size_t version_count;
	bool final; /* nothing can follow: close 1000 after it */
};
typedef void room_snapshot_fn(void *read, struct room_snapshot *snapshot);
struct room_source {
	/* Starts one read for the group and calls done(read, snapshot) later on the loop, exactly once. */
	void (*read_snapshot)(
		void *source_arg, const char *group, room_snapshot_fn *done, void *read);
	/* Starts one cheap read of the newest versions alone (json stays empty); at each heartbeat of a room with viewers. A
	 * room that is behind for longer than ROOM_GAP_MS re-reads its snapshot: so a lost last message is found too. */
	void (*read_versions)(
		void *source_arg, const char *group, room_snapshot_fn *done, void *read);
	void *arg;
};

struct rooms;
struct viewer;
struct room_resume {
	bool wanted;
	int64_t since;
	const char *epoch;
};
/* epoch: of this database, copied. */
struct rooms *rooms_create(struct loop *loop, struct layer *layer, const struct room_source *source,
	const char *epoch);
/* Accepts the upgrade and joins; resume may be NULL, and what it points to may end with the request. Owns the connection from here
 * on. The request is finished. A heartbeat's seq is what this viewer was sent (of key 0; none in a room of many keys): the one that
 * answers a resume says since. Those who are behind get none, since what they are sent is sign enough. */
void room_join(struct rooms *rooms, const char *group, struct http_request *req,
	const struct room_resume *resume);
/* Each viewer gets a last heartbeat with retry_ms and is closed 1012; new joins are closed likewise. done(arg) when all are gone or after WS_CLOSE_MS. */
void rooms_drain(struct rooms *rooms, loop_fn *done, void *arg);
/* Resets whoever is still there. Answers of the source may still come. Before layer_close(); the loop must turn once more. */
void rooms_destroy(struct rooms *rooms);

struct rooms_stats {
	size_t rooms, viewers;
	uint64_t messages, delivered, snapshots_read, snapshots_sent, resumed, slow_dropped,
		send_failures;
	size_t ring_bytes;
};
void rooms_stats(const struct rooms *rooms, struct rooms_stats *ret_stats);

#endif
