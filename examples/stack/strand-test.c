// SPDX-License-Identifier: MIT
#include <errno.h>
#include <plumb.h>

#include "strand.h"

enum {
	LETTERS = 3,
	LONGEST = 9, /* all strings of three letters up to this length */
	DAMAGES = 120000,
	RANDOM_TEXTS = 2000,
};

static void check_round_trip(const void *data, size_t len, int level, struct grain_buf *packed)
{
	struct grain_buf back = GRAIN_BUF_INIT;

	grain_buf_reset(packed);
	plumb_check(strand_pack(data, len, level, packed) == 0);
	plumb_check(strand_unpack(packed->data, packed->len, len, &back) == 0);
	plumb_check(back.len == len);
	plumb_check(len == 0 || memcmp(back.data, data, len) == 0);
	grain_buf_finish(&back);
}

static void read_sample(const char *name, struct grain_buf *b)
{
	const char *folder = getenv("SAMPLES");
	struct grain_buf path = GRAIN_BUF_INIT;

	grain_buf_addf(&path, "%s/%s", folder ? folder : "/usr/share/hamper/samples", name);
	grain_buf_reset(b);
	plumb_check(grain_file_read(path.data, b) == 0);
	grain_buf_finish(&path);
}

static void samples_survive_at_every_level(void)
{
	static const char *const names[] = {"prose.txt", "greetings.txt", "stations.csv",
		"numbers.txt", "zeros.bin", "noise.bin"};
	struct grain_buf sample = GRAIN_BUF_INIT, packed = GRAIN_BUF_INIT;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		read_sample(names[i], &sample);
		printf("      %-14s %7zu bytes ->", names[i], sample.len);
		for (int level = STRAND_FASTEST; level <= STRAND_SMALLEST; level++) {
			check_round_trip(sample.data, sample.len, level, &packed);
			printf(" %zu", packed.len);
		}
		printf("\n");
		fflush(stdout);
	}
	grain_buf_finish(&sample);
	grain_buf_finish(&packed);
}

static void short_strings_survive(void)
{
	struct grain_buf packed = GRAIN_BUF_INIT;
	uint64_t total = 0, done = 0, power = 1;

	for (int len = 0; len <= LONGEST; len++, power *= LETTERS)
		total += power;
	power = 1;
	for (size_t len = 0; len <= LONGEST; len++, power *= LETTERS) {
		for (uint64_t number = 0; number < power; number++) {
			char text[LONGEST + 1];
			uint64_t rest = number;

			for (size_t i = 0; i < len; i++, rest /= LETTERS)
				text[i] = (char)('a' + rest % LETTERS);
			check_round_trip(text, len, STRAND_FASTEST, &packed);
			plumb_progress(++done, total, "strings");
		}
	}
	grain_buf_finish(&packed);
}

/* Few letters make many matches of all lengths and distances. */
static void random_texts_survive(void)
{
	struct grain_buf packed = GRAIN_BUF_INIT;
	static char text[20000];
	uint64_t state = 5;

	for (uint64_t round = 1; round <= RANDOM_TEXTS; round++) {
		size_t len = plumb_random(&state) % sizeof(text), at = 0;

		while (at < len) {
			size_t run = plumb_random(&state) % 200,
			       back = plumb_random(&state) % (at + 1);

			for (; run > 0 && at < len; run--, at++)
				text[at] = back > 0 ? text[at - back]
						    : (char)(plumb_random(&state) % 8);
		}
		check_round_trip(text, len, (int)(round % 9) + 1, &packed);
		plumb_progress(round, RANDOM_TEXTS, "texts");
	}
	grain_buf_finish(&packed);
}

/* Whatever is done to the packed bytes: an error, or the original. */
static void damage_is_seen(void)
{
	struct grain_buf text = GRAIN_BUF_INIT, packed = GRAIN_BUF_INIT, back = GRAIN_BUF_INIT;
	uint64_t state = 6, refused = 0;

	read_sample("greetings.txt", &text);
	plumb_check(strand_pack(text.data, text.len, 6, &packed) == 0);
	for (uint64_t round = 1; round <= DAMAGES; round++) {
		size_t place = plumb_random(&state) % packed.len, len = packed.len;
		char old = packed.data[place];

		packed.data[place] = (char)plumb_random(&state);
		if (round % 4 == 0)
			len = plumb_random(&state) % packed.len;
		grain_buf_reset(&back);
		if (strand_unpack(packed.data, len, text.len, &back) == 0)
			plumb_check(back.len == text.len &&
				    memcmp(back.data, text.data, text.len) == 0);
		else
			refused++;
		packed.data[place] = old;
		plumb_progress(round, DAMAGES, "damaged forms");
	}
	printf("      %" PRIu64 " refused, the others changed nothing\n", refused);
	plumb_check(refused > DAMAGES * 9 / 10);
	grain_buf_finish(&text);
	grain_buf_finish(&packed);
	grain_buf_finish(&back);
}

static void limits_are_kept(void)
{
	struct grain_buf packed = GRAIN_BUF_INIT, back = GRAIN_BUF_INIT;

	plumb_check(strand_pack("ten bytes!", 10, 0, &packed) == -EINVAL);
	plumb_check(strand_pack("ten bytes!", 10, 10, &packed) == -EINVAL);
	plumb_check(strand_pack("ten bytes!", 10, 5, &packed) == 0);
	plumb_check(strand_unpack(packed.data, packed.len, 9, &back) == -EFBIG);
	plumb_check(strand_unpack(packed.data, packed.len, 10, &back) == 0);
	plumb_check(strand_unpack("STR0", 4, 10, &back) == -EBADMSG);
	plumb_check_text(grain_buf_text(&back), "ten bytes!");
	grain_buf_finish(&packed);
	grain_buf_finish(&back);
}

static const struct plumb_case cases[] = {
	{"the samples survive at every level", samples_survive_at_every_level},
	{"all short strings of three letters survive", short_strings_survive},
	{"random texts survive", random_texts_survive},
	{"damage is seen", damage_is_seen},
	{"limits are kept", limits_are_kept},
};

PLUMB_MAIN("libstrand", cases)
