// SPDX-License-Identifier: MIT
#include "rpm_world.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- in place of the C library's: what is on disk when a layer gets its name */

static struct {
	int syncs, moves, unsynced_moves, folder_syncs;
} disk;

int syncfs(int fd)
{
	disk.syncs++;
	return (int)syscall(SYS_syncfs, fd);
}

int rename(const char *from, const char *to)
{
	if (strstr(to, "/layers/")) {
		disk.moves++;
		disk.unsynced_moves += !disk.syncs;
	}
	return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int fsync(int fd)
{
	char link[64], path[300] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (disk.moves && readlink(link, path, sizeof(path) - 1) > 0)
		disk.folder_syncs += strstr(path, "/layers") != NULL;
	return (int)syscall(SYS_fsync, fd);
}

static bool has(const struct rpm_built *b, const char *text)
{
	return strstr(b->log.buf, text) != NULL;
}

static const char *provides_of(const struct rpm_built *b, const char *nevra)
{
	int i = rpm_built_find(b, nevra);

	return i < 0 || !b->provides[i] ? "" : b->provides[i];
}

/* ---- what comes out */

static void a_spec_becomes_rpms_and_a_source_rpm(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built b;
	int rpm, srpm;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "apple", "Provides: fruit = 3", "", "");
	rpm_world_build(&rw, 1, "apple.spec", &b);
	CHECK(b.ok && b.count == 2, "%s, %zu artifacts\n%s", b.why, b.count, b.log.buf);
	rpm = rpm_built_find(&b, "apple-1.0-1.noarch");
	srpm = rpm_built_find(&b, "apple-1.0-1.src");
	CHECK(rpm >= 0 && srpm >= 0, "%d %d", rpm, srpm);
	if (rpm >= 0 && srpm >= 0) {
		char *path = xasprintf("%s/%s", b.results, b.file[rpm]);

		CHECK(!strcmp(b.kind[rpm], "rpm") && !strcmp(b.kind[srpm], "srpm"), "%s",
			b.kind[srpm]);
		CHECK(strlen(b.sha256[rpm]) == 64 && !b.provides[srpm], "%s", b.sha256[rpm]);
		CHECK(!strcmp(provides_of(&b, "apple-1.0-1.noarch"),
			      "[\"apple = 1.0-1\",\"fruit = 3\"]"),
			"%s", provides_of(&b, "apple"));
		CHECK(!access(path, R_OK), "%s is not there", path);
		free(path);
	}
	CHECK(strstr(b.phases.buf, "buildrequires\n%prep\n%build\n%install\n"), "%s", b.phases.buf);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

static void files_that_may_be_needed_by_path_are_described(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built b;

	rpm_world_init(&rw, w);
	rpm_world_put(&rw, "tool.spec",
		"Name: tool\nVersion: 1\nRelease: 1\nSummary: x\nLicense: MIT\nBuildArch: noarch\n"
		"%description\nx\n%install\ncd %{buildroot}\nmkdir -p usr/bin usr/share etc\n"
		"touch usr/bin/tool usr/share/tool etc/tool.conf\n"
		"%files\n/usr/bin/tool\n/usr/share/tool\n/etc/tool.conf\n");
	rpm_world_build(&rw, 1, "tool.spec", &b);
	CHECK(b.ok, "%s\n%s", b.why, b.log.buf);
	CHECK(!strcmp(provides_of(&b, "tool-1-1.noarch"),
		      "[\"tool = 1-1\",\"/etc/tool.conf\",\"/usr/bin/tool\"]"),
		"%s", provides_of(&b, "tool-1-1.noarch"));
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

static void the_same_sources_make_the_same_bytes(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built a, b;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "apple", "", "date +%s%N > /tmp/now", "");
	rpm_built_start(&rw, 1, 1, "apple.spec", 0, &a);
	rpm_built_wait(&a);
	rpm_built_start(&rw, 2, 2, "apple.spec", 0, &b);
	rpm_built_wait(&b);
	CHECK(a.count == 2 && b.count == 2, "%s %s", a.why, b.why);
	for (size_t i = 0; i < a.count && i < b.count; i++)
		CHECK(!strcmp(a.sha256[i], b.sha256[i]), "%s differs", a.file[i]);
	rpm_built_finish(&a);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

static void a_source_rpm_is_rebuilt(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built a, b;
	struct strbuf data = STRBUF_INIT;
	char *from, *to;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "apple", "Source0: seed.txt", "grep pip %{SOURCE0}", "");
	rpm_world_put(&rw, "seed.txt", "pip\n");
	rpm_world_build(&rw, 1, "apple.spec", &a);
	CHECK(a.ok, "%s\n%s", a.why, a.log.buf);
	from = xasprintf("%s/apple-1.0-1.src.rpm", a.results);
	to = xasprintf("%s/apple-1.0-1.src.rpm", rw.upload);
	CHECK(!file_read(from, 1 << 20, &data, NULL), "no %s", from);
	file_write_atomic(to, data.buf, data.len, 0644, NULL);
	free(from);
	from = xasprintf("%s/seed.txt", rw.upload);
	unlink(from); /* it is in the source RPM */
	rpm_world_build(&rw, 2, "apple-1.0-1.src.rpm", &b);
	CHECK(b.ok && b.count == 2, "%s\n%s", b.why, b.log.buf);
	CHECK(rpm_built_find(&b, "apple-1.0-1.noarch") >= 0, "no apple");
	free(from);
	free(to);
	strbuf_finish(&data);
	rpm_built_finish(&a);
	rpm_built_finish(&b);
	rpm_world_finish(&rw);
}

/* ---- build roots */

static void what_was_built_is_in_the_next_build_root(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built apple, pie;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "apple", "Provides: fruit = 3", "",
		"mkdir -p %{buildroot}/usr/lib64/pkgconfig\n"
		"printf 'Name: apple\\nDescription: x\\nVersion: 3\\n' > "
		"%{buildroot}/usr/lib64/pkgconfig/apple.pc\n"
		"rm -rf %{buildroot}/usr/lib64\n");
	rpm_world_put_spec(&rw, "pie", "BuildRequires: (fruit >= 2 and bash)",
		"test \"$(cat /usr/share/apple/file)\" = hello; test ! -w /usr/share/apple", "");
	rpm_world_build(&rw, 1, "apple.spec", &apple);
	CHECK(apple.ok, "%s", apple.why);
	rpm_world_keep(&rw, &apple);
	rpm_world_build(&rw, 2, "pie.spec", &pie);
	CHECK(pie.ok, "%s\n%s", pie.why, pie.log.buf);
	CHECK(has(&pie, "the build root is this host and apple-1.0-1.noarch.rpm\n"), "%s",
		pie.log.buf);
	rpm_built_finish(&apple);
	rpm_built_finish(&pie);
	rpm_world_finish(&rw);
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

static void builds_at_once_share_base_and_layers(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built apple, pie[3];

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "apple", "", "", "");
	rpm_world_put_spec(&rw, "pie", "BuildRequires: apple", "cat /usr/share/apple/file", "");
	rpm_world_build(&rw, 1, "apple.spec", &apple);
	CHECK(apple.ok && !count_layers(w), "%s", apple.why);
	rpm_world_keep(&rw, &apple);
	for (int i = 0; i < 3; i++)
		rpm_built_start(&rw, 2 + i, 1 + i, "pie.spec", 0, &pie[i]);
	for (int i = 0; i < 3; i++) {
		rpm_built_wait(&pie[i]);
		CHECK(pie[i].ok, "%d: %s\n%s", i, pie[i].why, pie[i].log.buf);
		rpm_built_finish(&pie[i]);
	}
	CHECK(count_layers(w) == 1, "%d layers", count_layers(w));
	rpm_built_finish(&apple);
	rpm_world_finish(&rw);
}

static void layers_that_nobody_uses_any_more_are_removed(struct world *w)
{
	char *old = xasprintf("%s/layers/old", w->data), *file = xasprintf("%s/file", old);
	const struct timespec long_ago[2] = {{1000000000, 0}, {1000000000, 0}};
	struct rpm_world rw;
	struct rpm_built apple, pie;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "apple", "", "", "");
	rpm_world_put_spec(&rw, "pie", "BuildRequires: apple", "", "");
	rpm_world_build(&rw, 1, "apple.spec", &apple);
	rpm_world_keep(&rw, &apple);
	rpm_world_build(&rw, 2, "pie.spec", &pie);
	CHECK(pie.ok && count_layers(w) == 1, "%s", pie.why);
	CHECK(!mkdir(old, 0700) && !chmod(old, 0777), "%s", strerror(errno));
	CHECK(!file_write_atomic(file, "x", 1, 0600, NULL), "%s", strerror(errno));
	CHECK(!utimensat(AT_FDCWD, old, long_ago, 0), "%s", strerror(errno));
	CHECK(count_layers(w) == 2, "%d layers", count_layers(w));
	rpm_env_prune(rw.env);
	rpm_built_finish(&apple);
	rpm_built_finish(&pie);
	rpm_world_finish(&rw); /* drains, and world_run() looks for what is left in the slot */
	CHECK(count_layers(w) == 1, "%d layers", count_layers(w));
	free(old);
	free(file);
}

static void a_layer_has_its_name_when_it_is_on_disk(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built apple, pear, pie;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "apple", "", "", "");
	rpm_world_put_spec(&rw, "pear", "", "", "");
	rpm_world_put_spec(&rw, "pie", "BuildRequires: apple pear", "", "");
	rpm_world_build(&rw, 1, "apple.spec", &apple);
	rpm_world_keep(&rw, &apple);
	rpm_world_build(&rw, 2, "pear.spec", &pear);
	rpm_world_keep(&rw, &pear);
	memset(&disk, 0, sizeof(disk));
	rpm_world_build(&rw, 3, "pie.spec", &pie);
	CHECK(pie.ok, "%s\n%s", pie.why, pie.log.buf);
	CHECK(disk.moves == 2 && !disk.unsynced_moves, "%d of %d moved unsynced",
		disk.unsynced_moves, disk.moves);
	CHECK(disk.syncs == 1 && disk.folder_syncs == 1, "%d syncs, %d of the folder", disk.syncs,
		disk.folder_syncs);
	rpm_built_finish(&apple);
	rpm_built_finish(&pear);
	rpm_built_finish(&pie);
	rpm_world_finish(&rw);
}

static void the_jobs_own_package_wins_over_the_hosts(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built make, user;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "make", "Conflicts: bash < 99", "", "");
	rpm_world_put_spec(&rw, "user", "BuildRequires: make", "test -e /usr/share/make/file", "");
	rpm_world_build(&rw, 1, "make.spec", &make);
	rpm_world_keep(&rw, &make);
	rpm_world_build(&rw, 2, "user.spec", &user);
	CHECK(user.ok, "%s\n%s", user.why, user.log.buf);
	rpm_built_finish(&make);
	rpm_built_finish(&user);
	rpm_world_finish(&rw);
}

/* A tool that is built with itself, and a second try after the first one was published. */
static void a_package_is_built_again_beside_its_own_rpm(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built first, again, needy;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "apple", "", "test ! -e /usr/share/apple/file", "");
	rpm_world_build(&rw, 1, "apple.spec", &first);
	rpm_world_keep(&rw, &first);
	rpm_world_build(&rw, 2, "apple.spec", &again);
	CHECK(again.ok, "%s\n%s", again.why, again.log.buf);
	rpm_world_put_spec(
		&rw, "apple", "BuildRequires: apple", "test -e /usr/share/apple/file", "");
	rpm_world_build(&rw, 3, "apple.spec", &needy);
	CHECK(needy.ok, "%s\n%s", needy.why, needy.log.buf);
	rpm_built_finish(&first);
	rpm_built_finish(&again);
	rpm_built_finish(&needy);
	rpm_world_finish(&rw);
}

static void generated_needs_are_added_to_the_build_root(struct world *w)
{
	struct rpm_world rw;
	struct rpm_built apple, pie;

	rpm_world_init(&rw, w);
	rpm_world_put_spec(&rw, "apple", "", "", "");
	rpm_world_put(&rw, "pie.spec",
		"Name: pie\nVersion: 1.0\nRelease: 1\nSummary: x\nLicense: MIT\nBuildArch: noarch\n"
		"%description\nx\n%prep\n%generate_buildrequires\necho apple\n%build\n"
		"cat /usr/share/apple/file\n%install\n%files\n");
	rpm_world_build(&rw, 1, "apple.spec", &apple);
	rpm_world_keep(&rw, &apple);
	rpm_world_build(&rw, 2, "pie.spec", &pie);
	CHECK(pie.ok, "%s\n%s", pie.why, pie.log.buf);
	CHECK(has(&pie, "is this host\n") && has(&pie, "is this host and apple-1.0-1.noarch.rpm\n"),
		"%s", pie.log.buf);
	rpm_built_finish(&apple);
	rpm_built_finish(&pie);
	rpm_world_finish(&rw);
}

/* ---- the tests */

static const struct scenario scenarios[] = {
	SCENARIO(a_spec_becomes_rpms_and_a_source_rpm),
	SCENARIO(files_that_may_be_needed_by_path_are_described),
	SCENARIO(the_same_sources_make_the_same_bytes),
	SCENARIO(a_source_rpm_is_rebuilt),
	SCENARIO(what_was_built_is_in_the_next_build_root),
	SCENARIO(builds_at_once_share_base_and_layers),
	SCENARIO(layers_that_nobody_uses_any_more_are_removed),
	SCENARIO(a_layer_has_its_name_when_it_is_on_disk),
	SCENARIO(the_jobs_own_package_wins_over_the_hosts),
	SCENARIO(a_package_is_built_again_beside_its_own_rpm),
	SCENARIO(generated_needs_are_added_to_the_build_root),
};

int main(int argc, char **argv)
{
	if (rpm_world_is_role(argc, argv))
		return rpm_world_role(argc, argv);
	return world_run_all(scenarios, countof(scenarios));
}
