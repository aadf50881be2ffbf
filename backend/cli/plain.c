// SPDX-License-Identifier: MIT
#include <inttypes.h>

#include "cli/session.h"

#define HEARTBEAT_MS 60000

/* Lines for files and for programs that run us: the time first, one for each change of state. */

static void begin_line(struct strbuf *out)
{
	char now[CLOCK_TEXT_MAX];

	strbuf_addf(out, "%s ", clock_format(clock_wall_ms() / 1000 * 1000, now));
}

static void print_job(struct view *v)
{
	struct strbuf line = STRBUF_INIT;

	begin_line(&line);
	strbuf_addf(&line, "build %" PRId64 " %s: ", v->model->id, v->model->name);
	render_progress(&line, v->model, clock_wall_ms());
	strbuf_addch(&line, '\n');
	say(v->session, line.buf, line.len);
	strbuf_finish(&line);
}

/* By the items: the job's own numbers come after them. */
static size_t count_done(const struct model *m)
{
	size_t done = 0;

	for (size_t i = 0; i < m->item_count; i++)
		done += m->items[i].state == ITEM_COMPLETED || m->items[i].state == ITEM_FAILED;
	return done;
}

static void print_item(struct view *v, const struct model_item *item)
{
	struct strbuf line = STRBUF_INIT;

	begin_line(&line);
	render_item(&line, &v->session->style, v->model, item, clock_wall_ms());
	if (item->state >= ITEM_COMPLETED)
		strbuf_addf(&line, " (%zu/%" PRId64 ")", count_done(v->model), v->model->total);
	strbuf_addch(&line, '\n');
	say(v->session, line.buf, line.len);
	strbuf_finish(&line);
}

static void print_job_news(struct view *v)
{
	struct model *m = v->model;

	/* The end is said by whoever watches. */
	if (!model_ended(m) && (m->state != v->job_shown || m->cancel_requested != v->cancel_shown))
		print_job(v);
	v->job_shown = m->state;
	v->cancel_shown = m->cancel_requested;
}

static void plain_changed(struct view *v)
{
	struct model *m = v->model;

	print_job_news(v);
	for (size_t i = 0; i < m->item_count; i++)
		if (view_take_news(v, &m->items[i]))
			print_item(v, &m->items[i]);
	v->joined = true;
}

static void plain_tick(struct view *v)
{
	if (v->joined)
		print_job(v);
}

static void plain_note(struct view *v, const char *text)
{
	struct strbuf line = STRBUF_INIT;

	begin_line(&line);
	strbuf_addf(&line, "%s\n", text);
	say(v->session, line.buf, line.len);
	strbuf_finish(&line);
}

static void plain_raw(struct view *v, const char *text, size_t len)
{
	(void)v;
	(void)text;
	(void)len;
}

static void plain_leave(struct view *v)
{
	(void)v;
}

const struct view_ops view_plain = {
	.changed = plain_changed,
	.tick = plain_tick,
	.tick_ms = HEARTBEAT_MS,
	.note = plain_note,
	.raw = plain_raw,
	.leave = plain_leave,
	.redraw = plain_leave,
};
