/* SPDX-License-Identifier: MIT
 *
 * A graph while it is made.
 */
#ifndef REQPM_PACKAGES_MAKER_H
#define REQPM_PACKAGES_MAKER_H

#include "apps/packages/resolve.h"

#define NO_EDGE SIZE_MAX

/* A subpackage that a package needs in its build root. */
struct hit {
	uint32_t part;
	enum edge_kind kind;
	bool choice;
};

/* The edges and hits of one package stand side by side, from start[package] on. */
struct edges {
	struct graph_edge *items;
	size_t count, cap, *start;
};

struct maker {
	struct graph *graph;
	struct resolver rs;
	struct edges direct, install;
	struct hit *hits;
	size_t hit_count, hit_cap, *hit_start;
	size_t external_cap;
	size_t *edge_to; /* of the package at hand: its direct edge to each other one, or NO_EDGE */
};

void edges_add(struct edges *edges, const struct graph_edge *edge);
/* Another need makes the edge that is there: the stronger one names it, and it is a choice when both are. */
void edges_strengthen(struct graph_edge *there, const struct graph_edge *edge);
/* Fills m->edge_to with the package's direct edges, or clears it of them. */
void maker_load_edges(struct maker *m, uint32_t package, bool load);

/* A build root also holds what the subpackages in it need to be installed. Adds, from each
 * package, edges to those that build these and that do not stand before it already; makes a
 * direct edge stronger where installing needs it too. The graph must have its direct edges; it
 * gets none when these alone close a cycle, for then there is no order anyway. (install.c) */
void make_install_edges(struct maker *m);
#endif
