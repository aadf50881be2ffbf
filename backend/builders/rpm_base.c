// SPDX-License-Identifier: MIT
#include "builders/rpm_env.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "builders/capture.h"
#include "builders/rpm_role.h"

#define BASE_TIMEOUT_MS 120000
#define BASE_KEEP_S 86400 /* an older base may still be bound by a build that is just starting */
#define KEY_CHARS 32

/* Whose change means that packages came or went. */
static const char *const host_state[] = {"/var/lib/dpkg/status",
	"/usr/lib/sysimage/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/Packages.db",
	"/var/lib/rpm/rpmdb.sqlite", "/var/lib/rpm/Packages.db", "/var/lib/rpm/Packages",
	"/usr/bin", "/usr/sbin", "/usr/include"};
static const char *const host_databases[] = {"/usr/lib/sysimage/rpm", "/var/lib/rpm"};

static void wait_end_all(struct rpm_env *env, int code, const char *why)
{
	struct list done;
	struct rpm_wait *w;

	/* A waiter may ask again at once: it belongs to the next look. */
	env->base.busy = false;
	list_init(&done);
	while (!list_empty(&env->base.waiting)) {
		w = list_first(&env->base.waiting, struct rpm_wait, link);
		list_remove(&w->link);
		list_append(&done, &w->link);
	}
	while (!list_empty(&done)) {
		w = list_first(&done, struct rpm_wait, link);
		list_remove(&w->link);
		w->done(w, code, why);
	}
	rpm_env_leave(env);
}

/* ---- the key (pool) */

static char *fresh_folder(const struct rpm_env *env)
{
	return xasprintf("%s/base/%s.new", env->data_dir, env->base.key);
}

static void digest_text(struct digest *d, const char *text)
{
	digest_add(d, text, strlen(text) + 1);
}

static void digest_state(struct digest *d, const char *path)
{
	struct stat st;
	char text[128] = "none";

	if (!stat(path, &st))
		snprintf(text, sizeof(text), "%jd %jd.%09ld", (intmax_t)st.st_size,
			(intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	digest_text(d, text);
}

static void look_work(uv_work_t *work)
{
	struct rpm_env *env = container_of(work, struct rpm_env, base.work);
	struct digest *d = digest_create();
	struct utsname uts;
	char hex[SHA256_HEX_MAX], *path;

	uname(&uts);
	digest_text(d, REQPM_VERSION);
	digest_text(d, uts.machine);
	digest_state(d, env->self);
	for (size_t i = 0; i < countof(host_state); i++)
		digest_state(d, host_state[i]);
	for (char **p = env->provides; *p; p++)
		digest_text(d, *p);
	digest_hex(d, hex);
	digest_destroy(d);
	snprintf(env->base.key, sizeof(env->base.key), "%.*s", KEY_CHARS, hex);
	path = xasprintf("%s/base/%s", env->data_dir, env->base.key);
	env->base.present = !access(path, R_OK);
	free(path);
	path = fresh_folder(env);
	if (!env->base.present)
		tree_remove(path); /* of a server that died half-way */
	free(path);
}

static void take_key(struct rpm_env *env)
{
	free(env->base.dir);
	env->base.dir = xasprintf("%s/base/%s", env->data_dir, env->base.key);
}

/* ---- making it */

static char *work_folder(const struct rpm_env *env)
{
	return xasprintf("%s/base-%s", sandbox_slot_dir(env->sandbox, 0), env->base.key);
}

static void made(struct rpm_env *env, int code, const char *why)
{
	char *work = work_folder(env);
	struct strbuf text = STRBUF_INIT;

	if (code)
		strbuf_addf(&text,
			"the base package, which stands for this host, cannot be made: %s", why);
	else
		take_key(env);
	rpm_env_wipe(env, work);
	free(work);
	wait_end_all(env, code, text.buf);
	strbuf_finish(&text);
}

static int sync_file(const char *folder, const char *name)
{
	char *path = xasprintf("%s/%s", folder, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC), r = 0;

	if (fd < 0 || fsync(fd))
		r = -errno;
	if (fd >= 0)
		close(fd);
	free(path);
	return r;
}

/* What an older state of the host left behind. */
static void remove_old(const struct rpm_env *env)
{
	char *folder = xasprintf("%s/base", env->data_dir);
	DIR *dir = opendir(folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *path = xasprintf("%s/%s", folder, entry->d_name);
		struct stat st;

		if (entry->d_name[0] != '.' && strcmp(entry->d_name, env->base.key) != 0 &&
			!lstat(path, &st) && st.st_mtime < time(NULL) - BASE_KEEP_S)
			tree_remove(path);
		free(path);
	}
	if (dir)
		closedir(dir);
	free(folder);
}

/* Synced before it gets its name: an empty base.rpm after a power cut would fail every build. */
static void publish_work(uv_work_t *work)
{
	struct rpm_env *env = container_of(work, struct rpm_env, base.work);
	char *fresh = fresh_folder(env),
	     *final = xasprintf("%s/base/%s", env->data_dir, env->base.key);

	env->base.code = sync_file(fresh, "base.rpm");
	if (!env->base.code)
		env->base.code = sync_file(fresh, "rpmdb.sqlite");
	if (!env->base.code && rename(fresh, final))
		env->base.code = -errno;
	if (!env->base.code)
		remove_old(env);
	free(fresh);
	free(final);
}

static void published(uv_work_t *work, int status)
{
	struct rpm_env *env = container_of(work, struct rpm_env, base.work);
	int code = status ? status : env->base.code;

	made(env, code, code ? strerror(-code) : "");
}

static void captured(const struct capture_result *result, void *arg)
{
	struct rpm_env *env = arg;

	if (result->code)
		made(env, result->code, result->why);
	else
		uv_queue_work(&env->loop->uv, &env->base.work, publish_work, published);
}

static void generated(struct run_text *rt, const struct run_result *result, const char *text,
	size_t len, void *arg)
{
	struct rpm_env *env = arg;
	struct strbuf output = STRBUF_INIT, err = STRBUF_INIT;
	char *work = work_folder(env), *out = xasprintf("%s/out", work), *fresh = fresh_folder(env);
	const char *const from[] = {out, NULL};
	json_t *answer;

	(void)rt;
	strbuf_add(&output, text, len);
	answer = rpm_answer_take(result, &output, &err);
	if (answer)
		capture_start(env->loop,
			&(struct capture_spec){.from = from, .to = fresh, .flat = true}, captured,
			env);
	else
		made(env, -EIO, err.buf);
	json_decref(answer);
	free(work);
	free(out);
	free(fresh);
	strbuf_finish(&output);
	strbuf_finish(&err);
}

static const char *host_database(void)
{
	for (size_t i = 0; i < countof(host_databases); i++)
		if (!access(host_databases[i], R_OK))
			return host_databases[i];
	return NULL;
}

static void generate(struct rpm_env *env)
{
	static const char *const role[] = {RPM_SELF, RPM_ROLE, "base", NULL};
	const char **argv = rpm_argv(role, (const char *const *)env->provides, NULL);
	const char *hostdb = host_database();
	const struct run_bind binds[] = {
		{env->self, RPM_SELF, false}, {hostdb, RPM_ROLE_HOSTDB, false}};
	static const char *const collect[] = {"out", NULL};
	struct strbuf err = STRBUF_INIT;
	char *work = work_folder(env);
	struct run_spec spec = {.slot = 0,
		.name = "base",
		.argv = argv,
		.work = work,
		.binds = binds,
		.bind_count = hostdb ? 2 : 1,
		.collect = collect,
		.collect_count = 1,
		.limits.memory_bytes = RPM_ROLE_MEMORY_BYTES,
		.timeout_ms = BASE_TIMEOUT_MS};

	if (!run_text_start(env->sandbox, &spec, RPM_ANSWER_TEXT_MAX, generated, env, &err))
		made(env, -EIO, err.buf);
	free(work);
	free(argv);
	strbuf_finish(&err);
}

static void looked(uv_work_t *work, int status)
{
	struct rpm_env *env = container_of(work, struct rpm_env, base.work);

	(void)status;
	if (env->base.present) {
		take_key(env);
		wait_end_all(env, 0, "");
	} else {
		generate(env);
	}
}

void rpm_base_ensure(struct rpm_env *env, struct rpm_wait *w)
{
	list_append(&env->base.waiting, &w->link);
	if (env->base.busy)
		return;
	env->base.busy = true;
	rpm_env_enter(env);
	uv_queue_work(&env->loop->uv, &env->base.work, look_work, looked);
}

const char *rpm_base_dir(const struct rpm_env *env)
{
	return env->base.dir;
}

/* ---- for planning */

struct host_wait {
	struct rpm_wait wait;
	struct rpm_env *env;
	rpm_host_fn *done;
	void *arg;
};

static void host_known(struct rpm_wait *wait, int code, const char *why)
{
	struct host_wait *h = container_of(wait, struct host_wait, wait);
	char *path = code ? NULL : xasprintf("%s/%s", rpm_base_dir(h->env), RPM_BASE_PROVIDES);

	h->done(h->arg, path, why);
	free(path);
	free(h);
}

void rpm_host_provides(struct rpm_env *env, rpm_host_fn *done, void *arg)
{
	struct host_wait *h = xcalloc(1, sizeof(*h));

	*h = (struct host_wait){.wait = {.done = host_known}, .env = env, .done = done, .arg = arg};
	rpm_base_ensure(env, &h->wait);
}
