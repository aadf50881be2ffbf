// SPDX-License-Identifier: MIT
#include "builders/rpm_env.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DAY_S 86400

/* An RPM is unpacked once per content, by slot 0, whose uid no build has. Requests that have something to unpack take turns:
 * two that want the same RPM then cannot meet, and the second finds it done. */
enum layer_state { LAYER_THERE, LAYER_MISSING, LAYER_UNPACKED };

struct rpm_layers {
	struct list link; /* env->unpacking, from when something was found missing */
	struct rpm_env *env;
	struct rpm_wait *waiter; /* NULL: told, or dropped */
	bool dropped, busy;
	char *repo_dir;
	size_t count;
	char **files;
	char **folders; /* per file: DATA/layers/<sha256>; NULL-terminated */
	enum layer_state *states; /* per file */
	size_t missing_count, at; /* at: the file that is unpacked */
	const char **topmost_first;
	int code;
	struct strbuf why;
	char *work_folder;
	uv_work_t work;
};

static void layers_free(struct rpm_layers *l)
{
	for (size_t i = 0; i < l->count; i++) {
		free(l->files[i]);
		free(l->folders[i]);
	}
	free(l->files);
	free(l->folders);
	free(l->states);
	free(l->topmost_first);
	free(l->repo_dir);
	free(l->work_folder);
	strbuf_finish(&l->why);
	free(l);
}

static void take_turn(struct rpm_layers *l);

/* Whoever asked may drop l inside done. */
static void layers_end(struct rpm_layers *l)
{
	struct rpm_env *env = l->env;
	bool turn = !list_empty(&l->link);
	struct rpm_wait *waiter = l->waiter;

	list_remove(&l->link);
	l->busy = false;
	l->waiter = NULL;
	if (waiter && !l->dropped)
		waiter->done(waiter, l->code, l->why.buf);
	else
		layers_free(l);
	if (turn && !list_empty(&env->unpacking))
		take_turn(list_first(&env->unpacking, struct rpm_layers, link));
	rpm_env_leave(env);
}

/* ---- what there is (pool) */

/* The time of a folder is that of its last use; whoever may write may set it to now. */
static enum layer_state touch_layer(struct rpm_env *env, const char *folder)
{
	bool missing;

	uv_mutex_lock(&env->layers_lock);
	missing = utimensat(AT_FDCWD, folder, NULL, AT_SYMLINK_NOFOLLOW) && errno == ENOENT;
	uv_mutex_unlock(&env->layers_lock);
	return missing ? LAYER_MISSING : LAYER_THERE;
}

static void look_work(uv_work_t *work)
{
	struct rpm_layers *l = container_of(work, struct rpm_layers, work);
	char hex[SHA256_HEX_MAX];

	l->missing_count = 0;
	for (size_t i = 0; i < l->count && !l->code; i++) {
		char *path = xasprintf("%s/%s", l->repo_dir, l->files[i]);

		l->code = rpm_hashes_get(l->env->hashes, path, hex, NULL, &l->why);
		free(path);
		if (l->code)
			return;
		free(l->folders[i]);
		l->folders[i] = xasprintf("%s/layers/%s", l->env->data_dir, hex);
		l->states[i] = touch_layer(l->env, l->folders[i]);
		l->missing_count += l->states[i] == LAYER_MISSING;
	}
}

static void looked_first(uv_work_t *work, int status)
{
	struct rpm_layers *l = container_of(work, struct rpm_layers, work);
	bool first;

	(void)status;
	if (l->code || !l->missing_count || l->dropped) {
		layers_end(l);
		return;
	}
	first = list_empty(&l->env->unpacking);
	list_append(&l->env->unpacking, &l->link);
	if (first)
		take_turn(l);
}

/* ---- unpacking: each in its turn, then all to their places */

static char *unpacked_folder(const struct rpm_layers *l, size_t i)
{
	return xasprintf("%s/%zu", l->work_folder, i);
}

/* A folder that changes its parent must be writable for whoever moves it: the last thing that is done to it. */
static int move_one(struct rpm_layers *l, size_t i)
{
	char *work = unpacked_folder(l, i), *from = xasprintf("%s/out/layer", work);
	struct stat st;
	int r = 0;

	if (lstat(from, &st) || !S_ISDIR(st.st_mode))
		r = err_set(&l->why, -EIO, "%s was not unpacked", l->files[i]);
	else if (rename(from, l->folders[i]) && errno != ENOTEMPTY && errno != EEXIST)
		r = err_set(&l->why, -EIO, "cannot move %s to %s: %s", from, l->folders[i],
			strerror(errno));
	free(work);
	free(from);
	return r;
}

static int move_all(struct rpm_layers *l)
{
	int r = 0;

	for (size_t i = 0; i < l->count && !r; i++)
		if (l->states[i] == LAYER_UNPACKED)
			r = move_one(l, i);
	return r;
}

/* A name in layers/ says that these are the files of that content, for ever: after a power cut as well. So everything is on
 * disk before the first rename. For a hundred files and more, one syncfs is ten times as fast as as many fsyncs. */
static int sync_and_move(struct rpm_layers *l)
{
	char *folder = xasprintf("%s/layers", l->env->data_dir);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	if (fd < 0 || syncfs(fd))
		r = err_set(
			&l->why, -EIO, "cannot store layers in %s: %s", folder, strerror(errno));
	if (!r)
		r = move_all(l);
	if (!r && fsync(fd))
		r = err_set(&l->why, -EIO, "cannot store %s: %s", folder, strerror(errno));
	if (fd >= 0)
		close(fd);
	free(folder);
	return r;
}

/* What came before an RPM that cannot be unpacked is as good as any. */
static void move_work(uv_work_t *work)
{
	struct rpm_layers *l = container_of(work, struct rpm_layers, work);
	struct strbuf first = STRBUF_INIT;
	int code = l->code, r;

	strbuf_add(&first, l->why.buf, l->why.len);
	r = sync_and_move(l);
	if (code) {
		l->code = code;
		strbuf_reset(&l->why);
		strbuf_add(&l->why, first.buf, first.len);
	} else {
		l->code = r;
	}
	strbuf_finish(&first);
}

static void moved(uv_work_t *work, int status)
{
	struct rpm_layers *l = container_of(work, struct rpm_layers, work);

	(void)status;
	rpm_env_wipe(l->env, l->work_folder);
	layers_end(l);
}

static void unpack_next(struct rpm_layers *l);

static void unpacked(int code, const char *why, void *arg)
{
	struct rpm_layers *l = arg;

	if (code)
		l->code = err_set(&l->why, code, "%s", why);
	else
		l->states[l->at] = LAYER_UNPACKED;
	unpack_next(l);
}

static void unpack_next(struct rpm_layers *l)
{
	char *work;

	while (l->at < l->count && l->states[l->at] != LAYER_MISSING)
		l->at++;
	if (l->at == l->count || l->code || l->dropped) {
		uv_queue_work(&l->env->loop->uv, &l->work, move_work, moved);
		return;
	}
	work = unpacked_folder(l, l->at);
	if (rpm_unpack_start(l->env, l->repo_dir, l->files[l->at], work, unpacked, l, &l->why)) {
		l->code = -EIO;
		uv_queue_work(&l->env->loop->uv, &l->work, move_work, moved);
	}
	free(work);
}

static void unpack(struct rpm_layers *l)
{
	free(l->work_folder);
	l->work_folder = xasprintf("%s/unpack-%ju", sandbox_slot_dir(l->env->sandbox, 0),
		(uintmax_t)++l->env->counter);
	unpack_next(l);
}

/* The one before may have unpacked what this one lacks. */
static void looked_again(uv_work_t *work, int status)
{
	struct rpm_layers *l = container_of(work, struct rpm_layers, work);

	(void)status;
	if (l->code || !l->missing_count || l->dropped)
		layers_end(l);
	else
		unpack(l);
}

static void take_turn(struct rpm_layers *l)
{
	uv_queue_work(&l->env->loop->uv, &l->work, look_work, looked_again);
}

/* ---- the request */

struct rpm_layers *rpm_layers_start(struct rpm_env *env, const char *repo_dir,
	const char *const *files, size_t count, struct rpm_wait *w)
{
	struct rpm_layers *l = xcalloc(1, sizeof(*l));

	list_init(&l->link);
	strbuf_init(&l->why);
	l->env = env;
	l->waiter = w;
	l->repo_dir = xstrdup(repo_dir);
	l->count = count;
	l->files = xcalloc(count + 1, sizeof(*l->files));
	l->folders = xcalloc(count + 1, sizeof(*l->folders));
	l->states = xcalloc(count + 1, sizeof(*l->states));
	l->topmost_first = xcalloc(count + 1, sizeof(*l->topmost_first));
	for (size_t i = 0; i < count; i++)
		l->files[i] = xstrdup(files[i]);
	l->busy = true;
	rpm_env_enter(env);
	uv_queue_work(&env->loop->uv, &l->work, look_work, looked_first);
	return l;
}

/* What is installed last lies on top, as when rpm unpacks one over the other. */
const char *const *rpm_layers_folders(const struct rpm_layers *l)
{
	for (size_t i = 0; i < l->count; i++)
		l->topmost_first[i] = l->folders[l->count - 1 - i];
	return l->topmost_first;
}

void rpm_layers_drop(struct rpm_layers *l)
{
	if (!l)
		return;
	l->dropped = true;
	if (!l->busy)
		layers_free(l);
}

/* ---- age */

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

/* Out of the way at once, so that whoever looks for it next unpacks it anew. */
static void put_away(struct pruning *p, const char *layer, const char *name)
{
	char *trash = xasprintf("%s/old-layer-%s", sandbox_slot_dir(p->env->sandbox, 0), name);
	bool moved;

	uv_mutex_lock(&p->env->layers_lock);
	moved = is_old(layer) && !rename(layer, trash);
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
