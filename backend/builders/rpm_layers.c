// SPDX-License-Identifier: MIT
#include "builders/rpm_env.h"

#include <fcntl.h>
#include <sys/stat.h>

/*
 * One build root's layers. A request looks which are there, then asks for the others one after the other: each has one RPM unpacked at
 * a time, so that whoever needs something that takes for ever holds up himself and those who need it, too.
 */
struct rpm_layers {
	struct rpm_env *env;
	struct rpm_wait *waiter; /* NULL: told, or dropped */
	bool looking, dropped;
	char *repo_dir;
	size_t count;
	char **files;
	char **folders; /* per file: DATA/layers/<sha256>, in use from when it is known; NULL-terminated */
	bool *missing; /* per file */
	struct rpm_want *wants; /* per file */
	size_t at; /* the next file to ask for */
	size_t left; /* asked for, and not in their places yet */
	const char **topmost_first;
	int code;
	struct strbuf why;
	uv_work_t work;
};

static const char *name_of(const char *folder)
{
	return strrchr(folder, '/') + 1;
}

static void stop_wanting(struct rpm_layers *l)
{
	for (size_t i = 0; i < l->count; i++)
		rpm_making_forget(l->env, &l->wants[i]);
}

static void layers_free(struct rpm_layers *l)
{
	stop_wanting(l);
	for (size_t i = 0; i < l->count; i++) {
		if (l->folders[i])
			rpm_uses_drop(&l->env->uses, name_of(l->folders[i]));
		free(l->files[i]);
		free(l->folders[i]);
	}
	free(l->files);
	free(l->folders);
	free(l->missing);
	free(l->wants);
	free(l->topmost_first);
	free(l->repo_dir);
	strbuf_finish(&l->why);
	if (l->waiter)
		rpm_env_leave(l->env);
	free(l);
}

/* Whoever asked may drop l inside done. */
static void layers_end(struct rpm_layers *l, int code)
{
	struct rpm_env *env = l->env;
	struct rpm_wait *waiter = l->waiter;

	l->waiter = NULL;
	stop_wanting(l);
	waiter->done(waiter, code, l->why.buf);
	rpm_env_leave(env);
}

/* ---- what is missing */

static void go_on(struct rpm_layers *l)
{
	while (l->at < l->count) {
		size_t i = l->at++;
		int r;

		if (!l->missing[i])
			continue;
		r = rpm_making_want(l->env, name_of(l->folders[i]), &l->wants[i], &l->why);
		if (r < 0) {
			layers_end(l, r);
			return;
		}
		l->left++;
		if (!r)
			return; /* until it is unpacked */
	}
	if (l->left)
		rpm_making_settle(l->env);
	else
		layers_end(l, 0);
}

static void want_unpacked(struct rpm_want *want)
{
	go_on(want->arg);
}

static void want_done(struct rpm_want *want, int code, const char *why)
{
	struct rpm_layers *l = want->arg;

	l->left--;
	if (code)
		layers_end(l, err_set(&l->why, code, "%s", why));
	else if (l->at == l->count && !l->left)
		layers_end(l, 0);
}

/* ---- what there is (pool) */

/* The time of a folder is that of its last use; whoever may write may set it to now. */
static bool is_missing(struct rpm_env *env, const char *folder)
{
	bool missing;

	uv_mutex_lock(&env->layers_lock);
	missing = utimensat(AT_FDCWD, folder, NULL, AT_SYMLINK_NOFOLLOW) && errno == ENOENT;
	uv_mutex_unlock(&env->layers_lock);
	return missing;
}

static void look_work(uv_work_t *work)
{
	struct rpm_layers *l = container_of(work, struct rpm_layers, work);
	char hex[SHA256_HEX_MAX];

	for (size_t i = 0; i < l->count && !l->code; i++) {
		char *path = xasprintf("%s/%s", l->repo_dir, l->files[i]);

		l->code = rpm_hashes_get(l->env->hashes, path, hex, NULL, &l->why);
		free(path);
		if (l->code)
			return;
		l->folders[i] = xasprintf("%s/layers/%s", l->env->data_dir, hex);
		rpm_uses_add(&l->env->uses, hex);
		l->missing[i] = is_missing(l->env, l->folders[i]);
	}
}

static void looked(uv_work_t *work, int status)
{
	struct rpm_layers *l = container_of(work, struct rpm_layers, work);

	(void)status;
	l->looking = false;
	if (l->dropped)
		layers_free(l);
	else if (l->code)
		layers_end(l, l->code);
	else
		go_on(l);
}

/* ---- the request */

struct rpm_layers *rpm_layers_start(struct rpm_env *env, const char *repo_dir,
	const char *const *files, size_t count, struct rpm_wait *w)
{
	struct rpm_layers *l = xcalloc(1, sizeof(*l));

	strbuf_init(&l->why);
	l->env = env;
	l->waiter = w;
	l->repo_dir = xstrdup(repo_dir);
	l->count = count;
	l->files = xcalloc(count + 1, sizeof(*l->files));
	l->folders = xcalloc(count + 1, sizeof(*l->folders));
	l->missing = xcalloc(count + 1, sizeof(*l->missing));
	l->wants = xcalloc(count + 1, sizeof(*l->wants));
	l->topmost_first = xcalloc(count + 1, sizeof(*l->topmost_first));
	for (size_t i = 0; i < count; i++) {
		l->files[i] = xstrdup(files[i]);
		l->wants[i] = (struct rpm_want){.repo_dir = l->repo_dir,
			.file = l->files[i],
			.unpacked = want_unpacked,
			.done = want_done,
			.arg = l};
	}
	l->looking = true;
	rpm_env_enter(env);
	uv_queue_work(&env->loop->uv, &l->work, look_work, looked);
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
	if (!l->looking)
		layers_free(l);
}
