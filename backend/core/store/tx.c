// SPDX-License-Identifier: MIT
#include "core/store/tx.h"

#define TX_ARGS_MAX 40

static _Thread_local struct tx *current;

struct tx *tx_current(void)
{
	return current;
}

void tx_enter(struct tx *tx)
{
	if (tx && current)
		BUG("a transaction is open on this thread already");
	current = tx;
}

struct store *tx_store(const struct tx *tx)
{
	return tx->store;
}

bool tx_writes(const struct tx *tx)
{
	return tx->writes;
}

const char *tx_error(const struct tx *tx)
{
	return tx->db->error.buf;
}

void tx_on_commit(struct tx *tx, loop_fn *fn, loop_fn *undo, void *arg)
{
	struct tx_effect *e = xmalloc(sizeof(*e));

	if (!tx->writes)
		BUG("a reader has no commit");
	*e = (struct tx_effect){.fn = fn, .undo = undo, .arg = arg};
	list_append(&tx->effects, &e->link);
}

/* ---- what is left for the end of the transaction */

void tx_before_commit(struct tx *tx, tx_last_fn *fn, int64_t id)
{
	if (!tx->writes)
		BUG("a reader has no commit");
	if (tx->last_count == tx->last_cap) {
		tx->last_cap = tx->last_cap ? 2 * tx->last_cap : 16;
		tx->lasts = xrealloc(tx->lasts, tx->last_cap * sizeof(*tx->lasts));
	}
	tx->lasts[tx->last_count] = (struct tx_last){fn, id, tx->last_count};
	tx->last_count++;
}

/* Equal ones side by side, the one that was asked for last in front. */
static int compare_what(const void *a, const void *b)
{
	const struct tx_last *x = a, *y = b;

	if (x->fn != y->fn)
		return (uintptr_t)x->fn < (uintptr_t)y->fn ? -1 : 1;
	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->order > y->order ? -1 : 1;
}

static int compare_order(const void *a, const void *b)
{
	const struct tx_last *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static size_t without_duplicates(struct tx_last *lasts, size_t count)
{
	size_t kept = 0;

	qsort(lasts, count, sizeof(*lasts), compare_what);
	for (size_t i = 0; i < count; i++)
		if (!kept || lasts[kept - 1].fn != lasts[i].fn || lasts[kept - 1].id != lasts[i].id)
			lasts[kept++] = lasts[i];
	qsort(lasts, kept, sizeof(*lasts), compare_order);
	return kept;
}

int lasts_run(struct tx *tx)
{
	int r = 0;

	while (r >= 0 && tx->last_count) {
		size_t count = without_duplicates(tx->lasts, tx->last_count);
		struct tx_last *now = tx->lasts;

		tx->lasts = NULL;
		tx->last_count = tx->last_cap = 0;
		for (size_t i = 0; r >= 0 && i < count; i++)
			r = now[i].fn(tx, now[i].id);
		free(now);
	}
	return r;
}

void lasts_finish(struct tx *tx)
{
	free(tx->lasts);
}

/* ---- what follows the commit */

void effects_run(struct list *effects)
{
	while (!list_empty(effects)) {
		struct tx_effect *e = list_first(effects, struct tx_effect, link);

		list_remove(&e->link);
		e->fn(e->arg);
		free(e);
	}
}

void effects_undo(struct list *effects)
{
	while (!list_empty(effects)) {
		struct tx_effect *e = list_first(effects, struct tx_effect, link);

		list_remove(&e->link);
		if (e->undo)
			e->undo(e->arg);
		free(e);
	}
}

static size_t collect(struct db_value values[TX_ARGS_MAX], const char *types, va_list ap)
{
	size_t count = strlen(types);

	if (count > TX_ARGS_MAX)
		BUG("%zu arguments for a statement", count);
	for (size_t i = 0; i < count; i++) {
		values[i] = (struct db_value){.type = types[i]};
		switch (types[i]) {
		case 'i':
			values[i].i = va_arg(ap, int64_t);
			break;
		case 'b':
			values[i].type = 'i';
			values[i].i = va_arg(ap, int) != 0;
			break;
		case 's':
			values[i].s = va_arg(ap, const char *);
			break;
		case 'n':
			break;
		default:
			BUG("type letter %c", types[i]);
		}
	}
	return count;
}

static int run(
	struct tx *tx, tx_row_fn *fn, void *arg, const char *sql, const char *types, va_list ap)
{
	struct db_value values[TX_ARGS_MAX];
	size_t count = collect(values, types, ap);

	return tx->db->ops->run(tx->db, sql, values, count, fn, arg);
}

int tx_exec(struct tx *tx, const char *sql, const char *types, ...)
{
	va_list ap;
	int r;

	va_start(ap, types);
	r = run(tx, NULL, NULL, sql, types, ap);
	va_end(ap);
	return r;
}

int tx_each(struct tx *tx, tx_row_fn *fn, void *arg, const char *sql, const char *types, ...)
{
	va_list ap;
	int r;

	va_start(ap, types);
	r = run(tx, fn, arg, sql, types, ap);
	va_end(ap);
	return r;
}

struct first_int {
	int64_t value;
	bool found;
};

static int take_first(const struct row *row, void *arg)
{
	struct first_int *first = arg;

	if (!first->found)
		first->value = row_int(row, 0);
	first->found = true;
	return 0;
}

int tx_int(struct tx *tx, int64_t *ret_value, const char *sql, const char *types, ...)
{
	struct first_int first = {0};
	va_list ap;
	int r;

	va_start(ap, types);
	r = run(tx, take_first, &first, sql, types, ap);
	va_end(ap);
	if (r < 0 || !first.found)
		return r < 0 ? r : 0;
	*ret_value = first.value;
	return 1;
}

int64_t row_int(const struct row *row, int column)
{
	return row->db->ops->row_int(row, column);
}

bool row_null(const struct row *row, int column)
{
	return row->db->ops->row_null(row, column);
}

const char *row_text(const struct row *row, int column)
{
	return row->db->ops->row_text(row, column);
}

size_t row_bytes(const struct row *row, int column)
{
	return row->db->ops->row_bytes(row, column);
}
