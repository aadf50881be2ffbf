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

/* ---- what one spec, and what a set may need */

static void assert_needs(char letter, int count, const char *expected)
{
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	struct spec_query query;

	strbuf_addstr(&text, "S\tgreedy\t0\t1\t1\n");
	for (int i = 0; i < count; i++)
		strbuf_addf(&text, "%c\tn%d\t\t\n", letter, i);
	if (!spec_query_parse(SPEC_QUERY_SPEC, text.buf, text.len, &query, &err))
		spec_query_finish(&query);
	assert_string_equal(err.buf, expected);
	strbuf_finish(&text);
	strbuf_finish(&err);
}

static void a_spec_that_needs_more_than_10000_is_refused(void **state)
{
	(void)state;
	for (const char *letter = "RCH"; *letter; letter++) {
		assert_needs(*letter, SPEC_NEEDS_MAX, "");
		assert_needs(*letter, SPEC_NEEDS_MAX + 1,
			"it has more than 10000 BuildRequires; take out what it does not need");
	}
}

#define NEED_BYTES 1000

/* Names that no other package has. */
static struct capability *long_needs(size_t count, int package)
{
	struct capability *needs = xcalloc(count, sizeof(*needs));

	for (size_t i = 0; i < count; i++)
		needs[i] = (struct capability){
			.name = xasprintf("%d-%zu-%0*d", package, i, NEED_BYTES, 0), .version = ""};
	return needs;
}

static void free_needs(const struct graph_package *p)
{
	for (size_t i = 0; i < p->need_count; i++)
		free((void *)p->needs[i].name);
	free((void *)p->needs);
}

/* Each need is written twice. */
static int order_of_packages_with(size_t needs, struct strbuf *json, struct strbuf *err)
{
	struct graph_package packages[4] = {
		{.name = "some"}, {.name = "more"}, {.name = "most"}, {.name = "few"}};
	struct json_writer w = JSON_WRITER(json);
	struct graph graph;
	int r;

	for (int i = 0; i < 4; i++) {
		packages[i].need_count = i == 2 ? needs + 1 : i == 3 ? 1 : needs;
		packages[i].needs = long_needs(packages[i].need_count, i);
	}
	assert_int_equal(graph_build(packages, 4, false, &graph, NULL), 0);
	r = graph_json(&graph, &w, err);
	graph_finish(&graph);
	for (int i = 0; i < 4; i++)
		free_needs(&packages[i]);
	return r;
}

static void an_order_that_takes_too_much_to_write_down_is_refused(void **state)
{
	size_t enough = GRAPH_JSON_MAX / NEED_BYTES / 2 / 3;
	struct strbuf json = STRBUF_INIT, err = STRBUF_INIT;

	(void)state;
	assert_int_equal(order_of_packages_with(enough * 9 / 10, &json, &err), 0);
	strbuf_reset(&json);
	assert_int_equal(order_of_packages_with(enough, &json, &err), -E2BIG);
	assert_true(json.len < GRAPH_JSON_MAX + 3 * NEED_BYTES);
	assert_non_null(strstr(err.buf, "more than 64 MiB to write down; most has the most needs"));
	strbuf_finish(&json);
	strbuf_finish(&err);
}

static void what_a_query_holds_is_counted(void **state)
{
	static const char text[] = "S\ta\t0\t1\t1\nR\tb\t\t\nO\tc\nP\ta\t0\t1\t1\tnoarch\n";
	struct spec_query query;

	(void)state;
	assert_int_equal(spec_query_parse(SPEC_QUERY_SPEC, text, strlen(text), &query, NULL), 0);
	assert_int_equal(query.bytes, strlen(text) + sizeof(struct spec) +
					      sizeof(struct subpackage) +
					      sizeof(struct capability) + sizeof(char *));
	spec_query_finish(&query);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_spec_that_needs_more_than_10000_is_refused),
		cmocka_unit_test(an_order_that_takes_too_much_to_write_down_is_refused),
		cmocka_unit_test(what_a_query_holds_is_counted),
		cmocka_unit_test(of_a_long_way_round_the_first_steps_and_the_last_are_told),
		cmocka_unit_test(a_long_need_is_told_in_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
