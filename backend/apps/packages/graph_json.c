// SPDX-License-Identifier: MIT
#include "apps/packages/graph.h"

void graph_cycle_format(
	const struct graph *graph, const struct graph_cycle *cycle, struct strbuf *out)
{
	size_t left_out = graph_cycle_left_out(cycle, SAID_NAMES_MAX);

	for (size_t i = 0; i < cycle->path_count; i++) {
		const struct graph_edge *e = cycle->path[i];

		strbuf_addf(out, "%s%s needs %s (", i ? ", " : "", graph->nodes[e->from].name,
			graph->nodes[e->to].name);
		capability_say(out, e->need);
		strbuf_addch(out, ')');
		if (!left_out || i != SAID_NAMES_MAX - 2)
			continue;
		strbuf_addf(out, ", %zu more such steps", left_out);
		i += left_out;
	}
}

size_t graph_cycle_left_out(const struct graph_cycle *cycle, size_t most)
{
	return cycle->path_count > most ? cycle->path_count - most : 0;
}

/* Looked at for each edge and each external need, which nothing else bounds. */
static bool is_full(const struct json_writer *w)
{
	return w->out->len > GRAPH_JSON_MAX;
}

static void put_name(
	const struct graph *graph, struct json_writer *w, const char *key, uint32_t node)
{
	json_put_string(w, key, graph->nodes[node].name);
}

static void put_need(struct json_writer *w, const char *key, const struct capability *need)
{
	struct strbuf text = STRBUF_INIT;

	capability_format(&text, need);
	json_put_text(w, key, text.buf, text.len);
	strbuf_finish(&text);
}

static void put_edge(const struct graph *graph, struct json_writer *w, const struct graph_edge *e)
{
	json_begin_object(w, NULL);
	put_name(graph, w, "package", e->from);
	put_name(graph, w, "needs", e->to);
	put_need(w, "capability", e->need);
	json_put_string(w, "kind", edge_kind_name[e->kind]);
	if (e->other_count) {
		json_begin_array(w, "others");
		for (size_t i = 0; i < e->other_count; i++)
			put_name(graph, w, NULL, e->others[i]);
		json_end_array(w);
	}
	json_end_object(w);
}

/* Nodes by level, each level in the order of the set. */
static void put_levels(const struct graph *graph, struct json_writer *w)
{
	size_t *start = xcalloc(graph->level_count + 2, sizeof(*start));
	uint32_t *nodes = xcalloc(graph->node_count + 1, sizeof(*nodes));

	for (size_t i = 0; i < graph->node_count; i++)
		start[graph->nodes[i].level + 2]++;
	for (size_t l = 2; l < graph->level_count + 2; l++)
		start[l] += start[l - 1];
	for (size_t i = 0; i < graph->node_count; i++)
		nodes[start[graph->nodes[i].level + 1]++] = (uint32_t)i;
	json_begin_array(w, "levels");
	for (size_t l = 0; l < graph->level_count; l++) {
		json_begin_array(w, NULL);
		for (size_t i = start[l]; i < start[l + 1]; i++)
			put_name(graph, w, NULL, nodes[i]);
		json_end_array(w);
	}
	json_end_array(w);
	free(start);
	free(nodes);
}

static void put_edges(
	const struct graph *graph, struct json_writer *w, const char *key, bool dropped)
{
	json_begin_array(w, key);
	for (size_t i = 0; i < graph->edge_count && !is_full(w); i++)
		if (graph->edges[i].dropped == dropped)
			put_edge(graph, w, &graph->edges[i]);
	json_end_array(w);
}

static void put_cycles(const struct graph *graph, struct json_writer *w)
{
	json_begin_array(w, "cycles");
	for (size_t i = 0; i < graph->cycle_count; i++) {
		const struct graph_cycle *c = &graph->cycles[i];

		json_begin_object(w, NULL);
		json_begin_array(w, "packages");
		for (size_t k = 0; k < c->package_count; k++)
			put_name(graph, w, NULL, c->packages[k]);
		json_end_array(w);
		json_begin_array(w, "edges");
		for (size_t k = 0; k < c->path_count; k++)
			put_edge(graph, w, c->path[k]);
		json_end_array(w);
		json_end_object(w);
	}
	json_end_array(w);
}

/* Externals with the same text together: {"capability","packages":[…],"wrong_version"} */
static void put_group(
	const struct graph *graph, struct json_writer *w, const size_t *next, size_t head)
{
	bool wrong_version = false;

	json_begin_object(w, NULL);
	put_need(w, "capability", graph->externals[head].need);
	json_begin_array(w, "packages");
	for (size_t i = head; i != SIZE_MAX; i = next[i]) {
		put_name(graph, w, NULL, graph->externals[i].package);
		wrong_version = wrong_version || graph->externals[i].wrong_version;
	}
	json_end_array(w);
	json_put_bool(w, "wrong_version", wrong_version);
	json_end_object(w);
}

/* Chains those of one text: next[i] is the one after i, SIZE_MAX at the end. */
static void chain_externals(const struct graph *graph, size_t *next, bool *is_head)
{
	size_t *last = xcalloc(graph->external_count + 1, sizeof(*last));
	struct strbuf text = STRBUF_INIT;
	struct map heads;

	map_init(&heads);
	for (size_t i = 0; i < graph->external_count; i++) {
		size_t *tail;

		strbuf_reset(&text);
		capability_format(&text, graph->externals[i].need);
		tail = map_get(&heads, text.buf);
		next[i] = SIZE_MAX;
		is_head[i] = !tail;
		if (tail) {
			next[*tail] = i;
		} else {
			tail = &last[i];
			map_set(&heads, text.buf, tail);
		}
		*tail = i;
	}
	map_finish(&heads);
	strbuf_finish(&text);
	free(last);
}

static void put_externals(const struct graph *graph, struct json_writer *w)
{
	size_t *next = xcalloc(graph->external_count + 1, sizeof(*next));
	bool *is_head = xcalloc(graph->external_count + 1, sizeof(*is_head));

	chain_externals(graph, next, is_head);
	json_begin_array(w, "host");
	for (size_t i = 0; i < graph->external_count && !is_full(w); i++)
		if (is_head[i])
			put_need(w, NULL, graph->externals[i].need);
	json_end_array(w);
	json_begin_array(w, "external");
	for (size_t i = 0; i < graph->external_count && !is_full(w); i++)
		if (is_head[i])
			put_group(graph, w, next, i);
	json_end_array(w);
	free(next);
	free(is_head);
}

/* Edges and what the host supplies, of the package that has the most. */
static int refuse(const struct graph *graph, struct strbuf *err)
{
	size_t *needs = xcalloc(graph->node_count + 1, sizeof(*needs)), most = 0;

	for (size_t i = 0; i < graph->external_count; i++)
		needs[graph->externals[i].package]++;
	for (size_t i = 0; i < graph->node_count; i++) {
		needs[i] += graph->nodes[i].edge_count;
		if (needs[i] > needs[most])
			most = i;
	}
	err_set(err, -E2BIG,
		"the order of these packages takes more than %d MiB to write down; %s has the most "
		"needs, %zu: split the set, or let it need less",
		GRAPH_JSON_MAX >> 20, graph->nodes[most].name, needs[most]);
	free(needs);
	return -E2BIG;
}

int graph_json(const struct graph *graph, struct json_writer *w, struct strbuf *err)
{
	put_levels(graph, w);
	put_edges(graph, w, "edges", false);
	put_edges(graph, w, "dropped", true);
	put_cycles(graph, w);
	put_externals(graph, w);
	return is_full(w) ? refuse(graph, err) : 0;
}
