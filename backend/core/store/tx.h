/* SPDX-License-Identifier: MIT
 *
 * A transaction as the store's threads hold it; private to core/store.
 */
#ifndef REQPM_TX_H
#define REQPM_TX_H

#include "core/store/db.h"

struct tx_effect {
	struct list link;
	loop_fn *fn, *undo;
	void *arg;
};
struct tx_last {
	tx_last_fn *fn;
	int64_t id;
	size_t order; /* of asking */
};
struct tx {
	struct store *store;
	struct db *db;
	bool writes;
	struct list effects; /* struct tx_effect, in order */
	struct tx_last *lasts; /* of tx_before_commit(), duplicates included */
	size_t last_count, last_cap;
};
/* Runs and forgets them, and those that they ask for. */
int lasts_run(struct tx *tx);
void lasts_finish(struct tx *tx);
/* Makes tx the thread's current one; NULL: none. */
void tx_enter(struct tx *tx);
/* Loop: runs and frees what stands in the list. */
void effects_run(struct list *effects);
/* Store thread: the transaction rolled back. */
void effects_undo(struct list *effects);

#endif
