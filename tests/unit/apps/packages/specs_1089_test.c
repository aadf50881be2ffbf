// SPDX-License-Identifier: MIT
#include "apps/packages/graph.h"

#include <setjmp.h>
#include <cmocka.h>
#include <zlib.h>

/* The headers of a whole distribution, 1,089 specs; tests/bench/data/README.md says which. */
struct distribution {
	struct strbuf text;
	struct spec_query query;
	struct graph_package *packages;
};

static int load(void **state)
{
	struct distribution *d = xcalloc(1, sizeof(*d));
	gzFile file = gzopen(SPECS_1089, "r");
	char buf[8192];
	int n;

	assert_non_null(file);
	strbuf_init(&d->text);
	while ((n = gzread(file, buf, sizeof(buf))) > 0)
		strbuf_add(&d->text, buf, n);
	assert_int_equal(n, 0);
	gzclose(file);
	assert_int_equal(
		spec_query_parse(SPEC_QUERY_SPEC, d->text.buf, d->text.len, &d->query, NULL), 0);
	d->packages = xcalloc(d->query.spec_count, sizeof(*d->packages));
	for (size_t i = 0; i < d->query.spec_count; i++)
		graph_package_of_spec(&d->query.specs[i], &d->packages[i]);
	*state = d;
	return 0;
}

static int unload(void **state)
{
	struct distribution *d = *state;

	free(d->packages);
	spec_query_finish(&d->query);
	strbuf_finish(&d->text);
	free(d);
	return 0;
}

static void every_record_is_read(void **state)
{
	const struct distribution *d = *state;
	size_t needs = 0, provides = 0, requires = 0;

	for (size_t i = 0; i < d->query.spec_count; i++)
		needs += d->query.specs[i].need_count;
	for (size_t i = 0; i < d->query.part_count; i++) {
		provides += d->query.parts[i].provide_count;
		requires += d->query.parts[i].need_count;
	}
	assert_int_equal(d->query.spec_count, 1089);
	assert_int_equal(d->query.part_count, 1949);
	assert_int_equal(needs, 4378);
	assert_int_equal(provides, 3821);
	assert_int_equal(requires, 5303 - 2); /* but for rpmlib() */
}

static size_t widest_level(const struct graph *g)
{
	size_t width[64] = {0}, widest = 0;

	for (size_t i = 0; i < g->node_count; i++)
		if (++width[g->nodes[i].level] > widest)
			widest = width[g->nodes[i].level];
	return widest;
}

static void assert_ordered(const struct graph *g)
{
	for (size_t i = 0; i < g->edge_count; i++) {
		const struct graph_node *from = &g->nodes[g->edges[i].from];
		const struct graph_node *to = &g->nodes[g->edges[i].to];

		assert_true(from->level > to->level);
		assert_true(to->priority_ms >= from->priority_ms + GRAPH_WEIGHT_DEFAULT_MS);
	}
}

static void build_requires_alone_give_20_levels_and_no_cycle(void **state)
{
	const struct distribution *d = *state;
	struct graph g;

	assert_int_equal(graph_build(d->packages, d->query.spec_count, true, &g, NULL), 0);
	assert_int_equal(g.cycle_count, 0);
	assert_int_equal(g.dropped_count, 0);
	assert_int_equal(g.external_count, 0);
	assert_int_equal(g.edge_count, 4080);
	assert_int_equal(g.level_count, 20);
	assert_true(widest_level(&g) > 100);
	assert_ordered(&g);
	graph_finish(&g);
}

static void with_what_must_be_installed_there_are_24_levels_and_no_cycle(void **state)
{
	const struct distribution *d = *state;
	struct graph g;

	assert_int_equal(graph_build(d->packages, d->query.spec_count, false, &g, NULL), 0);
	assert_int_equal(g.cycle_count, 0);
	assert_int_equal(g.dropped_count, 0);
	assert_int_equal(g.external_count, 0);
	assert_int_equal(g.level_count, 24);
	assert_ordered(&g);
	graph_finish(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_record_is_read),
		cmocka_unit_test(build_requires_alone_give_20_levels_and_no_cycle),
		cmocka_unit_test(with_what_must_be_installed_there_are_24_levels_and_no_cycle),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
