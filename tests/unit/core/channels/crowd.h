/* SPDX-License-Identifier: MIT
 *
 * Test's own: one world and a few watchers for each test, and the words that the tests of rooms are written in.
 */
#ifndef REQPM_TEST_CROWD_H
#define REQPM_TEST_CROWD_H

#include "world.h"

#include <setjmp.h>
#include <cmocka.h>

extern struct world w;
extern struct watcher a[8];
extern size_t joined; /* of a */

int open_world(void **state); /* small socket buffers; tunings are put back by close_world() */
int close_world(void **state);
void reopen_world(int sndbuf); /* with rooms_tuning as it is by now */
struct watcher *join_room(const char *group);
struct watcher *settled(void); /* a viewer of the build that has its snapshot */
struct watcher *stalled_viewer(void);
void cut(struct watcher *wa); /* until the server knows */
void until_read_is_open(void);
void some_turns(void);
struct room *room(const char *group);
size_t viewers(void);
#define until(condition) world_until(&w, a, joined, condition)
/* What the watcher was told, once it has come to this seq. */
#define expect_trace(watcher, seq, text)                                                           \
	do {                                                                                       \
		until((watcher)->have == (seq));                                                   \
		assert_string_equal((watcher)->trace.buf, text);                                   \
	} while (0)

#define CROWD_TEST(name) cmocka_unit_test_setup_teardown(name, open_world, close_world)

#endif
