// SPDX-License-Identifier: MIT
#include "apps/packages/arena.h"
#include "apps/packages/maker.h"
#include "apps/packages/order.h"

const char *const edge_kind_name[] = {
	[EDGE_BUILD] = "build",
	[EDGE_INSTALL] = "install",
	[EDGE_GUESSED] = "guessed",
	[EDGE_SOFT] = "soft",
	[EDGE_LEARNED] = "learned",
};
_Static_assert(countof(edge_kind_name) == EDGE_KIND_COUNT, "name all");

void graph_package_of_spec(const struct spec *spec, struct graph_package *ret)
{
	*ret = (struct graph_package){.name = spec->name,
		.needs = spec->needs,
		.need_count = spec->need_count,
		.parts = spec->parts,
		.part_count = spec->part_count};
}

void graph_package_of_json(const struct json_package *package, struct graph_package *ret)
{
	*ret = (struct graph_package){.name = package->name,
		.needs = package->needs,
		.need_count = package->need_count,
		.parts = &package->self,
		.part_count = 1};
}

static int check_names(const struct graph_package *packages, size_t count, struct strbuf *err)
{
	struct map names;
	int r = 0;

	if (count > PACKAGES_MAX)
		return err_set(
			err, -E2BIG, "%zu packages, at most %d are allowed", count, PACKAGES_MAX);
	map_init(&names);
	for (size_t i = 0; r == 0 && i < count; i++) {
		if (map_get(&names, packages[i].name))
			r = err_set(err, -EEXIST, "two packages are named %s", packages[i].name);
		else
			map_set(&names, packages[i].name, (void *)&packages[i]);
	}
	map_finish(&names);
	return r;
}

/* Makes room for one more item; returns the array. */
static void *grown(void *items, size_t count, size_t *cap, size_t size)
{
	if (count < *cap)
		return items;
	*cap = *cap ? 2 * *cap : 256;
	return xrealloc(items, *cap * size);
}

void edges_add(struct edges *edges, const struct graph_edge *edge)
{
	edges->items = grown(edges->items, edges->count, &edges->cap, sizeof(*edges->items));
	edges->items[edges->count++] = *edge;
}

void edges_strengthen(struct graph_edge *there, const struct graph_edge *edge)
{
	bool choice = there->choice && edge->choice;

	if (edge->kind < there->kind)
		*there = *edge;
	there->choice = choice;
}

static void add_hit(struct maker *m, const struct answer *a)
{
	m->hits = grown(m->hits, m->hit_count, &m->hit_cap, sizeof(*m->hits));
	m->hits[m->hit_count++] = (struct hit){a->part, a->kind, a->choice};
}

static void add_external(struct maker *m, uint32_t package, const struct answer *a)
{
	struct graph *g = m->graph;

	g->externals =
		grown(g->externals, g->external_count, &m->external_cap, sizeof(*g->externals));
	g->externals[g->external_count++] = (struct graph_external){.package = package,
		.need = a->need,
		.wrong_version = a->wrong_version,
		.own = a->found};
}

/* One edge from package to package; of several needs the strongest names it. */
static void add_direct(struct maker *m, uint32_t from, const struct answer *a)
{
	size_t at = m->edge_to[a->package];
	struct graph_edge edge = {.from = from,
		.to = a->package,
		.kind = a->kind,
		.choice = a->choice,
		.need = a->need,
		.others = a->others,
		.other_count = a->other_count};

	if (at == NO_EDGE) {
		m->edge_to[a->package] = m->direct.count;
		edges_add(&m->direct, &edge);
	} else {
		edges_strengthen(&m->direct.items[at], &edge);
	}
}

/* What a package provides itself must come from the host the first time: no edge. */
static void resolve_needs(struct maker *m, uint32_t package)
{
	const struct graph_package *p = &m->rs.packages[package];

	for (size_t i = 0; i < p->need_count; i++) {
		resolver_find(&m->rs, package, &p->needs[i]);
		for (size_t k = 0; k < m->rs.answer_count; k++) {
			const struct answer *a = &m->rs.answers[k];

			if (!a->found || a->package == package) {
				add_external(m, package, a);
				continue;
			}
			add_hit(m, a);
			add_direct(m, package, a);
		}
	}
}

void maker_load_edges(struct maker *m, uint32_t package, bool load)
{
	for (size_t i = m->direct.start[package]; i < m->direct.start[package + 1]; i++)
		m->edge_to[m->direct.items[i].to] = load ? i : NO_EDGE;
}

static void make_direct_edges(struct maker *m)
{
	for (uint32_t i = 0; i < m->rs.count; i++) {
		m->direct.start[i] = m->direct.count;
		m->hit_start[i] = m->hit_count;
		resolve_needs(m, i);
		m->direct.start[i + 1] = m->direct.count;
		maker_load_edges(m, i, false);
	}
	m->hit_start[m->rs.count] = m->hit_count;
}

/* Gives the graph its edges: direct ones, then those of installing, package by package. */
static void publish_edges(struct maker *m)
{
	struct graph *g = m->graph;

	free(g->edges);
	g->edge_count = 0;
	g->edges = xcalloc(m->direct.count + m->install.count + 1, sizeof(*g->edges));
	for (size_t i = 0; i < g->node_count; i++) {
		const struct edges *lists[] = {&m->direct, &m->install};

		g->nodes[i].edges = g->edges + g->edge_count;
		for (size_t k = 0; k < countof(lists); k++) {
			size_t start = lists[k]->start[i], n = lists[k]->start[i + 1] - start;

			if (n)
				memcpy(g->edges + g->edge_count, lists[k]->items + start,
					n * sizeof(*g->edges));
			g->edge_count += n;
		}
		g->nodes[i].edge_count = g->edges + g->edge_count - g->nodes[i].edges;
	}
}

static void maker_init(
	struct maker *m, struct graph *g, const struct graph_package *packages, size_t count)
{
	*m = (struct maker){.graph = g};
	resolver_init(&m->rs, packages, count, g->arena);
	m->direct.start = xcalloc(count + 1, sizeof(size_t));
	m->install.start = xcalloc(count + 1, sizeof(size_t));
	m->hit_start = xcalloc(count + 1, sizeof(size_t));
	m->edge_to = xmalloc((count + 1) * sizeof(size_t));
	for (size_t i = 0; i < count; i++)
		m->edge_to[i] = NO_EDGE;
}

static void maker_finish(struct maker *m)
{
	resolver_finish(&m->rs);
	free(m->direct.items);
	free(m->direct.start);
	free(m->install.items);
	free(m->install.start);
	free(m->hits);
	free(m->hit_start);
	free(m->edge_to);
}

static int64_t weight_of(const struct graph_package *p)
{
	if (p->weight_ms <= 0)
		return GRAPH_WEIGHT_DEFAULT_MS;
	return p->weight_ms < GRAPH_WEIGHT_MAX_MS ? p->weight_ms : GRAPH_WEIGHT_MAX_MS;
}

static void order_by_weight(struct graph *graph, const struct graph_package *packages)
{
	int64_t *weights = xcalloc(graph->node_count + 1, sizeof(*weights));

	for (size_t i = 0; i < graph->node_count; i++)
		weights[i] = weight_of(&packages[i]);
	order_nodes(graph, weights);
	free(weights);
}

int graph_build(const struct graph_package *packages, size_t count, bool build_only,
	struct graph *ret, struct strbuf *err)
{
	struct graph graph = {.node_count = count};
	struct maker m;
	int r = check_names(packages, count, err);

	if (r < 0)
		return r;
	graph.arena = arena_create();
	graph.nodes = xcalloc(count + 1, sizeof(*graph.nodes));
	for (size_t i = 0; i < count; i++)
		graph.nodes[i].name = packages[i].name;
	maker_init(&m, &graph, packages, count);
	make_direct_edges(&m);
	publish_edges(&m);
	if (!build_only) {
		make_install_edges(&m);
		publish_edges(&m);
	}
	maker_finish(&m);
	drop_weak_edges(&graph);
	order_by_weight(&graph, packages);
	*ret = graph;
	return 0;
}

void graph_finish(struct graph *graph)
{
	free(graph->nodes);
	free(graph->edges);
	free(graph->externals);
	free(graph->cycles);
	arena_destroy(graph->arena);
	*graph = (struct graph){0};
}
