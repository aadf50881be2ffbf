// SPDX-License-Identifier: MIT
//
// What a channel layer promises, whatever carries it. Each test runs against every row of `layers`.
#include "core/channels/channels.h"

#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include "core/base/log.h"

/* ---- the layers */

static const struct {
	const char *name, *url, *trace;
} layers[] = {
	{"memory", NULL, ""},
	{"memory, traced", NULL, "db,layer"},
};

static struct {
	struct loop loop;
	struct layer *layer;
	struct strbuf heard; /* "group:text " */
	struct msg *last;
} t;

static void on_deliver(void *arg, const char *group, struct msg *m)
{
	assert_ptr_equal(arg, &t);
	strbuf_addf(&t.heard, "%s:%s ", group, m->text);
	t.last = m;
}

static int open_layer(void **state)
{
	size_t row = (size_t)*state;
	struct strbuf err = STRBUF_INIT;

	memset(&t, 0, sizeof(t));
	strbuf_init(&t.heard);
	loop_init(&t.loop);
	setenv("REQPM_TRACE", layers[row].trace, 1);
	t.layer = layer_open(&t.loop, layers[row].url, &err);
	if (!t.layer)
		fail_msg("%s: %s", layers[row].name, err.buf);
	t.layer->deliver = on_deliver;
	t.layer->deliver_arg = &t;
	return 0;
}

static int close_layer(void **state)
{
	(void)state;
	layer_close(t.layer);
	loop_finish(&t.loop);
	strbuf_finish(&t.heard);
	return 0;
}

static int add(const char *group)
{
	return t.layer->ops->group_add(t.layer, group);
}

static int discard(const char *group)
{
	return t.layer->ops->group_discard(t.layer, group);
}

static int send_text(const char *group, const char *text)
{
	struct msg *m = msg_create(0, 1, false, text, strlen(text));
	int r = group_send(t.layer, group, m);

	/* Whatever the layer made of it, the message is still ours. */
	assert_true(m->refs >= 1);
	msg_unref(m);
	return r;
}

/* Turns the loop until that much was heard. */
static void hear(const char *expected)
{
	int64_t give_up = clock_monotonic_ms() + 20000;

	while (t.heard.len < strlen(expected) && clock_monotonic_ms() < give_up)
		uv_run(&t.loop.uv, UV_RUN_NOWAIT);
	assert_string_equal(t.heard.buf, expected);
}

/* ---- what it promises */

static void a_group_that_was_added_hears_what_is_sent(void **state)
{
	(void)state;
	assert_int_equal(add("build_job_1"), 0);
	assert_int_equal(send_text("build_job_1", "one"), 0);
	hear("build_job_1:one ");
}

static void a_message_arrives_with_all_that_it_is(void **state)
{
	struct msg *m = msg_create(7, 41, true, "{}", 2);

	(void)state;
	add("g");
	assert_int_equal(group_send(t.layer, "g", m), 0);
	hear("g:{} ");
	assert_int_equal(t.last->key, 7);
	assert_int_equal(t.last->seq, 41);
	assert_true(t.last->final);
	assert_int_equal(t.last->len, 2);
	msg_unref(m);
}

static void messages_of_a_sender_keep_their_order(void **state)
{
	struct strbuf expected = STRBUF_INIT;
	char number[16];

	(void)state;
	add("a");
	add("b");
	for (int i = 0; i < 200; i++) {
		snprintf(number, sizeof(number), "%d", i);
		strbuf_addf(&expected, "%s:%s ", i % 3 ? "a" : "b", number);
		assert_int_equal(send_text(i % 3 ? "a" : "b", number), 0);
	}
	hear(expected.buf);
	strbuf_finish(&expected);
}

static void a_group_that_nobody_wants_is_no_failure(void **state)
{
	uint64_t failures = layer_send_failures();

	(void)state;
	add("other");
	assert_int_equal(send_text("build_job_1", "one"), 0);
	assert_int_equal(send_text("other", "two"), 0);
	hear("other:two ");
	assert_int_equal(layer_send_failures(), failures);
}

static void a_group_that_was_discarded_is_silent(void **state)
{
	(void)state;
	add("a");
	add("b");
	send_text("a", "one");
	hear("a:one ");
	assert_int_equal(discard("a"), 0);
	send_text("a", "two");
	send_text("b", "three");
	hear("a:one b:three ");
	add("a");
	send_text("a", "four");
	hear("a:one b:three a:four ");
}

static void adding_twice_delivers_once(void **state)
{
	(void)state;
	add("a");
	add("a");
	add("b");
	send_text("a", "one");
	send_text("b", "two");
	hear("a:one b:two ");
	discard("a");
	send_text("a", "three");
	send_text("b", "four");
	hear("a:one b:two b:four ");
}

static void discarding_what_was_not_added_is_fine(void **state)
{
	(void)state;
	assert_int_equal(discard("never"), 0);
}

static void a_layer_without_a_listener_takes_messages(void **state)
{
	(void)state;
	add("a");
	t.layer->deliver = NULL;
	assert_int_equal(send_text("a", "one"), 0);
	hear("");
}

static void group_names_are_checked_and_refusals_counted(void **state)
{
	static const char *const bad[] = {"", "a b", "a/b", "a!", "\xc3\xa9", "a\n"};
	uint64_t failures = layer_send_failures();
	char name[GROUP_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < countof(bad); i++)
		assert_int_equal(send_text(bad[i], "x"), -EINVAL);
	memset(name, 'a', sizeof(name));
	name[GROUP_NAME_MAX] = '\0';
	assert_int_equal(send_text(name, "x"), -EINVAL);
	assert_int_equal(layer_send_failures(), failures + countof(bad) + 1);
	name[GROUP_NAME_MAX - 1] = '\0';
	assert_int_equal(send_text(name, "x"), 0);
	assert_int_equal(send_text("Build-job_1.x", "x"), 0);
	assert_int_equal(layer_send_failures(), failures + countof(bad) + 1);
}

/* ---- what layer_open() promises */

static void a_layer_that_there_is_no_driver_for_is_refused_in_words(void **state)
{
	struct strbuf err = STRBUF_INIT;
	struct loop loop;

	(void)state;
	loop_init(&loop);
	assert_null(layer_open(&loop, "redis://localhost:6379", &err));
	assert_non_null(strstr(err.buf, "--redis-url"));
	assert_null(strchr(err.buf, '\n'));
	layer_close(NULL);
	strbuf_finish(&err);
	loop_finish(&loop);
}

#define EACH(test)                                                                                 \
	{#test " (memory)", test, open_layer, close_layer, (void *)0},                             \
	{                                                                                          \
#test " (memory, traced)", test, open_layer, close_layer, (void *)1                \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(a_group_that_was_added_hears_what_is_sent),
		EACH(a_message_arrives_with_all_that_it_is),
		EACH(messages_of_a_sender_keep_their_order),
		EACH(a_group_that_nobody_wants_is_no_failure),
		EACH(a_group_that_was_discarded_is_silent),
		EACH(adding_twice_delivers_once),
		EACH(discarding_what_was_not_added_is_fine),
		EACH(a_layer_without_a_listener_takes_messages),
		EACH(group_names_are_checked_and_refusals_counted),
		cmocka_unit_test(a_layer_that_there_is_no_driver_for_is_refused_in_words),
	};

	log_threshold(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
