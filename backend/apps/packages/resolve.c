// SPDX-License-Identifier: MIT
#include "apps/packages/resolve.h"
#include "apps/packages/rich.h"

/* All that provide one name, by package. */
struct provided {
	struct provider *first, *last;
	unsigned count;
};

static void add_provider(struct resolver *rs, struct map *names, uint32_t package, uint32_t part,
	const struct capability *provide)
{
	struct provided *all = map_get(names, provide->name);
	struct provider *p;

	if (!all) {
		all = arena_alloc(rs->arena, sizeof(*all));
		map_set(names, provide->name, all);
	}
	if (all->count == RESOLVE_PROVIDERS_MAX)
		return;
	p = arena_alloc(rs->arena, sizeof(*p));
	*p = (struct provider){.package = package, .part = part, .provide = provide};
	if (all->last)
		all->last->next = p;
	else
		all->first = p;
	all->last = p;
	all->count++;
}

static void number_parts(struct resolver *rs)
{
	size_t total = 0;

	for (size_t i = 0; i < rs->count; i++)
		total += rs->packages[i].part_count;
	rs->first_part = arena_alloc(rs->arena, (rs->count + 1) * sizeof(*rs->first_part));
	rs->parts = arena_alloc(rs->arena, (total + 1) * sizeof(struct subpackage *));
	rs->part_owner = arena_alloc(rs->arena, (total + 1) * sizeof(*rs->part_owner));
	total = 0;
	for (size_t i = 0; i < rs->count; i++) {
		rs->first_part[i] = (uint32_t)total;
		for (size_t k = 0; k < rs->packages[i].part_count; k++) {
			rs->part_owner[total] = (uint32_t)i;
			rs->parts[total++] = &rs->packages[i].parts[k];
		}
	}
	rs->first_part[rs->count] = (uint32_t)total;
}

/* An RPM that the spec does not make any more is forgotten. */
static void add_learned(struct resolver *rs, uint32_t package, const struct subpackage *rpm)
{
	uint32_t part = rs->first_part[package];

	while (part < rs->first_part[package + 1] && strcmp(rs->parts[part]->name, rpm->name) != 0)
		part++;
	for (size_t i = 0; part < rs->first_part[package + 1] && i < rpm->provide_count; i++)
		if (!map_get(&rs->names, rpm->provides[i].name))
			add_provider(rs, &rs->learned, package, part, &rpm->provides[i]);
}

void resolver_init(struct resolver *rs, const struct graph_package *packages, size_t count,
	struct arena *arena)
{
	*rs = (struct resolver){.packages = packages, .count = count, .arena = arena};
	map_init(&rs->names);
	map_init(&rs->learned);
	number_parts(rs);
	for (uint32_t part = 0; part < rs->first_part[count]; part++)
		for (size_t i = 0; i < rs->parts[part]->provide_count; i++)
			add_provider(rs, &rs->names, rs->part_owner[part], part,
				&rs->parts[part]->provides[i]);
	for (uint32_t i = 0; i < count; i++)
		for (size_t k = 0; k < packages[i].learned_count; k++)
			add_learned(rs, i, &packages[i].learned[k]);
}

void resolver_finish(struct resolver *rs)
{
	map_finish(&rs->names);
	map_finish(&rs->learned);
	free(rs->answers);
	*rs = (struct resolver){0};
}

static struct answer *add_answer(struct resolver *rs, const struct capability *need)
{
	if (rs->answer_count == rs->answer_cap) {
		rs->answer_cap = rs->answer_cap ? 2 * rs->answer_cap : 16;
		rs->answers = xrealloc(rs->answers, rs->answer_cap * sizeof(*rs->answers));
	}
	rs->answers[rs->answer_count] = (struct answer){.need = need};
	return &rs->answers[rs->answer_count++];
}

static struct provider *providers_of(const struct map *names, const char *name)
{
	const struct provided *all = map_get(names, name);

	return all ? all->first : NULL;
}

/* Does one subpackage fit all that is asked? Of conditions only the left side counts here. */
static bool part_fits(const struct resolver *rs, uint32_t part, const struct rich *want)
{
	bool first = want->op != RICH_ATOM && part_fits(rs, part, want->first);

	switch (want->op) {
	case RICH_ATOM:
		for (const struct provider *p = providers_of(&rs->names, want->atom.name); p;
			p = p->next)
			if (p->part == part && capability_satisfies(p->provide, &want->atom))
				return true;
		return false;
	case RICH_OR:
		for (const struct rich *n = want->first->next; n && !first; n = n->next)
			first = part_fits(rs, part, n);
		return first;
	case RICH_AND:
	case RICH_WITH:
		for (const struct rich *n = want->first->next; n && first; n = n->next)
			first = part_fits(rs, part, n);
		return first;
	case RICH_WITHOUT:
		for (const struct rich *n = want->first->next; n && first; n = n->next)
			first = !part_fits(rs, part, n);
		return first;
	case RICH_IF:
	case RICH_UNLESS:
		break;
	}
	return first;
}

/* want: NULL, or what the subpackage must fit besides need. */
static bool provider_fits(const struct resolver *rs, const struct provider *p,
	const struct capability *need, const struct rich *want)
{
	return capability_satisfies(p->provide, need) && (!want || part_fits(rs, p->part, want));
}

static bool is_better(const struct resolver *rs, const struct provider *a, const struct provider *b)
{
	bool a_out = rs->packages[a->package].excluded, b_out = rs->packages[b->package].excluded;
	int c = evr_compare(a->provide->version, b->provide->version);

	if (a_out != b_out)
		return b_out;
	if (c)
		return c > 0;
	return !strcmp(rs->parts[a->part]->name, a->provide->name) &&
	       strcmp(rs->parts[b->part]->name, b->provide->name) != 0;
}

static const struct provider *choose(const struct resolver *rs, const struct map *names,
	uint32_t self, const struct capability *need, const struct rich *want)
{
	const struct provider *best = NULL;

	for (const struct provider *p = providers_of(names, need->name); p; p = p->next) {
		if (!provider_fits(rs, p, need, want))
			continue;
		if (p->package == self)
			return p;
		if (!best || is_better(rs, p, best))
			best = p;
	}
	return best;
}

/* Providers stand by package, so that a package's own ones follow each other. */
static void name_others(struct resolver *rs, const struct map *names, struct answer *answer,
	const struct capability *need, const struct rich *want)
{
	uint32_t others[RESOLVE_OTHERS_MAX], n = 0, *copy;

	for (const struct provider *p = providers_of(names, need->name); p; p = p->next) {
		if (p->package == answer->package || (n && others[n - 1] == p->package) ||
			!provider_fits(rs, p, need, want))
			continue;
		others[n++] = p->package;
		if (n == RESOLVE_OTHERS_MAX)
			break;
	}
	if (n == 0)
		return;
	copy = arena_alloc(rs->arena, n * sizeof(*copy));
	memcpy(copy, others, n * sizeof(*copy));
	answer->others = copy;
	answer->other_count = n;
}

static bool answer_with(struct resolver *rs, uint32_t self, const struct capability *need,
	const struct capability *asked, const struct rich *want, enum edge_kind kind)
{
	const struct map *names = kind == EDGE_LEARNED ? &rs->learned : &rs->names;
	const struct provider *p = choose(rs, names, self, asked, want);
	struct answer *answer;

	if (!p)
		return false;
	answer = add_answer(rs, need);
	answer->found = true;
	answer->package = p->package;
	answer->part = p->part;
	answer->kind = need->soft && kind < EDGE_SOFT ? EDGE_SOFT : kind;
	if (p->package != self)
		name_others(rs, names, answer, asked, want);
	return true;
}

static bool answer_by_guess(
	struct resolver *rs, uint32_t self, const struct capability *need, bool soft)
{
	struct strbuf name = STRBUF_INIT;
	bool found = false;

	for (unsigned i = 0; !found && wellknown_name(need->name, i, &name); i++) {
		struct capability asked = {.name = name.buf, .version = ""};

		found = answer_with(rs, self, need, &asked, NULL, soft ? EDGE_SOFT : EDGE_GUESSED);
	}
	strbuf_finish(&name);
	return found;
}

/* The version that it had says little of the one that it will have. */
static bool answer_by_learning(struct resolver *rs, uint32_t self, const struct capability *need)
{
	struct capability asked = {.name = need->name, .version = ""};

	return answer_with(rs, self, need, &asked, NULL, EDGE_LEARNED);
}

/* What only an RPM shows. A guess that was confirmed is as strong as a guess; another one is forgotten. */
static bool answer_by_rpm(
	struct resolver *rs, uint32_t self, const struct capability *need, bool soft)
{
	size_t before = rs->answer_count;

	if (answer_by_guess(rs, self, need, soft) && answer_by_learning(rs, self, need)) {
		rs->answer_count = before + 1;
		if (rs->answers[before].package != rs->answers[before + 1].package)
			rs->answers[before] = rs->answers[before + 1];
	}
	return rs->answer_count > before || answer_by_learning(rs, self, need);
}

static void answer_missing(struct resolver *rs, const struct capability *need, bool wrong_version)
{
	add_answer(rs, need)->wrong_version = wrong_version;
}

static void resolve_atom(
	struct resolver *rs, uint32_t self, const struct capability *need, bool soft)
{
	if (answer_with(rs, self, need, need, NULL, soft ? EDGE_SOFT : EDGE_BUILD))
		return;
	if (providers_of(&rs->names, need->name))
		answer_missing(rs, need, true);
	else if (!answer_by_rpm(rs, self, need, soft))
		answer_missing(rs, need, false);
}

static const struct capability *first_atom(const struct rich *node)
{
	while (node->op != RICH_ATOM)
		node = node->first;
	return &node->atom;
}

static void resolve_rich(struct resolver *rs, uint32_t self, const struct capability *whole,
	const struct rich *node, bool soft);

static bool all_found_since(const struct resolver *rs, size_t from)
{
	for (size_t i = from; i < rs->answer_count; i++)
		if (!rs->answers[i].found)
			return false;
	return true;
}

/* One package is enough: none may close a cycle that another one would not, and none blocks when it fails. */
static void weaken_choice(struct resolver *rs, size_t from)
{
	bool choice = false;

	for (size_t i = from; i < rs->answer_count; i++)
		choice |= rs->answers[i].package != rs->answers[from].package;
	for (size_t i = from; choice && i < rs->answer_count; i++) {
		rs->answers[i].choice = true;
		if (rs->answers[i].kind < EDGE_SOFT)
			rs->answers[i].kind = EDGE_SOFT;
	}
}

/* Each side is tried once and forgotten if it fails: sides may be groups, and trying twice
 * would double the work with every parenthesis. */
static void resolve_or(struct resolver *rs, uint32_t self, const struct capability *whole,
	const struct rich *node, bool soft)
{
	size_t first = rs->answer_count;
	unsigned found = 0;

	for (const struct rich *n = node->first; n; n = n->next) {
		size_t before = rs->answer_count;

		resolve_rich(rs, self, whole, n, soft);
		if (all_found_since(rs, before))
			found++;
		else
			rs->answer_count = before;
	}
	if (found > 1)
		weaken_choice(rs, first);
	if (!found)
		answer_missing(rs, whole, false);
}

static void forget_missing(struct resolver *rs, size_t from)
{
	size_t kept = from;

	for (size_t i = from; i < rs->answer_count; i++)
		if (rs->answers[i].found)
			rs->answers[kept++] = rs->answers[i];
	rs->answer_count = kept;
}

/* "left if condition else other"; for unless the sides change places. */
static void resolve_condition(struct resolver *rs, uint32_t self, const struct capability *whole,
	const struct rich *node, bool soft)
{
	const struct rich *left = node->first, *condition = left->next, *other = condition->next;
	size_t before = rs->answer_count;
	bool holds;

	resolve_rich(rs, self, whole, condition, false);
	holds = all_found_since(rs, before);
	rs->answer_count = before;
	if (node->op == RICH_IF && !holds) { /* the host may have it: then left counts */
		resolve_rich(rs, self, whole, left, true);
		forget_missing(rs, before);
	}
	if (holds == (node->op == RICH_IF))
		resolve_rich(rs, self, whole, left, soft);
	else if (other)
		resolve_rich(rs, self, whole, other, soft);
}

/* Depth is bounded by the parser. */
static void resolve_rich(struct resolver *rs, uint32_t self, const struct capability *whole,
	const struct rich *node, bool soft)
{
	switch (node->op) {
	case RICH_ATOM:
		resolve_atom(rs, self, &node->atom, soft);
		break;
	case RICH_AND:
		for (const struct rich *n = node->first; n; n = n->next)
			resolve_rich(rs, self, whole, n, soft);
		break;
	case RICH_OR:
		resolve_or(rs, self, whole, node, soft);
		break;
	case RICH_WITH:
	case RICH_WITHOUT:
		if (!answer_with(
			    rs, self, whole, first_atom(node), node, soft ? EDGE_SOFT : EDGE_BUILD))
			answer_missing(rs, whole, false);
		break;
	case RICH_IF:
	case RICH_UNLESS:
		resolve_condition(rs, self, whole, node, soft);
		break;
	}
}

void resolver_find(struct resolver *rs, uint32_t self, const struct capability *need)
{
	const struct rich *tree;

	rs->answer_count = 0;
	if (!rich_is(need->name)) {
		resolve_atom(rs, self, need, false);
		return;
	}
	tree = rich_parse(rs->arena, need, NULL);
	if (tree)
		resolve_rich(rs, self, need, tree, false);
	else /* what we cannot read the host's solver may */
		answer_missing(rs, need, false);
}
