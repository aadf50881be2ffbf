// SPDX-License-Identifier: MIT
/*
 * "(one or other)" when the set has both: which edges of the order are a choice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "apps/packages/graph.h"

/* The needs of the first package beside those that provide themselves: one, other, and tool, which `one` needs to be installed. Soft
 * ones stand behind `soft`. As "one? tool", with a question mark behind a choice. */
static void assert_choices(const char *const *needs, const char *const *soft, const char *expected)
{
	static const char others[] =
		"S\tone\t0\t1\t1\nP\tone\t0\t1\t1\tnoarch\nV\tone\t\t\nQ\ttool\t\t\n"
		"S\tother\t0\t1\t1\nP\tother\t0\t1\t1\tnoarch\nV\tother\t\t\n"
		"S\ttool\t0\t1\t1\nP\ttool\t0\t1\t1\tnoarch\nV\ttool\t\t\n";
	struct strbuf text = STRBUF_INIT, found = STRBUF_INIT;
	struct graph_package packages[4];
	struct spec_query query;
	struct graph graph;

	strbuf_addstr(&text, "S\ta\t0\t1\t1\n");
	for (const char *const *need = needs; *need; need++)
		strbuf_addf(&text, "R\t%s\t\t\n", *need);
	for (const char *const *need = soft; *need; need++)
		strbuf_addf(&text, "R\t%s\t\t\n", *need);
	strbuf_addstr(&text, "W\n");
	for (const char *const *need = needs; *need; need++)
		strbuf_addf(&text, "H\t%s\t\t\n", *need);
	strbuf_addstr(&text, others);
	assert_int_equal(spec_query_parse(SPEC_QUERY_SPEC, text.buf, text.len, &query, NULL), 0);
	assert_int_equal(query.spec_count, countof(packages));
	for (size_t i = 0; i < countof(packages); i++)
		graph_package_of_spec(&query.specs[i], &packages[i]);
	assert_int_equal(graph_build(packages, countof(packages), false, &graph, NULL), 0);
	for (size_t i = 0; i < graph.nodes[0].need_count; i++)
		strbuf_addf(&found, "%s%s%s", i ? " " : "",
			graph.nodes[graph.nodes[0].needs[i]].name,
			graph.nodes[0].choices[i] ? "?" : "");
	assert_string_equal(found.buf, expected);
	graph_finish(&graph);
	spec_query_finish(&query);
	strbuf_finish(&text);
	strbuf_finish(&found);
}

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NONE ((const char *const[]){NULL})

static void sides_of_an_or_and_what_these_need_are_a_choice(void **state)
{
	(void)state;
	assert_choices(LIST("(one or other)"), NONE, "one? other? tool?");
	assert_choices(LIST("(other or nothing)"), NONE, "other");
	assert_choices(LIST("(other or other)"), NONE, "other");
	assert_choices(LIST("(one and other)"), NONE, "one other tool");
	assert_choices(NONE, LIST("(one or other)"), "one? other? tool?");
}

static void what_another_need_asks_for_is_none(void **state)
{
	(void)state;
	assert_choices(LIST("(one or other)", "other"), NONE, "one? other tool?");
	assert_choices(LIST("other", "(one or other)"), NONE, "one? other tool?");
	assert_choices(LIST("(one or other)", "one"), NONE, "one other? tool");
	assert_choices(LIST("(one or other)", "tool"), NONE, "one? other? tool");
	assert_choices(LIST("(one or other)"), LIST("one"), "one other? tool");
	assert_choices(LIST("((one or other) and other)"), NONE, "one? other tool?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sides_of_an_or_and_what_these_need_are_a_choice),
		cmocka_unit_test(what_another_need_asks_for_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
