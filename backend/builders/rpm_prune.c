// SPDX-License-Identifier: MIT
#include "builders/rpm_env.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define DAY_S 86400

/* ---- which layers are in use: how old they are is said by a clock that somebody sets */

void rpm_uses_init(struct rpm_uses *u)
{
	uv_mutex_init(&u->lock);
	map_init(&u->counts);
}

void rpm_uses_finish(struct rpm_uses *u)
{
	struct map_slot *slot;

	map_for_each (slot, &u->counts)
		free(slot->value);
	map_finish(&u->counts);
	uv_mutex_destroy(&u->lock);
}

void rpm_uses_add(struct rpm_uses *u, const char *name)
{
	size_t *count;

	uv_mutex_lock(&u->lock);
	count = map_get(&u->counts, name);
	if (!count) {
		count = xcalloc(1, sizeof(*count));
		map_set(&u->counts, name, count);
	}
	++*count;
	uv_mutex_unlock(&u->lock);
}

void rpm_uses_drop(struct rpm_uses *u, const char *name)
{
	size_t *count;

	uv_mutex_lock(&u->lock);
	count = map_get(&u->counts, name);
	if (!--*count)
		free(map_remove(&u->counts, name));
	uv_mutex_unlock(&u->lock);
}

static bool in_use(struct rpm_uses *u, const char *name)
{
	bool used;

	uv_mutex_lock(&u->lock);
	used = map_get(&u->counts, name);
	uv_mutex_unlock(&u->lock);
	return used;
}

/* ---- those that are not, and old */

struct pruning {
	struct rpm_env *env;
	uv_work_t work;
	char **trash; /* folders of slot 0 */
	size_t count;
};

static bool is_old(const char *layer)
{
	struct stat st;

	return !lstat(layer, &st) && st.st_mtime < time(NULL) - RPM_LAYERS_KEEP_DAYS * DAY_S;
}

/* Out of the way at once, so that whoever looks for it next unpacks it anew. Who looks says first that he uses it, and
 * then waits for the lock. */
static void put_away(struct pruning *p, const char *layer, const char *name)
{
	char *trash = xasprintf("%s/old-layer-%s", sandbox_slot_dir(p->env->sandbox, 0), name);
	bool moved;

	uv_mutex_lock(&p->env->layers_lock);
	moved = !in_use(&p->env->uses, name) && is_old(layer) && !rename(layer, trash);
	uv_mutex_unlock(&p->env->layers_lock);
	if (!moved) {
		free(trash);
		return;
	}
	p->trash = xrealloc(p->trash, (p->count + 1) * sizeof(*p->trash));
	p->trash[p->count++] = trash;
}

static void prune_work(uv_work_t *work)
{
	struct pruning *p = container_of(work, struct pruning, work);
	char *folder = xasprintf("%s/layers", p->env->data_dir);
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *path = xasprintf("%s/%s", folder, entry->d_name);

		if (entry->d_name[0] != '.' && is_old(path))
			put_away(p, path, entry->d_name);
		free(path);
	}
	if (dir)
		closedir(dir);
	free(folder);
}

/* Only the uid that made it can remove what is in it. */
static void pruned(uv_work_t *work, int status)
{
	struct pruning *p = container_of(work, struct pruning, work);
	struct rpm_env *env = p->env;

	(void)status;
	for (size_t i = 0; i < p->count; i++) {
		rpm_env_wipe(env, p->trash[i]);
		free(p->trash[i]);
	}
	free(p->trash);
	free(p);
	env->pruning = false;
	rpm_env_leave(env);
}

void rpm_env_prune(struct rpm_env *env)
{
	struct pruning *p;

	if (env->pruning)
		return;
	env->pruning = true;
	rpm_env_enter(env);
	p = xcalloc(1, sizeof(*p));
	p->env = env;
	uv_queue_work(&env->loop->uv, &p->work, prune_work, pruned);
}
