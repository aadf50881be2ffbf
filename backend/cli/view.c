// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "cli/session.h"

void view_init(struct view *v, struct session *s, struct model *m)
{
	static const struct view_ops *const ops[] = {
		[PROGRESS_PLAIN] = &view_plain,
		[PROGRESS_TTY] = &view_screen,
		[PROGRESS_QUIET] = &view_quiet,
		[PROGRESS_JSON] = &view_json,
	};

	*v = (struct view){.ops = ops[s->progress], .session = s, .model = m};
	strbuf_init(&v->drawn);
	v->job_shown = JOB_UNKNOWN;
}

void view_finish(struct view *v)
{
	v->ops->leave(v);
	strbuf_finish(&v->drawn);
}

bool view_take_news(struct view *v, struct model_item *item)
{
	enum item_state before = item->shown, now = item->state;
	/* Of what happened before somebody looked, failures and what builds are news. */
	bool old = !v->joined &&
		   (model_ended(v->model) || (now != ITEM_FAILED && now != ITEM_BUILDING));

	item->shown = now;
	if (now == before || old || now == ITEM_PENDING)
		return false;
	/* To become ready is no news, to be queued again is. */
	return now != ITEM_QUEUED || before == ITEM_BUILDING;
}

/* ---- nothing until the end */

static void ignore(struct view *v)
{
	(void)v;
}

static void ignore_text(struct view *v, const char *text, size_t len)
{
	(void)v;
	(void)text;
	(void)len;
}

static void note_to_stderr(struct view *v, const char *line)
{
	(void)v;
	fprintf(stderr, "reqpm: %s\n", line);
}

const struct view_ops view_quiet = {
	.changed = ignore,
	.tick = ignore,
	.note = note_to_stderr,
	.raw = ignore_text,
	.leave = ignore,
	.redraw = ignore,
};

/* ---- the messages themselves */

static void print_message(struct view *v, const char *text, size_t len)
{
	put_message(v->session, text, len);
}

const struct view_ops view_json = {
	.changed = ignore,
	.tick = ignore,
	.note = note_to_stderr,
	.raw = print_message,
	.leave = ignore,
	.redraw = ignore,
};
