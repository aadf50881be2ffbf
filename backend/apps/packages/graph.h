/* SPDX-License-Identifier: MIT
 *
 * In which order a set of packages is built: who needs whom, what the host must supply, the
 * cycles, the levels and the longest paths. Pure functions; any thread. A graph points into the
 * packages that it was built from.
 *
 * A need is matched, with its version, to what the subpackages of the set provide. Several fit:
 * one that is built here is chosen, then the highest version, then the subpackage of that name, then the earlier package.
 * What only an RPM will show (pkgconfig(x), python3dist(x), perl(X), cmake(X), ...) is guessed
 * from names when nobody says that it provides it, unless it is known whose RPMs had it when they
 * were built last: learned is believed before guessed, whatever the version was then. Of rich needs: "and" makes each side needed,
 * "or" each side that the set has (softly when there are several, and as a choice), "with" one subpackage that fits both; "a if b" makes a
 * needed when the set has b, else a softly, for the host may have b, and what stands after
 * "else"; "unless" is the reverse. A package that provides its own need gets no edge, for the first
 * time it must come from elsewhere. The rest, paths like /usr/bin/x among it, is external too.
 */
#ifndef REQPM_PACKAGES_GRAPH_H
#define REQPM_PACKAGES_GRAPH_H

#include "apps/packages/packages.h"

#define GRAPH_JSON_MAX (64 << 20) /* bytes; a thousand packages have half a MiB */
#define GRAPH_WEIGHT_DEFAULT_MS 30000
#define GRAPH_WEIGHT_MAX_MS (1000LL * PACKAGE_TIMEOUT_MAX_S)
struct graph_package {
	const char *name;
	const struct capability *needs;
	const struct subpackage *parts;
	size_t need_count, part_count;
	/* What its RPMs provided when it was built last; of those that it still has, what no spec of the set provides counts. */
	const struct subpackage *learned;
	size_t learned_count;
	int64_t weight_ms; /* how long it took before; 0: unknown */
	bool excluded; /* it cannot be built here: what another one provides as well, that one is asked for */
};
void graph_package_of_spec(const struct spec *spec, struct graph_package *ret);
void graph_package_of_json(const struct json_package *package, struct graph_package *ret);

/* From the one that is dropped last to the one that is dropped first, where edges close a cycle. */
enum edge_kind {
	EDGE_BUILD, /* a BuildRequires or "requires" */
	EDGE_INSTALL, /* what a needed subpackage needs itself to be installed */
	EDGE_GUESSED, /* pkgconfig(x) to x-devel and the like: the RPM will show */
	EDGE_SOFT, /* for %check only, or under a condition that the set cannot decide */
	EDGE_LEARNED, /* an RPM had it when it was built last: it may be out of date */
	EDGE_KIND_COUNT
};
extern const char *const edge_kind_name[EDGE_KIND_COUNT];
struct graph_edge {
	uint32_t from, to; /* from needs to */
	enum edge_kind kind;
	bool dropped; /* to break a cycle: makes nobody wait. Soft: build `from` without %check */
	bool choice; /* another package of the set would do as well: when `to` fails, `from` may still be built */
	const struct capability *need; /* what made it */
	const uint32_t *others; /* packages of the set that would have done as well */
	uint32_t other_count;
};
struct graph_node {
	const char *name;
	const struct graph_edge *edges; /* all that start here, the dropped ones too */
	size_t edge_count;
	const uint32_t *needs; /* packages that must be built before, each once, ascending */
	size_t need_count;
	const bool *choices; /* of each need: whether its edge is a choice */
	uint32_t level; /* 0: waits for nobody */
	int64_t priority_ms; /* the longest path from its start to the end of all: highest first */
};
/* A need that nothing in the set provides: the host's or the chroot's to supply. */
struct graph_external {
	uint32_t package;
	const struct capability *need;
	bool wrong_version; /* the set has it, in a version that will not do */
	bool own; /* the package itself provides it */
};
struct graph_cycle {
	const uint32_t *packages; /* all that hang together, ascending */
	const struct graph_edge *const *path; /* a shortest way round */
	size_t package_count, path_count;
};
struct graph {
	struct graph_node *nodes; /* as the packages were given */
	struct graph_edge *edges;
	struct graph_external *externals;
	struct graph_cycle *cycles; /* any: there is no order. Soft edges are dropped already. */
	size_t node_count, edge_count, external_count, cycle_count, dropped_count, level_count;
	struct arena *arena;
};
/* build_only: leave out EDGE_INSTALL. Linear but for the reach of install edges (count² / 8
 * bytes of bits). -EEXIST: two packages of one name; -E2BIG: more than PACKAGES_MAX. Cycles are
 * no error here. */
int graph_build(const struct graph_package *packages, size_t count, bool build_only,
	struct graph *ret, struct strbuf *err);
void graph_finish(struct graph *graph);
/* "a needs b (b-devel >= 1.2), b needs a (a)"; of a long way the first steps and the last one. */
void graph_cycle_format(
	const struct graph *graph, const struct graph_cycle *cycle, struct strbuf *out);
/* How many steps there are between those, when `most` are told. */
size_t graph_cycle_left_out(const struct graph_cycle *cycle, size_t most);
/* The answer to a dry run: the members "levels", "edges", "dropped", "cycles", "host" (names) and
 * "external" (who needs them) of an object that the caller has begun. -E2BIG: GRAPH_JSON_MAX, and
 * what was written is only a part. */
int graph_json(const struct graph *graph, struct json_writer *w, struct strbuf *err);
#endif
