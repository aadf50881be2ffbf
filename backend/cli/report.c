// SPDX-License-Identifier: MIT
#include <inttypes.h>

#include "cli/render.h"

/* ---- the end of a build */

static void put_failure(struct strbuf *out, const struct style *style, const struct model *m,
	const struct model_item *item, int64_t wall_ms)
{
	strbuf_addstr(out, "  ");
	render_item(out, style, m, item, wall_ms);
	strbuf_addstr(out, "\n      ");
	render_hint(out, style, "log", m->id, item->name);
	strbuf_addch(out, '\n');
}

static void put_failures(
	struct strbuf *out, const struct style *style, const struct model *m, int64_t wall_ms)
{
	int64_t listed = 0, failed = 0;

	for (size_t i = 0; i < m->item_count; i++) {
		if (m->items[i].state != ITEM_FAILED || failed++ >= FAILURES_LISTED)
			continue;
		put_failure(out, style, m, &m->items[i], wall_ms);
		listed++;
	}
	if (failed > listed) {
		strbuf_addf(out, "  ... and %" PRId64 " more failed: ", failed - listed);
		render_hint(out, style, "show", m->id, NULL);
		strbuf_addch(out, '\n');
	}
}

static void put_totals(struct strbuf *out, const struct model *m)
{
	strbuf_addf(out, ": %" PRId64 " of %" PRId64 " %s completed", m->completed, m->total,
		m->total == 1 ? "package" : "packages");
	if (m->failed)
		strbuf_addf(out, ", %" PRId64 " failed", m->failed);
	if (m->blocked)
		strbuf_addf(out, ", %" PRId64 " blocked", m->blocked);
	if (m->cancelled)
		strbuf_addf(out, ", %" PRId64 " cancelled", m->cancelled);
}

void render_end(struct strbuf *out, const struct style *style, const struct model *m,
	const char *base, int64_t wall_ms)
{
	static const enum item_state colors[JOB_STATE_COUNT] = {
		[JOB_COMPLETED] = ITEM_COMPLETED,
		[JOB_FAILED] = ITEM_FAILED,
		[JOB_CANCELLED] = ITEM_CANCELLED,
	};

	strbuf_addf(out, "build %" PRId64 " ", m->id);
	render_color(out, style, colors[m->state]);
	strbuf_addstr(out, job_state_name[m->state]);
	render_color_end(out, style);
	if (m->total)
		put_totals(out, m);
	if (m->started_at && m->completed_at) {
		strbuf_addstr(out, ", in ");
		text_duration(out, model_elapsed_ms(m, wall_ms));
	}
	strbuf_addch(out, '\n');
	put_failures(out, style, m, wall_ms);
	strbuf_addf(out, "page: %s/builds/%" PRId64 "\n", base, m->id);
	if (m->completed)
		strbuf_addf(out, "repository: %s/api/builds/%" PRId64 "/repo/\n", base, m->id);
}

/* ---- what preparing found. Its parts may be names, or objects of an edge. */

static void put_string(struct strbuf *out, const json_t *value)
{
	if (json_is_string(value))
		text_clean(out, json_string_value(value), json_string_length(value));
}

/* "textcat needs libtext (libtext-devel)" */
static void put_edge(struct strbuf *out, const json_t *edge)
{
	const json_t *capability = json_object_get(edge, "capability");

	if (json_is_string(edge)) {
		put_string(out, edge);
		return;
	}
	put_string(out, json_object_get(edge, "package"));
	strbuf_addstr(out, " needs ");
	put_string(out, json_object_get(edge, "needs"));
	if (json_is_string(capability)) {
		strbuf_addstr(out, " (");
		put_string(out, capability);
		strbuf_addch(out, ')');
	}
}

static void put_list(struct strbuf *out, const json_t *list, const char *between)
{
	const json_t *part;
	size_t i;

	json_array_foreach(list, i, part)
	{
		if (i)
			strbuf_addstr(out, between);
		put_edge(out, part);
	}
}

static void put_edges(struct strbuf *out, const json_t *edges)
{
	const json_t *edge;
	size_t i;

	json_array_foreach(edges, i, edge)
	{
		strbuf_addstr(out, "  ");
		put_edge(out, edge);
		strbuf_addch(out, '\n');
	}
}

void render_refusal(struct strbuf *out, const json_t *error)
{
	put_string(out, json_object_get(error, "detail"));
	strbuf_addch(out, '\n');
	put_edges(out, json_object_get(error, "edges"));
}

/* A cycle: its packages, or its edges, or an object that has one of them. */
static void put_cycle(struct strbuf *out, const json_t *cycle)
{
	static const char *const keys[] = {"edges", "path", "packages"};
	const json_t *list = json_is_array(cycle) ? cycle : NULL;

	for (size_t i = 0; i < countof(keys) && !list; i++)
		list = json_object_get(cycle, keys[i]);
	put_list(out, list, ", ");
}

void render_plan(struct strbuf *out, const json_t *plan)
{
	const json_t *levels = json_object_get(plan, "levels");
	const json_t *dropped = json_object_get(plan, "dropped");
	const json_t *cycles = json_object_get(plan, "cycles");
	const json_t *excluded = json_object_get(plan, "excluded");
	const json_t *host = json_object_get(plan, "host"), *part;
	size_t i;

	json_array_foreach(levels, i, part)
	{
		strbuf_addf(out, "level %zu: ", i);
		put_list(out, part, " ");
		strbuf_addch(out, '\n');
	}
	if (json_array_size(dropped))
		strbuf_addstr(out, "dropped, because they would close a cycle:\n");
	put_edges(out, dropped);
	json_array_foreach(cycles, i, part)
	{
		strbuf_addstr(out, "cycle: ");
		put_cycle(out, part);
		strbuf_addch(out, '\n');
	}
	json_array_foreach(excluded, i, part)
	{
		strbuf_addstr(out, "not built: ");
		put_string(out, json_object_get(part, "why"));
		strbuf_addch(out, '\n');
	}
	strbuf_addstr(out, "the host must supply: ");
	put_list(out, host, ", ");
	strbuf_addstr(out, json_array_size(host) ? "\n" : "nothing\n");
}
