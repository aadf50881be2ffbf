// SPDX-License-Identifier: MIT
#include "plumb.h"

static void same_start_same_numbers(void)
{
	uint64_t one = 1, other = 1;

	for (int i = 0; i < 1000; i++)
		plumb_check(plumb_random(&one) == plumb_random(&other));
}

/* Reference values of splitmix64 for the start 1234567. */
static void numbers_are_those_of_splitmix64(void)
{
	static const uint64_t expected[] = {UINT64_C(6457827717110365317),
		UINT64_C(3203168211198807973), UINT64_C(9817491932198370423)};
	uint64_t state = 1234567;

	for (size_t i = 0; i < 3; i++)
		plumb_check(plumb_random(&state) == expected[i]);
}

static void progress_speaks_at_each_quarter(void)
{
	for (uint64_t i = 1; i <= 400; i++)
		plumb_progress(i, 400, "rounds");
}

static const struct plumb_case cases[] = {
	{"the same start gives the same numbers", same_start_same_numbers},
	{"the numbers are those of splitmix64", numbers_are_those_of_splitmix64},
	{"a long loop shows each quarter", progress_speaks_at_each_quarter},
};

PLUMB_MAIN("plumb", cases)
