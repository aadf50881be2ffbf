// SPDX-License-Identifier: MIT
#include <cairn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "strand-impl.h"

struct bits {
	struct grain_buf *out;
	uint64_t held;
	unsigned int count;
};

static void bits_add(struct bits *b, uint32_t value, unsigned int count)
{
	b->held = b->held << count | value;
	for (b->count += count; b->count >= 8; b->count -= 8)
		grain_buf_addc(b->out, (char)(b->held >> (b->count - 8)));
}

struct codes {
	unsigned char lengths[SYMBOLS + DISTANCES];
	uint16_t words[SYMBOLS + DISTANCES];
};

static unsigned int length_symbol(struct bucket bucket)
{
	return LITERALS + bucket.number;
}

static void codes_init(struct codes *c, const struct token *tokens, size_t count)
{
	uint32_t frequency[SYMBOLS + DISTANCES] = {0};

	for (const struct token *t = tokens; t < tokens + count; t++) {
		if (t->length == 0) {
			frequency[t->value]++;
			continue;
		}
		frequency[length_symbol(bucket_of_value(t->length - MATCH_MIN))]++;
		frequency[SYMBOLS + bucket_of_value(t->value - 1).number]++;
	}
	code_lengths(frequency, SYMBOLS, c->lengths);
	code_lengths(frequency + SYMBOLS, DISTANCES, c->lengths + SYMBOLS);
	code_words(c->lengths, SYMBOLS, c->words);
	code_words(c->lengths + SYMBOLS, DISTANCES, c->words + SYMBOLS);
}

static void add_symbol(struct bits *b, const struct codes *c, unsigned int symbol)
{
	bits_add(b, c->words[symbol], c->lengths[symbol]);
}

static void add_tokens(
	struct grain_buf *out, const struct codes *c, const struct token *tokens, size_t count)
{
	struct bits bits = {.out = out};

	for (const struct token *t = tokens; t < tokens + count; t++) {
		struct bucket length, distance;

		if (t->length == 0) {
			add_symbol(&bits, c, t->value);
			continue;
		}
		length = bucket_of_value(t->length - MATCH_MIN);
		distance = bucket_of_value(t->value - 1);
		add_symbol(&bits, c, length_symbol(length));
		bits_add(&bits, t->length - MATCH_MIN - length.base, length.extra);
		add_symbol(&bits, c, SYMBOLS + distance.number);
		bits_add(&bits, t->value - 1 - distance.base, distance.extra);
	}
	if (bits.count > 0)
		bits_add(&bits, 0, 8 - bits.count);
}

static void add_block(struct grain_buf *out, const struct token *tokens, size_t count)
{
	struct grain_buf stream = GRAIN_BUF_INIT;
	struct codes codes;

	codes_init(&codes, tokens, count);
	add_tokens(&stream, &codes, tokens, count);
	grain_buf_addnum(out, count);
	grain_buf_addnum(out, stream.len);
	for (size_t i = 0; i < SYMBOLS + DISTANCES; i += 2)
		grain_buf_addc(out, (char)(codes.lengths[i] << 4 | codes.lengths[i + 1]));
	grain_buf_add(out, stream.data, stream.len);
	if (stream.error)
		out->error = stream.error;
	grain_buf_finish(&stream);
}

int strand_pack(const void *data, size_t len, int level, struct grain_buf *out)
{
	uint32_t crc = cairn_crc32c(CAIRN_CRC_START, data, len);
	struct matcher *matcher;
	struct token *tokens;

	if (level < STRAND_FASTEST || level > STRAND_SMALLEST)
		return -EINVAL;
	matcher = matcher_create(data, len, level);
	tokens = malloc(BLOCK_TOKENS * sizeof(*tokens));
	if (!matcher || !tokens)
		out->error = -ENOMEM;
	grain_buf_addstr(out, "STR1");
	grain_buf_addnum(out, len);
	for (int i = 0; i < 4; i++)
		grain_buf_addc(out, (char)(crc >> 8 * i));
	for (size_t at = 0; at < len && out->error == 0;) {
		size_t count = 0;

		while (at < len && count < BLOCK_TOKENS)
			tokens[count++] = matcher_next(matcher, &at);
		add_block(out, tokens, count);
	}
	free(tokens);
	matcher_destroy(matcher);
	return out->error;
}
