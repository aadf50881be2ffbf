// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "cli/upload.h"

/* Each test runs in a folder of its own. */
static int enter(void **state)
{
	char template[] = "/tmp/reqpm-upload-XXXXXX";

	assert_non_null(mkdtemp(template));
	assert_int_equal(chdir(template), 0);
	*state = xstrdup(template);
	return 0;
}

static int leave(void **state)
{
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(tree_remove(*state), 0);
	free(*state);
	return 0;
}

static void put(const char *path, const char *content)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(content, f);
	fclose(f);
}

/* One path, or two. */
static int collect(struct upload *ret, struct strbuf *err, const char *first, const char *second)
{
	char *paths[] = {xstrdup(first), xstrdup(second)};
	int r = upload_collect(ret, paths, second ? 2 : 1, err);

	free(paths[0]);
	free(paths[1]);
	return r;
}

static void expect_refusal(const char *sentence, const char *first, const char *second)
{
	struct upload none = {0};
	struct strbuf why = STRBUF_INIT;

	assert_int_equal(collect(&none, &why, first, second), -EINVAL);
	assert_string_equal(why.buf, sentence);
	assert_null(none.files);
	strbuf_finish(&why);
}

static void a_folder_gives_its_files_by_path(void **state)
{
	struct upload u;
	struct strbuf err = STRBUF_INIT;

	(void)state;
	mkdir("stack", 0755);
	mkdir("stack/patches", 0755);
	mkdir("stack/.git", 0755);
	put("stack/zlib.spec", "Name: zlib");
	put("stack/patches/fix.patch", "+");
	put("stack/.hidden", "no");
	put("stack/.git/config", "no");
	assert_int_equal(collect(&u, &err, "stack/", NULL), 0);
	assert_int_equal(u.count, 2);
	assert_string_equal(u.files[0].path, "patches/fix.patch");
	assert_string_equal(u.files[0].source, "stack/patches/fix.patch");
	assert_string_equal(u.files[1].path, "zlib.spec");
	assert_int_equal(u.files[1].size, 10);
	assert_int_equal(u.bytes, 11);
	assert_string_equal(u.name, "stack");
	upload_finish(&u);
}

static void files_are_taken_by_their_name(void **state)
{
	struct upload u;
	struct strbuf err = STRBUF_INIT;

	(void)state;
	mkdir("a", 0755);
	put("a/zlib-1.3.src.rpm", "x");
	put("a/zlib.tar", "y");
	assert_int_equal(collect(&u, &err, "a/zlib-1.3.src.rpm", "a/zlib.tar"), 0);
	assert_int_equal(u.count, 2);
	assert_string_equal(u.files[0].path, "zlib-1.3.src.rpm");
	assert_string_equal(u.name, "zlib-1.3");
	upload_finish(&u);
}

static void with_more_than_one_folder_each_keeps_its_name(void **state)
{
	struct upload u;
	struct strbuf err = STRBUF_INIT;

	(void)state;
	mkdir("a", 0755);
	mkdir("b", 0755);
	put("a/x.spec", "");
	put("b/x.spec", "");
	assert_int_equal(collect(&u, &err, "a", "b"), 0);
	assert_string_equal(u.files[0].path, "a/x.spec");
	assert_string_equal(u.files[1].path, "b/x.spec");
	upload_finish(&u);
}

static void nothing_to_build_is_refused(void **state)
{
	(void)state;
	mkdir("empty", 0755);
	mkdir("odd", 0755);
	put("odd/readme.txt", "x");
	put("odd/.spec", "x");
	put("packages.json.bak", "x");
	expect_refusal("empty is empty: there is nothing to build", "empty", NULL);
	expect_refusal(
		"odd holds nothing to build: no *.spec, *.src.rpm or packages.json", "odd", NULL);
	expect_refusal(
		"packages.json.bak holds nothing to build: no *.spec, *.src.rpm or packages.json",
		"packages.json.bak", NULL);
	expect_refusal("nowhere cannot be read: No such file or directory", "nowhere", NULL);
	expect_refusal("/dev/null is neither a file nor a folder", "/dev/null", NULL);
}

static void a_packages_json_that_would_not_be_read_is_refused(void **state)
{
	static const char sentence[] =
		"all/a/packages.json would not be at the top of the upload, the one place where a "
		"packages.json is read: build its folder by itself";
	struct upload u;
	struct strbuf err = STRBUF_INIT;

	(void)state;
	mkdir("all", 0755);
	mkdir("all/a", 0755);
	mkdir("all/b", 0755);
	put("all/a/packages.json", "{}");
	put("all/b/readme.txt", "x");
	expect_refusal(sentence, "all/a", "all/b");
	expect_refusal(sentence, "all", NULL);
	/* Beside specs it may be one of their sources. */
	put("all/a/a.spec", "");
	assert_int_equal(collect(&u, &err, "all", NULL), 0);
	upload_finish(&u);
}

static void links_are_followed_inside_the_folder_only(void **state)
{
	struct upload u;
	struct strbuf err = STRBUF_INIT;

	(void)state;
	mkdir("in", 0755);
	mkdir("in-too", 0755);
	put("in/a.spec", "x");
	put("in-too/b", "secret");
	assert_int_equal(symlink("a.spec", "in/b.spec"), 0);
	assert_int_equal(collect(&u, &err, "in", NULL), 0);
	assert_int_equal(u.count, 2);
	assert_int_equal(u.files[1].size, 1);
	upload_finish(&u);
	/* A folder whose name begins alike is another folder. */
	assert_int_equal(symlink("../in-too/b", "in/c"), 0);
	expect_refusal("in/c is a link that leads out of the folder", "in", NULL);
	unlink("in/c");
	assert_int_equal(symlink("nothing", "in/c"), 0);
	expect_refusal("in/c is a link to nothing", "in", NULL);
	unlink("in/c");
	assert_int_equal(symlink("../in", "in/c"), 0);
	expect_refusal("in/c is a link that leads out of the folder", "in", NULL);
	unlink("in/c");
	mkdir("in/d", 0755);
	assert_int_equal(symlink("d", "in/c"), 0);
	expect_refusal("in/c is a link to something that is not a file", "in", NULL);
}

static void what_is_no_regular_file_is_refused(void **state)
{
	(void)state;
	mkdir("in", 0755);
	put("in/a.spec", "x");
	assert_int_equal(mkfifo("in/pipe", 0600), 0);
	expect_refusal("in/pipe is no regular file", "in", NULL);
}

static void names_that_the_server_would_refuse_are_refused(void **state)
{
	(void)state;
	mkdir("in", 0755);
	put("in/a\nb.spec", "x");
	expect_refusal(
		"in/a b.spec has a name with control characters or not in UTF-8", "in", NULL);
	unlink("in/a\nb.spec");
	put("in/\xff.spec", "x");
	expect_refusal("in/?.spec has a name with control characters or not in UTF-8", "in", NULL);
}

static void two_files_of_one_name_are_refused(void **state)
{
	(void)state;
	mkdir("a", 0755);
	mkdir("b", 0755);
	put("a/x.spec", "1");
	put("b/x.spec", "2");
	expect_refusal(
		"a/x.spec and b/x.spec would both be x.spec in the build", "a/x.spec", "b/x.spec");
}

static void a_single_spec_beside_folders_of_specs_is_refused(void **state)
{
	struct upload u;
	struct strbuf err = STRBUF_INIT;

	(void)state;
	mkdir("set", 0755);
	mkdir("set/a", 0755);
	put("set/a/a.spec", "");
	put("b.spec", "");
	put("b.src.rpm", "");
	expect_refusal("b.spec cannot be built together with folders of specs as a single file: "
		       "put it and its sources into a folder, too",
		"set", "b.spec");
	assert_int_equal(collect(&u, &err, "set", "b.src.rpm"), 0);
	assert_int_equal(u.count, 2);
	upload_finish(&u);
}

static void folders_in_folders_are_bounded(void **state)
{
	struct strbuf path = STRBUF_INIT, why = STRBUF_INIT;
	struct upload u;

	(void)state;
	strbuf_addstr(&path, "in");
	mkdir(path.buf, 0755);
	put("in/a.spec", "x");
	for (int i = 0; i < UPLOAD_DEPTH_LIMIT; i++) {
		strbuf_addstr(&path, "/d");
		mkdir(path.buf, 0755);
	}
	assert_int_equal(collect(&u, &why, "in", NULL), 0);
	upload_finish(&u);
	strbuf_addstr(&path, "/d");
	mkdir(path.buf, 0755);
	assert_int_equal(collect(&u, &why, "in", NULL), -EINVAL);
	assert_non_null(strstr(why.buf, "lies too deep: 32 folders in each other at most"));
	strbuf_finish(&path);
	strbuf_finish(&why);
}

static void the_number_of_files_is_bounded(void **state)
{
	struct strbuf why = STRBUF_INIT;
	struct upload u;
	char name[32], first[32] = "";

	(void)state;
	mkdir("in", 0755);
	put("in/a.spec", "x");
	/* Links cost less than files, but a file system has no more than 65,000 of one file. */
	for (int i = 1; i < UPLOAD_FILES_LIMIT; i++) {
		snprintf(name, sizeof(name), "in/%d", i);
		if (i % 30000 == 1) {
			put(name, "x");
			strcpy(first, name);
		} else {
			assert_int_equal(link(first, name), 0);
		}
	}
	assert_int_equal(collect(&u, &why, "in", NULL), 0);
	assert_int_equal(u.count, UPLOAD_FILES_LIMIT);
	upload_finish(&u);
	put("in/b.spec", "x");
	assert_int_equal(collect(&u, &why, "in", NULL), -EINVAL);
	assert_non_null(strstr(why.buf, "is one file too many: 100000 can be uploaded at most"));
	strbuf_finish(&why);
}

static void a_long_name_is_cut_between_characters(void **state)
{
	struct strbuf path = STRBUF_INIT, err = STRBUF_INIT;
	struct upload u;

	(void)state;
	strbuf_addch(&path, 'x');
	for (int i = 0; i < 110; i++)
		strbuf_addstr(&path, "ö");
	mkdir(path.buf, 0755);
	strbuf_addstr(&path, "/a.spec");
	put(path.buf, "x");
	strbuf_setlen(&path, path.len - 7);
	assert_int_equal(collect(&u, &err, path.buf, NULL), 0);
	assert_int_equal(strlen(u.name), 199);
	assert_true(utf8_valid(u.name, 199));
	upload_finish(&u);
	strbuf_finish(&path);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		TEST(a_folder_gives_its_files_by_path),
		TEST(files_are_taken_by_their_name),
		TEST(with_more_than_one_folder_each_keeps_its_name),
		TEST(nothing_to_build_is_refused),
		TEST(a_packages_json_that_would_not_be_read_is_refused),
		TEST(links_are_followed_inside_the_folder_only),
		TEST(what_is_no_regular_file_is_refused),
		TEST(names_that_the_server_would_refuse_are_refused),
		TEST(two_files_of_one_name_are_refused),
		TEST(a_single_spec_beside_folders_of_specs_is_refused),
		TEST(folders_in_folders_are_bounded),
		TEST(the_number_of_files_is_bounded),
		TEST(a_long_name_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
