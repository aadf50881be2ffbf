// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>

#include "cli/session.h"

struct watch {
	struct session *session;
	int64_t id;
	struct model model;
	struct view view;
};

/* ---- what the link asks */

static void watch_path(void *arg, struct strbuf *out)
{
	struct watch *w = arg;

	strbuf_addf(out, "/ws/builds/%" PRId64 "/", w->id);
	if (!w->model.known || w->model.seq < 0 || !*w->model.epoch)
		return;
	strbuf_addf(out, "?since=%" PRId64 "&epoch=", w->model.seq);
	path_encode(out, w->model.epoch, strlen(w->model.epoch));
}

static enum link_verdict watch_message(
	void *arg, const json_t *message, const char *text, size_t len)
{
	struct watch *w = arg;
	enum model_result result = model_apply(&w->model, message, clock_wall_ms());

	if (result == MODEL_GAP)
		return LINK_AGAIN;
	if (result == MODEL_STRANGE)
		return LINK_GARBAGE;
	w->view.ops->raw(&w->view, text, len);
	if (result == MODEL_CHANGED)
		w->view.ops->changed(&w->view);
	return w->model.known && model_ended(&w->model) ? LINK_DONE : LINK_GO_ON;
}

static void watch_state(void *arg, bool connected)
{
	struct watch *w = arg;

	w->view.ops->note(&w->view, connected
					    ? "connected again"
					    : "the connection to the server is lost, reconnecting");
}

static void watch_tick(void *arg)
{
	struct watch *w = arg;

	w->view.ops->tick(&w->view);
}

static void watch_leave(void *arg)
{
	struct watch *w = arg;

	w->view.ops->leave(&w->view);
}

static void watch_redraw(void *arg)
{
	struct watch *w = arg;

	w->view.ops->redraw(&w->view);
}

/* ---- how it ended */

static int ended_code(const struct model *m)
{
	if (m->state == JOB_COMPLETED)
		return CLI_OK;
	if (m->state == JOB_CANCELLED)
		return CLI_CANCELLED;
	return m->error ? CLI_REFUSED : CLI_BUILD_FAILED;
}

static int say_refusal(struct session *s, const struct model *m)
{
	struct strbuf text = STRBUF_INIT;

	render_refusal(&text, m->error);
	strbuf_setlen(&text, text.len ? text.len - 1 : 0);
	complain(s, CLI_REFUSED, &text);
	strbuf_finish(&text);
	say_line(s, "page: %s/builds/%" PRId64, s->client.base, m->id);
	return CLI_REFUSED;
}

static int say_plan(struct session *s, int64_t id)
{
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	char *path = xasprintf("/api/builds/%" PRId64, id);
	json_t *build = NULL;
	int code = client_get(&s->client, path, &build, NULL, &err);

	if (code)
		complain(s, code, &err);
	else
		render_plan(&text, json_object_get(build, "plan"));
	say(s, text.buf, text.len);
	json_decref(build);
	free(path);
	strbuf_finish(&text);
	strbuf_finish(&err);
	return code;
}

static int say_end(struct session *s, const struct model *m)
{
	struct strbuf text = STRBUF_INIT;
	int code = ended_code(m);

	if (code == CLI_REFUSED)
		return say_refusal(s, m);
	if (m->dry_run && code == CLI_OK)
		return s->args.json ? CLI_OK : say_plan(s, m->id);
	render_end(&text, &s->style, m, s->client.base, clock_wall_ms());
	say(s, text.buf, text.len);
	strbuf_finish(&text);
	return code;
}

/* Why it was not watched to its end. */
static int say_left(struct session *s, int64_t id, int code, const struct strbuf *err)
{
	struct strbuf text = STRBUF_INIT;

	if (code != CLI_INTERRUPTED && code != CLI_TIMEOUT)
		return complain(s, code, err);
	strbuf_addf(&text, "%s; build %" PRId64 " goes on: watch it with \"",
		code == CLI_TIMEOUT ? "--timeout is over" : "interrupted", id);
	render_hint(&text, &s->style, "watch", id, NULL);
	strbuf_addstr(&text, "\", stop it with \"");
	render_hint(&text, &s->style, "cancel", id, NULL);
	strbuf_addch(&text, '"');
	complain(s, code, &text);
	strbuf_finish(&text);
	return code;
}

static void print_end(const struct model *m, int code)
{
	const char *status = job_state_name[m->state];

	if (code == CLI_INTERRUPTED)
		status = "interrupted";
	else if (code == CLI_TIMEOUT)
		status = "timeout";
	else if (code == CLI_LOST)
		status = "lost";
	else if (!m->known)
		status = "unknown";
	printf("{\"type\":\"end\",\"status\":\"%s\"}\n", status);
	fflush(stdout);
}

/* The server said that it is finished, but not how: asks it. */
static int ask_for_end(struct watch *w, struct strbuf *err)
{
	struct client *c = &w->session->client;
	char *path = xasprintf("/api/builds/%" PRId64, w->id);
	json_t *build = NULL;
	int code = client_get(c, path, &build, NULL, err);

	if (!code)
		model_apply_document(&w->model, build);
	if (!code && !model_ended(&w->model)) {
		err_set(err, 0, "%s ended the connection before the build", c->base);
		code = CLI_LOST;
	}
	json_decref(build);
	free(path);
	return code;
}

int watch_build(struct session *s, int64_t id, bool known_good)
{
	struct watch w = {.session = s, .id = id};
	struct link l = {.client = &s->client,
		.known_good = known_good,
		.path = watch_path,
		.message = watch_message,
		.state = watch_state,
		.tick = watch_tick,
		.arg = &w};
	struct strbuf err = STRBUF_INIT;
	int code;

	model_init(&w.model);
	view_init(&w.view, s, &w.model);
	l.tick_ms = w.view.ops->tick_ms;
	s->signals.leave = watch_leave;
	s->signals.redraw = watch_redraw;
	s->signals.arg = &w;
	code = link_run(&l, &err);
	if (!code && !model_ended(&w.model))
		code = ask_for_end(&w, &err);
	s->signals.leave = s->signals.redraw = NULL;
	view_finish(&w.view);
	code = code ? say_left(s, id, code, &err) : say_end(s, &w.model);
	if (s->args.json)
		print_end(&w.model, code);
	model_finish(&w.model);
	strbuf_finish(&err);
	return code;
}

int command_watch(struct session *s)
{
	int64_t id;

	if (operand_id(s, 0, &id))
		return CLI_REFUSED;
	signals_take(&s->signals, &s->client);
	return watch_build(s, id, false);
}
