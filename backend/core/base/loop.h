/* SPDX-License-Identifier: MIT
 *
 * The one event loop (libuv) that owns sockets, timers, rooms and child processes. Everything
 * runs on its thread but loop_post() and loop_is_current().
 */
#ifndef REQPM_LOOP_H
#define REQPM_LOOP_H

#include <pthread.h>
#include <uv.h>

#include "core/base/base.h"

typedef void loop_fn(void *arg);

struct loop {
	uv_loop_t uv;
	uv_async_t wake;
	uv_prepare_t turn_end; /* before the loop sleeps: what this turn gathered goes out */
	pthread_mutex_t lock;
	struct list posted; /* struct posted, under lock */
	struct list hooks; /* struct loop_hook */
	pthread_t thread; /* atomic */
};

/* Called once at the end of every turn, before the loop sleeps; caller's memory, taken out again by
 * list_remove(&hook->link), which the hook itself may do too. */
struct loop_hook {
	struct list link;
	loop_fn *fn;
	void *arg;
};

void loop_init(struct loop *loop);
/* Runs on the calling thread until loop_stop(), even when nothing is left but what other threads
 * may post. The hooks run once more at the end. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop); /* on the loop; from elsewhere post a function that calls it */
/* Closes what is still open and runs the closings. Threads that post are joined before. What is
 * posted and has not run is dropped: its fn is not called. */
void loop_finish(struct loop *loop);

/* Any thread. fn(arg) runs on the loop, in the order of the calls of one thread. Never fails. */
void loop_post(struct loop *loop, loop_fn *fn, void *arg);
/* Loop thread, while loop_run() is not running: runs what is posted now. For an orderly end. */
void loop_run_posted(struct loop *loop);
void loop_add_hook(struct loop *loop, struct loop_hook *hook);
/* Is this the loop's thread: the one that called loop_init(), from loop_run() on the one that
 * called that? */
bool loop_is_current(const struct loop *loop);

#endif
