/* SPDX-License-Identifier: MIT
 *
 * What the models' files share; private to apps/builds/models*.c and websocket_utils.c.
 *
 * Every writer has the same shape: job_lock(), load the rows that the event concerns, scheduler_apply(), rows_store(),
 * job_settle(). The lock comes first, so that transactions on one job follow one another on any database.
 */
#ifndef REQPM_MODELS_H
#define REQPM_MODELS_H

#include "apps/builds/scheduler.h"

struct job_state {
	int64_t id;
	struct sched_job job;
	enum build_status was;
	bool dry_run;
	bool many; /* more changed than was published: settling sends a snapshot */
};
struct item_rows { /* rows[0] first, see scheduler.h */
	struct sched_row *rows;
	size_t count, cap;
};

/* Pairs of ids, read first because the events that follow write the same rows. */
struct id_list {
	int64_t (*ids)[2]; /* the reader frees them */
	size_t count, cap;
};
int ids_take(const struct row *row, void *id_list); /* for tx_each(), of two columns */

/* What strangers' programs said, as it is stored: SENTENCE_MAX. NULL stays; room holds what had to be cut. */
const char *sentence_cut(const char *text, struct strbuf *room);

/* 1: locked and loaded; 0: no such job. */
int job_lock(struct tx *tx, int64_t id, struct job_state *ret_state);
/* Writes counters and status back and publishes the job. */
int job_settle(struct tx *tx, struct job_state *state, int64_t now);
void rows_finish(struct item_rows *rows);
int rows_load_item(struct tx *tx, struct item_rows *rows, int64_t item_id); /* 1, 0 or negative */
int rows_load_dependents(struct tx *tx, struct item_rows *rows, int64_t item_id);
/* What the failure of rows[0] concerns: what needs it, however far, and what could do with something else; with fail_fast all that waits. */
int rows_load_failing(struct tx *tx, struct item_rows *rows, const struct job_state *state);
/* Of the items of the job that lack something those that this completed one supplies. */
int rows_load_supplied(struct tx *tx, struct item_rows *rows, int64_t job_id, int64_t item_id);
/* Sets `supplied` of rows[0], whose attempt ended for want of something: was it completed since that attempt began? */
int rows_mark_supplied(struct tx *tx, struct item_rows *rows, const struct job_state *state);
int rows_load_waiting(
	struct tx *tx, struct item_rows *rows, int64_t job_id); /* but what needs rows[0] */
/* Writes what changed and publishes each item whose status did. */
int rows_store(
	struct tx *tx, const struct item_rows *rows, const enum queue_status *was, int64_t now);
int rows_store_quietly(struct tx *tx, const struct item_rows *rows,
	int64_t now); /* of new items; publishes none */
/* The first item that lacks something: 1, 0: none does. */
int job_first_lacking(struct tx *tx, int64_t job_id, int64_t *ret_item_id);
/* One whole event on an item: loads what it concerns, applies, stores, settles. */
int item_event(struct tx *tx, int64_t job_id, int64_t item_id, enum sched_event event,
	enum queue_reason reason, int64_t now);
int64_t package_id(
	struct tx *tx, const char *name, const char *version); /* made when new; negative: error */

/* The next seq of a job's messages: 1, 0: no such job, or negative. list_seq keeps that of the last message about the job
 * itself, which the list is told too: the list's room compares with it. */
int build_job_next_seq(struct tx *tx, int64_t id);
int build_job_next_seq_of_item(struct tx *tx, int64_t item_id, int64_t *ret_seq);

#endif
