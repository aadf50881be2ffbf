// SPDX-License-Identifier: MIT
#include "builders/rpm_env.h"

#include <sys/stat.h>

#define SELF_BYTES_MAX (256 << 20)

static int make_folder(const struct rpm_env *env, const char *name, struct strbuf *err)
{
	char *path = xasprintf("%s/%s", env->data_dir, name);
	int r = dir_create(path, 0750, err);

	free(path);
	return r;
}

/* A copy, because the binary may lie where no slot's uid may go: in root's home. */
static int copy_self(struct rpm_env *env, struct strbuf *err)
{
	struct strbuf binary = STRBUF_INIT, copy = STRBUF_INIT;
	int r = file_read("/proc/self/exe", SELF_BYTES_MAX, &binary, err);

	if (!r && (file_read(env->self, SELF_BYTES_MAX, &copy, NULL) || copy.len != binary.len ||
			  memcmp(copy.buf, binary.buf, copy.len) != 0))
		r = file_write_atomic(env->self, binary.buf, binary.len, 0755, err);
	if (!r && chmod(env->self, 0755))
		r = err_set(
			err, -errno, "cannot make %s executable: %s", env->self, strerror(errno));
	strbuf_finish(&binary);
	strbuf_finish(&copy);
	return r;
}

static char **copy_list(const char *const *list)
{
	size_t count = 0;
	char **copy;

	while (list && list[count])
		count++;
	copy = xcalloc(count + 1, sizeof(*copy));
	for (size_t i = 0; i < count; i++)
		copy[i] = xstrdup(list[i]);
	return copy;
}

struct rpm_env *rpm_env_open(struct loop *loop, struct sandbox *sb, const char *data_dir,
	const char *const *provides, struct strbuf *err)
{
	struct rpm_env *env = xcalloc(1, sizeof(*env));
	int r;

	env->loop = loop;
	env->sandbox = sb;
	env->data_dir = xstrdup(data_dir);
	env->self = xasprintf("%s/tools/reqpm", data_dir);
	env->provides = copy_list(provides);
	env->hashes = rpm_hashes_create();
	uv_mutex_init(&env->layers_lock);
	list_init(&env->base.waiting);
	list_init(&env->making.all);
	list_init(&env->making.moving);
	map_init(&env->making.refused);
	rpm_uses_init(&env->uses);
	r = make_folder(env, "tools", err);
	if (!r)
		r = make_folder(env, "base", err);
	if (!r)
		r = make_folder(env, "layers", err);
	if (!r)
		r = copy_self(env, err);
	if (!r)
		return env;
	rpm_env_close(env);
	return NULL;
}

/* ---- what is under way */

void rpm_env_enter(struct rpm_env *env)
{
	env->under_way++;
}

void rpm_env_leave(struct rpm_env *env)
{
	if (--env->under_way || !env->drained)
		return;
	loop_post(env->loop, env->drained, env->drained_arg);
	env->drained = NULL;
}

void rpm_env_drain(struct rpm_env *env, loop_fn *done, void *arg)
{
	rpm_env_enter(env);
	env->drained = done;
	env->drained_arg = arg;
	rpm_env_leave(env);
}

static void wiped(void *arg)
{
	rpm_env_leave(arg);
}

void rpm_env_wipe(struct rpm_env *env, const char *path)
{
	rpm_env_enter(env);
	sandbox_wipe(env->sandbox, 0, path, wiped, env);
}

/* ---- the end */

void rpm_env_close(struct rpm_env *env)
{
	if (!env)
		return;
	for (char **p = env->provides; *p; p++)
		free(*p);
	free(env->provides);
	free(env->base.dir);
	free(env->data_dir);
	free(env->self);
	rpm_hashes_destroy(env->hashes);
	rpm_making_forget_refused(env);
	map_finish(&env->making.refused);
	rpm_uses_finish(&env->uses);
	uv_mutex_destroy(&env->layers_lock);
	free(env);
}

const char *rpm_env_self(const struct rpm_env *env)
{
	return env->self;
}
