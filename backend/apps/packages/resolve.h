/* SPDX-License-Identifier: MIT
 *
 * Which packages of a set does a need ask for? The index of all that the set provides, and the
 * answers.
 */
#ifndef REQPM_PACKAGES_RESOLVE_H
#define REQPM_PACKAGES_RESOLVE_H

#include "apps/packages/arena.h"
#include "apps/packages/graph.h"

/* Of more packages that provide one name the first ones count: a need looks at each of them. */
#define RESOLVE_PROVIDERS_MAX 256
#define RESOLVE_OTHERS_MAX 8 /* packages that an answer names besides the chosen one */

struct provider {
	uint32_t package, part; /* part counts through the whole set */
	const struct capability *provide;
	struct provider *next;
};

struct answer {
	const struct capability *need; /* the need, or the piece of a rich one */
	bool found;
	bool wrong_version; /* not found: only in a version that will not do */
	uint32_t package, part;
	enum edge_kind kind;
	bool choice; /* a side of an "or" of which the set provides another one, too */
	const uint32_t *others;
	uint32_t other_count;
};

struct resolver {
	const struct graph_package *packages;
	size_t count;
	uint32_t *first_part; /* of each package, and behind the last one the number of all */
	const struct subpackage **parts;
	uint32_t *part_owner;
	struct map names; /* struct provided, of what specs say */
	struct map learned; /* the same of what RPMs had, without the names that specs say */
	struct arena *arena; /* borrowed */
	struct answer *answers; /* of the last resolver_find() */
	size_t answer_count, answer_cap;
};

void resolver_init(struct resolver *rs, const struct graph_package *packages, size_t count,
	struct arena *arena);
void resolver_finish(struct resolver *rs);

/* Fills rs->answers. `self` asks: what it provides itself is found as itself, before all
 * others. Else one that is built here wins, then the highest version, then the subpackage whose name it is, then the
 * earlier package.
 *
 * and: each side. or: every side that the set provides, softly when there are several, for one is enough. with, without: one subpackage that fits
 * all. "a if b": a when the set provides b, else a only softly (b may be the host's) and what
 * stands after else. "a unless b": what stands after else when the set provides b, else a. */
void resolver_find(struct resolver *rs, uint32_t self, const struct capability *need);

/* The i-th name under which a package of the set may hold what an RPM would provide as `name`,
 * for names that rpm generates while it builds ("pkgconfig(zlib)": "zlib-devel"). False: there
 * are no more. (wellknown.c) */
bool wellknown_name(const char *name, unsigned i, struct strbuf *ret_name);
#endif
