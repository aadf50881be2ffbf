// SPDX-License-Identifier: MIT
/*
 * Reads the query output of the 1,089 specs of a whole distribution and puts them in order. The floor: reading the text alone.
 * Prints one JSON line; exit 1 when the answer is wrong (no cycles and 20 levels without %check).
 *
 *   order FILE.gz
 */
#include <stdio.h>
#include <time.h>
#include <zlib.h>
#include "apps/packages/graph.h"

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void read_all(const char *path, struct strbuf *text)
{
	gzFile f = gzopen(path, "rb");
	char buf[65536];
	int n;

	if (!f) {
		fprintf(stderr, "order: %s cannot be read\n", path);
		exit(2);
	}
	while ((n = gzread(f, buf, sizeof(buf))) > 0)
		strbuf_add(text, buf, (size_t)n);
	gzclose(f);
}

int main(int argc, char **argv)
{
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	struct spec_query query;
	struct graph_package *packages;
	struct graph graph;
	double start, parsed, ordered;
	bool right;

	if (argc != 2)
		return 2;
	read_all(argv[1], &text);
	start = now_ms();
	if (spec_query_parse(SPEC_QUERY_SPEC, text.buf, text.len, &query, &err) < 0) {
		fprintf(stderr, "order: %s\n", err.buf);
		return 1;
	}
	parsed = now_ms();
	packages = xcalloc(query.spec_count, sizeof(*packages));
	for (size_t i = 0; i < query.spec_count; i++)
		graph_package_of_spec(&query.specs[i], &packages[i]);
	if (graph_build(packages, query.spec_count, true, &graph, &err) < 0) {
		fprintf(stderr, "order: %s\n", err.buf);
		return 1;
	}
	ordered = now_ms();
	right = graph.cycle_count == 0 && graph.level_count == 20;
	printf("{\"benchmark\":\"order\",\"specs\":%zu,\"edges\":%zu,\"levels\":%zu,\"cycles\":%zu,"
	       "\"order_ms\":%.2f,"
	       "\"parse_ms\":%.2f,\"ratio\":%.2f}\n",
		query.spec_count, graph.edge_count, graph.level_count, graph.cycle_count,
		ordered - parsed, parsed - start, (ordered - parsed) / (parsed - start));
	return right ? 0 : 1;
}
