// SPDX-License-Identifier: MIT
#include "apps/packages/arena.h"
#include "apps/packages/order.h"

#define NONE UINT32_MAX

/* How many edges may be looked at to find out which of the weak edges need not be dropped. A
 * set that needs more is not a set that people have; then some more are dropped than must be. */
#define DROP_BUDGET 20000000

bool edge_counts(const struct graph_edge *edge, enum edge_kind weakest)
{
	return !edge->dropped && edge->kind <= weakest;
}

/* Tarjan's algorithm with a stack of our own: a chain may be as long as the set. */
struct search {
	const struct graph *graph;
	enum edge_kind weakest;
	struct components *out;
	uint32_t *index, *low; /* NONE: not visited */
	uint32_t *open, open_count; /* visited, component not known */
	uint32_t *path, path_count; /* the way to the current node */
	size_t *next_edge; /* of each node */
	uint32_t visited, emitted;
};

static void search_enter(struct search *s, uint32_t node)
{
	s->index[node] = s->low[node] = s->visited++;
	s->open[s->open_count++] = node;
	s->path[s->path_count++] = node;
}

static void search_emit(struct search *s, uint32_t root)
{
	uint32_t node;

	do {
		node = s->open[--s->open_count];
		s->out->of[node] = s->out->count;
		s->out->nodes[s->emitted++] = node;
	} while (node != root);
	s->out->count++;
}

static void lower(uint32_t *value, uint32_t to)
{
	if (to < *value)
		*value = to;
}

static void search_leave(struct search *s, uint32_t node)
{
	s->path_count--;
	if (s->low[node] == s->index[node])
		search_emit(s, node);
	if (s->path_count)
		lower(&s->low[s->path[s->path_count - 1]], s->low[node]);
}

static void search_step(struct search *s)
{
	uint32_t node = s->path[s->path_count - 1];
	const struct graph_node *n = &s->graph->nodes[node];

	while (s->next_edge[node] < n->edge_count) {
		const struct graph_edge *e = &n->edges[s->next_edge[node]++];

		if (!edge_counts(e, s->weakest))
			continue;
		if (s->index[e->to] == NONE) {
			search_enter(s, e->to);
			return;
		}
		if (s->out->of[e->to] == NONE)
			lower(&s->low[node], s->index[e->to]);
	}
	search_leave(s, node);
}

static uint32_t *numbers(size_t count, uint32_t value)
{
	uint32_t *array = xmalloc((count + 1) * sizeof(*array));

	for (size_t i = 0; i < count; i++)
		array[i] = value;
	return array;
}

void components_find(const struct graph *graph, enum edge_kind weakest, struct components *ret)
{
	size_t n = graph->node_count;
	struct search s = {.graph = graph, .weakest = weakest, .out = ret};

	*ret = (struct components){.of = numbers(n, NONE), .nodes = numbers(n, NONE)};
	s.index = numbers(n, NONE);
	s.low = numbers(n, NONE);
	s.open = numbers(n, NONE);
	s.path = numbers(n, NONE);
	s.next_edge = xcalloc(n + 1, sizeof(*s.next_edge));
	for (uint32_t i = 0; i < n; i++) {
		if (s.index[i] != NONE)
			continue;
		search_enter(&s, i);
		while (s.path_count)
			search_step(&s);
	}
	free(s.index);
	free(s.low);
	free(s.open);
	free(s.path);
	free(s.next_edge);
}

void components_finish(struct components *c)
{
	free(c->of);
	free(c->nodes);
}

/* Is there a way from `from` to `to` along edges that count? */
struct walk {
	const struct graph *graph;
	enum edge_kind weakest;
	uint32_t *seen, stamp;
	uint32_t *stack;
	int64_t budget;
};

static bool walk_reaches(struct walk *w, uint32_t from, uint32_t to)
{
	uint32_t top = 0;

	w->stamp++;
	w->seen[from] = w->stamp;
	w->stack[top++] = from;
	while (top) {
		const struct graph_node *n = &w->graph->nodes[w->stack[--top]];

		for (size_t i = 0; i < n->edge_count; i++) {
			const struct graph_edge *e = &n->edges[i];

			if (--w->budget < 0)
				return true;
			if (!edge_counts(e, w->weakest) || w->seen[e->to] == w->stamp)
				continue;
			if (e->to == to)
				return true;
			w->seen[e->to] = w->stamp;
			w->stack[top++] = e->to;
		}
	}
	return false;
}

/* Puts back those of the dropped edges that close no cycle after all. */
static void restore_harmless(struct graph *graph, enum edge_kind kind, struct graph_edge **doubtful,
	size_t count, int64_t *budget)
{
	struct walk w = {.graph = graph,
		.weakest = kind,
		.seen = numbers(graph->node_count, 0),
		.stack = numbers(graph->node_count, 0),
		.budget = *budget};

	for (size_t i = 0; i < count && w.budget > 0; i++)
		doubtful[i]->dropped = walk_reaches(&w, doubtful[i]->to, doubtful[i]->from);
	*budget = w.budget;
	free(w.seen);
	free(w.stack);
}

/* Edges of this kind that point forward in an order of the stronger ones can stay together;
 * those that point back are dropped, and then put back one by one as long as no cycle comes of
 * it. */
static void drop_kind(struct graph *graph, enum edge_kind kind, int64_t *budget)
{
	struct components with, without;
	struct graph_edge **doubtful = xcalloc(graph->edge_count + 1, sizeof(struct graph_edge *));
	size_t count = 0;

	components_find(graph, kind, &with);
	components_find(graph, kind - 1, &without);
	for (size_t i = 0; i < graph->edge_count; i++) {
		struct graph_edge *e = &graph->edges[i];

		if (e->kind == kind && with.of[e->from] == with.of[e->to] &&
			without.of[e->to] > without.of[e->from]) {
			e->dropped = true;
			doubtful[count++] = e;
		}
	}
	components_finish(&with);
	components_finish(&without);
	if (count)
		restore_harmless(graph, kind, doubtful, count, budget);
	free(doubtful);
}

void drop_weak_edges(struct graph *graph)
{
	int64_t budget = DROP_BUDGET;

	for (enum edge_kind kind = EDGE_BUILD + 1; kind < EDGE_KIND_COUNT; kind++)
		drop_kind(graph, kind, &budget);
	for (size_t i = 0; i < graph->edge_count; i++)
		graph->dropped_count += graph->edges[i].dropped;
}

/* The edges of a shortest way from `start` back to it inside its component, by breadth. */
static void find_path(
	struct graph *graph, const struct components *c, uint32_t start, struct graph_cycle *cycle)
{
	const struct graph_edge **came_by = xcalloc(graph->node_count, sizeof(struct graph_edge *));
	uint32_t *queue = numbers(graph->node_count, NONE), head = 0, tail = 0;
	const struct graph_edge **path;
	size_t length = 0;

	queue[tail++] = start;
	while (!came_by[start] && head < tail) {
		const struct graph_node *n = &graph->nodes[queue[head++]];

		for (size_t i = 0; i < n->edge_count; i++) {
			const struct graph_edge *e = &n->edges[i];

			if (!edge_counts(e, EDGE_KIND_COUNT) || c->of[e->to] != c->of[start] ||
				came_by[e->to])
				continue;
			came_by[e->to] = e;
			queue[tail++] = e->to;
		}
	}
	for (const struct graph_edge *e = came_by[start]; e; length++)
		e = e->from == start ? NULL : came_by[e->from];
	path = arena_alloc(graph->arena, length * sizeof(struct graph_edge *));
	cycle->path_count = length;
	for (const struct graph_edge *e = came_by[start]; length; e = came_by[e->from])
		path[--length] = e;
	cycle->path = path;
	free(came_by);
	free(queue);
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int compare_cycles(const void *a, const void *b)
{
	const struct graph_cycle *x = a, *y = b;

	return compare_numbers(x->packages, y->packages);
}

/* members: of a component with more than one */
static void add_cycle(
	struct graph *graph, const struct components *c, const uint32_t *members, size_t count)
{
	struct graph_cycle *cycle;
	uint32_t *copy = arena_alloc(graph->arena, count * sizeof(*copy));

	memcpy(copy, members, count * sizeof(*copy));
	qsort(copy, count, sizeof(*copy), compare_numbers);
	graph->cycles = xrealloc(graph->cycles, (graph->cycle_count + 1) * sizeof(*cycle));
	cycle = &graph->cycles[graph->cycle_count++];
	*cycle = (struct graph_cycle){.packages = copy, .package_count = count};
	find_path(graph, c, copy[0], cycle);
}

/* One level above the highest that the component needs; a cycle counts as one package. */
static uint32_t component_level(const struct graph *graph, const struct components *c,
	const uint32_t *members, size_t count)
{
	uint32_t level = 0;

	for (size_t m = 0; m < count; m++) {
		const struct graph_node *n = &graph->nodes[members[m]];

		for (size_t i = 0; i < n->edge_count; i++) {
			const struct graph_edge *e = &n->edges[i];

			if (edge_counts(e, EDGE_KIND_COUNT) && c->of[e->to] != c->of[members[m]] &&
				graph->nodes[e->to].level >= level)
				level = graph->nodes[e->to].level + 1;
		}
	}
	return level;
}

static void find_levels(struct graph *graph, const struct components *c)
{
	size_t end;

	for (size_t start = 0; start < graph->node_count; start = end) {
		const uint32_t *members = c->nodes + start;
		uint32_t level;

		for (end = start + 1; end < graph->node_count; end++)
			if (c->of[c->nodes[end]] != c->of[members[0]])
				break;
		level = component_level(graph, c, members, end - start);
		for (size_t i = start; i < end; i++)
			graph->nodes[c->nodes[i]].level = level;
		if (level + 1 > graph->level_count)
			graph->level_count = level + 1;
		if (end - start > 1)
			add_cycle(graph, c, members, end - start);
	}
	if (graph->cycle_count)
		qsort(graph->cycles, graph->cycle_count, sizeof(*graph->cycles), compare_cycles);
}

/* From those that nobody needs down. Until its turn a node's priority_ms holds the longest path of
 * those that wait for it. */
static void find_priorities(struct graph *graph, const struct components *c, const int64_t *weights)
{
	for (size_t i = graph->node_count; i-- > 0;) {
		struct graph_node *n = &graph->nodes[c->nodes[i]];

		n->priority_ms += weights[c->nodes[i]];
		for (size_t k = 0; k < n->edge_count; k++) {
			const struct graph_edge *e = &n->edges[k];
			struct graph_node *needed = &graph->nodes[e->to];

			if (edge_counts(e, EDGE_KIND_COUNT) && c->of[e->to] != c->of[e->from] &&
				needed->priority_ms < n->priority_ms)
				needed->priority_ms = n->priority_ms;
		}
	}
}

static void mark_choices(struct graph_node *n, bool *choices)
{
	for (size_t k = 0; k < n->edge_count; k++) {
		const struct graph_edge *e = &n->edges[k];
		const uint32_t *at;

		if (e->dropped || !e->choice)
			continue;
		at = bsearch(&e->to, n->needs, n->need_count, sizeof(*at), compare_numbers);
		choices[at - n->needs] = true;
	}
	n->choices = choices;
}

static void list_needs(struct graph *graph)
{
	uint32_t *all = arena_alloc(graph->arena, (graph->edge_count + 1) * sizeof(*all));
	bool *choices = arena_alloc(graph->arena, (graph->edge_count + 1) * sizeof(*choices));

	for (size_t i = 0; i < graph->node_count; i++) {
		struct graph_node *n = &graph->nodes[i];

		n->needs = all;
		for (size_t k = 0; k < n->edge_count; k++)
			if (!n->edges[k].dropped)
				all[n->need_count++] = n->edges[k].to;
		if (n->need_count)
			qsort(all, n->need_count, sizeof(*all), compare_numbers);
		mark_choices(n, choices);
		all += n->need_count;
		choices += n->need_count;
	}
}

void order_nodes(struct graph *graph, const int64_t *weights)
{
	struct components c;

	components_find(graph, EDGE_KIND_COUNT, &c);
	find_levels(graph, &c);
	find_priorities(graph, &c, weights);
	list_needs(graph);
	components_finish(&c);
}
