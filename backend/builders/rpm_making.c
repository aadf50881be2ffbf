// SPDX-License-Identifier: MIT
#include "builders/rpm_env.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A content on its way into layers/. It is unpacked once, by slot 0, whose uid no build has, for all who want it meanwhile, and no longer
 * than somebody does. What is unpacked waits until it is asked for, so that many share one sync.
 */
struct rpm_making {
	struct list link; /* env->making.all */
	struct list moving; /* env->making.moving */
	struct rpm_env *env;
	char *name, *folder; /* folder: its place */
	char *work; /* below slot 0 */
	struct list wants;
	enum { MAKING_UNPACKS, MAKING_UNPACKED, MAKING_MOVES } state;
	struct rpm_unpacking *run; /* while it is unpacked */
	bool cancelled; /* nobody wanted it; who comes now has it begun anew */
	int code;
	struct strbuf why;
};

static void making_free(struct rpm_making *m)
{
	struct rpm_env *env = m->env;

	list_remove(&m->link);
	rpm_env_wipe(env, m->work);
	free(m->name);
	free(m->folder);
	free(m->work);
	strbuf_finish(&m->why);
	free(m);
	rpm_env_leave(env);
}

/* Who is told may drop what others here want, too: each is taken out before. */
static void making_end(struct rpm_making *m, int code, const char *why)
{
	list_remove(&m->link);
	while (!list_empty(&m->wants)) {
		struct rpm_want *want = list_first(&m->wants, struct rpm_want, link);

		list_remove(&want->link);
		want->making = NULL;
		want->done(want, code, why);
	}
	making_free(m);
}

/* ---- what can never be unpacked is told at once */

static void refuse_from_now_on(struct rpm_making *m, const char *why)
{
	struct map *refused = &m->env->making.refused;

	if (refused->count >= RPM_REFUSED_MAX)
		rpm_making_forget_refused(m->env);
	free(map_remove(refused, m->name));
	map_set(refused, m->name, xstrdup(why));
}

void rpm_making_forget_refused(struct rpm_env *env)
{
	struct map_slot *slot;

	map_for_each (slot, &env->making.refused)
		free(slot->value);
	map_finish(&env->making.refused);
	map_init(&env->making.refused);
}

/* ---- to their places (pool): all that is unpacked by then */

/* A folder that changes its parent must be writable for whoever moves it: the last thing that is done to it. */
static void move_one(struct rpm_making *m)
{
	char *from = xasprintf("%s/out/layer", m->work);
	struct stat st;

	if (lstat(from, &st) || !S_ISDIR(st.st_mode))
		m->code = err_set(&m->why, -EIO, "%s was not unpacked", m->name);
	else if (rename(from, m->folder) && errno != ENOTEMPTY && errno != EEXIST)
		m->code = err_set(&m->why, -EIO, "cannot move %s to %s: %s", from, m->folder,
			strerror(errno));
	free(from);
}

static void fail_all(struct rpm_env *env, const char *folder)
{
	int code = errno;
	struct rpm_making *m;

	list_for_each (m, &env->making.moving, moving)
		m->code = err_set(
			&m->why, -EIO, "cannot store layers in %s: %s", folder, strerror(code));
}

/* A name in layers/ says that these are the files of that content, for ever: after a power cut as well. So everything is on
 * disk before the first rename. For a hundred files and more, one syncfs is ten times as fast as as many fsyncs. */
static void settle_work(uv_work_t *work)
{
	struct rpm_env *env = container_of(work, struct rpm_env, making.work);
	char *folder = xasprintf("%s/layers", env->data_dir);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct rpm_making *m;

	if (fd < 0 || syncfs(fd)) {
		fail_all(env, folder);
	} else {
		list_for_each (m, &env->making.moving, moving)
			move_one(m);
		if (fsync(fd))
			fail_all(env, folder);
	}
	if (fd >= 0)
		close(fd);
	free(folder);
}

static void settled(uv_work_t *work, int status)
{
	struct rpm_env *env = container_of(work, struct rpm_env, making.work);

	(void)status;
	while (!list_empty(&env->making.moving)) {
		struct rpm_making *m = list_first(&env->making.moving, struct rpm_making, moving);

		list_remove(&m->moving);
		making_end(m, m->code, m->why.buf);
	}
	env->making.busy = false;
	if (env->making.again)
		rpm_making_settle(env);
}

void rpm_making_settle(struct rpm_env *env)
{
	struct rpm_making *m;

	env->making.again = env->making.busy;
	if (env->making.busy)
		return;
	list_for_each (m, &env->making.all, link)
		if (m->state == MAKING_UNPACKED) {
			m->state = MAKING_MOVES;
			list_append(&env->making.moving, &m->moving);
		}
	if (list_empty(&env->making.moving))
		return;
	env->making.busy = true;
	uv_queue_work(&env->loop->uv, &env->making.work, settle_work, settled);
}

/* ---- unpacking */

static int unpack(struct rpm_making *m, const struct rpm_want *want, struct strbuf *err);

/* Each may want the next one, or nothing any more. */
static void tell_unpacked(struct rpm_making *m)
{
	struct list told;

	list_init(&told);
	m->state = MAKING_UNPACKED;
	while (!list_empty(&m->wants)) {
		struct rpm_want *want = list_first(&m->wants, struct rpm_want, link);

		list_remove(&want->link);
		list_append(&told, &want->link);
	}
	while (!list_empty(&told)) {
		struct rpm_want *want = list_first(&told, struct rpm_want, link);

		list_remove(&want->link);
		list_append(&m->wants, &want->link);
		want->unpacked(want);
	}
	if (list_empty(&m->wants))
		rpm_making_settle(m->env); /* it is as good as any */
}

static void begin_anew(struct rpm_making *m)
{
	struct strbuf err = STRBUF_INIT;
	int r;

	rpm_env_wipe(m->env, m->work);
	free(m->work);
	m->cancelled = false;
	r = unpack(m, list_first(&m->wants, struct rpm_want, link), &err);
	if (r)
		making_end(m, r, err.buf);
	strbuf_finish(&err);
}

static void unpacked(int code, const char *why, void *arg)
{
	struct rpm_making *m = arg;

	m->run = NULL;
	if (code == -EINVAL)
		refuse_from_now_on(m, why);
	if (!code)
		tell_unpacked(m);
	else if (code == -ECANCELED && !list_empty(&m->wants))
		begin_anew(m);
	else
		making_end(m, code, why);
}

static int unpack(struct rpm_making *m, const struct rpm_want *want, struct strbuf *err)
{
	m->work = xasprintf("%s/unpack-%ju", sandbox_slot_dir(m->env->sandbox, 0),
		(uintmax_t)++m->env->counter);
	m->run = rpm_unpack_start(m->env, want->repo_dir, want->file, m->work, unpacked, m, err);
	return m->run ? 0 : -EIO;
}

/* ---- wanting */

static struct rpm_making *find(struct rpm_env *env, const char *name)
{
	struct rpm_making *m;

	list_for_each (m, &env->making.all, link)
		if (!strcmp(m->name, name))
			return m;
	return NULL;
}

static struct rpm_making *making_create(struct rpm_env *env, const char *name)
{
	struct rpm_making *m = xcalloc(1, sizeof(*m));

	m->env = env;
	m->name = xstrdup(name);
	m->folder = xasprintf("%s/layers/%s", env->data_dir, name);
	list_init(&m->moving);
	list_init(&m->wants);
	strbuf_init(&m->why);
	list_append(&env->making.all, &m->link);
	rpm_env_enter(env);
	return m;
}

int rpm_making_want(
	struct rpm_env *env, const char *name, struct rpm_want *want, struct strbuf *err)
{
	const char *refused = map_get(&env->making.refused, name);
	struct rpm_making *m = find(env, name);
	int r = 0;

	if (refused)
		return err_set(err, -EINVAL, "%s", refused);
	if (!m) {
		m = making_create(env, name);
		r = unpack(m, want, err);
	}
	if (r) {
		making_free(m);
		return r;
	}
	want->making = m;
	list_init(&want->link);
	list_append(&m->wants, &want->link);
	return m->state != MAKING_UNPACKS;
}

void rpm_making_forget(struct rpm_env *env, struct rpm_want *want)
{
	struct rpm_making *m = want->making;

	if (!m)
		return;
	want->making = NULL;
	list_remove(&want->link);
	if (!list_empty(&m->wants))
		return;
	if (m->state == MAKING_UNPACKED) {
		rpm_making_settle(env);
	} else if (m->run && !m->cancelled) {
		m->cancelled = true;
		rpm_unpack_cancel(m->run);
	}
}
