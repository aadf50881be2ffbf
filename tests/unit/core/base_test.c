// SPDX-License-Identifier: MIT
#include "core/base/base.h"

#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

/* ---- strings */

static void a_strbuf_is_a_string_at_every_moment(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	assert_string_equal(sb.buf, "");
	strbuf_add(&sb, "", 0);
	strbuf_reset(&sb);
	assert_int_equal(sb.cap, 0);
	strbuf_addstr(&sb, "spec");
	strbuf_addch(&sb, 's');
	assert_string_equal(sb.buf, "specs");
	strbuf_setlen(&sb, 2);
	assert_string_equal(sb.buf, "sp");
	strbuf_finish(&sb);
	assert_string_equal(sb.buf, "");
	strbuf_addstr(&sb, "again");
	assert_int_equal(sb.len, 5);
	strbuf_finish(&sb);
	assert_string_equal(strbuf_empty, "");
}

static void a_strbuf_formats_texts_of_every_length(void **state)
{
	(void)state;
	for (int len = 0; len < 300; len++) {
		struct strbuf sb = STRBUF_INIT;

		strbuf_addf(&sb, "<%*s>", len, "");
		assert_int_equal(sb.len, len + 2);
		assert_int_equal(strlen(sb.buf), len + 2);
		assert_int_equal(sb.buf[len + 1], '>');
		strbuf_finish(&sb);
	}
}

static void a_strbuf_gives_up_bytes_from_its_middle(void **state)
{
	struct strbuf sb = STRBUF_INIT;

	(void)state;
	strbuf_addstr(&sb, "zlib-devel-1.3");
	strbuf_remove(&sb, 4, 6);
	assert_string_equal(sb.buf, "zlib-1.3");
	strbuf_remove(&sb, 0, 1); /* what moves overlaps where it was */
	assert_string_equal(sb.buf, "lib-1.3");
	strbuf_remove(&sb, 0, 0);
	strbuf_remove(&sb, 0, sb.len);
	assert_string_equal(sb.buf, "");
	strbuf_finish(&sb);
}

static void a_detached_string_is_the_callers(void **state)
{
	struct strbuf sb = STRBUF_INIT;
	size_t len = 99;
	char *s = strbuf_detach(&sb, &len);

	(void)state;
	assert_int_equal(len, 0);
	assert_string_equal(s, "");
	s[0] = 'x'; /* not the shared empty string */
	assert_string_equal(strbuf_empty, "");
	free(s);
	strbuf_addstr(&sb, "gcc");
	s = strbuf_detach(&sb, NULL);
	assert_string_equal(s, "gcc");
	assert_int_equal(sb.len, 0);
	free(s);
}

static void copies_of_strings_stop_where_they_are_told(void **state)
{
	char *s = xstrndup("zlib-1.3", 4);

	(void)state;
	assert_string_equal(s, "zlib");
	free(s);
	s = xstrndup("ab", 100);
	assert_string_equal(s, "ab");
	free(s);
	s = xasprintf("%s-%d", "gcc", 12);
	assert_string_equal(s, "gcc-12");
	free(s);
	assert_null(xstrdup(NULL));
}

/* ---- errors */

static void an_error_may_quote_the_error_that_it_replaces(void **state)
{
	struct strbuf err = STRBUF_INIT;

	(void)state;
	assert_int_equal(err_set(&err, -ENOENT, "%s is missing", "a.spec"), -ENOENT);
	assert_int_equal(err_set(&err, -EIO, "cannot build: %s", err.buf), -EIO);
	assert_string_equal(err.buf, "cannot build: a.spec is missing");
	strbuf_finish(&err);
}

static void an_error_needs_no_listener(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, -EINVAL, "%s", "nobody reads this"), -EINVAL);
}

/* ---- lists */

struct item {
	int number;
	struct list link;
};

static void a_list_keeps_its_order_and_loses_items_while_walked(void **state)
{
	struct item items[5], *item, *next;
	struct list head;
	int sum = 0;

	(void)state;
	list_init(&head);
	assert_true(list_empty(&head));
	for (int i = 0; i < 5; i++) {
		items[i].number = i;
		list_append(&head, &items[i].link);
	}
	list_for_each_safe (item, next, &head, link)
		if (item->number % 2)
			list_remove(&item->link);
	list_remove(&items[1].link); /* twice is fine */
	list_for_each (item, &head, link)
		sum = sum * 10 + item->number;
	assert_int_equal(sum, 24);
	assert_ptr_equal(list_first(&head, struct item, link), &items[0]);
}

/* ---- maps */

static void a_map_answers_like_a_table_through_many_changes(void **state)
{
	enum { KEYS = 512, STEPS = 40000 };
	void *expected[KEYS] = {0};
	static char values[STEPS];
	struct map m;
	unsigned int seed = 20260211;
	size_t count = 0;
	char key[32];

	(void)state;
	map_init(&m);
	for (int step = 0; step < STEPS; step++) {
		/* Keys of 1 to 18 bytes: each length of the hash's tail occurs. */
		int k = rand_r(&seed) % KEYS;

		snprintf(key, sizeof(key), "%d%.*s", k, k % 16, "-devel-libs-compat");
		if (rand_r(&seed) % 2) {
			count += !expected[k];
			expected[k] = &values[step];
			map_set(&m, key, &values[step]);
		} else {
			count -= !!expected[k];
			assert_ptr_equal(map_remove(&m, key), expected[k]);
			expected[k] = NULL;
		}
		assert_ptr_equal(map_get(&m, key), expected[k]);
		assert_int_equal(m.count, count);
	}
	for (int k = 0; k < KEYS; k++) {
		snprintf(key, sizeof(key), "%d%.*s", k, k % 16, "-devel-libs-compat");
		assert_ptr_equal(map_get(&m, key), expected[k]);
	}
	map_finish(&m);
}

static void a_map_that_lives_long_stays_small(void **state)
{
	struct map m;
	char key[32];
	int value;

	(void)state;
	map_init(&m);
	for (int i = 0; i < 10000; i++) {
		snprintf(key, sizeof(key), "build_job_%d", i);
		map_set(&m, key, &value);
		assert_ptr_equal(map_remove(&m, key), &value);
	}
	assert_int_equal(m.count, 0);
	assert_int_equal(m.cap, 8);
	map_finish(&m);
}

static void a_map_is_walked_once_per_key(void **state)
{
	struct map m;
	struct map_slot *slot;
	int seen[100] = {0}, walked = 0;
	char key[8];

	(void)state;
	map_init(&m);
	map_for_each (slot, &m)
		fail();
	for (int i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "p%d", i);
		map_set(&m, key, &seen[i]);
		map_set(&m, key, &seen[i]);
	}
	map_for_each (slot, &m) {
		++*(int *)slot->value;
		walked++;
	}
	assert_int_equal(walked, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(seen[i], 1);
	map_finish(&m);
}

static void an_empty_map_knows_nothing(void **state)
{
	struct map m;

	(void)state;
	map_init(&m);
	assert_null(map_get(&m, "zlib"));
	assert_null(map_remove(&m, "zlib"));
	map_finish(&m);
}

static void a_map_keeps_its_own_copy_of_a_key(void **state)
{
	char key[] = "zlib";
	struct map m;
	int value;

	(void)state;
	map_init(&m);
	map_set(&m, key, &value);
	key[0] = 'x';
	assert_ptr_equal(map_get(&m, "zlib"), &value);
	assert_null(map_get(&m, "xlib"));
	map_finish(&m);
}

/* ---- clocks */

static void times_are_written_in_rfc_3339(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{0, "1970-01-01T00:00:00Z"},
		{1770796800000, "2026-02-11T08:00:00Z"},
		{1770796800007, "2026-02-11T08:00:00.007Z"},
		{951782399999, "2000-02-28T23:59:59.999Z"},
		{951782400000, "2000-02-29T00:00:00Z"},
		{-1, "1969-12-31T23:59:59.999Z"},
		{-1000, "1969-12-31T23:59:59Z"},
		{INT64_MAX, "292278994-08-17T07:12:55.807Z"},
		{INT64_MIN, "-292275055-05-16T16:47:04.192Z"},
	};
	char buf[CLOCK_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < countof(cases); i++)
		assert_string_equal(clock_format(cases[i].ms, buf), cases[i].text);
}

static void the_clocks_go_forward(void **state)
{
	int64_t before = clock_monotonic_ms();

	(void)state;
	assert_true(before > 0);
	assert_true(clock_monotonic_ms() >= before);
	assert_true(clock_wall_ms() > 1770000000000);
}

/* ---- random and digests */

static void random_text_is_hexadecimal_and_never_the_same(void **state)
{
	struct map seen;
	char text[33];

	(void)state;
	map_init(&seen);
	/* More texts than one byte has values: all the bytes must tell. */
	for (int i = 0; i < 1000; i++) {
		random_hex(text, 16);
		assert_int_equal(strlen(text), 32);
		assert_int_equal(strspn(text, "0123456789abcdef"), 32);
		assert_null(map_get(&seen, text));
		map_set(&seen, text, state);
	}
	map_finish(&seen);
	assert_int_not_equal(random_u64(), random_u64());
	random_hex(text, 0);
	assert_string_equal(text, "");
}

static void a_digest_can_be_read_and_goes_on(void **state)
{
	struct digest *d = digest_create();
	char hex[SHA256_HEX_MAX];

	(void)state;
	digest_hex(d, hex);
	assert_string_equal(
		hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_add(d, "a", 1);
	digest_hex(d, hex);
	assert_string_equal(
		hex, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb");
	digest_add(d, "bc", 2);
	digest_hex(d, hex);
	assert_string_equal(
		hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_destroy(d);
	digest_destroy(NULL);
}

/* The example of RFC 6455, section 1.3. */
static void a_websocket_key_is_accepted_as_the_rfc_says(void **state)
{
	static const char text[] = "dGhlIHNhbXBsZSBub25jZQ=="
				   "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	uint8_t hash[20];
	char out[4 * 7 + 1];

	(void)state;
	digest_sha1(text, sizeof(text) - 1, hash);
	assert_int_equal(base64_encode(hash, sizeof(hash), out), 28);
	assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
	assert_int_equal(base64_encode("", 0, out), 0);
	assert_string_equal(out, "");
}

static void only_equal_secrets_are_equal(void **state)
{
	(void)state;
	assert_true(constant_time_equal("", ""));
	assert_true(constant_time_equal("0123456789abcdef", "0123456789abcdef"));
	assert_false(constant_time_equal("0123456789abcdef", "0123456789abcdee"));
	assert_false(constant_time_equal("0123456789abcdef", "0123456789abcde"));
	assert_false(constant_time_equal("", "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_strbuf_is_a_string_at_every_moment),
		cmocka_unit_test(a_strbuf_formats_texts_of_every_length),
		cmocka_unit_test(a_strbuf_gives_up_bytes_from_its_middle),
		cmocka_unit_test(a_detached_string_is_the_callers),
		cmocka_unit_test(copies_of_strings_stop_where_they_are_told),
		cmocka_unit_test(an_error_may_quote_the_error_that_it_replaces),
		cmocka_unit_test(an_error_needs_no_listener),
		cmocka_unit_test(a_list_keeps_its_order_and_loses_items_while_walked),
		cmocka_unit_test(a_map_answers_like_a_table_through_many_changes),
		cmocka_unit_test(a_map_that_lives_long_stays_small),
		cmocka_unit_test(a_map_is_walked_once_per_key),
		cmocka_unit_test(an_empty_map_knows_nothing),
		cmocka_unit_test(a_map_keeps_its_own_copy_of_a_key),
		cmocka_unit_test(times_are_written_in_rfc_3339),
		cmocka_unit_test(the_clocks_go_forward),
		cmocka_unit_test(random_text_is_hexadecimal_and_never_the_same),
		cmocka_unit_test(a_digest_can_be_read_and_goes_on),
		cmocka_unit_test(a_websocket_key_is_accepted_as_the_rfc_says),
		cmocka_unit_test(only_equal_secrets_are_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
