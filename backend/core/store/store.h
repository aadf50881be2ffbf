/* SPDX-License-Identifier: MIT
 *
 * The store: a database behind threads. One writer thread runs units of work first in, first out, each in one
 * transaction; a few readers run units that only look. What a transaction wants to happen after its commit is
 * appended to it: COMMIT hands the whole batch to the loop, in commit order; ROLLBACK frees it.
 *
 * A unit is a function that runs on a store thread and a completion that runs on the loop. The loop never
 * touches SQL; a unit never touches the loop's structures.
 */
#ifndef REQPM_STORE_H
#define REQPM_STORE_H

#include "core/base/base.h"
#include "core/base/loop.h"

#define STORE_READERS 3
#define STORE_BUSY_MS 10000 /* another process (a backup) may hold the database this long */
/* On a full disk what has happened must still be stored. So the database has so much to itself while it is open; and as much is in a
 * file PATH-ballast, made where there is enough, for a start where there is not. */
#define STORE_ROOM_BYTES (16 << 20)
#define STORE_ROOM_ENOUGH (64 << 20)

struct store;
struct tx;

/* Returns 0: commit; negative: roll back, and the completion gets the code. */
typedef int store_run_fn(struct tx *tx, void *arg);
typedef void store_done_fn(void *arg, int status);

struct store_migration {
	int version; /* 1, 2, 3 … */
	const char *sql;
};
struct store_config {
	struct loop *loop;
	const char *path; /* of the SQLite database */
	const struct store_migration
		*migrations; /* in order; a database newer than the last is refused */
	size_t migration_count;
};
/* Opens, migrates, starts the threads. The error sentence says what is wrong with the database and what to do. */
struct store *store_open(const struct store_config *config, struct strbuf *err);
/* Loop thread. Runs what is queued, its completions included, stops the threads and closes. Nothing may be queued from those
 * completions. NULL is fine. */
void store_close(struct store *st);
/* The random id made with the database; constant. */
const char *store_epoch(const struct store *st);
size_t store_backlog(const struct store *st); /* writes waiting: for metrics; any thread */

/* Any thread. done may be NULL. Completions come in commit order, each after the batch of its own commit. */
void store_write(struct store *st, store_run_fn *run, store_done_fn *done, void *arg);
void store_read(struct store *st, store_run_fn *run, store_done_fn *done, void *arg);
/* Before all that came by store_read(): for what somebody watches live, whom thousands of other questions must not delay. */
void store_read_first(struct store *st, store_run_fn *run, store_done_fn *done, void *arg);
/* Blocks until run has run: for start-up and tests, never on the loop while it serves. */
int store_write_wait(struct store *st, store_run_fn *run, void *arg);
int store_read_wait(struct store *st, store_run_fn *run, void *arg);

/* ---- inside a unit */
struct tx *tx_current(void); /* of this thread; NULL: none is open */
struct store *tx_store(const struct tx *tx);
bool tx_writes(const struct tx *tx);
/* fn(arg) runs on the loop after the commit, in the order of the calls; on rollback undo(arg) runs instead on this
 * thread (free what arg holds). */
void tx_on_commit(struct tx *tx, loop_fn *fn, loop_fn *undo, void *arg);
/* fn(tx, id) runs once as the last thing inside the transaction, when the unit's function has returned 0, however often it was asked for;
 * several run in the order in which each was asked for last. Negative rolls back. */
typedef int tx_last_fn(struct tx *tx, int64_t id);
void tx_before_commit(struct tx *tx, tx_last_fn *fn, int64_t id);

/* SQL with $1, $2 …; types has one letter an argument: i int64_t, s const char * (NULL: null), b bool as int, n nothing
 * (null). Statements are prepared once per connection, so sql must be a literal or live as long as the store.
 * Return rows changed, or negative: -EEXIST a constraint, -ENOSPC the disk, -EIO the rest; the sentence is in tx_error(). */
int tx_exec(struct tx *tx, const char *sql, const char *types, ...);
struct row; /* of the statement that runs */
typedef int tx_row_fn(const struct row *row, void *arg); /* negative ends the walk with that code */
/* Returns the number of rows walked, or negative. fn may run other statements, but not the same one. */
int tx_each(struct tx *tx, tx_row_fn *fn, void *arg, const char *sql, const char *types, ...);
/* The first column of the first row: 1 when there is one, 0, or negative. Also for INSERT … RETURNING id. */
int tx_int(struct tx *tx, int64_t *ret_value, const char *sql, const char *types, ...);
const char *tx_error(const struct tx *tx);

int64_t row_int(const struct row *row, int column);
bool row_null(const struct row *row, int column);
const char *row_text(const struct row *row, int column); /* NULL when null; until the next row */
size_t row_bytes(const struct row *row, int column); /* of that text */

#endif
