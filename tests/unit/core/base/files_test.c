// SPDX-License-Identifier: MIT
#include "core/base/base.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <cmocka.h>
#include "../../skip.h"
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[32];
static int start = -1; /* where the program was started */
static struct strbuf err, text;

/* Each test works in a folder of its own, with short relative paths. */
static int enter_folder(void **state)
{
	(void)state;
	strbuf_finish(&err);
	strbuf_finish(&text);
	start = open(".", O_RDONLY | O_DIRECTORY);
	strcpy(top, "/tmp/reqpm-files-test.XXXXXX");
	return mkdtemp(top) ? chdir(top) : -1;
}

static int leave_folder(void **state)
{
	(void)state;
	if (fchdir(start) || close(start))
		return -1;
	strbuf_finish(&err);
	strbuf_finish(&text);
	return tree_remove(top);
}

static void write_file(const char *path, const char *content)
{
	assert_int_equal(file_write_atomic(path, content, strlen(content), 0644, &err), 0);
}

static void assert_content(const char *path, const char *content)
{
	strbuf_reset(&text);
	assert_int_equal(file_read(path, 1 << 20, &text, &err), 0);
	assert_string_equal(text.buf, content);
}

static bool exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

static int entries(const char *path)
{
	DIR *dir = opendir(path);
	int count = -2; /* . and .. */

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* ---- whole files */

static void a_file_is_read_to_its_end(void **state)
{
	(void)state;
	write_file("a", "spec");
	strbuf_addstr(&text, "before ");
	assert_int_equal(file_read("a", 4, &text, &err), 0);
	assert_string_equal(text.buf, "before spec");
	write_file("a", "");
	assert_content("a", "");
	assert_int_equal(err.len, 0);
}

static void a_large_file_is_read_whole(void **state)
{
	const size_t len = 300000;
	char *data = xmalloc(len);

	(void)state;
	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 7);
	assert_int_equal(file_write_atomic("a", data, len, 0600, &err), 0);
	assert_int_equal(file_read("a", len, &text, &err), 0);
	assert_int_equal(text.len, len);
	assert_memory_equal(text.buf, data, len);
	free(data);
}

static void a_file_over_the_limit_is_refused(void **state)
{
	(void)state;
	write_file("a", "12345");
	strbuf_addstr(&text, "kept");
	assert_int_equal(file_read("a", 4, &text, &err), -EFBIG);
	assert_string_equal(err.buf, "a is larger than 4 bytes");
	assert_string_equal(text.buf, "kept");
}

static void what_is_not_a_file_is_not_read(void **state)
{
	(void)state;
	assert_int_equal(file_read("none", 9, &text, &err), -ENOENT);
	assert_string_equal(err.buf, "cannot read none: No such file or directory");
	assert_int_equal(file_read(".", 9, &text, &err), -EISDIR);
	assert_string_equal(err.buf, "cannot read .: Is a directory");
	assert_int_equal(mkfifo("pipe", 0600), 0);
	assert_int_equal(file_read("pipe", 9, &text, &err), -EINVAL);
	assert_string_equal(err.buf, "pipe is not a regular file");
	assert_int_equal(file_read("/dev/zero", 9, &text, &err), -EINVAL);
}

static void a_written_file_replaces_the_old_one_and_leaves_nothing_else(void **state)
{
	struct stat st;

	(void)state;
	write_file("a", "old");
	assert_int_equal(file_write_atomic("a", "new", 3, 0600, &err), 0);
	assert_content("a", "new");
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(entries("."), 1);
}

static void the_mode_of_a_written_file_does_not_depend_on_the_umask(void **state)
{
	mode_t mask = umask(0777);
	struct stat st;

	(void)state;
	assert_int_equal(file_write_atomic("a", "x", 1, 0644, &err), 0);
	umask(mask);
	assert_int_equal(stat("a", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

static void a_write_that_fails_keeps_the_old_file(void **state)
{
	const struct rlimit small = {.rlim_cur = 2, .rlim_max = RLIM_INFINITY};
	struct rlimit before;
	int r;

	(void)state;
	write_file("a", "old");
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	r = file_write_atomic("a", "longer", 6, 0644, &err);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(r, -EFBIG);
	assert_string_equal(err.buf, "cannot write a: File too large");
	assert_content("a", "old");
	assert_int_equal(entries("."), 1);
	assert_int_equal(file_write_atomic("none/a", "x", 1, 0644, &err), -ENOENT);
	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(file_write_atomic("d", "x", 1, 0644, &err), -EISDIR);
	assert_int_equal(entries("."), 2);
}

/* ---- folders */

static void a_folder_is_created_with_its_parents(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(dir_create("a//b/c/", 0750, &err), 0);
	assert_int_equal(stat("a/b/c", &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(dir_create("a/b/c", 0750, &err), 0);
	assert_int_equal(dir_create("/", 0750, &err), 0);
	assert_int_equal(err.len, 0);
}

static void a_folder_cannot_be_where_a_file_is(void **state)
{
	(void)state;
	write_file("a", "x");
	assert_int_equal(dir_create("a", 0750, &err), -ENOTDIR);
	assert_string_equal(err.buf, "cannot create the folder a: Not a directory");
	assert_int_equal(dir_create("a/b/c", 0750, &err), -ENOTDIR);
	assert_string_equal(err.buf, "cannot create the folder a: Not a directory");
	assert_int_equal(dir_create("", 0750, &err), -ENOENT);
}

static void free_space_is_a_number_of_bytes(void **state)
{
	(void)state;
	assert_true(disk_free_bytes("/tmp") >= 0);
	assert_int_equal(disk_free_bytes("none"), -ENOENT);
}

/* ---- trees */

static void a_tree_is_removed_and_gone_already_is_fine(void **state)
{
	(void)state;
	assert_int_equal(dir_create("t/a/b", 0755, &err), 0);
	assert_int_equal(dir_create("t/c", 0755, &err), 0);
	write_file("t/a/b/f", "x");
	write_file("t/.hidden", "x");
	assert_int_equal(mkfifo("t/pipe", 0600), 0);
	assert_int_equal(tree_remove("t"), 0);
	assert_false(exists("t"));
	assert_int_equal(tree_remove("t"), 0);
	write_file("f", "x");
	assert_int_equal(tree_remove("f"), 0);
	assert_false(exists("f"));
}

static void links_are_removed_and_not_followed(void **state)
{
	(void)state;
	assert_int_equal(dir_create("kept/deep", 0755, &err), 0);
	write_file("kept/deep/f", "x");
	assert_int_equal(mkdir("t", 0755), 0);
	assert_int_equal(symlink("../kept", "t/link"), 0);
	assert_int_equal(symlink("..", "t/up"), 0);
	assert_int_equal(symlink("nowhere", "t/dangling"), 0);
	assert_int_equal(tree_remove("t"), 0);
	assert_false(exists("t"));
	assert_int_equal(symlink("kept", "link"), 0);
	assert_int_equal(tree_remove("link"), 0);
	assert_false(exists("link"));
	assert_content("kept/deep/f", "x");
}

/* Runs fn in a process that is nobody in particular: root may enter every folder anyway. */
static void assert_for_ordinary_user(int (*fn)(void))
{
	pid_t child = fork();
	int status;

	if (!child) {
		if (!getuid() && (chown(".", 65534, 65534) || setgid(65534) || setuid(65534)))
			_exit(99);
		_exit(fn());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int remove_closed_folders(void)
{
	if (dir_create("t/a/b", 0755, NULL) || dir_create("t/c/d", 0755, NULL) ||
		file_write_atomic("t/a/b/f", "x", 1, 0444, NULL) ||
		file_write_atomic("t/c/f", "x", 1, 0, NULL))
		return 1;
	if (chmod("t/a/b", 0) || chmod("t/a", 0555) || chmod("t/c/d", 0100) || chmod("t/c", 0) ||
		chmod("t", 0))
		return 2;
	return tree_remove("t") || exists("t") ? 3 : 0;
}

static void folders_that_nobody_may_enter_are_removed(void **state)
{
	(void)state;
	assert_for_ordinary_user(remove_closed_folders);
}

static int remove_around_a_fault(void)
{
	/* The folder that holds t may not be changed, so t itself must stay. */
	if (dir_create("held/t/a", 0755, NULL) ||
		file_write_atomic("held/t/a/f", "x", 1, 0644, NULL) || chmod("held", 0555))
		return 1;
	if (tree_remove("held/t") != -EACCES)
		return 2;
	if (exists("held/t/a") || !exists("held/t"))
		return 3;
	return chmod("held", 0755) || tree_remove("held") ? 4 : 0;
}

static void what_cannot_be_removed_does_not_keep_the_rest(void **state)
{
	(void)state;
	assert_for_ordinary_user(remove_around_a_fault);
}

/* Makes levels folders inside each other, with a file in each, by names that never get long. The
 * files are links to one file, because new ones cost some file systems a millisecond each. */
static void make_deep(const char *name, int levels)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY);

	write_file("one", "x");
	assert_int_equal(mkdir(name, 0755), 0);
	assert_int_equal(chdir(name), 0);
	for (int i = 0; i < levels; i++) {
		assert_int_equal(linkat(fd, "one", AT_FDCWD, "f", 0), 0);
		assert_int_equal(mkdir("d", 0755), 0);
		assert_int_equal(chdir("d"), 0);
	}
	assert_int_equal(fchdir(fd), 0);
	close(fd);
}

static void no_tree_is_too_deep(void **state)
{
	/* Around the limit of 64 open folders and twice it, and beyond the longest path, 4,096
	 * bytes. */
	static const int levels[] = {0, 62, 63, 64, 65, 128, 2100};

	(void)state;
	for (size_t i = 0; i < countof(levels); i++) {
		make_deep("t", levels[i]);
		assert_int_equal(tree_remove("t"), 0);
		assert_false(exists("t"));
	}
}

static void a_deep_tree_takes_few_descriptors(void **state)
{
	struct rlimit before, few;
	int r;

	(void)state;
	make_deep("t", 150);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 80;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	r = tree_remove("t");
	setrlimit(RLIMIT_NOFILE, &before);
	assert_int_equal(r, 0);
	assert_false(exists("t"));
}

static void a_wide_tree_is_removed_whole(void **state)
{
	char name[64];

	(void)state;
	write_file("one", "x");
	assert_int_equal(mkdir("t", 0755), 0);
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "t/some-file-with-a-rather-long-name-%d", i);
		assert_int_equal(link("one", name), 0);
	}
	assert_int_equal(tree_remove("t"), 0);
	assert_false(exists("t"));
}

static int remove_around_a_mount(void)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return 77;
	if (dir_create("t/a/other", 0755, NULL) || dir_create("t/b", 0755, NULL))
		return 1;
	if (mount("none", "t/a/other", "tmpfs", 0, "size=64k,mode=0500"))
		return 77;
	if (file_write_atomic("t/a/other/f", "x", 1, 0644, NULL))
		return 2;
	if (tree_remove("t") != -EXDEV)
		return 3;
	if (!exists("t/a/other/f") || exists("t/b"))
		return 4;
	return 0;
}

static void another_file_system_is_left_alone(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (!child)
		_exit(remove_around_a_mount());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip_because("no file system can be mounted here");
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define files_test(f) cmocka_unit_test_setup_teardown(f, enter_folder, leave_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		files_test(a_file_is_read_to_its_end),
		files_test(a_large_file_is_read_whole),
		files_test(a_file_over_the_limit_is_refused),
		files_test(what_is_not_a_file_is_not_read),
		files_test(a_written_file_replaces_the_old_one_and_leaves_nothing_else),
		files_test(the_mode_of_a_written_file_does_not_depend_on_the_umask),
		files_test(a_write_that_fails_keeps_the_old_file),
		files_test(a_folder_is_created_with_its_parents),
		files_test(a_folder_cannot_be_where_a_file_is),
		files_test(free_space_is_a_number_of_bytes),
		files_test(a_tree_is_removed_and_gone_already_is_fine),
		files_test(links_are_removed_and_not_followed),
		files_test(folders_that_nobody_may_enter_are_removed),
		files_test(what_cannot_be_removed_does_not_keep_the_rest),
		files_test(no_tree_is_too_deep),
		files_test(a_deep_tree_takes_few_descriptors),
		files_test(a_wide_tree_is_removed_whole),
		files_test(another_file_system_is_left_alone),
	};

	strbuf_init(&err);
	strbuf_init(&text);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
