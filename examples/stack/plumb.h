/* SPDX-License-Identifier: MIT */
#ifndef PLUMB_H
#define PLUMB_H

/*
 * plumb: a test kit in one header.
 *
 * A test program is a table of cases, each named by the sentence that it holds true:
 *
 *	static const struct plumb_case cases[] = {
 *		{ "an empty buffer is an empty string", empty_is_empty },
 *	};
 *	PLUMB_MAIN("buffers", cases)
 *
 * The first check that fails ends the program with status 1 and its file, line and text.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct plumb_case {
	const char *says;
	void (*run)(void);
};

#define plumb_check(condition)                                                                     \
	do {                                                                                       \
		if (!(condition))                                                                  \
			plumb_fail(__FILE__, __LINE__, #condition);                                \
	} while (0)

#define plumb_check_text(text, expected) plumb_same(__FILE__, __LINE__, (text), (expected))

#define PLUMB_MAIN(subject, cases)                                                                 \
	int main(void)                                                                             \
	{                                                                                          \
		return plumb_run((subject), (cases), sizeof(cases) / sizeof(*(cases)));            \
	}

static inline void plumb_fail(const char *file, int line, const char *what)
{
	printf("      FAILED at %s:%d: %s\n", file, line, what);
	fflush(stdout);
	exit(1);
}

static inline void plumb_same(const char *file, int line, const char *text, const char *expected)
{
	if (strcmp(text, expected) == 0)
		return;
	printf("      expected \"%s\"\n      but have \"%s\"\n", expected, text);
	plumb_fail(file, line, "both texts are the same");
}

/* Call it in every round of a long loop; it prints a line at each quarter. */
static inline void plumb_progress(uint64_t done, uint64_t total, const char *what)
{
	uint64_t quarter = total / 4;

	if (quarter == 0 || done == 0 || done % quarter != 0)
		return;
	printf("      %3d %%  %" PRIu64 " of %" PRIu64 " %s\n", (int)(done / quarter * 25), done,
		total, what);
	fflush(stdout);
}

/* splitmix64: the same numbers on every machine for the same start. */
static inline uint64_t plumb_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline double plumb_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline int plumb_run(const char *subject, const struct plumb_case *cases, size_t count)
{
	double start = plumb_now();

	printf("testing %s\n", subject);
	for (size_t i = 0; i < count; i++) {
		double began = plumb_now();

		printf("[%zu/%zu] %s\n", i + 1, count, cases[i].says);
		fflush(stdout);
		cases[i].run();
		printf("      ok, %.2f s\n", plumb_now() - began);
		fflush(stdout);
	}
	printf("%s: %zu passed in %.2f s\n", subject, count, plumb_now() - start);
	return 0;
}

#endif
