/* SPDX-License-Identifier: MIT
 *
 * One run of a command: its options, how to write, the way to the server, and the signals it takes.
 */
#ifndef REQPM_CLI_SESSION_H
#define REQPM_CLI_SESSION_H

#include <signal.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/model.h"
#include "cli/render.h"

struct arguments {
	const char *server, *color, *progress; /* common */
	int64_t server_timeout_ms;
	bool json;
	const char *name, *builder, *status;
	bool fail_fast, dry_run, detach, follow;
	int64_t timeout_ms, package_timeout_ms, limit, before; /* 0: not given */
};

enum progress { PROGRESS_PLAIN, PROGRESS_TTY, PROGRESS_QUIET, PROGRESS_JSON };

/* SIGINT, SIGTERM, SIGHUP and SIGQUIT ask to stop; the others come for who draws. */
struct signals {
	int fd; /* -1: not taken */
	sigset_t before;
	bool stop;
	void (*leave)(void *arg); /* before the process is stopped: the terminal is the shell's */
	void (*redraw)(void *arg); /* after it goes on, or the terminal's size changed */
	void *arg;
};
/* From here on the signals are read, not delivered. */
void signals_take(struct signals *s, struct client *c);
void signals_give_back(struct signals *s); /* twice is fine */

struct session {
	struct arguments args;
	char **operands;
	int operand_count;
	struct style style;
	enum progress progress;
	bool tty; /* stdout is one */
	struct client client;
	struct signals signals;
};

/* Waits for whoever reads it, but not past a signal or --timeout: then the rest is lost. 0, -EINTR, -ETIMEDOUT, or -EPIPE: it cannot
 * be written, which ferror() of it says from then on. */
int put(struct session *s, FILE *to, const char *text, size_t len);
/* One JSON text in one line of stdout. */
int put_message(struct session *s, const char *text, size_t len);
/* To stdout, or to stderr where stdout is for JSON alone. */
void say(struct session *s, const char *text, size_t len);
void say_line(struct session *s, const char *fmt, ...) PRINTF(2, 3);
/* Prints one sentence to stderr, unless err is empty, and returns code. */
int complain(const struct session *s, int code, const struct strbuf *err);
/* An operand that must be an id: 0, or CLI_REFUSED after a sentence. */
int operand_id(const struct session *s, int position, int64_t *ret_id);

/* A browser may read on this machine, but changes need a session: prints the link that makes one, once. An exit code, and
 * err when it is none. */
int offer_sign_in(struct session *s, struct strbuf *err);

/* ---- what shows a build while it goes on (plain.c, screen.c, quiet and json in view.c) */

struct view;
struct view_ops {
	void (*changed)(struct view *v); /* the model did */
	void (*tick)(struct view *v);
	int64_t tick_ms; /* 0: never */
	void (*note)(struct view *v, const char *line); /* something to say besides */
	/* A message as it came. */
	void (*raw)(struct view *v, const char *text, size_t len);
	void (*leave)(struct view *v); /* draws for the last time before other text follows */
	void (*redraw)(struct view *v);
};
struct view {
	const struct view_ops *ops;
	struct session *session;
	struct model *model;
	bool joined; /* what had happened before is known */
	enum job_state job_shown;
	bool cancel_shown;
	struct strbuf drawn; /* screen: the region as it stands there */
	bool dirty; /* screen: changed since it was drawn */
	int64_t drawn_ms; /* screen: monotonic */
};
extern const struct view_ops view_plain, view_screen, view_quiet, view_json;
void view_init(struct view *v, struct session *s, struct model *m);
void view_finish(struct view *v);
/* Has the item news to be printed as a line? Marks it as shown. */
bool view_take_news(struct view *v, struct model_item *item);

/* DELETE, in delete.c: 0, or an exit code and err. */
int delete_path(struct session *s, const char *path, struct strbuf *err);

/* Watches a build to its end and says how it ended; returns the exit code. known_good: the server was there a moment
 * ago. */
int watch_build(struct session *s, int64_t id, bool known_good);

/* ---- the commands */
int command_build(struct session *s);
int command_watch(struct session *s);
int command_list(struct session *s);
int command_show(struct session *s);
int command_log(struct session *s);
int command_cancel(struct session *s);
int command_delete(struct session *s); /* delete.c */
int command_retry(struct session *s);
int command_status(struct session *s);
int command_login(struct session *s);

#endif
