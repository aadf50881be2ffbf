/* SPDX-License-Identifier: MIT
 *
 * How a change reaches the room of its job: two functions, called by every writer in models.c inside its
 * transaction, and by tasks of your own.
 */
#ifndef REQPM_WEBSOCKET_UTILS_H
#define REQPM_WEBSOCKET_UTILS_H

#include "core/channels/channels.h"
#include "core/store/store.h"

#define BUILD_GROUP_PREFIX "build_job_" /* + id: one build's room */
#define BUILDS_GROUP "builds" /* the list's room */

/* Before the first transaction: where the updates go. Loop thread. */
void websocket_utils_init(struct store *store, struct layer *layer);

/*
 * As the last thing in the open transaction, once for each object however often it is asked for: take the job's next seq, read the row
 * as the commit will leave it, and append the finished message to the transaction. It goes to the room when the transaction
 * commits and nowhere when it rolls back, which it does when the row cannot be read. With no transaction open on this thread
 * they queue one of their own and return at once. Never on the loop. A failure to send never fails the caller's work:
 * 0, or -ENOTCONN before websocket_utils_init().
 */
int send_build_job_update(int64_t build_job_id);
int send_queue_item_update(int64_t queue_item_id);
/* As send_build_job_update(), when more rows changed than messages say: everybody in the room gets a snapshot. Inside a
 * transaction only. */
int send_build_job_snapshot(int64_t build_job_id);

/* In the transaction that deletes the job, before its row goes: the list's room is told (`build_removed`), unless it was a dry
 * run. Nobody else asks for it. */
int send_build_job_removed(int64_t build_job_id);

void build_group(char buf[GROUP_NAME_MAX], int64_t build_job_id);

#endif
