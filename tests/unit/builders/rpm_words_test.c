// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "builders/rpm_env.h"
#include "builders/rpm_host.h"
#include "builders/rpm_role.h"

static void test_source_rpms_are_known_by_their_name(void **state)
{
	(void)state;
	assert_int_equal(rpm_input_of("zlib-1.3-1.src.rpm"), RPM_INPUT_SRPM);
	assert_int_equal(rpm_input_of("zlib.spec"), RPM_INPUT_SPEC);
	assert_int_equal(rpm_input_of(".src.rpm"), RPM_INPUT_SPEC);
	assert_int_equal(rpm_input_of("zlib-1.3-1.x86_64.rpm"), RPM_INPUT_SPEC);
}

static void test_what_a_repository_offers_is_known_by_its_name(void **state)
{
	static const char *const others[] = {"zlib-1.3-1.src.rpm", "zlib-1.3-1.nosrc.rpm",
		".zlib-1.3-1.noarch.rpm", ".rpm", "zlib.spec", "zlib-1.3-1.noarch.rpm.old", ""};

	(void)state;
	assert_true(rpm_is_binary("zlib-1.3-1.x86_64.rpm"));
	assert_true(rpm_is_binary("src.rpm"));
	for (size_t i = 0; i < countof(others); i++)
		if (rpm_is_binary(others[i]))
			fail_msg("%s is offered", others[i]);
}

static void test_queries_and_builds_see_the_same_paths(void **state)
{
	static const char *const wanted[] = {"_topdir /build", "_buildshell /bin/bash",
		"_sourcedir /sources", "_buildhost reqpm", "clamp_mtime_to_source_date_epoch 1"};
	const char *const *macros = rpm_macros(RPM_INPUT_SPEC);

	(void)state;
	for (size_t i = 0; i < countof(wanted); i++) {
		bool found = false;

		for (size_t n = 0; macros[n]; n++)
			found |= !strcmp(macros[n], wanted[i]);
		if (!found)
			fail_msg("%s is not among the macros", wanted[i]);
	}
}

static void test_lists_are_joined_to_one_argv(void **state)
{
	const char *const a[] = {"x", NULL}, *const c[] = {"y", "z", NULL};
	const char **argv = rpm_argv(a, NULL, c);

	(void)state;
	assert_string_equal(argv[0], "x");
	assert_string_equal(argv[2], "z");
	assert_null(argv[3]);
	free(argv);
}

/* ---- what the host has */

static void assert_pc_version(const char *text, const char *version)
{
	struct strbuf got = STRBUF_INIT;

	host_pc_version(text, &got);
	assert_string_equal(got.buf, version);
	strbuf_finish(&got);
}

static void test_the_version_of_a_pc_file_is_found_and_expanded(void **state)
{
	(void)state;
	assert_pc_version("Name: x\nVersion: 1.2.3\n", "1.2.3");
	assert_pc_version("Version:1.2 # of May\r\n", "1.2");
	assert_pc_version("major=1\nv = ${major}.2\nVersion: ${v}-rc", "1.2-rc");
	assert_pc_version("Name: x\n", "");
	assert_pc_version("Version: ${missing}\n", "");
	assert_pc_version("Version: ${open\n", "${open");
}

static void test_a_pc_variable_that_names_itself_ends(void **state)
{
	struct strbuf got = STRBUF_INIT;

	(void)state;
	host_pc_version("v=${v}\nVersion: ${v}\n", &got);
	assert_string_equal(got.buf, "${v}");
	host_pc_version("v=a${v}${v}\nVersion: ${v}\n", &got);
	assert_true(got.len < 4096);
	strbuf_finish(&got);
}

static void test_python_distributions_are_named_as_in_rpm(void **state)
{
	struct strbuf name = STRBUF_INIT, version = STRBUF_INIT;

	(void)state;
	assert_true(host_python_dist("Foo_Bar-1.2-py3.11.egg-info", &name, &version));
	assert_string_equal(name.buf, "foo-bar");
	assert_string_equal(version.buf, "1.2");
	strbuf_reset(&name);
	strbuf_reset(&version);
	assert_true(host_python_dist("attrs-22.2.0.dist-info", &name, &version));
	assert_string_equal(name.buf, "attrs");
	assert_string_equal(version.buf, "22.2.0");
	assert_false(host_python_dist("README", &name, &version));
	assert_false(host_python_dist("-1.dist-info", &name, &version));
	strbuf_finish(&name);
	strbuf_finish(&version);
}

static void test_only_what_rpm_takes_becomes_a_provide(void **state)
{
	struct strbuf spec = STRBUF_INIT;

	(void)state;
	assert_true(host_add(&spec, "pkgconfig(zlib)", "1.3"));
	assert_true(host_add(&spec, "libz.so.1(ZLIB_1.2)(64bit)", NULL));
	assert_true(host_add(&spec, "odd", "1-2-3"));
	assert_false(host_add(&spec, "[", NULL));
	assert_false(host_add(&spec, "", NULL));
	assert_false(host_add(&spec, "a b", NULL));
	assert_false(host_add(&spec, "a%{lua:x}", NULL));
	assert_false(host_add(&spec, "a\n%prep", NULL));
	assert_string_equal(spec.buf, "Provides: pkgconfig(zlib) = 1.3\n"
				      "Provides: libz.so.1(ZLIB_1.2)(64bit)\nProvides: odd\n");
	strbuf_finish(&spec);
}

static void test_this_host_has_a_shell_a_compiler_and_libc(void **state)
{
	struct strbuf spec = STRBUF_INIT;

	(void)state;
	host_scan(&spec);
	assert_non_null(strstr(spec.buf, "Provides: /bin/sh\n"));
	assert_non_null(strstr(spec.buf, "Provides: /usr/bin/gcc\n"));
	assert_non_null(strstr(spec.buf, "Provides: gcc\n"));
	assert_non_null(strstr(spec.buf, "Provides: glibc-devel\n"));
	assert_non_null(strstr(spec.buf, "Provides: rtld(GNU_HASH)\n"));
	assert_non_null(strstr(spec.buf, "Provides: libc.so.6("));
	assert_null(strstr(spec.buf, "Provides: never-heard-of\n"));
	strbuf_finish(&spec);
}

static void test_a_host_made_of_rpms_answers_from_its_database(void **state)
{
	char folder[] = "/tmp/reqpm-hostdb-XXXXXX";
	struct strbuf spec = STRBUF_INIT, command = STRBUF_INIT;

	(void)state;
	assert_non_null(mkdtemp(folder));
	strbuf_addf(&command, "cd %s && rpm --dbpath %s/db --initdb", folder, folder);
	assert_int_equal(system(command.buf), 0);
	strbuf_reset(&command);
	strbuf_addf(&command, "%s/db", folder);
	assert_false(host_ask_rpmdb(&spec, command.buf));
	assert_int_equal(spec.len, 0);
	strbuf_reset(&command);
	strbuf_addf(&command,
		"cd %s && printf 'Name: zlib\\nVersion: 1.3\\nRelease: 4\\nSummary: x\\nLicense: "
		"x\\n"
		"BuildArch: noarch\\n%%%%description\\nx\\n%%%%files\\n' > zlib.spec && "
		"rpmbuild -bb --define '_topdir %s' zlib.spec >/dev/null 2>&1 && "
		"rpm --dbpath %s/db -i --justdb --nodeps RPMS/noarch/*.rpm 2>/dev/null",
		folder, folder, folder);
	assert_int_equal(system(command.buf), 0);
	strbuf_reset(&command);
	strbuf_addf(&command, "%s/db", folder);
	assert_true(host_ask_rpmdb(&spec, command.buf));
	assert_string_equal(spec.buf, "Provides: zlib = 1.3-4\n");
	tree_remove(folder);
	strbuf_finish(&spec);
	strbuf_finish(&command);
}

static void test_fedoras_names_can_all_be_provided(void **state)
{
	struct strbuf spec = STRBUF_INIT;

	(void)state;
	for (const struct fedora_name *f = fedora_names; f->name; f++) {
		if (!host_add(&spec, f->name, NULL))
			fail_msg("%s", f->name);
		assert_int_equal(f->file[0], '/');
	}
	strbuf_finish(&spec);
}

/* ---- answers of the role */

static json_t *take(const char *output, enum run_end end, int code, struct strbuf *err)
{
	const struct run_result result = {.end = end, .code = code, .why = "out of time"};
	struct strbuf text = STRBUF_INIT;
	json_t *answer;

	strbuf_addstr(&text, output);
	answer = rpm_answer_take(&result, &text, err);
	strbuf_finish(&text);
	return answer;
}

static void test_the_last_answer_at_the_start_of_a_line_counts(void **state)
{
	struct strbuf err = STRBUF_INIT;
	json_t *answer = take("x reqpm-result: {\"a\":1}\n" RPM_ROLE_RESULT "{\"a\":2}\n"
			      "words\n" RPM_ROLE_RESULT "{\"a\":3}\n",
		RUN_EXITED, 0, &err);

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(answer, "a")), 3);
	json_decref(answer);
	strbuf_finish(&err);
}

static void test_what_is_no_answer_is_refused_with_a_sentence(void **state)
{
	static const struct {
		const char *output;
		enum run_end end;
		int code;
		const char *why;
	} cases[] = {
		{"", RUN_EXITED, 0, "it ended with code 0: "},
		{"disk is full\n", RUN_EXITED, 1, "it ended with code 1: disk is full"},
		{RPM_ROLE_RESULT "{}\n", RUN_TIMED_OUT, 0, "out of time"},
		{RPM_ROLE_RESULT "[1]\n", RUN_EXITED, 0, "its answer is no object"},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct strbuf err = STRBUF_INIT;

		assert_null(take(cases[i].output, cases[i].end, cases[i].code, &err));
		assert_string_equal(err.buf, cases[i].why);
		strbuf_finish(&err);
	}
}

static void test_problems_become_one_sentence(void **state)
{
	json_t *answer =
		json_pack("{s:[s,s]}", "problems", "nothing provides a", "b conflicts with c");
	char *text = rpm_answer_complaint(answer);

	(void)state;
	assert_string_equal(text, "nothing provides a; b conflicts with c");
	free(text);
	json_decref(answer);
	assert_null(rpm_answer_complaint(NULL));
}

static void test_what_an_rpm_did_itself_is_not_tried_again(void **state)
{
	static const enum run_end own[] = {
		RUN_TIMED_OUT, RUN_DISK_FULL, RUN_OUT_OF_MEMORY, RUN_SIGNALED, RUN_CANCELLED};
	struct run_result result = {.end = RUN_EXITED, .why = "it took too long"};
	struct strbuf why = STRBUF_INIT;

	(void)state;
	assert_int_equal(rpm_unpack_verdict("a.rpm", &result, "", &why), 0);
	result.code = 1;
	assert_int_equal(rpm_unpack_verdict("a.rpm", &result, "cpio: no", &why), -EINVAL);
	assert_string_equal(why.buf, "a.rpm cannot be unpacked: cpio: no");
	for (size_t i = 0; i < countof(own); i++) {
		strbuf_reset(&why);
		result.end = own[i];
		assert_int_equal(rpm_unpack_verdict("a.rpm", &result, "", &why), -EINVAL);
		assert_string_equal(why.buf, "a.rpm cannot be unpacked: it took too long");
	}
	result.end = RUN_EXITED;
	result.code = RPM_UNPACK_GONE;
	assert_int_equal(rpm_unpack_verdict("a.rpm", &result, "", &why), -EIO);
	result.end = RUN_BROKEN;
	assert_int_equal(rpm_unpack_verdict("a.rpm", &result, "", &why), -EIO);
	strbuf_finish(&why);
}

/* ---- digests */

static void test_a_digest_is_remembered_until_the_file_changes(void **state)
{
	struct rpm_hashes *h = rpm_hashes_create();
	char path[] = "/tmp/reqpm-hash-XXXXXX", one[SHA256_HEX_MAX], two[SHA256_HEX_MAX];
	int fd = mkstemp(path);
	int64_t size = 0;

	(void)state;
	assert_int_equal(write(fd, "abc", 3), 3);
	assert_int_equal(rpm_hashes_get(h, path, one, &size, NULL), 0);
	assert_string_equal(
		one, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(size, 3);
	assert_int_equal(rpm_hashes_get(h, path, two, NULL, NULL), 0);
	assert_string_equal(one, two);
	assert_int_equal(write(fd, "d", 1), 1);
	assert_int_equal(rpm_hashes_get(h, path, two, NULL, NULL), 0);
	assert_string_not_equal(one, two);
	close(fd);
	unlink(path);
	rpm_hashes_destroy(h);
}

static void test_a_link_is_not_hashed(void **state)
{
	struct rpm_hashes *h = rpm_hashes_create();
	struct strbuf err = STRBUF_INIT;
	char path[] = "/tmp/reqpm-link-XXXXXX", hex[SHA256_HEX_MAX];

	(void)state;
	close(mkstemp(path));
	unlink(path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(rpm_hashes_get(h, path, hex, NULL, &err), -ELOOP);
	assert_int_equal(rpm_hashes_get(h, "/tmp", hex, NULL, &err), -EINVAL);
	unlink(path);
	strbuf_finish(&err);
	rpm_hashes_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_source_rpms_are_known_by_their_name),
		cmocka_unit_test(test_what_a_repository_offers_is_known_by_its_name),
		cmocka_unit_test(test_queries_and_builds_see_the_same_paths),
		cmocka_unit_test(test_lists_are_joined_to_one_argv),
		cmocka_unit_test(test_the_version_of_a_pc_file_is_found_and_expanded),
		cmocka_unit_test(test_a_pc_variable_that_names_itself_ends),
		cmocka_unit_test(test_python_distributions_are_named_as_in_rpm),
		cmocka_unit_test(test_only_what_rpm_takes_becomes_a_provide),
		cmocka_unit_test(test_this_host_has_a_shell_a_compiler_and_libc),
		cmocka_unit_test(test_a_host_made_of_rpms_answers_from_its_database),
		cmocka_unit_test(test_fedoras_names_can_all_be_provided),
		cmocka_unit_test(test_the_last_answer_at_the_start_of_a_line_counts),
		cmocka_unit_test(test_what_is_no_answer_is_refused_with_a_sentence),
		cmocka_unit_test(test_problems_become_one_sentence),
		cmocka_unit_test(test_what_an_rpm_did_itself_is_not_tried_again),
		cmocka_unit_test(test_a_digest_is_remembered_until_the_file_changes),
		cmocka_unit_test(test_a_link_is_not_hashed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
