/* SPDX-License-Identifier: MIT */
#ifndef STRAND_IMPL_H
#define STRAND_IMPL_H

/*
 * The packed form: "STR1", length of the original (number), its CRC-32C (4 bytes, low first), then
 * blocks: count of tokens (number), bytes of the bit stream (number), code lengths (4 bits each),
 * bit stream. A token is a literal's code, or a length's code and extra bits followed by a
 * distance's code and extra bits.
 */
#include <stddef.h>
#include <stdint.h>

#include "strand.h"

enum {
	WINDOW = 1 << 17,
	MATCH_MIN = 4,
	MATCH_MAX = MATCH_MIN + 4095,
	LITERALS = 256,
	SYMBOLS = LITERALS + 24, /* literals, then the buckets of lengths */
	DISTANCES = 34,
	CODE_MAX = 15,
	BLOCK_TOKENS = 32768,
	LENGTH_BYTES = (SYMBOLS + DISTANCES) / 2,
};

struct token {
	uint32_t length; /* 0: a literal */
	uint32_t value; /* the literal, or the distance */
};

/* A bucket of numbers: `base` and the `extra` bits that are added to it. */
struct bucket {
	unsigned int number, base, extra;
};

struct bucket bucket_of_value(uint32_t value);
struct bucket bucket_of_number(unsigned int number);

/* Lengths of at most CODE_MAX bits; 0 for what never comes. */
void code_lengths(const uint32_t *frequency, size_t count, unsigned char *ret_lengths);
void code_words(const unsigned char *lengths, size_t count, uint16_t *ret_words);

struct decoder {
	uint32_t first[CODE_MAX + 1]; /* the smallest code of a length, its bits leftmost of 15 */
	uint32_t limit[CODE_MAX + 1]; /* one more than the largest */
	uint16_t offset[CODE_MAX + 1];
	uint16_t symbols[SYMBOLS];
};

int decoder_init(struct decoder *d, const unsigned char *lengths, size_t count);

struct matcher;

struct matcher *matcher_create(const unsigned char *data, size_t len, int level);
void matcher_destroy(struct matcher *m);
struct token matcher_next(struct matcher *m, size_t *at);

#endif
