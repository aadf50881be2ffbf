/* SPDX-License-Identifier: MIT
 *
 * Strongly connected components of a graph under construction, and what follows from them.
 */
#ifndef REQPM_PACKAGES_ORDER_H
#define REQPM_PACKAGES_ORDER_H

#include "apps/packages/graph.h"

/* Components in an order in which each stands behind those it needs. */
struct components {
	uint32_t *of; /* of a node: its component's number */
	uint32_t *nodes; /* all nodes, component by component */
	uint32_t count;
};

/* Counts an edge when it is not dropped and its kind is `weakest` or a stronger one. */
bool edge_counts(const struct graph_edge *edge, enum edge_kind weakest);
void components_find(const struct graph *graph, enum edge_kind weakest, struct components *ret);
void components_finish(struct components *c);

/* Marks as dropped what closes cycles, the weakest kinds first. EDGE_BUILD stays. */
void drop_weak_edges(struct graph *graph);
/* Fills cycles, levels, priorities and the nodes' needs. weights: of each node, in ms. */
void order_nodes(struct graph *graph, const int64_t *weights);
#endif
