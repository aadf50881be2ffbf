// SPDX-License-Identifier: MIT
/*
 * What RPMs turned out to provide: who lacks something is supplied by what the job has built itself, an order is learned from the
 * newest success of a package of that name.
 */
#include "apps/builds/models.h"
#include "apps/packages/packages.h"

struct provides_walk {
	provides_fn *fn;
	void *arg;
};

static int each_rpm(const struct row *row, void *arg)
{
	struct provides_walk *walk = arg;

	return walk->fn(row_text(row, 0), row_text(row, 1), walk->arg);
}

int package_provides(struct tx *tx, const char *name, provides_fn *fn, void *arg)
{
	struct provides_walk walk = {fn, arg};

	return tx_each(tx, each_rpm, &walk,
		"SELECT a.nevra, a.provides FROM package_history h JOIN artifacts a ON a.item_id = "
		"h.item_id"
		" WHERE h.name = $1 AND a.provides IS NOT NULL ORDER BY a.file",
		"s", name);
}

static int add_provides(const struct row *row, void *arg)
{
	struct provides *p = arg;
	int r = provides_add(p, row_text(row, 0), row_text(row, 1));

	return r == -EINVAL ? -EIO : r;
}

static int item_provides(struct tx *tx, int64_t item_id, struct provides *p)
{
	return tx_each(tx, add_provides, p,
		"SELECT nevra, provides FROM artifacts WHERE item_id = $1 AND provides IS NOT NULL",
		"i", item_id);
}

/* ---- a completed item supplies those that wait */

struct lacking {
	const struct provides *provides;
	int64_t *ids; /* of those that are supplied */
	size_t count;
};

static int take_supplied(const struct row *row, void *arg)
{
	struct lacking *l = arg;

	if (!provides_any_of(l->provides, row_text(row, 1)))
		return 0;
	l->ids = xrealloc(l->ids, (l->count + 1) * sizeof(*l->ids));
	l->ids[l->count++] = row_int(row, 0);
	return 0;
}

#define LACKING "job_id = $1 AND lacks IS NOT NULL AND status = 'pending' ORDER BY position"

int job_first_lacking(struct tx *tx, int64_t job_id, int64_t *ret_item_id)
{
	return tx_int(tx, ret_item_id, "SELECT id FROM queue_items WHERE " LACKING " LIMIT 1", "i",
		job_id);
}

int rows_load_supplied(struct tx *tx, struct item_rows *rows, int64_t job_id, int64_t item_id)
{
	struct provides provides = {0};
	struct lacking l = {.provides = &provides};
	int64_t first;
	int r = job_first_lacking(tx, job_id, &first);

	if (r <= 0)
		return r;
	r = item_provides(tx, item_id, &provides);
	if (r >= 0)
		r = tx_each(tx, take_supplied, &l,
			"SELECT id, lacks FROM queue_items WHERE " LACKING, "i", job_id);
	for (size_t i = 0; r >= 0 && i < l.count; i++) {
		r = rows_load_item(tx, rows, l.ids[i]);
		rows->rows[rows->count - 1].supplied = true;
	}
	free(l.ids);
	provides_finish(&provides);
	return r;
}

/* ---- one that lacks something may have been supplied before it said so */

struct waiting {
	char *lacks;
	int64_t seen; /* completed items when its attempt began: these its build root could have */
};

static int take_waiting(const struct row *row, void *arg)
{
	struct waiting *w = arg;

	w->lacks = xstrdup(row_text(row, 0));
	w->seen = row_int(row, 1);
	return 0;
}

/* Only when something was completed meanwhile: so an item whose needs the solver judges otherwise than we do is tried
 * again at most once for each package of the job. */
int rows_mark_supplied(struct tx *tx, struct item_rows *rows, const struct job_state *s)
{
	struct provides provides = {0};
	struct waiting w = {0};
	int r = tx_each(tx, take_waiting, &w, "SELECT lacks, seen FROM queue_items WHERE id = $1",
		"i", rows->rows[0].id);

	if (r > 0 && w.lacks && s->job.counts[QUEUE_COMPLETED] > w.seen) {
		r = tx_each(tx, add_provides, &provides,
			"SELECT a.nevra, a.provides FROM queue_items q JOIN artifacts a ON "
			"a.item_id = q.id"
			" WHERE q.job_id = $1 AND q.status = 'completed' AND a.provides IS NOT "
			"NULL",
			"i", s->id);
		rows->rows[0].supplied = r > 0 && provides_any_of(&provides, w.lacks);
	}
	provides_finish(&provides);
	free(w.lacks);
	return r;
}
