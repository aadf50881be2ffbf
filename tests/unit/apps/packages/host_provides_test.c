// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "apps/packages/packages.h"

static bool has(const struct host_provides *host, const char *text)
{
	char *copy = xstrdup(text);
	struct capability need;
	bool found;

	assert_int_equal(capability_parse(copy, &need), 0);
	found = host_provides_has(host, &need);
	free(copy);
	return found;
}

static void any_version_that_the_host_has_of_a_name_will_do(void **state)
{
	struct host_provides *host =
		host_provides_create("make = 4.3\npython = 3.9\npython = 3.11-2\nsh\n\nlast = 1");

	(void)state;
	assert_true(has(host, "make"));
	assert_true(has(host, "make >= 4"));
	assert_false(has(host, "make >= 5"));
	assert_true(has(host, "python < 3.10"));
	assert_true(has(host, "python >= 3.11"));
	assert_false(has(host, "python = 3.10"));
	/* One without a version fits every need, as rpm has it. */
	assert_true(has(host, "sh >= 99"));
	assert_true(has(host, "last"));
	assert_false(has(host, "never-heard-of"));
	host_provides_destroy(host);
	host_provides_destroy(NULL);
}

static void lines_that_are_no_capability_are_left_out(void **state)
{
	struct host_provides *host = host_provides_create("odd >\n= 1\ngood\n");

	(void)state;
	assert_false(has(host, "odd"));
	assert_true(has(host, "good"));
	host_provides_destroy(host);
	host = host_provides_create("");
	assert_false(has(host, "good"));
	host_provides_destroy(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_version_that_the_host_has_of_a_name_will_do),
		cmocka_unit_test(lines_that_are_no_capability_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
