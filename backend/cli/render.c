// SPDX-License-Identifier: MIT
#include "cli/render.h"

#include <inttypes.h>

#define BAR_COLUMNS 20

struct look {
	const char *symbol, *ascii, *color;
};
static const struct look looks[ITEM_STATE_COUNT] = {
	[ITEM_PENDING] = {"·", ".", "\033[2m"},
	[ITEM_QUEUED] = {"○", "o", "\033[2m"},
	[ITEM_BUILDING] = {"▸", ">", "\033[36m"},
	[ITEM_COMPLETED] = {"✓", "+", "\033[32m"},
	[ITEM_FAILED] = {"✗", "x", "\033[31m"},
	[ITEM_BLOCKED] = {"⊘", "!", "\033[33m"},
	[ITEM_CANCELLED] = {"–", "-", "\033[2m"},
	[ITEM_UNKNOWN] = {"?", "?", ""},
};

static const char *symbol(const struct style *style, enum item_state state)
{
	return style->utf8 ? looks[state].symbol : looks[state].ascii;
}

void render_color(struct strbuf *out, const struct style *style, enum item_state state)
{
	if (style->color)
		strbuf_addstr(out, looks[state].color);
}

void render_color_end(struct strbuf *out, const struct style *style)
{
	if (style->color)
		strbuf_addstr(out, "\033[0m");
}

void render_hint(struct strbuf *out, const struct style *style, const char *verb, int64_t id,
	const char *package)
{
	text_word(out, style->program ? style->program : "reqpm");
	strbuf_addf(out, " %s %" PRId64, verb, id);
	if (package) {
		strbuf_addch(out, ' ');
		text_word(out, package);
	}
	if (style->server) {
		strbuf_addstr(out, " --server ");
		text_word(out, style->server);
	}
}

/* ---- one package */

static void put_head(struct strbuf *out, const struct style *style, const struct model_item *item)
{
	render_color(out, style, item->state);
	strbuf_addstr(out, symbol(style, item->state));
	render_color_end(out, style);
	strbuf_addf(out, " %s", item->name);
	if (*item->version)
		strbuf_addf(out, " %s", item->version);
	strbuf_addch(out, ' ');
	render_color(out, style, item->state);
	strbuf_addstr(out, item_state_name[item->state]);
	render_color_end(out, style);
}

static void put_cause(struct strbuf *out, const struct model_item *item)
{
	if (*item->error_text && item->error_line > 0)
		strbuf_addf(out, ", line %" PRId64 ": %s", item->error_line, item->error_text);
	else if (*item->error_text)
		strbuf_addf(out, ": %s", item->error_text);
	else if (*item->why)
		strbuf_addf(out, ": %s", item->why);
}

static void put_duration(struct strbuf *out, const char *word, const struct model *m,
	const struct model_item *item, int64_t wall_ms)
{
	if (!item->started_at)
		return;
	strbuf_addf(out, " %s ", word);
	text_duration(out, model_item_elapsed_ms(m, item, wall_ms));
}

void render_item(struct strbuf *out, const struct style *style, const struct model *m,
	const struct model_item *item, int64_t wall_ms)
{
	put_head(out, style, item);
	switch (item->state) {
	case ITEM_BUILDING:
		if (*item->worker)
			strbuf_addf(out, " on %s", item->worker);
		if (item->attempt > 1)
			strbuf_addf(out, ", attempt %" PRId64, item->attempt);
		break;
	case ITEM_COMPLETED:
		put_duration(out, "in", m, item, wall_ms);
		break;
	case ITEM_FAILED:
		if (*item->phase)
			strbuf_addf(out, " in %s", item->phase);
		put_duration(out, "after", m, item, wall_ms);
		put_cause(out, item);
		break;
	case ITEM_BLOCKED:
		if (*item->blocked_by)
			strbuf_addf(out, " by %s", item->blocked_by);
		else if (*item->why)
			strbuf_addf(out, ": %s", item->why);
		break;
	default:
		if (*item->why && strcmp(item->why, item_state_name[item->state]) != 0)
			strbuf_addf(out, ": %s", item->why);
	}
}

/* ---- the whole build */

static void put_count(struct strbuf *out, const char *between, int64_t count, const char *word)
{
	if (count)
		strbuf_addf(out, "%s%" PRId64 " %s", between, count, word);
}

static const char *job_word(const struct model *m)
{
	if (m->cancel_requested && !model_ended(m))
		return "being cancelled";
	return job_state_name[m->state];
}

static void put_reading(struct strbuf *out, const struct model *m)
{
	if (m->state == JOB_PREPARING && m->specs_total)
		strbuf_addf(out, ", %" PRId64 " of %" PRId64 " specs read", m->specs_read,
			m->specs_total);
}

void render_progress(struct strbuf *out, const struct model *m, int64_t wall_ms)
{
	strbuf_addstr(out, job_word(m));
	put_reading(out, m);
	if (m->total)
		strbuf_addf(out, ", %" PRId64 " of %" PRId64 " done", m->completed, m->total);
	put_count(out, ", ", m->building, "building");
	put_count(out, ", ", m->failed, "failed");
	put_count(out, ", ", m->blocked, "blocked");
	put_count(out, ", ", m->cancelled, "cancelled");
	put_count(out, ", ", m->waiting, "waiting");
	if (m->started_at) {
		strbuf_addstr(out, ", ");
		text_duration(out, model_elapsed_ms(m, wall_ms));
	}
}

/* ---- the live region */

static void put_bar(struct strbuf *out, const struct style *style, const struct model *m)
{
	int64_t done = m->completed + m->failed, filled = 0;

	if (done > m->total)
		done = m->total;
	if (m->total > 0 && done > 0)
		filled = done * BAR_COLUMNS / m->total;
	strbuf_addstr(out, "  [");
	for (int64_t i = 0; i < BAR_COLUMNS; i++) {
		if (i < filled)
			strbuf_addstr(out, style->utf8 ? "█" : "#");
		else
			strbuf_addstr(out, style->utf8 ? "░" : ".");
	}
	strbuf_addf(out, "] %" PRId64 "/%" PRId64, done, m->total);
}

/* A name that leaves room for what follows it. */
static void put_short(
	struct strbuf *out, const struct style *style, const char *name, size_t columns)
{
	size_t from = out->len;

	strbuf_addstr(out, name);
	if (text_columns(name) <= columns)
		return;
	text_cut(out, from, columns);
	strbuf_addstr(out, style->utf8 ? "…" : "...");
}

static void put_status_line(struct strbuf *out, const struct style *style, const struct model *m,
	int columns, int64_t wall_ms)
{
	int64_t left = m->building ? model_remaining_ms(m, wall_ms) : -1;

	strbuf_addf(out, "build %" PRId64 " ", m->id);
	put_short(out, style, m->name, (size_t)columns / 3);
	if (m->total)
		put_bar(out, style, m);
	if (m->state != JOB_RUNNING || m->cancel_requested)
		strbuf_addf(out, "  %s", job_word(m));
	put_reading(out, m);
	put_count(out, "  ", m->building, "building");
	put_count(out, "  ", m->failed, "failed");
	put_count(out, "  ", m->blocked, "blocked");
	if (m->started_at) {
		strbuf_addstr(out, "  ");
		text_duration(out, model_elapsed_ms(m, wall_ms));
	}
	/* What takes longer than last time has no end in sight. */
	if (left > 0) {
		strbuf_addstr(out, "  ETA ~");
		text_duration(out, left);
	}
}

struct region {
	struct strbuf *out;
	const struct style *style;
	const struct model *m;
	int columns;
	int64_t wall_ms;
};
typedef void row_fn(const struct region *r, const struct model_item *item);

/* The last column is left free: a terminal may wrap when it is filled. */
static size_t row_columns(const struct region *r)
{
	return r->columns > 1 ? (size_t)r->columns - 1 : 1;
}

static void end_row(const struct region *r, size_t from)
{
	text_cut(r->out, from, row_columns(r));
	strbuf_addch(r->out, '\n');
}

static void put_row_head(const struct region *r, const struct model_item *item)
{
	struct model_item shown = *item;
	struct strbuf name = STRBUF_INIT;

	put_short(&name, r->style, item->name, row_columns(r) / 2);
	shown.name = name.buf;
	strbuf_addch(r->out, ' ');
	put_head(r->out, r->style, &shown);
	strbuf_finish(&name);
	if (*item->phase)
		strbuf_addf(r->out, "  %s", item->phase);
}

/* Whole or not at all: it is there to be typed. */
static void put_row_hint(const struct region *r, size_t from, const struct model_item *item)
{
	struct strbuf hint = STRBUF_INIT;

	strbuf_addstr(&hint, "  ");
	render_hint(&hint, r->style, "log", r->m->id, item->name);
	if (text_columns(r->out->buf + from) + text_columns(hint.buf) <= row_columns(r))
		strbuf_add(r->out, hint.buf, hint.len);
	strbuf_finish(&hint);
}

static void put_failure_row(const struct region *r, const struct model_item *item)
{
	size_t from = r->out->len;

	put_row_head(r, item);
	put_duration(r->out, " after", r->m, item, r->wall_ms);
	put_row_hint(r, from, item);
}

static void put_building_row(const struct region *r, const struct model_item *item)
{
	put_row_head(r, item);
	put_duration(r->out, "", r->m, item, r->wall_ms);
	if (item->last_duration_ms) {
		strbuf_addstr(r->out, "  (last time ");
		text_duration(r->out, item->last_duration_ms);
		strbuf_addch(r->out, ')');
	}
	if (item->slot > 0)
		strbuf_addf(r->out, "  %s/%" PRId64, item->worker, item->slot);
}

static int64_t count_state(const struct model *m, enum item_state state)
{
	int64_t count = 0;

	for (size_t i = 0; i < m->item_count; i++)
		count += m->items[i].state == state;
	return count;
}

static int by_start(const void *a, const void *b)
{
	const struct model_item *x = *(const struct model_item *const *)a;
	const struct model_item *y = *(const struct model_item *const *)b;

	if (x->started_at != y->started_at)
		return x->started_at < y->started_at ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* At most `rows` items of a state: the newest ones, or else those that began first. */
static void put_rows(
	const struct region *r, enum item_state state, int64_t rows, bool newest, row_fn *row)
{
	size_t count = (size_t)count_state(r->m, state), n = 0, first = 0;
	const struct model_item **items = xcalloc(count + 1, sizeof(struct model_item *));

	for (size_t i = 0; i < r->m->item_count; i++)
		if (r->m->items[i].state == state)
			items[n++] = &r->m->items[i];
	qsort(items, n, sizeof(struct model_item *), by_start);
	if (newest && n > (size_t)rows)
		first = n - (size_t)rows;
	for (size_t i = first; i < n && i < first + (size_t)rows; i++) {
		size_t from = r->out->len;

		row(r, items[i]);
		end_row(r, from);
	}
	free(items);
}

static void put_rest(const struct region *r, int64_t hidden)
{
	size_t from = r->out->len;

	strbuf_addstr(r->out, "   ... ");
	if (hidden)
		strbuf_addf(
			r->out, "%" PRId64 " more building%s", hidden, r->m->waiting ? ", " : "");
	if (r->m->waiting)
		strbuf_addf(r->out, "%" PRId64 " waiting", r->m->waiting);
	end_row(r, from);
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void render_region(struct strbuf *out, const struct style *style, const struct model *m, int rows,
	int columns, int64_t wall_ms)
{
	struct region r = {
		.out = out, .style = style, .m = m, .columns = columns, .wall_ms = wall_ms};
	int64_t free_rows = (rows > 4 ? rows - 3 : 1) - 1, failures, building, shown;
	size_t from = out->len;

	put_status_line(out, style, m, columns, wall_ms);
	end_row(&r, from);
	/* What builds keeps two thirds of a small terminal. */
	failures = least(least(count_state(m, ITEM_FAILED), FAILURES_SHOWN), free_rows / 3);
	put_rows(&r, ITEM_FAILED, failures, true, put_failure_row);
	free_rows -= failures;
	building = count_state(m, ITEM_BUILDING);
	shown = least(building, free_rows);
	if (free_rows && (building > free_rows || m->waiting))
		shown = least(building, free_rows - 1);
	put_rows(&r, ITEM_BUILDING, shown, false, put_building_row);
	if (free_rows > shown && (building > shown || m->waiting))
		put_rest(&r, building - shown);
}
