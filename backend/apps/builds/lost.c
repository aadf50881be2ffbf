// SPDX-License-Identifier: MIT
/*
 * What a server that died had published without the commit that completes it. Such a package stands `building` in the database, and
 * until all of its files are out of the repository it stays so: it may be cancelled or fail the next time, and then nobody would come
 * back for them. Dying amid this is no harm, the next start does it again.
 */
#include "apps/builds/tasks.h"
#include "apps/repositories/repositories.h"
#include "core/base/log.h"

static int take_lost(const struct queue_item *item, void *arg)
{
	struct lost *l = arg;

	if (!item->token) /* somebody else builds it */
		return 0;
	l->items = xrealloc(l->items, (l->count + 1) * sizeof(*l->items));
	l->items[l->count++] = (struct lost_item){item->job_id, xstrdup(item->package)};
	return 0;
}

int lost_find(struct tx *tx, void *arg)
{
	int r = queue_items_building(tx, 0, take_lost, arg);

	return r < 0 ? r : 0;
}

static void withdrawn(int status, const char *why, void *arg)
{
	struct lost *l = arg;

	if (status < 0)
		log_error("worker: what an earlier server published cannot be taken back: %s; the "
			  "next package of that build mends its repository",
			why);
	if (!--l->count)
		l->done(l->arg);
}

void lost_withdraw(struct lost *l, struct app *app, loop_fn *done, void *arg)
{
	size_t count = l->count;

	l->done = done;
	l->arg = arg;
	for (size_t i = 0; i < count; i++) {
		struct strbuf dir = STRBUF_INIT;
		char *results;

		build_dir(&dir, app, l->items[i].job_id);
		results = xasprintf("%s/results/%s", dir.buf, l->items[i].package);
		repository_withdraw(app->repositories, dir.buf, results, withdrawn, l);
		free(results);
		free(l->items[i].package);
		strbuf_finish(&dir);
	}
	free(l->items);
	l->items = NULL;
}
