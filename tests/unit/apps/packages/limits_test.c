// SPDX-License-Identifier: MIT
/*
 * Sets that are larger, and names that are longer, than anybody wants to read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "apps/packages/graph.h"

/* A set from what rpmspec printed. */
struct set {
	struct strbuf text;
	struct spec_query query;
	struct graph_package *packages;
	struct graph graph;
};

static void set_build(struct set *set)
{
	struct strbuf err = STRBUF_INIT;

	spec_query_parse(SPEC_QUERY_SPEC, set->text.buf, set->text.len, &set->query, &err);
	assert_string_equal(err.buf, "");
	set->packages = xcalloc(set->query.spec_count, sizeof(*set->packages));
	for (size_t i = 0; i < set->query.spec_count; i++)
		graph_package_of_spec(&set->query.specs[i], &set->packages[i]);
	assert_int_equal(
		graph_build(set->packages, set->query.spec_count, false, &set->graph, &err), 0);
	strbuf_finish(&err);
}

static void set_finish(struct set *set)
{
	graph_finish(&set->graph);
	free(set->packages);
	spec_query_finish(&set->query);
	strbuf_finish(&set->text);
}

/* p0 needs p1, p1 needs p2, … and the last one needs p0. */
static void build_circle(struct set *set, int count)
{
	*set = (struct set){.text = STRBUF_INIT};
	for (int i = 0; i < count; i++)
		strbuf_addf(&set->text,
			"S\tp%d\t0\t1\t1\nR\tp%d\t\t\nP\tp%d\t0\t1\t1\tnoarch\nV\tp%d\t\t\n", i,
			(i + 1) % count, i, i);
	set_build(set);
	assert_int_equal(set->graph.cycle_count, 1);
}

static void of_a_long_way_round_the_first_steps_and_the_last_are_told(void **state)
{
	struct strbuf text = STRBUF_INIT;
	struct set set;

	(void)state;
	build_circle(&set, SAID_NAMES_MAX);
	graph_cycle_format(&set.graph, &set.graph.cycles[0], &text);
	assert_null(strstr(text.buf, "more"));
	assert_non_null(strstr(text.buf, ", p8 needs p9 (p9), p9 needs p0 (p0)"));
	set_finish(&set);

	strbuf_reset(&text);
	build_circle(&set, 3000);
	graph_cycle_format(&set.graph, &set.graph.cycles[0], &text);
	assert_memory_equal(text.buf, "p0 needs p1 (p1), ", 18);
	assert_non_null(
		strstr(text.buf, ", p8 needs p9 (p9), 2990 more such steps, p2999 needs p0 (p0)"));
	set_finish(&set);
	strbuf_finish(&text);
}

static void a_long_need_is_told_in_part(void **state)
{
	char name[SPEC_FIELD_MAX + 1];
	struct strbuf said = STRBUF_INIT;

	(void)state;
	memset(name, 'x', SPEC_FIELD_MAX);
	name[SPEC_FIELD_MAX] = '\0';
	capability_say(&said, &(struct capability){.name = name, .version = ""});
	assert_int_equal(said.len, SAID_NAME_MAX);
	assert_string_equal(said.buf + said.len - strlen("x…"), "x…");
	strbuf_finish(&said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_long_way_round_the_first_steps_and_the_last_are_told),
		cmocka_unit_test(a_long_need_is_told_in_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
