// SPDX-License-Identifier: MIT
#include "core/base/near.h"

#include <setjmp.h>
#include <cmocka.h>

/* What is said when there are these names, each between spaces. */
static void assert_said(const char *typed, const char *names, const char *said)
{
	char *copy = xstrdup(names), *rest = copy, *name;
	struct strbuf out = STRBUF_INIT;
	struct near n;

	near_init(&n, typed, strlen(typed));
	while ((name = strtok_r(rest, " ", &rest)))
		near_offer(&n, name);
	near_add(&n, &out, "look");
	assert_string_equal(out.buf, said);
	strbuf_finish(&out);
	free(copy);
}

static void the_closest_come_first_and_three_are_enough(void **state)
{
	(void)state;
	assert_said("zlip", "curl zlib bash", "; did you mean zlib?");
	assert_said("crul", "zlib curl", "; did you mean curl?");
	assert_said("libx", "libyz libz liby", "; did you mean libz, liby or libyz?");
	assert_said("abcdef", "abcdxx abcdex abcdeg abcdeh abcdei",
		"; did you mean abcdex, abcdeg or abcdeh?");
}

static void a_name_that_begins_so_is_closest(void **state)
{
	(void)state;
	assert_said("zli", "zlo zlib-ng-compat", "; did you mean zlib-ng-compat or zlo?");
	assert_said("zl", "zlib-ng-compat", "; look");
}

static void a_name_is_near_when_a_third_of_it_is_wrong_and_not_when_half_is(void **state)
{
	(void)state;
	assert_said("abcdef", "abcxyf", "; did you mean abcxyf?");
	assert_said("abcdef", "xyzwef", "; look");
	assert_said("a", "b", "; did you mean b?");
	assert_said("a", "bcd", "; look");
}

static void nothing_is_near_to_no_name_or_to_one_that_is_too_long(void **state)
{
	char longest[NEAR_NAME_MAX + 2], other[NEAR_NAME_MAX + 2], *said;

	(void)state;
	assert_said("", "a", "; look");
	memset(longest, 'x', sizeof(longest));
	longest[NEAR_NAME_MAX + 1] = '\0';
	memcpy(other, longest, sizeof(other));
	other[0] = 'y';
	assert_said(longest, other, "; look");
	longest[NEAR_NAME_MAX] = other[NEAR_NAME_MAX] = '\0';
	said = xasprintf("; did you mean %s?", other);
	assert_said(longest, other, said);
	free(said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_closest_come_first_and_three_are_enough),
		cmocka_unit_test(a_name_that_begins_so_is_closest),
		cmocka_unit_test(a_name_is_near_when_a_third_of_it_is_wrong_and_not_when_half_is),
		cmocka_unit_test(nothing_is_near_to_no_name_or_to_one_that_is_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
