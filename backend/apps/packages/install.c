// SPDX-License-Identifier: MIT
#include "apps/packages/arena.h"
#include "apps/packages/maker.h"
#include "apps/packages/order.h"

struct part_need {
	uint32_t part;
	const struct capability *need; /* what names it */
	bool learned;
};

struct part_needs {
	bool known;
	struct part_need *items;
	size_t count;
};

struct closure {
	struct maker *m;
	struct part_needs *parts; /* found out when first asked for */
	uint64_t *reach; /* a row of bits per package: what stands before it by EDGE_BUILD */
	size_t words; /* of a row */
	uint32_t *seen, stamp; /* subpackages of this walk */
	uint32_t *stack;
};

static uint64_t *reach_row(const struct closure *c, uint32_t package)
{
	return c->reach + package * c->words;
}

static bool reaches(const struct closure *c, uint32_t from, uint32_t to)
{
	return reach_row(c, from)[to / 64] >> (to % 64) & 1;
}

/* False when EDGE_BUILD alone has a cycle. */
static bool find_reach(struct closure *c)
{
	const struct graph *g = c->m->graph;
	struct components order;

	components_find(g, EDGE_BUILD, &order);
	c->words = (g->node_count + 63) / 64;
	if (order.count == g->node_count)
		c->reach = xcalloc(g->node_count * c->words + 1, sizeof(*c->reach));
	for (size_t i = 0; c->reach && i < g->node_count; i++) {
		const struct graph_node *n = &g->nodes[order.nodes[i]];
		uint64_t *row = reach_row(c, order.nodes[i]);

		for (size_t k = 0; k < n->edge_count; k++) {
			const struct graph_edge *e = &n->edges[k];

			if (!edge_counts(e, EDGE_BUILD))
				continue;
			for (size_t w = 0; w < c->words; w++)
				row[w] |= reach_row(c, e->to)[w];
			row[e->to / 64] |= UINT64_C(1) << (e->to % 64);
		}
	}
	components_finish(&order);
	return c->reach != NULL;
}

/* Conditions that the set cannot decide are left to whoever installs. */
static struct part_needs *needs_of_part(struct closure *c, uint32_t part)
{
	struct part_needs *found = &c->parts[part];
	struct resolver *rs = &c->m->rs;
	const struct subpackage *p = rs->parts[part];

	if (found->known)
		return found;
	found->known = true;
	for (size_t i = 0; i < p->need_count; i++) {
		resolver_find(rs, rs->part_owner[part], &p->needs[i]);
		for (size_t k = 0; k < rs->answer_count; k++) {
			const struct answer *a = &rs->answers[k];

			if (!a->found || a->kind == EDGE_SOFT)
				continue;
			found->items =
				xrealloc(found->items, (found->count + 1) * sizeof(*found->items));
			found->items[found->count++] =
				(struct part_need){a->part, a->need, a->kind == EDGE_LEARNED};
		}
	}
	return found;
}

static void add_edge(struct closure *c, const struct graph_edge *edge)
{
	struct maker *m = c->m;
	size_t at = m->edge_to[edge->to];

	if (reaches(c, edge->from, edge->to))
		return;
	if (at == NO_EDGE) {
		m->edge_to[edge->to] = m->direct.count + m->install.count;
		edges_add(&m->install, edge);
	} else {
		edges_strengthen(at < m->direct.count ? &m->direct.items[at]
						      : &m->install.items[at - m->direct.count],
			edge);
	}
}

/* All that must be installed with this subpackage, for building `package`. Behind what was only learned nothing is looked
 * for: it may be out of date. */
static void walk_part(struct closure *c, uint32_t package, const struct hit *hit)
{
	struct graph_edge edge = {.from = package, .choice = hit->choice};
	uint32_t top = 0;

	if (c->seen[hit->part] == c->stamp)
		return;
	c->seen[hit->part] = c->stamp;
	c->stack[top++] = hit->part;
	while (top) {
		const struct part_needs *needs = needs_of_part(c, c->stack[--top]);

		for (size_t i = 0; i < needs->count; i++) {
			uint32_t part = needs->items[i].part;

			edge.to = c->m->rs.part_owner[part];
			edge.need = needs->items[i].need;
			edge.kind = hit->kind < EDGE_INSTALL ? EDGE_INSTALL : hit->kind;
			if (edge.to == package || c->seen[part] == c->stamp)
				continue;
			if (needs->items[i].learned) {
				edge.kind = EDGE_LEARNED;
			} else {
				c->seen[part] = c->stamp;
				c->stack[top++] = part;
			}
			add_edge(c, &edge);
		}
	}
}

static void walk_hits(struct closure *c, uint32_t package, enum edge_kind kind, bool choice)
{
	const struct maker *m = c->m;

	for (size_t i = m->hit_start[package]; i < m->hit_start[package + 1]; i++)
		if (m->hits[i].kind == kind && m->hits[i].choice == choice)
			walk_part(c, package, &m->hits[i]);
}

/* The strong needs first, so that an edge gets the strongest kind that asks for it. */
static void install_for(struct closure *c, uint32_t package)
{
	struct maker *m = c->m;
	size_t first = m->install.count;

	m->install.start[package] = first;
	maker_load_edges(m, package, true);
	c->stamp++;
	for (enum edge_kind kind = 0; kind < EDGE_KIND_COUNT; kind++) {
		walk_hits(c, package, kind, false);
		walk_hits(c, package, kind, true);
	}
	maker_load_edges(m, package, false);
	for (size_t i = first; i < m->install.count; i++)
		m->edge_to[m->install.items[i].to] = NO_EDGE;
	m->install.start[package + 1] = m->install.count;
}

void make_install_edges(struct maker *m)
{
	size_t part_count = m->rs.first_part[m->rs.count];
	struct closure c = {.m = m};

	if (!find_reach(&c))
		return;
	c.parts = xcalloc(part_count + 1, sizeof(*c.parts));
	c.seen = xcalloc(part_count + 1, sizeof(*c.seen));
	c.stack = xcalloc(part_count + 1, sizeof(*c.stack));
	for (uint32_t i = 0; i < m->rs.count; i++)
		install_for(&c, i);
	for (size_t i = 0; i < part_count; i++)
		free(c.parts[i].items);
	free(c.parts);
	free(c.reach);
	free(c.seen);
	free(c.stack);
}
