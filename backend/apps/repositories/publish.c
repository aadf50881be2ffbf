// SPDX-License-Identifier: MIT
#include "apps/repositories/repositories.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builders/capture.h"
#include "builders/rpm.h"

#define OUTPUT_MAX (1 << 20)
#define INSIDE_RPMS "/repo"
#define INSIDE_LIVE "/live"

/* Who waits for a generation with their RPMs in it, or for one without them. */
struct request {
	struct list link;
	char **rpms;
	size_t count;
	char *withdrawn; /* folder of results; NULL: rpms are to be published */
	repository_done_fn *done;
	void *arg;
};

/* A job's repository while something is to be published in it. */
struct repository {
	struct repositories *all;
	char *job_dir;
	struct list waiting; /* struct request: for the next generation */
	struct list taken; /* those of the generation in the making */
	bool changed; /* what is live is not what is to be */
	int64_t live, next; /* generations; live 0: none yet */
	char *work; /* below slot 0 */
	uv_work_t pool;
	int code;
	struct strbuf why;
};

struct repositories {
	struct loop *loop;
	struct sandbox *sandbox;
	struct map by_job; /* job_dir to struct repository */
	uint64_t counter;
	size_t under_way; /* repositories and wipings */
	loop_fn *drained; /* when under_way is 0; NULL: nobody asked */
	void *drained_arg;
};

struct repositories *repositories_open(struct loop *loop, struct sandbox *sb)
{
	struct repositories *rs = xcalloc(1, sizeof(*rs));

	rs->loop = loop;
	rs->sandbox = sb;
	map_init(&rs->by_job);
	return rs;
}

void repositories_close(struct repositories *rs)
{
	if (!rs)
		return;
	map_finish(&rs->by_job);
	free(rs);
}

static void leave(void *arg)
{
	struct repositories *rs = arg;

	if (--rs->under_way || !rs->drained)
		return;
	loop_post(rs->loop, rs->drained, rs->drained_arg);
	rs->drained = NULL;
}

void repositories_drain(struct repositories *rs, loop_fn *done, void *arg)
{
	rs->under_way++;
	rs->drained = done;
	rs->drained_arg = arg;
	leave(rs);
}

static void request_free(struct request *q)
{
	for (size_t i = 0; i < q->count; i++)
		free(q->rpms[i]);
	free(q->rpms);
	free(q->withdrawn);
	free(q);
}

static void begin(struct repository *r);

static void repository_free(struct repository *r)
{
	struct repositories *rs = r->all;

	map_remove(&rs->by_job, r->job_dir);
	free(r->job_dir);
	free(r->work);
	strbuf_finish(&r->why);
	free(r);
	leave(rs);
}

/* Tells those of this generation, and begins the next one if somebody came meanwhile. */
static void end(struct repository *r)
{
	if (r->work) {
		r->all->under_way++;
		sandbox_wipe(r->all->sandbox, 0, r->work, leave, r->all);
	}
	while (!list_empty(&r->taken)) {
		struct request *q = list_first(&r->taken, struct request, link);

		list_remove(&q->link);
		q->done(r->code, r->why.buf, q->arg);
		request_free(q);
	}
	if (list_empty(&r->waiting))
		repository_free(r);
	else
		begin(r);
}

static char *generation_path(const struct repository *r, int64_t n)
{
	return xasprintf("%s/repos/%jd", r->job_dir, (intmax_t)n);
}

static int fail(struct repository *r, const char *what, const char *path)
{
	int code = -errno;

	return err_set(&r->why, code, "cannot %s %s: %s", what, path, strerror(-code));
}

/* ---- swapping it in (pool) */

static void remove_others(struct repository *r)
{
	char *folder = xasprintf("%s/repos", r->job_dir);
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int64_t n;

	while (dir && (entry = readdir(dir))) {
		char *path = xasprintf("%s/%s", folder, entry->d_name);

		if (!parse_id(entry->d_name, &n) && n != r->next && n != r->live)
			tree_remove(path);
		free(path);
	}
	if (dir)
		closedir(dir);
	free(folder);
}

static void sync_folder(struct repository *r, const char *below)
{
	char *path = xasprintf("%s/%s", r->job_dir, below);
	int code = r->code ? 0 : dir_sync(path);

	if (code)
		r->code = err_set(&r->why, code, "cannot store %s: %s", path, strerror(-code));
	free(path);
}

/* Who is told that this is live commits that the package completed, for ever: so all that the link leads to is on disk before
 * it, and the link before that. */
static void swap_work(uv_work_t *work)
{
	struct repository *r = container_of(work, struct repository, pool);
	char *target = xasprintf("repos/%jd", (intmax_t)r->next);
	char *fresh = xasprintf("%s/repo.new", r->job_dir);
	char *link_path = xasprintf("%s/" REPOSITORY_LINK, r->job_dir);

	sync_folder(r, RPM_JOB_DIR);
	sync_folder(r, target);
	sync_folder(r, "repos");
	unlink(fresh); /* of a server that died here */
	if (!r->code && (symlink(target, fresh) || rename(fresh, link_path)))
		r->code = fail(r, "replace", link_path);
	sync_folder(r, ".");
	if (!r->code)
		remove_others(r);
	free(target);
	free(fresh);
	free(link_path);
}

static void swapped(uv_work_t *work, int status)
{
	(void)status;
	end(container_of(work, struct repository, pool));
}

/* ---- its metadata */

static void captured(const struct capture_result *result, void *arg)
{
	struct repository *r = arg;

	if (!result->code) {
		uv_queue_work(&r->all->loop->uv, &r->pool, swap_work, swapped);
		return;
	}
	r->code = err_set(&r->why, result->code, "the repository's metadata: %s", result->why);
	end(r);
}

static void described(struct run_text *rt, const struct run_result *result, const char *text,
	size_t len, void *arg)
{
	struct repository *r = arg;
	char *folder = generation_path(r, r->next), *to = xasprintf("%s/repodata", folder);
	char *made = xasprintf("%s/repodata", r->work);
	const char *const from[] = {made, NULL};

	(void)rt;
	if (result->end == RUN_EXITED && !result->code) {
		capture_start(r->all->loop,
			&(struct capture_spec){.from = from, .to = to, .flat = true}, captured, r);
	} else {
		while (len && text[len - 1] == '\n')
			len--;
		r->code = err_set(&r->why, -EIO, "createrepo_c failed: %s%.*s",
			result->why ? result->why : "", (int)(len < 1000 ? len : 1000), text);
		end(r);
	}
	free(folder);
	free(to);
	free(made);
}

/* --update takes over what the live generation says of files that did not change. */
static void describe(struct repository *r)
{
	static const char *const program[] = {"createrepo_c", "--quiet", "--no-database",
		"--general-compress-type=gz", "--outputdir=/build", NULL};
	static const char *const update[] = {"--update", "--update-md-path=" INSIDE_LIVE, NULL};
	static const char *const rest[] = {INSIDE_RPMS, NULL};
	const char **argv = rpm_argv(program, r->live ? update : NULL, rest);
	static const char *const collect[] = {"repodata"};
	char *fresh = generation_path(r, r->next), *live = generation_path(r, r->live);
	const struct run_bind binds[] = {{fresh, INSIDE_RPMS, false}, {live, INSIDE_LIVE, false}};
	struct run_spec spec = {.slot = 0,
		.name = "repository",
		.argv = argv,
		.binds = binds,
		.bind_count = r->live ? 2 : 1,
		.collect = collect,
		.collect_count = countof(collect),
		.timeout_ms = REPOSITORY_TIMEOUT_MS};

	free(r->work);
	r->work = xasprintf("%s/repository-%ju", sandbox_slot_dir(r->all->sandbox, 0),
		(uintmax_t)++r->all->counter);
	spec.work = r->work;
	if (!run_text_start(r->all->sandbox, &spec, OUTPUT_MAX, described, r, &r->why)) {
		r->code = -EIO;
		end(r);
	}
	free(argv);
	free(fresh);
	free(live);
}

/* ---- its files (pool) */

static bool is_rpm(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 4 && !strcmp(name + len - 4, ".rpm");
}

/* By a name of its own first, so that nobody meets half of it and an old one of that name is replaced. */
static int take_rpm(struct repository *r, const char *folder, const char *rpm)
{
	const char *slash = strrchr(rpm, '/');
	char *fresh = xasprintf("%s/.new", folder),
	     *path = xasprintf("%s/%s", folder, slash ? slash + 1 : rpm);
	int code = 0;

	unlink(fresh);
	if (link(rpm, fresh) || rename(fresh, path))
		code = fail(r, "link", rpm);
	unlink(fresh); /* rename() leaves it when both are the same file already */
	free(fresh);
	free(path);
	return code;
}

static bool is_same_file(int a, int b, const char *name)
{
	struct stat of_a, of_b;

	return !fstatat(a, name, &of_a, AT_SYMLINK_NOFOLLOW) &&
	       !fstatat(b, name, &of_b, AT_SYMLINK_NOFOLLOW) && of_a.st_ino == of_b.st_ino &&
	       of_a.st_dev == of_b.st_dev;
}

/* -1: there is none. */
static int open_folder(struct repository *r, const char *path, int *ret_fd)
{
	*ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return *ret_fd < 0 && errno != ENOENT ? fail(r, "read", path) : 0;
}

/* The results are the list of what their package put in, so they must outlive this. */
static int withdraw_one(struct repository *r, int results, int rpms, int live, const char *name)
{
	if (live >= 0 && is_same_file(results, live, name))
		r->changed = true;
	if (!is_same_file(results, rpms, name) || !unlinkat(rpms, name, 0))
		return 0;
	return fail(r, "withdraw", name);
}

static int withdraw_all(struct repository *r, int results, int rpms, int live)
{
	DIR *dir = fdopendir(results); /* owns results */
	struct dirent *entry;
	int code = dir ? 0 : fail(r, "read", "results");

	while (dir && !code && (entry = readdir(dir)))
		if (is_rpm(entry->d_name))
			code = withdraw_one(r, results, rpms, live, entry->d_name);
	if (dir)
		closedir(dir);
	else
		close(results);
	return code;
}

static int withdraw(struct repository *r, const char *folder, const char *results)
{
	char *generation = generation_path(r, r->live);
	int from = -1, rpms = -1, live = -1, code = open_folder(r, results, &from);

	if (!code)
		code = open_folder(r, folder, &rpms);
	if (!code)
		code = open_folder(r, generation, &live);
	if (!code && from >= 0)
		code = withdraw_all(r, from, rpms, live);
	else if (from >= 0)
		close(from);
	if (rpms >= 0)
		close(rpms);
	if (live >= 0)
		close(live);
	free(generation);
	return code;
}

static int take_all(struct repository *r, const char *folder)
{
	struct request *q;
	int code = 0;

	list_for_each (q, &r->taken, link) {
		if (q->withdrawn && !code)
			code = withdraw(r, folder, q->withdrawn);
		for (size_t i = 0; i < q->count && !code; i++)
			code = take_rpm(r, folder, q->rpms[i]);
	}
	return code;
}

static int link_all(struct repository *r, const char *from, const char *to)
{
	DIR *dir = opendir(from);
	struct dirent *entry;
	int code = 0;

	if (!dir)
		return fail(r, "read", from);
	while (!code && (entry = readdir(dir)))
		if (is_rpm(entry->d_name)) {
			char *target = xasprintf("%s/%s", to, entry->d_name);

			if (linkat(dirfd(dir), entry->d_name, AT_FDCWD, target, 0))
				code = fail(r, "make", target);
			free(target);
		}
	closedir(dir);
	return code;
}

static int64_t live_generation(const struct repository *r)
{
	char *path = xasprintf("%s/" REPOSITORY_LINK, r->job_dir), target[64];
	ssize_t len = readlink(path, target, sizeof(target) - 1);
	int64_t n = 0;

	free(path);
	if (len < (ssize_t)strlen("repos/"))
		return 0;
	target[len] = '\0';
	return parse_id(target + strlen("repos/"), &n) ? 0 : n;
}

static int make_generation(struct repository *r, const char *rpms)
{
	char *fresh = generation_path(r, r->next);
	int code;

	tree_remove(fresh); /* of a server that died half-way */
	code = dir_create(fresh, 0750, &r->why);
	if (!code)
		code = link_all(r, rpms, fresh);
	free(fresh);
	return code;
}

static void gather_work(uv_work_t *work)
{
	struct repository *r = container_of(work, struct repository, pool);
	char *rpms = xasprintf("%s/" RPM_JOB_DIR, r->job_dir);

	r->live = live_generation(r);
	r->next = r->live + 1;
	r->code = r->changed ? dir_create(rpms, 0750, &r->why) : 0;
	if (!r->code)
		r->code = take_all(r, rpms);
	if (!r->code && r->changed)
		r->code = make_generation(r, rpms);
	free(rpms);
}

static void gathered(uv_work_t *work, int status)
{
	struct repository *r = container_of(work, struct repository, pool);

	(void)status;
	if (r->code || !r->changed)
		end(r);
	else
		describe(r);
}

/* ---- asking for it */

static void begin(struct repository *r)
{
	strbuf_reset(&r->why);
	r->code = 0;
	r->changed = false;
	free(r->work);
	r->work = NULL;
	while (!list_empty(&r->waiting)) {
		struct request *q = list_first(&r->waiting, struct request, link);

		r->changed |= !q->withdrawn;
		list_remove(&q->link);
		list_append(&r->taken, &q->link);
	}
	uv_queue_work(&r->all->loop->uv, &r->pool, gather_work, gathered);
}

static struct repository *repository_create(struct repositories *rs, const char *job_dir)
{
	struct repository *r = xcalloc(1, sizeof(*r));

	r->all = rs;
	r->job_dir = xstrdup(job_dir);
	list_init(&r->waiting);
	list_init(&r->taken);
	strbuf_init(&r->why);
	map_set(&rs->by_job, job_dir, r);
	rs->under_way++;
	return r;
}

/* Takes q. */
static void ask(struct repositories *rs, const char *job_dir, struct request *q)
{
	struct repository *r = map_get(&rs->by_job, job_dir);
	bool idle = !r;

	if (!r)
		r = repository_create(rs, job_dir);
	list_append(&r->waiting, &q->link);
	if (idle)
		begin(r);
}

void repository_publish(struct repositories *rs, const char *job_dir, const char *const *rpms,
	size_t count, repository_done_fn *done, void *arg)
{
	struct request *q = xcalloc(1, sizeof(*q));

	q->rpms = xcalloc(count + 1, sizeof(*q->rpms));
	for (size_t i = 0; i < count; i++)
		q->rpms[i] = xstrdup(rpms[i]);
	q->count = count;
	q->done = done;
	q->arg = arg;
	ask(rs, job_dir, q);
}

void repository_withdraw(struct repositories *rs, const char *job_dir, const char *results_dir,
	repository_done_fn *done, void *arg)
{
	struct request *q = xcalloc(1, sizeof(*q));

	q->withdrawn = xstrdup(results_dir);
	q->done = done;
	q->arg = arg;
	ask(rs, job_dir, q);
}
