// SPDX-License-Identifier: MIT
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/text.h"

#define RESTART_JITTER_MS                                                                          \
	1000 /* so that those who were sent away together do not come back together */

/* ---- policy */

enum close_action close_action(int code)
{
	switch (code) {
	case WS_CLOSE_NORMAL:
		return CLOSE_FINISHED;
	case WS_CLOSE_PROTOCOL:
	case WS_CLOSE_BAD_DATA:
	case WS_CLOSE_TOO_BIG:
		return CLOSE_OUR_FAULT;
	case WS_CLOSE_POLICY:
		return CLOSE_DENIED;
	case WS_CLOSE_RESTART:
	case WS_CLOSE_TRY_LATER:
		return CLOSE_LATER;
	case WS_CLOSE_NOT_SIGNED_IN:
		return CLOSE_NOT_SIGNED_IN;
	case WS_CLOSE_NOT_FOUND:
		return CLOSE_NOT_FOUND;
	default:
		return CLOSE_AGAIN;
	}
}

int64_t backoff_next(struct backoff *b, uint64_t random)
{
	int64_t bound = BACKOFF_LAST_MS;

	if (b->tries < 16 && (int64_t)BACKOFF_FIRST_MS << b->tries < BACKOFF_LAST_MS)
		bound = (int64_t)BACKOFF_FIRST_MS << b->tries++;
	return (int64_t)(random % (uint64_t)(bound + 1));
}

int64_t restart_delay(int64_t retry_ms, uint64_t random)
{
	int64_t delay = retry_ms < RESTART_MS ? RESTART_MS : retry_ms;

	if (delay > RETRY_MAX_MS)
		delay = RETRY_MAX_MS;
	return delay + (int64_t)(random % RESTART_JITTER_MS);
}

/* ---- one life of a link */

struct run {
	struct link *link;
	struct socket *socket; /* NULL while there is none */
	struct backoff backoff;
	enum link_verdict verdict; /* LINK_GO_ON while the connection is good */
	int64_t retry_ms; /* of the last heartbeat */
	int64_t next_try_ms, next_tick_ms; /* monotonic */
	int64_t contact_ms; /* monotonic: when a message came last */
	bool away; /* state() was told so */
	bool ever; /* was connected once */
};

static void on_text(void *arg, const char *text, size_t len)
{
	struct run *run = arg;
	struct link *l = run->link;
	json_t *message, *retry;

	/* What follows a verdict belongs to a connection that is given up. */
	if (run->verdict != LINK_GO_ON)
		return;
	message = json_parse(text, len, NULL);
	if (!json_is_object(message)) {
		run->verdict = LINK_GARBAGE;
		json_decref(message);
		return;
	}
	retry = json_object_get(message, "retry_ms");
	if (retry)
		run->retry_ms = json_integer_value(retry);
	run->verdict = l->message(l->arg, message, text, len);
	json_decref(message);
	if (run->verdict == LINK_GARBAGE)
		return;
	run->contact_ms = clock_monotonic_ms();
	run->backoff = (struct backoff){0};
	if (run->away && l->state)
		l->state(l->arg, true);
	run->away = false;
}

static void drop(struct run *run, int64_t delay_ms)
{
	struct link *l = run->link;

	socket_close(run->socket);
	run->socket = NULL;
	run->next_try_ms = clock_monotonic_ms() + delay_ms;
	run->retry_ms = 0;
	if (!run->away && l->state)
		l->state(l->arg, false);
	run->away = true;
}

static void drop_and_back_off(struct run *run)
{
	drop(run, backoff_next(&run->backoff, random_u64()));
}

/* -1: the link goes on. */
static int try_connect(struct run *run, struct strbuf *err)
{
	struct link *l = run->link;
	struct strbuf path = STRBUF_INIT;
	int r;

	l->path(l->arg, &path);
	r = socket_open(l->client, path.buf, &run->socket, err);
	strbuf_finish(&path);
	run->verdict = LINK_GO_ON;
	if (!r) {
		run->ever = true;
		/* What was wrong before is over. */
		strbuf_reset(err);
		return -1;
	}
	if (r == -EINTR || r == -ETIMEDOUT || r == -EACCES)
		return client_exit_code(r);
	if (!run->ever && !l->known_good)
		return CLI_LOST;
	drop_and_back_off(run);
	return -1;
}

static int give_up(const struct run *run, struct strbuf *err)
{
	const struct client *c = run->link->client;
	struct strbuf why = STRBUF_INIT, waited = STRBUF_INIT;

	text_duration(&waited, c->server_timeout_ms);
	strbuf_addstr(&why, err->len ? err->buf : "it closes every connection");
	err_set(err, 0, "gave up after %s without a word from %s: %s", waited.buf, c->base,
		why.buf);
	strbuf_finish(&why);
	strbuf_finish(&waited);
	return CLI_LOST;
}

/* The server has closed, or the connection broke. */
static int closed(struct run *run, struct strbuf *err)
{
	const struct client *c = run->link->client;
	int code = socket_code(run->socket);
	const char *reason = socket_reason(run->socket);

	switch (close_action(code)) {
	case CLOSE_FINISHED:
		return CLI_OK;
	case CLOSE_AGAIN:
		drop_and_back_off(run);
		return -1;
	case CLOSE_LATER:
		drop(run, restart_delay(run->retry_ms, random_u64()));
		return -1;
	case CLOSE_OUR_FAULT:
		err_set(err, 0, "%s says that this client breaks the protocol (%d %s)", c->base,
			code, reason);
		return CLI_LOST;
	case CLOSE_DENIED:
		err_set(err, 0, "%s does not allow this (%d %s)", c->base, code, reason);
		return CLI_REFUSED;
	case CLOSE_NOT_SIGNED_IN:
		err_set(err, 0, "%s lets only those read who have its token (%s%s)", c->base,
			c->token_from, c->token ? " was refused" : "");
		return CLI_REFUSED;
	case CLOSE_NOT_FOUND:
		err_set(err, 0, "%s knows no such build", c->base);
		return CLI_NO_SUCH_BUILD;
	}
	BUG("close action of %d", code);
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Until when nothing has to be done unless something comes. */
static int64_t next_event(const struct run *run)
{
	const struct link *l = run->link;
	int64_t at = run->socket ? socket_heard_ms(run->socket) + SILENCE_MS : run->next_try_ms;

	if (l->tick_ms)
		at = least(at, run->next_tick_ms);
	return at;
}

/* One wait and what comes of it; -1: the link goes on. */
static int hear(struct run *run, int64_t wait_ms, struct strbuf *err)
{
	int r = socket_pump(run->socket, wait_ms, on_text, run);

	if (r == -EINTR || r == -ETIMEDOUT)
		return client_exit_code(r);
	if (run->verdict == LINK_DONE)
		return CLI_OK;
	if (run->verdict == LINK_AGAIN)
		drop(run, (int64_t)(random_u64() % BACKOFF_FIRST_MS));
	else if (r && run->verdict != LINK_GARBAGE)
		return closed(run, err);
	else if (run->verdict == LINK_GARBAGE ||
		 clock_monotonic_ms() - socket_heard_ms(run->socket) >= SILENCE_MS)
		drop_and_back_off(run);
	return -1;
}

static int step(struct run *run, struct strbuf *err)
{
	struct link *l = run->link;
	int64_t now = clock_monotonic_ms(), wait_ms = next_event(run) - now;
	int r;

	if (l->tick_ms && now >= run->next_tick_ms) {
		l->tick(l->arg);
		run->next_tick_ms = now + l->tick_ms;
		return -1;
	}
	if (run->socket)
		return hear(run, wait_ms > 0 ? wait_ms : 0, err);
	if (now - run->contact_ms >= l->client->server_timeout_ms)
		return give_up(run, err);
	if (now >= run->next_try_ms)
		return try_connect(run, err);
	r = client_wait(l->client, -1, 0, wait_ms);
	return r < 0 ? client_exit_code(r) : -1;
}

int link_run(struct link *l, struct strbuf *err)
{
	int64_t now = clock_monotonic_ms();
	struct run run = {
		.link = l, .next_try_ms = now, .next_tick_ms = now + l->tick_ms, .contact_ms = now};
	int code = -1;

	while (code < 0)
		code = step(&run, err);
	socket_close(run.socket);
	/* Why the last connection failed is not why it was left. */
	if (code == CLI_INTERRUPTED || code == CLI_TIMEOUT)
		strbuf_reset(err);
	return code;
}
