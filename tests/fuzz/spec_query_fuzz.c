// SPDX-License-Identifier: MIT
#include "apps/packages/graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void order_specs(const struct spec_query *q)
{
	struct graph_package *packages = xcalloc(q->spec_count + 1, sizeof(*packages));
	struct strbuf json = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&json);
	struct graph graph;

	for (size_t i = 0; i < q->spec_count; i++)
		graph_package_of_spec(&q->specs[i], &packages[i]);
	if (graph_build(packages, q->spec_count, false, &graph, NULL) == 0) {
		for (size_t i = 0; graph.cycle_count == 0 && i < graph.edge_count; i++) {
			const struct graph_edge *e = &graph.edges[i];

			if (!e->dropped && graph.nodes[e->from].level <= graph.nodes[e->to].level)
				BUG("%s does not wait", graph.nodes[e->from].name);
		}
		json_begin_object(&w, NULL);
		graph_json(&graph, &w, NULL);
		json_end_object(&w);
		graph_finish(&graph);
	}
	strbuf_finish(&json);
	free(packages);
}

/* The first byte chooses the kind of query; a few sets are ordered and written as JSON as well. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf err = STRBUF_INIT;
	struct spec_query q;

	if (size == 0)
		return 0;
	if (spec_query_parse(data[0] % 3, (const char *)data + 1, size - 1, &q, &err) < 0) {
		if (err.len == 0)
			BUG("refused without a sentence");
		strbuf_finish(&err);
		return 0;
	}
	for (size_t i = 0; i < q.spec_count; i++)
		if (!package_name_valid(q.specs[i].name))
			BUG("spec %zu is not whole", i);
	order_specs(&q);
	spec_query_finish(&q);
	return 0;
}
