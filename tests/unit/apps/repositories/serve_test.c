// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "apps/repositories/repositories.h"

static char job[] = "/tmp/reqpm-serve-XXXXXX";

static void put(const char *file, const char *text)
{
	char *path = xasprintf("%s/%s", job, file);

	assert_int_equal(file_write_atomic(path, text, strlen(text), 0644, NULL), 0);
	free(path);
}

static int make_repository(void **state)
{
	char *folder, *link_path;

	(void)state;
	if (!mkdtemp(job))
		return -1;
	folder = xasprintf("%s/repos/3/repodata", job);
	link_path = xasprintf("%s/repo", job);
	dir_create(folder, 0755, NULL);
	put("secret", "secret");
	put("repos/3/a.rpm", "0123456789");
	put("repos/3/repodata/repomd.xml", "<x/>");
	assert_int_equal(symlink("repos/3", link_path), 0);
	free(folder);
	folder = xasprintf("%s/repos/3/out", job);
	assert_int_equal(symlink("../../secret", folder), 0);
	free(folder);
	folder = xasprintf("%s/repos/3/pipe.rpm", job);
	assert_int_equal(mkfifo(folder, 0644), 0);
	free(folder);
	free(link_path);
	return 0;
}

static int remove_repository(void **state)
{
	(void)state;
	return tree_remove(job);
}

static void test_a_file_is_opened_with_its_size_and_type(void **state)
{
	struct repository_file f;
	char text[32] = "";

	(void)state;
	assert_int_equal(repository_open_file(job, "a.rpm", &f), 0);
	assert_int_equal(f.size, 10);
	assert_string_equal(f.content_type, "application/x-rpm");
	assert_int_equal(read(f.fd, text, sizeof(text)), 10);
	assert_string_equal(text, "0123456789");
	close(f.fd);
	assert_int_equal(repository_open_file(job, "repodata/repomd.xml", &f), 0);
	assert_string_equal(f.content_type, "text/xml; charset=utf-8");
	close(f.fd);
}

static void test_nothing_outside_the_repository_is_opened(void **state)
{
	static const char *const paths[] = {"../../secret", "/etc/passwd",
		"repodata/../../../secret", "out", "repodata/../a.rpm/../../../secret", "..", ".",
		"", "/", "repodata", "repodata/", "a.rpm/", "pipe.rpm", "missing", "a.rpm/x",
		"../3/../../secret"};
	struct repository_file f = {.fd = -7};

	(void)state;
	for (size_t i = 0; i < countof(paths); i++) {
		if (repository_open_file(job, paths[i], &f) != -ENOENT)
			fail_msg("%s was not refused as missing", paths[i]);
		assert_int_equal(f.fd, -7);
	}
}

static void test_a_name_that_is_too_long_is_a_file_that_does_not_exist(void **state)
{
	struct repository_file f;
	char name[5000];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(repository_open_file(job, name, &f), -ENOENT);
	name[300] = '\0';
	assert_int_equal(repository_open_file(job, name, &f), -ENOENT);
}

static void test_a_job_without_a_repository_has_no_files(void **state)
{
	struct repository_file f;

	(void)state;
	assert_int_equal(repository_open_file("/nonexistent", "a.rpm", &f), -ENOENT);
}

static void test_the_config_names_the_repository_and_where_it_is(void **state)
{
	struct strbuf out = STRBUF_INIT;

	(void)state;
	repository_config(&out, "reqpm-7", "my build", "http://localhost:8000/api/builds/7/repo/");
	assert_string_equal(out.buf, "[reqpm-7]\nname=my build\n"
				     "baseurl=http://localhost:8000/api/builds/7/repo/\n"
				     "enabled=1\ngpgcheck=0\nmetadata_expire=60\n");
	strbuf_finish(&out);
}

static void test_a_title_cannot_add_lines_to_the_config(void **state)
{
	struct strbuf out = STRBUF_INIT;

	(void)state;
	repository_config(&out, "reqpm-7", "x\n[evil]\r\nbaseurl=y", "u");
	assert_non_null(strstr(out.buf, "name=x [evil]  baseurl=y\nbaseurl=u\n"));
	strbuf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_is_opened_with_its_size_and_type),
		cmocka_unit_test(test_nothing_outside_the_repository_is_opened),
		cmocka_unit_test(test_a_name_that_is_too_long_is_a_file_that_does_not_exist),
		cmocka_unit_test(test_a_job_without_a_repository_has_no_files),
		cmocka_unit_test(test_the_config_names_the_repository_and_where_it_is),
		cmocka_unit_test(test_a_title_cannot_add_lines_to_the_config),
	};

	return cmocka_run_group_tests(tests, make_repository, remove_repository);
}
