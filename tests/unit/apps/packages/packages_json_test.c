// SPDX-License-Identifier: MIT
#include "apps/packages/packages.h"

#include <setjmp.h>
#include <cmocka.h>

static void assert_refused(const char *text, size_t len, int code, const char *sentence)
{
	struct packages_json set = {.count = 77};
	struct strbuf err = STRBUF_INIT;

	assert_int_equal(packages_json_parse(text, len, &set, &err), code);
	assert_string_equal(err.buf, sentence);
	assert_int_equal(set.count, 77);
	strbuf_finish(&err);
}

/* The text of a set of one package, or of the JSON given as its members. */
static void assert_package_refused(const char *package, const char *sentence)
{
	char *text =
		xasprintf("{\"packages\":[{\"name\":\"a\",\"command\":[\"true\"]},%s]}", package);
	char *whole = xasprintf("packages.json: package 2%s", sentence);

	assert_refused(text, strlen(text), -EINVAL, whole);
	free(text);
	free(whole);
}

static void a_set_is_read_with_all_its_fields(void **state)
{
	static const char text[] =
		"{\"packages\":["
		"{\"name\":\"zlib\",\"version\":\"1.3\",\"requires\":[\"gcc\",\"make\"],"
		"\"command\":[\"make\",\"-j\",\"\"],\"timeout\":600},"
		"{\"name\":\"gcc\",\"command\":[\"true\"]},"
		"{\"command\":[\"true\"],\"name\":\"make\",\"requires\":[]}]}";
	struct strbuf err = STRBUF_INIT;
	struct packages_json set;
	const struct json_package *p;

	(void)state;
	assert_int_equal(packages_json_parse(text, strlen(text), &set, &err), 0);
	assert_int_equal(set.count, 3);
	p = &set.packages[0];
	assert_string_equal(p->name, "zlib");
	assert_string_equal(p->version, "1.3");
	assert_int_equal(p->need_count, 2);
	assert_string_equal(p->needs[0].name, "gcc");
	assert_string_equal(p->needs[1].name, "make");
	assert_string_equal(p->command[0], "make");
	assert_string_equal(p->command[1], "-j");
	assert_string_equal(p->command[2], "");
	assert_null(p->command[3]);
	assert_int_equal(p->timeout_ms, 600000);
	assert_ptr_equal(p->self.provides, &p->provide);
	assert_string_equal(p->provide.name, "zlib");
	assert_string_equal(p->provide.version, "1.3");
	p = &set.packages[1];
	assert_string_equal(p->version, "");
	assert_int_equal(p->provide.flags, 0);
	assert_int_equal(p->timeout_ms, 0);
	assert_int_equal(p->need_count, 0);
	packages_json_finish(&set);
	strbuf_finish(&err);
}

static void what_is_no_set_of_packages_is_refused(void **state)
{
	static const struct {
		const char *text, *sentence;
	} cases[] = {
		{"[]", "packages.json: must be an object with an array \"packages\""},
		{"{}", "packages.json: must be an object with an array \"packages\""},
		{"{\"packages\":{}}",
			"packages.json: must be an object with an array \"packages\""},
		{"{\"packages\":[]}", "packages.json: \"packages\" is empty"},
		{"{\"packages\":[1],\"jobs\":2}",
			"packages.json: \"jobs\" is not known; known is packages"},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++)
		assert_refused(cases[i].text, strlen(cases[i].text), -EINVAL, cases[i].sentence);
}

static void what_is_no_json_is_refused(void **state)
{
	static const char *const texts[] = {"", "{", "{\"packages\":[}", "{\"packages\":[]} x",
		"{\"packages\":[],\"packages\":[]}",
		"{\"packages\":[{\"name\":\"\xff\",\"command\":[\"true\"]}]}",
		"{\"packages\":[{\"name\":\"a\",\"command\":[\"tr\\u0000ue\"]}]}",
		"{\"packages\":[{\"name\":\"a\",\"command\":[\"\\ud800\"]}]}"};

	(void)state;
	for (size_t i = 0; i < countof(texts); i++) {
		struct strbuf err = STRBUF_INIT;
		struct packages_json set;

		assert_int_equal(
			packages_json_parse(texts[i], strlen(texts[i]), &set, &err), -EINVAL);
		assert_memory_equal(err.buf, "packages.json: ", 15);
		strbuf_finish(&err);
	}
}

static void a_bad_package_is_refused_by_number_name_and_field(void **state)
{
	static const struct {
		const char *package, *sentence;
	} cases[] = {
		{"7", ": must be an object with a name and a command"},
		{"{\"command\":[\"true\"]}", ": \"name\" is missing"},
		{"{\"name\":7}", ": \"name\" must be a string"},
		{"{\"name\":\"../etc\"}", ": \"../etc\" is no name: letters, digits and + . _ -, a "
					  "letter or digit first, "
					  "at most 200 bytes"},
		{"{\"name\":\"b\\nc\"}", ": \"b?c\" is no name: letters, digits and + . _ -, a "
					 "letter or digit first, at "
					 "most 200 bytes"},
		{"{\"name\":\"b\",\"require\":[]}", " (\"b\"): \"require\" is not known; known are "
						    "name, version, requires, command "
						    "and timeout"},
		{"{\"name\":\"b\",\"version\":1.2,\"command\":[\"true\"]}",
			" (\"b\"): \"version\" must be a string"},
		{"{\"name\":\"b\",\"version\":\"1/2\",\"command\":[\"true\"]}",
			" (\"b\"): \"version\" may have letters, digits and + . _ - ~ ^ :, at most "
			"200 "
			"bytes"},
		{"{\"name\":\"b\",\"requires\":\"a\",\"command\":[\"true\"]}",
			" (\"b\"): \"requires\" must be an array of package names"},
		{"{\"name\":\"b\",\"requires\":[null],\"command\":[\"true\"]}",
			" (\"b\"): \"requires\" must be an array of package names"},
		{"{\"name\":\"b\",\"requires\":[\"a\",\"zlib\"],\"command\":[\"true\"]}",
			" (\"b\"): it requires \"zlib\", which is not in the set"},
		{"{\"name\":\"b\",\"requires\":[\"b\"],\"command\":[\"true\"]}",
			" (\"b\"): it requires itself"},
		{"{\"name\":\"a\",\"command\":[\"true\"]}",
			" (\"a\"): package 1 has the same name"},
		{"{\"name\":\"b\"}", " (\"b\"): \"command\" is missing"},
		{"{\"name\":\"b\",\"command\":\"make\"}",
			" (\"b\"): \"command\" must be an array of strings"},
		{"{\"name\":\"b\",\"command\":[\"sleep\",1]}",
			" (\"b\"): \"command\" must be an array of strings"},
		{"{\"name\":\"b\",\"command\":[]}",
			" (\"b\"): \"command\" is empty: say what to run"},
		{"{\"name\":\"b\",\"command\":[\"\",\"x\"]}",
			" (\"b\"): \"command\" starts with an empty string: say what to run"},
		{"{\"name\":\"b\",\"command\":[\"true\"],\"timeout\":0}",
			" (\"b\"): \"timeout\" must be a whole number of seconds from 1 to 604800"},
		{"{\"name\":\"b\",\"command\":[\"true\"],\"timeout\":604801}",
			" (\"b\"): \"timeout\" must be a whole number of seconds from 1 to 604800"},
		{"{\"name\":\"b\",\"command\":[\"true\"],\"timeout\":\"5m\"}",
			" (\"b\"): \"timeout\" must be a whole number of seconds from 1 to 604800"},
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++)
		assert_package_refused(cases[i].package, cases[i].sentence);
}

static void a_long_text_is_quoted_in_part(void **state)
{
	char name[400], *package, *sentence;

	(void)state;
	memset(name, '/', sizeof(name));
	name[399] = '\0';
	package = xasprintf("{\"name\":\"%s\"}", name);
	sentence = xasprintf(
		": \"%.64s...\" is no name: letters, digits and + . _ -, a letter or digit "
		"first, at most 200 bytes",
		name);
	assert_package_refused(package, sentence);
	free(package);
	free(sentence);
}

static char *set_of(size_t count, const char *argument)
{
	struct strbuf text = STRBUF_INIT;

	strbuf_addstr(&text, "{\"packages\":[");
	for (size_t i = 0; i < count; i++)
		strbuf_addf(&text, "%s{\"name\":\"p%zu\",\"command\":[\"%s\"]}", i ? "," : "", i,
			argument);
	strbuf_addstr(&text, "]}");
	return strbuf_detach(&text, NULL);
}

static void a_set_has_at_most_10000_packages(void **state)
{
	char *full = set_of(PACKAGES_MAX, "true"), *over = set_of(100000, "true");
	struct packages_json set;

	(void)state;
	assert_int_equal(packages_json_parse(full, strlen(full), &set, NULL), 0);
	assert_int_equal(set.count, PACKAGES_MAX);
	packages_json_finish(&set);
	assert_refused(over, strlen(over), -E2BIG,
		"packages.json: 100000 packages, at most 10000 are allowed");
	free(full);
	free(over);
}

static void a_command_has_at_most_128_kib(void **state)
{
	char *argument = xmalloc(PACKAGE_COMMAND_MAX_BYTES + 1), *text;
	struct packages_json set;

	(void)state;
	memset(argument, 'x', PACKAGE_COMMAND_MAX_BYTES);
	argument[PACKAGE_COMMAND_MAX_BYTES] = '\0';
	text = set_of(1, argument);
	assert_refused(text, strlen(text), -EINVAL,
		"packages.json: package 1 (\"p0\"): \"command\" is longer than 131072 bytes");
	free(text);
	text = set_of(1, argument + 1);
	assert_int_equal(packages_json_parse(text, strlen(text), &set, NULL), 0);
	packages_json_finish(&set);
	free(text);
	free(argument);
}

static void a_file_has_at_most_16_mib(void **state)
{
	struct strbuf text = STRBUF_INIT;
	struct packages_json set;

	(void)state;
	strbuf_addstr(&text, "{\"packages\":[{\"name\":\"a\",\"command\":[\"true\"]}]}");
	while (text.len < PACKAGES_JSON_MAX_BYTES)
		strbuf_addch(&text, ' ');
	assert_int_equal(packages_json_parse(text.buf, text.len, &set, NULL), 0);
	packages_json_finish(&set);
	strbuf_addch(&text, ' ');
	assert_refused(text.buf, text.len, -E2BIG, "packages.json: larger than 16 MiB");
	strbuf_finish(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_set_is_read_with_all_its_fields),
		cmocka_unit_test(what_is_no_set_of_packages_is_refused),
		cmocka_unit_test(what_is_no_json_is_refused),
		cmocka_unit_test(a_bad_package_is_refused_by_number_name_and_field),
		cmocka_unit_test(a_long_text_is_quoted_in_part),
		cmocka_unit_test(a_set_has_at_most_10000_packages),
		cmocka_unit_test(a_command_has_at_most_128_kib),
		cmocka_unit_test(a_file_has_at_most_16_mib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
