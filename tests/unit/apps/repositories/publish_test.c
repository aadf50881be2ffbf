// SPDX-License-Identifier: MIT
#include "../../builders/rpm_world.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "../../skip.h"

#include "apps/repositories/repositories.h"

/* A publishing to its end. */
struct published {
	struct world *w;
	int code, calls;
	char why[1000];
};

static void on_published(int code, const char *why, void *arg)
{
	struct published *p = arg;

	p->code = code;
	p->calls++;
	snprintf(p->why, sizeof(p->why), "%s", why);
	loop_stop(&p->w->loop);
}

static struct strbuf synced = STRBUF_INIT; /* paths, one a line */

/* In place of libc's, to see what was stored in which order. */
int fsync(int fd)
{
	char name[64], path[4096];
	ssize_t len;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	len = readlink(name, path, sizeof(path));
	strbuf_addf(&synced, "%.*s\n", len < 0 ? 0 : (int)len, path);
	return (int)syscall(SYS_fsync, fd);
}

static void publish(struct repositories *rs, struct rpm_world *rw, const struct rpm_built *b,
	struct published *ret)
{
	const char *rpms[33] = {NULL};

	*ret = (struct published){.w = rw->w};
	for (size_t i = 0; b && i < b->count; i++)
		rpms[i] = xasprintf("%s/%s", b->results, b->file[i]);
	repository_publish(rs, rw->job, rpms, b ? b->count : 0, on_published, ret);
	for (size_t i = 0; rpms[i]; i++)
		free((char *)rpms[i]);
}

static void published_wait(struct published *p)
{
	while (!p->calls)
		loop_run(&p->w->loop);
}

static int count_entries(const char *folder, const char *name)
{
	char *path = xasprintf("%s/%s", folder, name);
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

static bool live_has(struct rpm_world *rw, const char *path)
{
	struct repository_file f;

	if (repository_open_file(rw->job, path, &f))
		return false;
	close(f.fd);
	return true;
}

static void withdraw(
	struct repositories *rs, struct rpm_world *rw, const char *results, struct published *ret)
{
	*ret = (struct published){.w = rw->w};
	repository_withdraw(rs, rw->job, results, on_published, ret);
	published_wait(ret);
}

static int64_t generation(struct rpm_world *rw)
{
	char *path = xasprintf("%s/repo", rw->job), target[64] = "";
	int64_t n;

	if (readlink(path, target, sizeof(target) - 1) < 0 ||
		parse_id(target + strlen("repos/"), &n))
		n = 0;
	free(path);
	return n;
}

static void set_done(void *arg)
{
	*(bool *)arg = true;
}

static void close_drained(struct repositories *rs, struct world *w)
{
	bool done = false;

	repositories_drain(rs, set_done, &done);
	while (!done)
		uv_run(&w->loop.uv, UV_RUN_ONCE);
	repositories_close(rs);
}

static void what_a_package_put_in_can_be_taken_out(struct world *w)
{
	struct rpm_world rw;
	struct repositories *rs = repositories_open(&w->loop, w->sb);
	struct published p;
	struct rpm_built one, two;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "one", "", "", "");
	rpm_world_put_spec(&rw, "two", "", "", "");
	rpm_world_build(&rw, 1, "one.spec", &one);
	rpm_world_build(&rw, 2, "two.spec", &two);
	withdraw(rs, &rw, one.results, &p);
	CHECK(!p.code && !generation(&rw), "before anything was published: %s", p.why);
	publish(rs, &rw, &one, &p);
	published_wait(&p);
	publish(rs, &rw, &two, &p);
	published_wait(&p);
	withdraw(rs, &rw, one.results, &p);
	CHECK(!p.code && generation(&rw) == 3, "%s", p.why);
	CHECK(!live_has(&rw, "one-1.0-1.noarch.rpm") && live_has(&rw, "two-1.0-1.noarch.rpm"),
		"the wrong one is live");
	CHECK(count_entries(rw.job, "rpms") == 2, "%d RPMs", count_entries(rw.job, "rpms"));
	withdraw(rs, &rw, one.results, &p);
	withdraw(rs, &rw, "/nonexistent", &p);
	CHECK(!p.code && generation(&rw) == 3, "a generation for nothing");
	rpm_built_finish(&one);
	rpm_built_finish(&two);
	rpm_world_finish(&rw);
	close_drained(rs, w);
}

/* As when the server died before the new generation was live: what is in rpms/ is gone, the live one is as it was. */
static void taking_out_goes_on_where_it_was_cut_off(struct world *w)
{
	struct rpm_world rw;
	struct repositories *rs = repositories_open(&w->loop, w->sb);
	struct published p;
	struct rpm_built one, again;
	char *rpm;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "one", "", "", "");
	rpm_world_build(&rw, 1, "one.spec", &one);
	rpm_world_build(&rw, 2, "one.spec", &again);
	publish(rs, &rw, &one, &p);
	published_wait(&p);
	withdraw(rs, &rw, again.results, &p);
	CHECK(!p.code && live_has(&rw, "one-1.0-1.noarch.rpm"), "another's file of that name");
	rpm = xasprintf("%s/rpms/one-1.0-1.noarch.rpm", rw.job);
	CHECK(!unlink(rpm), "%s", strerror(errno));
	withdraw(rs, &rw, one.results, &p);
	CHECK(!p.code && !live_has(&rw, "one-1.0-1.noarch.rpm"), "%s", p.why);
	free(rpm);
	rpm_built_finish(&one);
	rpm_built_finish(&again);
	rpm_world_finish(&rw);
	close_drained(rs, w);
}

static void what_is_told_as_live_is_on_disk(struct world *w)
{
	struct rpm_world rw;
	struct repositories *rs = repositories_open(&w->loop, w->sb);
	struct published p;
	struct rpm_built one;
	char *order;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "one", "", "", "");
	rpm_world_build(&rw, 1, "one.spec", &one);
	order = xasprintf("\n%s/rpms\n%s/repos/1\n%s/repos\n%s\n", rw.job, rw.job, rw.job, rw.job);
	publish(rs, &rw, &one, &p);
	published_wait(&p);
	CHECK(!p.code && synced.len > strlen(order) &&
			!strcmp(synced.buf + synced.len - strlen(order), order),
		"%s", synced.buf);
	free(order);
	rpm_built_finish(&one);
	rpm_world_finish(&rw);
	close_drained(rs, w);
}

/* A library of shell, a program that needs it to be built and to run. */
static void put_two_packages(struct rpm_world *rw)
{
	rpm_world_put_spec(rw, "greeting", "Provides: greeting-words = 2", "",
		"echo 'hello from an rpm' > %{buildroot}/usr/share/greeting/words");
	rpm_world_put_spec(rw, "greeter", "BuildRequires: greeting-words >= 2\nRequires: greeting",
		"cp /usr/share/greeting/words .",
		"mkdir -p %{buildroot}/usr/share/greeter/bin\n"
		"printf '#!/bin/sh\\ncat \"$1\"/usr/share/greeting/words\\n'"
		" > %{buildroot}/usr/share/greeter/bin/greeter\n"
		"chmod 755 %{buildroot}/usr/share/greeter/bin/greeter");
}

static void each_generation_holds_all_before_and_the_last_two_stay(struct world *w)
{
	struct rpm_world rw;
	struct repositories *rs = repositories_open(&w->loop, w->sb);
	struct published p;
	struct rpm_built b[3];

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "one", "", "", "");
	rpm_world_put_spec(&rw, "two", "", "", "");
	rpm_world_put_spec(&rw, "three", "", "", "");
	publish(rs, &rw, NULL, &p);
	CHECK(!p.calls, "done came from within");
	published_wait(&p);
	CHECK(!p.code && live_has(&rw, "repodata/repomd.xml"), "empty: %s", p.why);
	for (int i = 0; i < 3; i++) {
		static const char *const files[] = {"one.spec", "two.spec", "three.spec"};

		rpm_world_build(&rw, i + 1, files[i], &b[i]);
		CHECK(b[i].ok, "%s: %s", files[i], b[i].why);
		publish(rs, &rw, &b[i], &p);
		published_wait(&p);
		CHECK(!p.code, "publish: %s", p.why);
	}
	CHECK(live_has(&rw, "one-1.0-1.noarch.rpm") && live_has(&rw, "three-1.0-1.noarch.rpm") &&
			live_has(&rw, "two-1.0-1.src.rpm"),
		"something is missing");
	CHECK(count_entries(rw.job, "repos") == 2, "%d generations",
		count_entries(rw.job, "repos"));
	CHECK(count_entries(rw.job, "repo") == 7, "%d entries", count_entries(rw.job, "repo"));
	for (int i = 0; i < 3; i++)
		rpm_built_finish(&b[i]);
	rpm_world_finish(&rw);
	close_drained(rs, w);
}

static void requests_that_come_meanwhile_share_one_generation(struct world *w)
{
	struct rpm_world rw;
	struct repositories *rs = repositories_open(&w->loop, w->sb);
	struct published p[4];
	struct rpm_built b;
	char target[64] = "", *link_path;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "one", "", "", "");
	rpm_world_build(&rw, 1, "one.spec", &b);
	publish(rs, &rw, &b, &p[0]);
	for (int i = 1; i < 4; i++)
		publish(rs, &rw, NULL, &p[i]);
	for (int i = 0; i < 4; i++)
		published_wait(&p[i]);
	for (int i = 0; i < 4; i++)
		CHECK(p[i].calls == 1 && !p[i].code, "%d: %d calls, %s", i, p[i].calls, p[i].why);
	link_path = xasprintf("%s/repo", rw.job);
	CHECK(readlink(link_path, target, sizeof(target) - 1) > 0 && !strcmp(target, "repos/2"),
		"live: %s", target);
	free(link_path);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
	close_drained(rs, w);
}

static void a_failure_leaves_what_was_live_and_is_told(struct world *w)
{
	struct rpm_world rw;
	struct repositories *rs = repositories_open(&w->loop, w->sb);
	struct published p;
	struct rpm_built b;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "one", "", "", "");
	rpm_world_build(&rw, 1, "one.spec", &b);
	publish(rs, &rw, &b, &p);
	published_wait(&p);
	free(b.file[0]);
	b.file[0] = xstrdup("gone.rpm");
	publish(rs, &rw, &b, &p);
	published_wait(&p);
	CHECK(p.code == -ENOENT && strstr(p.why, "gone.rpm"), "%d: %s", p.code, p.why);
	CHECK(live_has(&rw, "one-1.0-1.noarch.rpm"), "the live one is gone");
	publish(rs, &rw, NULL, &p);
	published_wait(&p);
	CHECK(!p.code, "not healed: %s", p.why);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
	close_drained(rs, w);
}

static void two_packages_are_built_and_published(struct world *w)
{
	static const char *const files[] = {"greeting.spec", "greeter.spec"};
	struct rpm_world rw;
	struct repositories *rs = repositories_open(&w->loop, w->sb);
	struct published p;

	rpm_world_init(&rw, w);
	put_two_packages(&rw);
	for (int i = 0; i < 2; i++) {
		struct rpm_built b;

		rpm_world_build(&rw, i + 1, files[i], &b);
		CHECK(b.ok, "%s: %s\n%s", files[i], b.why, b.log.buf);
		publish(rs, &rw, &b, &p);
		published_wait(&p);
		CHECK(!p.code, "publish: %s", p.why);
		rpm_built_finish(&b);
	}
	rpm_world_finish(&rw);
	close_drained(rs, w);
}

/* ---- the tests */

static const struct scenario scenarios[] = {
	SCENARIO(each_generation_holds_all_before_and_the_last_two_stay),
	SCENARIO(requests_that_come_meanwhile_share_one_generation),
	SCENARIO(a_failure_leaves_what_was_live_and_is_told),
	SCENARIO(what_a_package_put_in_can_be_taken_out),
	SCENARIO(taking_out_goes_on_where_it_was_cut_off),
	SCENARIO(what_is_told_as_live_is_on_disk),
};

static int sh(const char *fmt, ...) PRINTF(1, 2);
static int sh(const char *fmt, ...)
{
	struct strbuf command = STRBUF_INIT;
	va_list ap;
	int status;

	va_start(ap, fmt);
	strbuf_vaddf(&command, fmt, ap);
	va_end(ap);
	status = system(command.buf);
	strbuf_finish(&command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* As a user of the repository would, on a machine that has what the base package says of this one. */
static void test_dnf_installs_from_a_published_folder_and_the_program_runs(void **state)
{
	char data[64];

	(void)state;
	if (geteuid())
		skip_because("only root installs packages");
	if (access("/usr/bin/dnf", X_OK))
		skip_because("dnf is not here");
	world_make_data(data);
	assert_int_equal(
		world_wait(world_start(data, ROOT, two_packages_are_built_and_published)), 0);
	assert_int_equal(sh("mkdir -p %s/host %s/log && cp %s/base/*/base.rpm %s/host/ && "
			    "createrepo_c -q %s/host",
				 data, data, data, data, data),
		0);
	assert_int_equal(
		sh("dnf -q -y --installroot=%s/root --releasever=12 --setopt=reposdir=/nonexistent "
		   "--setopt=cachedir=%s/cache --setopt=logdir=%s/log --setopt=gpgcheck=0 "
		   "--setopt=tsflags=noscripts --repofrompath=built,file://%s/builds/1/repo "
		   "--repofrompath=host,file://%s/host install greeter >%s/log/out 2>&1 || "
		   "{ cat %s/log/out; false; }",
			data, data, data, data, data, data, data),
		0);
	assert_int_equal(sh("test \"$(%s/root/usr/share/greeter/bin/greeter %s/root)\" = "
			    "'hello from an rpm'",
				 data, data),
		0);
	tree_remove(data);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dnf_installs_from_a_published_folder_and_the_program_runs),
	};

	if (rpm_world_is_role(argc, argv))
		return rpm_world_role(argc, argv);
	return world_run_all(scenarios, countof(scenarios)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
