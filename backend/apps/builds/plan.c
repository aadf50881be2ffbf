// SPDX-License-Identifier: MIT
#include <sys/utsname.h>
#include "apps/builds/tasks.h"
#include "apps/packages/graph.h"
#include "apps/packages/reader.h"

struct owned { /* a string that lives as long as the draft */
	struct list link;
	char text[];
};

void plan_draft_init(struct plan_draft *d)
{
	*d = (struct plan_draft){0};
	strbuf_init(&d->json);
	strbuf_init(&d->refusal);
	list_init(&d->strings);
}

void plan_draft_finish(struct plan_draft *d)
{
	for (size_t i = 0; i < d->plan.count; i++) {
		free((void *)d->plan.items[i].needs);
		free((void *)d->plan.items[i].choices);
	}
	free((void *)d->plan.items);
	while (!list_empty(&d->strings)) {
		struct owned *o = list_first(&d->strings, struct owned, link);

		list_remove(&o->link);
		free(o);
	}
	strbuf_finish(&d->json);
	strbuf_finish(&d->refusal);
	plan_draft_init(d);
}

static const char *own(struct plan_draft *d, const char *s)
{
	size_t len = strlen(s);
	struct owned *o = xmalloc(sizeof(*o) + len + 1);

	memcpy(o->text, s, len + 1);
	list_append(&d->strings, &o->link);
	return o->text;
}

static struct plan_item *items_create(struct plan_draft *d, size_t count)
{
	struct plan_item *items = xcalloc(count + 1, sizeof(*items));

	d->plan.items = items;
	d->plan.count = count;
	return items;
}

static void add_need(struct plan_item *item, int need, bool choice)
{
	size_t count = item->need_count + 1;
	int *needs = xrealloc((void *)item->needs, count * sizeof(*needs));
	bool *choices = xrealloc((void *)item->choices, count * sizeof(*choices));

	needs[count - 1] = need;
	choices[count - 1] = choice;
	item->needs = needs;
	item->choices = choices;
	item->need_count = count;
}

/* ---- refusals */

static void refusal_begin(
	struct plan_draft *d, struct json_writer *w, const char *package, const char *detail)
{
	struct strbuf sentence = STRBUF_INIT;

	text_shorten(&sentence, detail, strlen(detail), SENTENCE_MAX);
	strbuf_reset(&d->refusal);
	json_begin_object(w, NULL);
	json_put_text(w, "detail", sentence.buf, sentence.len);
	strbuf_finish(&sentence);
	json_put_string(w, "package", package);
	json_begin_array(w, "edges");
}

static void refusal_end(struct json_writer *w)
{
	json_end_array(w);
	json_end_object(w);
}

void plan_refuse(struct plan_draft *d, const char *package, const char *detail)
{
	struct json_writer w = JSON_WRITER(&d->refusal);

	refusal_begin(d, &w, package, detail);
	refusal_end(&w);
}

static void put_step(const struct graph *graph, const struct graph_edge *e, struct json_writer *w)
{
	struct strbuf need = STRBUF_INIT;

	capability_say(&need, e->need);
	json_begin_object(w, NULL);
	json_put_string(w, "package", graph->nodes[e->from].name);
	json_put_string(w, "needs", graph->nodes[e->to].name);
	json_put_text(w, "capability", need.buf, need.len);
	json_end_object(w);
	strbuf_finish(&need);
}

static void refuse_cycle(struct plan_draft *d, const struct graph *graph)
{
	const struct graph_cycle *cycle = &graph->cycles[0];
	size_t left_out = graph_cycle_left_out(cycle, ERROR_EDGES_MAX);
	struct json_writer w = JSON_WRITER(&d->refusal);
	struct strbuf detail = STRBUF_INIT;

	strbuf_addstr(&detail, "the packages need each other in a circle, so none can be first: ");
	graph_cycle_format(graph, cycle, &detail);
	strbuf_addstr(&detail,
		"; take one of these needs out, or supply that package from outside the set");
	refusal_begin(d, &w, graph->nodes[cycle->path[0]->from].name, detail.buf);
	for (size_t i = 0; i < cycle->path_count; i++) {
		put_step(graph, cycle->path[i], &w);
		/* The last one closes it. */
		if (left_out && i == ERROR_EDGES_MAX - 2)
			i += left_out;
	}
	refusal_end(&w);
	strbuf_finish(&detail);
}

/* ---- the order */

/* A need of %check alone was dropped to break a cycle: then this package is built without %check. */
static bool lost_a_soft_need(const struct graph_node *node)
{
	for (size_t i = 0; i < node->edge_count; i++)
		if (node->edges[i].dropped && node->edges[i].need->soft)
			return true;
	return false;
}

static void put_excluded(
	const struct plan_draft *d, const struct plan_item *items, struct json_writer *w)
{
	json_begin_array(w, "excluded");
	for (size_t i = 0; i < d->plan.count; i++) {
		if (!items[i].excluded)
			continue;
		json_begin_object(w, NULL);
		json_put_string(w, "package", items[i].package);
		json_put_string(w, "why", items[i].excluded);
		json_end_object(w);
	}
	json_end_array(w);
}

/* ---- what nothing provides */

/* Names that rpm's generators make, sonames and paths, may turn out to be in an RPM of the set. A plain name is in a spec or nowhere. */
static bool is_plain(const char *name)
{
	return *name != '/' && !strchr(name, '(') && !strstr(name, ".so");
}

static bool is_missing(const struct plan_draft *d, const struct graph_external *e,
	const struct graph_package *package, bool skip_check)
{
	bool build_need =
		e->need >= package->needs && e->need < package->needs + package->need_count;

	return build_need && !e->own && is_plain(e->need->name) && !(e->need->soft && skip_check) &&
	       !host_provides_has(d->host, e->need);
}

struct missing { /* of one package */
	struct strbuf names;
	size_t count;
};

static void add_missing(struct missing *m, const struct graph_external *e)
{
	if (m->count++ >= SAID_NAMES_MAX)
		return;
	strbuf_addstr(&m->names, m->names.len ? ", " : "");
	capability_say(&m->names, e->need);
	if (e->wrong_version)
		strbuf_addstr(&m->names, " (the set has another version)");
}

static void tell_missing(struct plan_draft *d, struct plan_item *item, struct missing *m)
{
	struct strbuf why = STRBUF_INIT;

	if (m->count > SAID_NAMES_MAX)
		strbuf_addf(&m->names, " and %zu more", m->count - SAID_NAMES_MAX);
	strbuf_addf(&why,
		"nothing provides %s needed by %s; add the package that provides it to the set, or "
		"start the server with --provide NAME when this host has it",
		m->names.buf, item->package);
	item->excluded = own(d, why.buf);
	item->excluded_reason = REASON_BUILD;
	strbuf_finish(&why);
}

/* Known before anything is built, so said before anything is built. The externals of one package stand together. */
static void exclude_lacking(struct plan_draft *d, struct plan_item *items,
	const struct graph_package *packages, const struct graph *graph, const bool *skip_check)
{
	struct missing m = {.names = STRBUF_INIT};

	for (size_t i = 0; d->host && i < graph->external_count; i++) {
		const struct graph_external *e = &graph->externals[i];
		bool last = i + 1 == graph->external_count || e[1].package != e->package;

		if (is_missing(d, e, &packages[e->package], skip_check[e->package]))
			add_missing(&m, e);
		if (!last)
			continue;
		if (m.count && !items[e->package].excluded)
			tell_missing(d, &items[e->package], &m);
		strbuf_reset(&m.names);
		m.count = 0;
	}
	strbuf_finish(&m.names);
}

/* skip_check: an entry for each package, or NULL where there is no %check. */
static int take_order(struct plan_draft *d, struct plan_item *items,
	const struct graph_package *packages, const struct graph *graph, bool *skip_check,
	struct strbuf *err)
{
	struct json_writer w = JSON_WRITER(&d->json);
	int r;

	for (size_t i = 0; i < graph->node_count; i++) {
		const struct graph_node *node = &graph->nodes[i];

		for (size_t k = 0; k < node->need_count; k++)
			add_need(&items[i], (int)node->needs[k], node->choices[k]);
		items[i].level = node->level;
		items[i].priority = node->priority_ms;
		if (skip_check)
			skip_check[i] = lost_a_soft_need(node);
	}
	if (skip_check)
		exclude_lacking(d, items, packages, graph, skip_check);
	json_begin_object(&w, NULL);
	r = graph_json(graph, &w, err);
	put_excluded(d, items, &w);
	json_end_object(&w);
	d->plan.json = d->json.buf;
	return r;
}

/* A refusal is a good outcome of planning: 0 with d->refusal filled. */
static int put_in_order(struct plan_draft *d, struct plan_item *items,
	struct graph_package *packages, size_t count, bool *skip_check)
{
	struct strbuf err = STRBUF_INIT;
	struct graph graph;
	int r = graph_build(packages, count, false, &graph, &err);

	if (r >= 0) {
		if (graph.cycle_count)
			refuse_cycle(d, &graph);
		else
			r = take_order(d, items, packages, &graph, skip_check, &err);
		graph_finish(&graph);
	}
	if (r < 0)
		plan_refuse(d, NULL, err.buf);
	strbuf_finish(&err);
	return 0;
}

static int weigh(struct tx *tx, struct graph_package *packages, size_t count)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < count; i++)
		r = package_last_duration(tx, packages[i].name, &packages[i].weight_ms);
	return r < 0 ? r : 0;
}

/* ---- packages.json */

static const char *command_payload(struct plan_draft *d, const struct json_package *p)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&text);
	const char *owned;

	json_begin_object(&w, NULL);
	json_begin_array(&w, "command");
	for (const char **arg = p->command; *arg; arg++)
		json_put_string(&w, NULL, *arg);
	json_end_array(&w);
	json_end_object(&w);
	owned = own(d, text.buf);
	strbuf_finish(&text);
	return owned;
}

static int order_json(struct tx *tx, const struct packages_json *set, struct plan_draft *d)
{
	struct plan_item *items = items_create(d, set->count);
	struct graph_package *packages = xcalloc(set->count + 1, sizeof(*packages));
	int r;

	for (size_t i = 0; i < set->count; i++) {
		const struct json_package *p = &set->packages[i];

		graph_package_of_json(p, &packages[i]);
		items[i].package = own(d, p->name);
		items[i].version = own(d, p->version);
		items[i].payload = command_payload(d, p);
		items[i].timeout_ms = p->timeout_ms;
	}
	r = weigh(tx, packages, set->count);
	if (r >= 0)
		r = put_in_order(d, items, packages, set->count, NULL);
	free(packages);
	return r;
}

int plan_from_json(struct tx *tx, const char *dir, struct plan_draft *d)
{
	struct strbuf path = STRBUF_INIT, text = STRBUF_INIT, err = STRBUF_INIT;
	struct packages_json set;
	int r;

	strbuf_addf(&path, "%s/packages.json", dir);
	r = file_read(path.buf, PACKAGES_JSON_MAX_BYTES, &text, &err);
	if (r >= 0 && packages_json_parse(text.buf, text.len, &set, &err) < 0) {
		plan_refuse(d, NULL, err.buf);
	} else if (r >= 0) {
		r = order_json(tx, &set, d);
		packages_json_finish(&set);
	}
	strbuf_finish(&path);
	strbuf_finish(&text);
	strbuf_finish(&err);
	return r < 0 ? r : 0;
}

/* ---- specs and source RPMs */

static const char *spec_payload(struct plan_draft *d, const char *file, bool skip_check)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&text);
	const char *owned;

	json_begin_object(&w, NULL);
	json_put_string(&w, "spec", file);
	if (skip_check)
		json_put_bool(&w, "skip_check", true);
	json_end_object(&w);
	owned = own(d, text.buf);
	strbuf_finish(&text);
	return owned;
}

static int learn(const char *nevra, const char *provides, void *arg)
{
	int r = provides_add(arg, nevra, provides);

	return r == -EINVAL ? -EIO : r;
}

static int learn_provides(
	struct tx *tx, struct graph_package *packages, struct provides *learned, size_t count)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < count; i++) {
		r = package_provides(tx, packages[i].name, learn, &learned[i]);
		packages[i].learned = learned[i].rpms;
		packages[i].learned_count = learned[i].count;
	}
	return r;
}

/* rpmbuild would say the same, but after the wait for everything that it needs. */
static const char *excluded_by_arch(struct plan_draft *d, const struct spec *spec)
{
	struct strbuf why = STRBUF_INIT;
	const char *sentence = NULL;
	struct utsname host;

	uname(&host);
	if (!spec_builds_on(spec, host.machine, &why))
		sentence = own(d, why.buf);
	strbuf_finish(&why);
	return sentence;
}

int plan_from_specs(
	struct tx *tx, const struct read_package *read, size_t count, struct plan_draft *d)
{
	struct plan_item *items = items_create(d, count);
	struct graph_package *packages = xcalloc(count + 1, sizeof(*packages));
	struct provides *learned = xcalloc(count + 1, sizeof(*learned));
	bool *skip_check = xcalloc(count + 1, sizeof(*skip_check));
	int r;

	for (size_t i = 0; i < count; i++) {
		const struct spec *spec = read[i].spec;

		graph_package_of_spec(spec, &packages[i]);
		items[i].package = own(d, spec->name);
		items[i].version = own(d, spec->version);
		items[i].excluded = excluded_by_arch(d, spec);
		items[i].excluded_reason = REASON_ARCHITECTURE;
		packages[i].excluded = items[i].excluded != NULL;
	}
	r = weigh(tx, packages, count);
	if (r >= 0)
		r = learn_provides(tx, packages, learned, count);
	if (r >= 0)
		r = put_in_order(d, items, packages, count, skip_check);
	for (size_t i = 0; i < count; i++)
		items[i].payload = spec_payload(d, read[i].file, skip_check[i]);
	for (size_t i = 0; i < count; i++)
		provides_finish(&learned[i]);
	free(learned);
	free(skip_check);
	free(packages);
	return r;
}

/* ---- an earlier job */

struct old_items {
	struct plan_draft *draft;
	struct plan_item *items;
	int64_t *ids;
	size_t count, cap;
};

static int take_item(const struct queue_item *item, void *arg)
{
	struct old_items *old = arg;

	if (old->count == old->cap) {
		old->cap = old->cap ? old->cap * 2 : 64;
		old->items = xrealloc(old->items, old->cap * sizeof(*old->items));
		old->ids = xrealloc(old->ids, old->cap * sizeof(*old->ids));
	}
	old->ids[old->count] = item->id;
	old->items[old->count++] = (struct plan_item){
		.package = own(old->draft, item->package),
		.version = own(old->draft, item->version),
		.payload = own(old->draft, item->payload),
		.level = item->level,
		.priority = item->priority,
		.timeout_ms = item->timeout_ms,
		.taken_over = item->status == QUEUE_COMPLETED ? item->id : 0,
		.excluded = item->reason == REASON_ARCHITECTURE ? own(old->draft, item->why) : NULL,
		.excluded_reason = REASON_ARCHITECTURE,
	};
	return 0;
}

/* Ids rise with positions, because a plan is inserted in order. */
static int index_of(const struct old_items *old, int64_t id)
{
	size_t low = 0, high = old->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (old->ids[mid] < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < old->count && old->ids[low] == id ? (int)low : -1;
}

static int take_need(int64_t item_id, int64_t need_id, bool choice, void *arg)
{
	struct old_items *old = arg;
	int item = index_of(old, item_id), need = index_of(old, need_id);

	if (item < 0 || need < 0)
		return -EIO;
	add_need(&old->items[item], need, choice);
	return 0;
}

static int take_plan(const char *plan, void *arg)
{
	struct plan_draft *d = arg;

	strbuf_addstr(&d->json, plan);
	d->plan.json = d->json.buf;
	return 0;
}

int plan_from_job(struct tx *tx, int64_t job_id, struct plan_draft *d)
{
	struct old_items old = {.draft = d};
	int r = build_job_plan_text(tx, job_id, take_plan, d);

	if (r >= 0)
		r = queue_items_of(tx, job_id, take_item, &old);
	d->plan.items = old.items;
	d->plan.count = old.count;
	if (r >= 0)
		r = queue_needs_of(tx, job_id, 0, take_need, &old);
	free(old.ids);
	return r < 0 ? r : 0;
}
