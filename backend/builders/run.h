/* SPDX-License-Identifier: MIT
 *
 * What sandbox.c and run.c share: the server's side of launching. Private to this folder.
 */
#ifndef REQPM_RUN_H
#define REQPM_RUN_H

#include "builders/launch.h"

#define OUTPUT_PIECE 65536

struct sandbox {
	struct loop *loop;
	struct keeper keeper;
	char *slot_dirs[SLOTS_MAX + 1];
	int slots;
	struct protections protections;
	struct strbuf missing; /* what protections.missing points to */
	struct list waiting; /* struct order: the keeper's socket was full */
	uv_poll_t keeper_poll; /* started while any wait */
	char piece
		[OUTPUT_PIECE]; /* what is read is handed on at once, so one is enough for all runs */
};

/* One run as the keeper is asked for it. */
struct order {
	struct list link; /* in waiting, or alone */
	int slot;
	int theirs[LAUNCH_FD_COUNT]; /* ours until the keeper has them */
	int control, output; /* our ends; non-blocking */
};
int order_init(
	struct order *o, struct sandbox *sb, const struct run_spec *spec, struct strbuf *err);
/* Sends it, now or when the keeper's socket has room; never blocks. */
int order_send(struct order *o, struct sandbox *sb, struct strbuf *err);
/* Takes back what was not sent, closes theirs. control and output are the caller's. */
void order_finish(struct order *o);
/* 1: the report is there; 0: not yet; negative: there will be none. */
int report_receive(int control, struct launch_report *ret);

/* run_start() without the check for missing protections, and with an empty command allowed. */
struct run *run_launch(struct sandbox *sb, const struct run_spec *spec,
	const struct run_handlers *handlers, void *arg, struct strbuf *err);

#endif
