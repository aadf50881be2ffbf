// SPDX-License-Identifier: MIT
#include <errno.h>
#include <unistd.h>

#include "grain.h"
#include "plumb.h"

enum {
	KEYS = 4096,
	STEPS = 12000000,
	NUMBERS = 1 << 25,
};

static void buffer_is_its_parts_in_order(void)
{
	struct grain_buf b = GRAIN_BUF_INIT;

	plumb_check_text(grain_buf_text(&b), "");
	grain_buf_addstr(&b, "one ");
	grain_buf_addc(&b, '2');
	grain_buf_addf(&b, " %s %d", "three", 4);
	plumb_check_text(grain_buf_text(&b), "one 2 three 4");
	grain_buf_reset(&b);
	plumb_check_text(grain_buf_text(&b), "");
	for (int i = 0; i < 1000000; i++)
		grain_buf_addf(&b, "%d,", i);
	plumb_check(b.error == 0 && b.len == 6888890);
	grain_buf_finish(&b);
}

static void buffer_keeps_its_first_error(void)
{
	struct grain_buf b = GRAIN_BUF_INIT;

	grain_buf_addstr(&b, "kept");
	grain_buf_add(&b, "x", SIZE_MAX - 2);
	plumb_check(b.error == -ENOMEM);
	grain_buf_addstr(&b, "lost");
	plumb_check_text(grain_buf_text(&b), "kept");
	grain_buf_finish(&b);
}

static void number_is_read_as_written(uint64_t value)
{
	struct grain_buf b = GRAIN_BUF_INIT;
	const char *at;
	uint64_t read;

	grain_buf_addnum(&b, value);
	at = b.data;
	plumb_check(grain_num_read(&at, b.data + b.len, &read) == 0);
	plumb_check(read == value && at == b.data + b.len);
	for (size_t len = 0; len < b.len; len++) {
		at = b.data;
		plumb_check(grain_num_read(&at, b.data + len, &read) == -EBADMSG);
	}
	grain_buf_finish(&b);
}

static void numbers_are_read_as_written(void)
{
	uint64_t state = 1;

	for (uint64_t value = 0; value < NUMBERS; value++) {
		number_is_read_as_written(value);
		plumb_progress(value + 1, NUMBERS, "numbers");
	}
	for (unsigned int bit = 0; bit < 64; bit++) {
		number_is_read_as_written(UINT64_C(1) << bit);
		number_is_read_as_written((UINT64_C(1) << bit) - 1);
		number_is_read_as_written(~(UINT64_C(1) << bit));
	}
	for (int i = 0; i < 1000000; i++)
		number_is_read_as_written(plumb_random(&state));
}

static void wrong_numbers_are_refused(void)
{
	static const char *const wrong[] = {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02",
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "\x81"};
	const char *at = "\x80\0";
	uint64_t value;

	plumb_check(grain_num_read(&at, at + 2, &value) == -EBADMSG);
	for (size_t i = 0; i < 3; i++) {
		at = wrong[i];
		plumb_check(grain_num_read(&at, at + strlen(at), &value) == -EBADMSG);
	}
}

/* Random sets, gets and removals, compared with an array that is indexed by the key's number. */
static void map_agrees_with_an_array(void)
{
	static void *expected[KEYS];
	struct grain_map *m = grain_map_create();
	size_t count = 0;
	uint64_t state = 2;

	plumb_check(m != NULL);
	for (uint64_t step = 1; step <= STEPS; step++) {
		uint64_t random = plumb_random(&state);
		size_t number = random % KEYS;
		char key[32];

		snprintf(key, sizeof(key), "key-%zu", number);
		plumb_check(grain_map_get(m, key) == expected[number]);
		if (random >> 63) {
			count += expected[number] == NULL;
			expected[number] = &expected[(random >> 32) % KEYS];
			plumb_check(grain_map_set(m, key, expected[number]) == 0);
		} else {
			count -= expected[number] != NULL;
			plumb_check(grain_map_remove(m, key) == expected[number]);
			expected[number] = NULL;
		}
		plumb_check(grain_map_count(m) == count);
		plumb_progress(step, STEPS, "steps");
	}
	grain_map_destroy(m);
}

static void file_is_replaced_whole(void)
{
	struct grain_buf b = GRAIN_BUF_INIT;

	plumb_check(grain_file_write("grain-test.tmp", "old", 3, 0644) == 0);
	plumb_check(grain_file_write("grain-test.tmp", "new bytes", 9, 0644) == 0);
	plumb_check(grain_file_read("grain-test.tmp", &b) == 0);
	plumb_check_text(grain_buf_text(&b), "new bytes");
	plumb_check(unlink("grain-test.tmp") == 0);
	plumb_check(grain_file_read("grain-test.tmp", &b) == -ENOENT);
	plumb_check(grain_file_write("no/such/folder", "x", 1, 0644) == -ENOENT);
	grain_buf_finish(&b);
}

static const struct plumb_case cases[] = {
	{"a buffer is its parts in order", buffer_is_its_parts_in_order},
	{"a buffer keeps its first error and what it held before", buffer_keeps_its_first_error},
	{"numbers are read as written, cut ones are refused", numbers_are_read_as_written},
	{"numbers too long or longer than needed are refused", wrong_numbers_are_refused},
	{"the map agrees with an array over random steps", map_agrees_with_an_array},
	{"a file is replaced whole", file_is_replaced_whole},
};

PLUMB_MAIN("libgrain", cases)
