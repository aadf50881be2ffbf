// SPDX-License-Identifier: MIT
#include "apps/packages/graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted keeps its promises and can be ordered. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strbuf err = STRBUF_INIT;
	struct graph_package *packages;
	struct packages_json set;
	struct graph graph;

	if (packages_json_parse((const char *)data, size, &set, &err) < 0) {
		if (err.len == 0)
			BUG("refused without a sentence");
		strbuf_finish(&err);
		return 0;
	}
	packages = xcalloc(set.count, sizeof(*packages));
	for (size_t i = 0; i < set.count; i++) {
		if (!package_name_valid(set.packages[i].name) || !set.packages[i].command[0])
			BUG("package %zu is not whole", i);
		graph_package_of_json(&set.packages[i], &packages[i]);
	}
	if (graph_build(packages, set.count, false, &graph, NULL) < 0)
		BUG("an accepted set has no graph");
	if (graph.external_count)
		BUG("an accepted set lacks a package");
	graph_finish(&graph);
	packages_json_finish(&set);
	free(packages);
	return 0;
}
