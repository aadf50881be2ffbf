// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "cli/session.h"

#define DRAW_MS 100 /* at most ten times a second */
#define IDLE_MS 1000 /* for the clock in it */
#define HIDE_CURSOR "\033[?25l"
#define SHOW_CURSOR "\033[?25h"

/* A region of a few lines at the bottom that is drawn over and over, with the cursor below it; what has ended scrolls
 * up above it and stays. */

/* How many rows the lines take on a terminal of this width: it may have become narrower since they were drawn. */
static size_t count_rows(const char *lines, int columns)
{
	struct strbuf line = STRBUF_INIT;
	size_t rows = 0;

	while (*lines) {
		size_t len = strcspn(lines, "\n"), width;

		strbuf_reset(&line);
		strbuf_add(&line, lines, len);
		width = text_columns(line.buf);
		rows += width ? (width + (size_t)columns - 1) / (size_t)columns : 1;
		lines += len + (lines[len] == '\n');
	}
	strbuf_finish(&line);
	return rows;
}

static void put_erase(struct strbuf *out, const struct view *v, int columns)
{
	size_t rows = count_rows(v->drawn.buf, columns);

	if (rows)
		strbuf_addf(out, "\r\033[%zuA\033[J", rows);
}

static void write_out(struct view *v, struct strbuf *out)
{
	say(v->session, out->buf, out->len);
	strbuf_finish(out);
}

/* Draws lines that stay (may be empty) and the region below them. */
static void draw(struct view *v, const struct strbuf *lines)
{
	struct strbuf out = STRBUF_INIT;
	int rows, columns;

	terminal_size(&rows, &columns);
	if (!v->drawn.len)
		strbuf_addstr(&out, HIDE_CURSOR);
	put_erase(&out, v, columns);
	strbuf_reset(&v->drawn);
	render_region(&v->drawn, &v->session->style, v->model, rows, columns, clock_wall_ms());
	strbuf_add(&out, lines->buf, lines->len);
	strbuf_add(&out, v->drawn.buf, v->drawn.len);
	write_out(v, &out);
	v->dirty = false;
	v->drawn_ms = clock_monotonic_ms();
}

static void draw_news(struct view *v)
{
	struct strbuf lines = STRBUF_INIT;
	struct model *m = v->model;

	for (size_t i = 0; i < m->item_count; i++) {
		struct model_item *item = &m->items[i];

		/* What builds is in the region. */
		if (!view_take_news(v, item) || item->state == ITEM_BUILDING)
			continue;
		render_item(&lines, &v->session->style, m, item, clock_wall_ms());
		strbuf_addch(&lines, '\n');
	}
	v->joined = true;
	draw(v, &lines);
	strbuf_finish(&lines);
}

static void screen_changed(struct view *v)
{
	v->dirty = true;
	if (clock_monotonic_ms() - v->drawn_ms >= DRAW_MS)
		draw_news(v);
}

static void screen_tick(struct view *v)
{
	if (v->model->known && (v->dirty || clock_monotonic_ms() - v->drawn_ms >= IDLE_MS))
		draw_news(v);
}

static void screen_note(struct view *v, const char *text)
{
	struct strbuf line = STRBUF_INIT;

	strbuf_addf(&line, "%s\n", text);
	if (v->model->known)
		draw(v, &line);
	else
		say(v->session, line.buf, line.len);
	strbuf_finish(&line);
}

static void screen_raw(struct view *v, const char *text, size_t len)
{
	(void)v;
	(void)text;
	(void)len;
}

static void screen_leave(struct view *v)
{
	struct strbuf out = STRBUF_INIT;
	int rows, columns;

	if (v->dirty)
		draw_news(v);
	if (!v->drawn.len)
		return;
	terminal_size(&rows, &columns);
	put_erase(&out, v, columns);
	strbuf_addstr(&out, SHOW_CURSOR);
	strbuf_reset(&v->drawn);
	write_out(v, &out);
}

static void screen_redraw(struct view *v)
{
	if (v->model->known)
		draw_news(v);
}

const struct view_ops view_screen = {
	.changed = screen_changed,
	.tick = screen_tick,
	.tick_ms = DRAW_MS,
	.note = screen_note,
	.raw = screen_raw,
	.leave = screen_leave,
	.redraw = screen_redraw,
};
