// SPDX-License-Identifier: MIT
#include "core/base/loop.h"

struct posted {
	struct list link;
	loop_fn *fn;
	void *arg;
};

static void must(int r, const char *call)
{
	if (r)
		BUG("%s: %s", call, uv_strerror(r));
}

/* Moves what is posted to the caller's list, so that the lock is not held while it runs. */
static void take_posted(struct loop *loop, struct list *ret_taken)
{
	list_init(ret_taken);
	pthread_mutex_lock(&loop->lock);
	if (!list_empty(&loop->posted)) {
		*ret_taken = loop->posted;
		ret_taken->prev->next = ret_taken->next->prev = ret_taken;
		list_init(&loop->posted);
	}
	pthread_mutex_unlock(&loop->lock);
}

static void on_wake(uv_async_t *wake)
{
	struct loop *loop = container_of(wake, struct loop, wake);
	struct posted *p, *next;
	struct list taken;

	take_posted(loop, &taken);
	list_for_each_safe (p, next, &taken, link) {
		p->fn(p->arg);
		free(p);
	}
}

void loop_run_posted(struct loop *loop)
{
	on_wake(&loop->wake);
}

static void run_hooks(struct loop *loop)
{
	struct loop_hook *hook, *next;

	list_for_each_safe (hook, next, &loop->hooks, link)
		hook->fn(hook->arg);
}

static void on_turn_end(uv_prepare_t *turn_end)
{
	run_hooks(container_of(turn_end, struct loop, turn_end));
}

void loop_init(struct loop *loop)
{
	must(uv_loop_init(&loop->uv), "uv_loop_init");
	must(uv_async_init(&loop->uv, &loop->wake, on_wake), "uv_async_init");
	must(uv_prepare_init(&loop->uv, &loop->turn_end), "uv_prepare_init");
	must(uv_prepare_start(&loop->turn_end, on_turn_end), "uv_prepare_start");
	pthread_mutex_init(&loop->lock, NULL);
	list_init(&loop->posted);
	list_init(&loop->hooks);
	__atomic_store_n(&loop->thread, pthread_self(), __ATOMIC_RELAXED);
}

void loop_run(struct loop *loop)
{
	__atomic_store_n(&loop->thread, pthread_self(), __ATOMIC_RELAXED);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	/* The turn that was stopped has ended as well: what it gathered goes out. */
	run_hooks(loop);
}

void loop_stop(struct loop *loop)
{
	uv_stop(&loop->uv);
}

static void close_if_open(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void loop_finish(struct loop *loop)
{
	struct posted *p, *next;
	struct list taken;

	uv_walk(&loop->uv, close_if_open, NULL);
	/* One turn at a time, because what a closing opens must be closed too. */
	while (uv_run(&loop->uv, UV_RUN_ONCE))
		uv_walk(&loop->uv, close_if_open, NULL);
	must(uv_loop_close(&loop->uv), "uv_loop_close");
	take_posted(loop, &taken);
	list_for_each_safe (p, next, &taken, link)
		free(p);
	pthread_mutex_destroy(&loop->lock);
}

void loop_post(struct loop *loop, loop_fn *fn, void *arg)
{
	struct posted *p = xmalloc(sizeof(*p));
	bool first;

	p->fn = fn;
	p->arg = arg;
	pthread_mutex_lock(&loop->lock);
	first = list_empty(&loop->posted);
	list_append(&loop->posted, &p->link);
	/* Woken under the lock: fn may be what ends the loop, and must not run before the
	 * wake-up is through. */
	if (first)
		must(uv_async_send(&loop->wake), "uv_async_send");
	pthread_mutex_unlock(&loop->lock);
}

void loop_add_hook(struct loop *loop, struct loop_hook *hook)
{
	list_append(&loop->hooks, &hook->link);
}

bool loop_is_current(const struct loop *loop)
{
	return pthread_equal(__atomic_load_n(&loop->thread, __ATOMIC_RELAXED), pthread_self());
}
