// SPDX-License-Identifier: MIT
#include "core/ws/ws_internal.h"

#define SLOTS 64
#define LATE_TICKS 2 /* beyond, it is us who stood still, not the peers */

/* A process has one loop. The timer rests while there is no connection and is closed by the loop's end alone, so that
 * a connection which ends then finds it. */
static struct wheel {
	uv_timer_t timer;
	struct loop *loop; /* NULL before the first connection */
	uint64_t turned; /* the tick that was looked at last */
	size_t count;
	bool late; /* the last tick was put off */
	struct list slots[SLOTS];
	loop_fn *drained; /* NULL: nobody waits for the last one's end */
	void *drained_arg;
	uint64_t drain_by;
} wheel;

static void place(struct ws_conn *c, uint64_t at)
{
	uint64_t tick = (at + ws_tuning.tick_ms - 1) / ws_tuning.tick_ms;

	if (tick <= wheel.turned)
		tick = wheel.turned + 1;
	if (tick >= wheel.turned + SLOTS)
		tick = wheel.turned + SLOTS - 1;
	/* What a look sends may have placed it already. */
	list_remove(&c->due);
	list_append(&wheel.slots[tick % SLOTS], &c->due);
}

/* Taken off the slot one by one, because a look may close other connections. */
static void look_at_slot(struct list *slot, uint64_t now)
{
	struct list taken;

	if (list_empty(slot))
		return;
	taken = *slot;
	taken.prev->next = taken.next->prev = &taken;
	list_init(slot);
	while (!list_empty(&taken)) {
		struct ws_conn *c = list_first(&taken, struct ws_conn, due);

		list_remove(&c->due);
		place(c, ws_conn_check(c, now));
	}
}

static void on_tick(uv_timer_t *timer)
{
	uint64_t now = uv_now(timer->loop), tick = now / ws_tuning.tick_ms;

	if (wheel.drained && now >= wheel.drain_by)
		ws_reset_all();
	/* After a pause of this process what the peers sent meanwhile is read first, before anybody is judged. */
	wheel.late = !wheel.late && tick > wheel.turned + LATE_TICKS;
	if (wheel.late)
		return;
	/* After a long pause one round looks at every slot. */
	if (tick > wheel.turned + SLOTS)
		wheel.turned = tick - SLOTS;
	while (wheel.turned < tick)
		look_at_slot(&wheel.slots[++wheel.turned % SLOTS], now);
}

static void wheel_open(struct loop *loop)
{
	wheel.loop = loop;
	for (size_t i = 0; i < SLOTS; i++)
		list_init(&wheel.slots[i]);
	uv_timer_init(&loop->uv, &wheel.timer);
}

void wheel_add(struct ws_conn *c, uint64_t at)
{
	/* The next loop of a test. */
	if (!wheel.loop || uv_is_closing((uv_handle_t *)&wheel.timer))
		wheel_open(c->loop);
	if (wheel.loop != c->loop)
		BUG("WebSockets on two loops");
	if (!wheel.count++) {
		wheel.turned = uv_now(&c->loop->uv) / ws_tuning.tick_ms;
		uv_timer_start(&wheel.timer, on_tick, ws_tuning.tick_ms, ws_tuning.tick_ms);
	}
	place(c, at);
}

void wheel_move(struct ws_conn *c, uint64_t at)
{
	place(c, at);
}

/* Posted, never called from inside: the one who waits may end the loop. */
static void drain_done(struct loop *loop)
{
	if (wheel.drained)
		loop_post(loop, wheel.drained, wheel.drained_arg);
	wheel.drained = NULL;
}

void wheel_remove(struct ws_conn *c)
{
	list_remove(&c->due);
	if (--wheel.count)
		return;
	uv_timer_stop(&wheel.timer);
	drain_done(wheel.loop);
}

void ws_drain(struct loop *loop, loop_fn *done, void *arg)
{
	wheel.drained = done;
	wheel.drained_arg = arg;
	wheel.drain_by = uv_now(&loop->uv) + ws_tuning.close_ms;
	if (!wheel.count)
		drain_done(loop);
}

void ws_reset_all(void)
{
	struct ws_conn *c;

	for (size_t i = 0; wheel.count && i < SLOTS; i++) {
		/* Their streams close in a turn of their own: nobody leaves the list meanwhile. */
		list_for_each (c, &wheel.slots[i], due)
			ws_reset(c);
	}
}
