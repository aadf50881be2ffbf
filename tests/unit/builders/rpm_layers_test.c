// SPDX-License-Identifier: MIT
#include "rpm_world.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "builders/rpm_env.h"

/*
 * How RPMs become layers when one of them cannot, or takes for ever: a pipe in place of an RPM does, until somebody writes
 * into it.
 */
#define ENDLESS "endless.rpm"

static int64_t clock_ahead_s, date_ahead_s;

/* In place of libc's: time passes when a scenario says so, and for our own code alone. */
time_t time(time_t *ret)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec += date_ahead_s;
	if (ret)
		*ret = now.tv_sec;
	return now.tv_sec;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ret);

	if (clock == CLOCK_MONOTONIC)
		ret->tv_sec += clock_ahead_s;
	return r;
}

/* ---- one who wants a content */

struct wanted {
	struct rpm_want want;
	struct rpm_env *env;
	bool done;
	int code;
};

static void on_unpacked(struct rpm_want *want)
{
	struct wanted *x = want->arg;

	rpm_making_settle(x->env);
}

static void on_done(struct rpm_want *want, int code, const char *why)
{
	struct wanted *x = want->arg;

	(void)why;
	x->done = true;
	x->code = code;
}

static int want(struct rpm_world *rw, const char *name, const char *dir, const char *file,
	struct wanted *ret)
{
	*ret = (struct wanted){.env = rw->env,
		.want = {.repo_dir = dir,
			.file = file,
			.unpacked = on_unpacked,
			.done = on_done,
			.arg = ret}};
	return rpm_making_want(rw->env, name, &ret->want, NULL);
}

static void turn_until(struct world *w, const bool *done)
{
	while (!*done)
		uv_run(&w->loop.uv, UV_RUN_ONCE);
}

/* The folder of the pipe; the caller frees. */
static char *make_endless(struct world *w)
{
	char *dir = xasprintf("%s/endless", w->data), *path = xasprintf("%s/" ENDLESS, dir);

	CHECK(!mkdir(dir, 0755) && !chmod(dir, 0755), "%s", strerror(errno));
	CHECK(!mkfifo(path, 0666) && !chmod(path, 0666), "%s", strerror(errno));
	free(path);
	return dir;
}

static void end_endless(struct world *w, const char *dir, const char *rpm)
{
	char *path = xasprintf("%s/" ENDLESS, dir);
	struct strbuf data = STRBUF_INIT;
	int fd = open(path, O_WRONLY); /* waits for the reader */

	CHECK(fd >= 0 && !file_read(rpm, 60000, &data, NULL), "%s", strerror(errno));
	CHECK(write(fd, data.buf, data.len) == (ssize_t)data.len, "%s", strerror(errno));
	close(fd);
	strbuf_finish(&data);
	free(path);
}

static int count_layers(struct world *w)
{
	char *path = xasprintf("%s/layers", w->data);
	DIR *dir = opendir(path);
	struct dirent *entry;
	int count = 0;

	while (dir && (entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	free(path);
	return count;
}

/* apple is built and kept, pie needs it. */
static void init_with_apple(struct rpm_world *rw, struct world *w, struct rpm_built *ret_apple)
{
	rpm_world_init(rw, w);
	rpm_world_put_spec(rw, "apple", "", "", "");
	rpm_world_put_spec(rw, "pie", "BuildRequires: apple", "cat /usr/share/apple/file", "");
	rpm_world_build(rw, 1, "apple.spec", ret_apple);
	CHECK(ret_apple->ok, "%s", ret_apple->why);
	rpm_world_keep(rw, ret_apple);
}

static const char *sha256_of(const struct rpm_built *b, const char *nevra)
{
	int i = rpm_built_find(b, nevra);

	return i < 0 ? "" : b->sha256[i];
}

/* ---- */

static void what_cannot_be_unpacked_is_tried_once(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built apple, pie;
	uint64_t before = 0;

	rpm_world_init(&rw, w);
	/* A device cannot be made by whoever unpacks. */
	rpm_world_put(&rw, "apple.spec",
		"Name: apple\nVersion: 1.0\nRelease: 1\nSummary: x\nLicense: MIT\nBuildArch: "
		"noarch\n%description\nx\n%files\n%dev(c,1,3) /usr/share/apple-null\n");
	rpm_world_put_spec(&rw, "pie", "BuildRequires: apple", "", "");
	rpm_world_build(&rw, 1, "apple.spec", &apple);
	CHECK(apple.ok, "%s\n%s", apple.why, apple.log.buf);
	rpm_world_keep(&rw, &apple);
	for (int i = 0; i < 3; i++) {
		rpm_world_build(&rw, 2 + i, "pie.spec", &pie);
		CHECK(!pie.ok && !pie.infrastructure &&
				strstr(pie.why, "apple-1.0-1.noarch.rpm cannot be unpacked"),
			"%s", pie.why);
		CHECK(!i || rw.env->counter == before, "it was tried again");
		before = rw.env->counter;
		rpm_built_finish(&pie);
	}
	rpm_built_finish(&apple);
	rpm_world_finish(&rw);
}

static void what_is_remembered_is_bounded(struct world *w)
{
	struct rpm_world rw;
	struct wanted a;
	char *path, name[32];

	rpm_world_init(&rw, w);
	path = xasprintf("%s/broken.rpm", rw.job);
	CHECK(!file_write_atomic(path, "x", 1, 0644, NULL), "%s", strerror(errno));
	for (int i = 0; i < RPM_REFUSED_MAX; i++) {
		snprintf(name, sizeof(name), "%d", i);
		map_set(&rw.env->making.refused, name, xstrdup("it cannot be"));
	}
	CHECK(want(&rw, "0", rw.job, "broken.rpm", &a) == -EINVAL, "not refused");
	CHECK(!want(&rw, "x", rw.job, "broken.rpm", &a), "refused");
	turn_until(w, &a.done);
	CHECK(a.code == -EINVAL && rw.env->making.refused.count == 1, "%zu are remembered",
		rw.env->making.refused.count);
	CHECK(want(&rw, "x", rw.job, "broken.rpm", &a) == -EINVAL, "not refused");
	free(path);
	rpm_world_finish(&rw);
}

static void what_nobody_waits_for_any_more_is_stopped(struct world *w)
{
	struct rpm_world rw;
	struct wanted a, b;
	char *dir = make_endless(w);

	rpm_world_init(&rw, w);
	CHECK(!want(&rw, "x", dir, ENDLESS, &a) && !want(&rw, "x", dir, ENDLESS, &b), "refused");
	CHECK(rw.env->counter == 1, "unpacked %ju times", (uintmax_t)rw.env->counter);
	rpm_making_forget(rw.env, &a.want);
	CHECK(b.want.making, "it was stopped too early");
	rpm_making_forget(rw.env, &b.want);
	rpm_making_forget(rw.env, &b.want);
	rpm_world_finish(&rw); /* waits for all that is under way */
	CHECK(!a.done && !b.done, "who has left was told");
	free(dir);
}

static void who_comes_while_it_is_stopped_has_it_begun_anew(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built apple;
	struct wanted a, b;
	char *dir = make_endless(w);

	init_with_apple(&rw, w, &apple);
	CHECK(!want(&rw, "x", dir, ENDLESS, &a), "refused");
	rpm_making_forget(rw.env, &a.want);
	CHECK(!want(&rw, "x", apple.results, "apple-1.0-1.noarch.rpm", &b), "refused");
	turn_until(w, &b.done);
	CHECK(!b.code && count_layers(w) == 1, "%d", b.code);
	rpm_built_finish(&apple);
	rpm_world_finish(&rw);
	free(dir);
}

static void one_that_takes_for_ever_holds_up_nobody_else(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built apple, pie;
	struct wanted a;
	char *dir = make_endless(w);

	init_with_apple(&rw, w, &apple);
	CHECK(!want(&rw, "x", dir, ENDLESS, &a), "refused");
	rpm_world_build(&rw, 2, "pie.spec", &pie);
	CHECK(pie.ok && !a.done, "%s\n%s", pie.why, pie.log.buf);
	rpm_making_forget(rw.env, &a.want);
	rpm_built_finish(&apple);
	rpm_built_finish(&pie);
	rpm_world_finish(&rw);
	free(dir);
}

static void waiting_for_it_does_not_count(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built apple, pie;
	struct wanted a;
	char *dir = make_endless(w), *rpm;

	init_with_apple(&rw, w, &apple);
	rpm = xasprintf("%s/apple-1.0-1.noarch.rpm", apple.results);
	CHECK(!want(&rw, sha256_of(&apple, "apple-1.0-1.noarch"), dir, ENDLESS, &a), "refused");
	rpm_built_start(&rw, 2, 1, "pie.spec", 300000, &pie);
	while (!pie.ended && !strstr(pie.log.buf, "is this host and apple"))
		uv_run(&w->loop.uv, UV_RUN_ONCE);
	clock_ahead_s += 600;
	end_endless(w, dir, rpm);
	rpm_built_wait(&pie);
	CHECK(pie.ok && a.done, "%s\n%s", pie.why, pie.log.buf);
	CHECK(count_layers(w) == 1, "%d layers", count_layers(w));
	rpm_built_finish(&apple);
	rpm_built_finish(&pie);
	rpm_world_finish(&rw);
	free(dir);
	free(rpm);
}

static void what_is_gone_is_not_the_rpms_fault(struct world *w)
{
	struct rpm_world rw;
	struct wanted a;

	rpm_world_init(&rw, w);
	for (int i = 0; i < 2; i++) {
		CHECK(!want(&rw, "x", rw.job, "gone.rpm", &a), "refused");
		turn_until(w, &a.done);
		CHECK(a.code == -EIO, "%d", a.code);
	}
	rpm_world_finish(&rw);
}

/* ---- age */

struct ready {
	struct rpm_wait wait;
	bool done;
	int code;
};

static void on_ready(struct rpm_wait *wait, int code, const char *why)
{
	struct ready *r = container_of(wait, struct ready, wait);

	(void)why;
	r->done = true;
	r->code = code;
}

static void prune(struct rpm_world *rw)
{
	rpm_env_prune(rw->env);
	while (rw->env->pruning)
		uv_run(&rw->w->loop.uv, UV_RUN_ONCE);
}

/* As after somebody set the clock. */
static void a_layer_in_use_stays_however_old_it_looks(struct world *w)
{
	static const char *const files[] = {"apple-1.0-1.noarch.rpm"};
	struct rpm_world rw;
	struct rpm_built apple;
	struct rpm_layers *first, *second;
	struct ready r = {.wait.done = on_ready}, r2 = {.wait.done = on_ready};

	init_with_apple(&rw, w, &apple);
	first = rpm_layers_start(rw.env, apple.results, files, 1, &r.wait);
	second = rpm_layers_start(rw.env, apple.results, files, 1, &r2.wait);
	turn_until(w, &r.done);
	turn_until(w, &r2.done);
	CHECK(!r.code && !r2.code && count_layers(w) == 1, "%d %d", r.code, r2.code);
	date_ahead_s = (RPM_LAYERS_KEEP_DAYS + 1) * 86400;
	prune(&rw);
	CHECK(count_layers(w) == 1, "removed under two users");
	rpm_layers_drop(first);
	prune(&rw);
	CHECK(count_layers(w) == 1, "removed under its last user");
	rpm_layers_drop(second);
	prune(&rw);
	CHECK(!count_layers(w), "kept for nobody");
	rpm_built_finish(&apple);
	rpm_world_finish(&rw);
}

/* ---- the tests */

static const struct scenario scenarios[] = {
	SCENARIO(what_cannot_be_unpacked_is_tried_once),
	SCENARIO(what_is_remembered_is_bounded),
	SCENARIO(what_nobody_waits_for_any_more_is_stopped),
	SCENARIO(who_comes_while_it_is_stopped_has_it_begun_anew),
	SCENARIO(one_that_takes_for_ever_holds_up_nobody_else),
	SCENARIO(waiting_for_it_does_not_count),
	SCENARIO(what_is_gone_is_not_the_rpms_fault),
	SCENARIO(a_layer_in_use_stays_however_old_it_looks),
};

int main(int argc, char **argv)
{
	if (rpm_world_is_role(argc, argv))
		return rpm_world_role(argc, argv);
	return world_run_all(scenarios, countof(scenarios));
}
