// SPDX-License-Identifier: MIT
#include <cairn.h>
#include <errno.h>
#include <string.h>

#include "strand-impl.h"

struct bits {
	const unsigned char *at, *end;
	uint64_t held;
	unsigned int count;
	unsigned int lent; /* zero bits given beyond the end */
};

static uint32_t bits_peek(struct bits *b, unsigned int count)
{
	while (b->count < count) {
		b->held = b->held << 8 | (b->at < b->end ? *b->at : 0);
		b->lent += b->at < b->end ? 0 : 8;
		b->at += b->at < b->end;
		b->count += 8;
	}
	return (uint32_t)(b->held >> (b->count - count)) & ((1u << count) - 1);
}

static uint32_t bits_take(struct bits *b, unsigned int count)
{
	uint32_t value = bits_peek(b, count);

	b->count -= count;
	return value;
}

static int next_symbol(struct bits *b, const struct decoder *d)
{
	uint32_t word = bits_peek(b, CODE_MAX);

	for (unsigned int length = 1; length <= CODE_MAX; length++) {
		if (word >= d->limit[length])
			continue;
		b->count -= length;
		return d->symbols[d->offset[length] +
				  ((word - d->first[length]) >> (CODE_MAX - length))];
	}
	return -EBADMSG;
}

static uint32_t next_value(struct bits *b, unsigned int number)
{
	struct bucket bucket = bucket_of_number(number);

	return bucket.base + bits_take(b, bucket.extra);
}

struct unpacking {
	struct grain_buf *out;
	size_t start, end; /* where the original begins and ends in out */
	struct decoder symbols, distances;
};

static int copy_match(struct unpacking *u, struct bits *bits, unsigned int bucket)
{
	size_t length = MATCH_MIN + next_value(bits, bucket), distance;
	int number = next_symbol(bits, &u->distances);

	if (number < 0)
		return number;
	distance = 1 + next_value(bits, (unsigned int)number);
	if (distance > u->out->len - u->start || length > u->end - u->out->len)
		return -EBADMSG;
	for (; length > 0; length--)
		grain_buf_addc(u->out, u->out->data[u->out->len - distance]);
	return u->out->error;
}

static int read_tokens(struct unpacking *u, struct bits *bits, uint64_t count)
{
	for (; count > 0; count--) {
		int symbol = next_symbol(bits, &u->symbols), r = 0;

		if (symbol < 0 || u->out->len == u->end)
			return -EBADMSG;
		if (symbol < LITERALS)
			grain_buf_addc(u->out, (char)symbol);
		else
			r = copy_match(u, bits, (unsigned int)symbol - LITERALS);
		if (r < 0)
			return r;
	}
	/* The rest of the last byte is all that may be left over. */
	return bits->at == bits->end && bits->lent <= bits->count && bits->count - bits->lent < 8
		       ? u->out->error
		       : -EBADMSG;
}

static int read_block(struct unpacking *u, const char **at, const char *end)
{
	unsigned char lengths[SYMBOLS + DISTANCES];
	struct bits bits = {0};
	uint64_t count, bytes;

	if (grain_num_read(at, end, &count) < 0 || grain_num_read(at, end, &bytes) < 0 ||
		count == 0 || end - *at < LENGTH_BYTES ||
		bytes > (uint64_t)(end - *at - LENGTH_BYTES))
		return -EBADMSG;
	for (size_t i = 0; i < SYMBOLS + DISTANCES; i += 2) {
		lengths[i] = (unsigned char)**at >> 4;
		lengths[i + 1] = (unsigned char)*(*at)++ & 15;
	}
	if (decoder_init(&u->symbols, lengths, SYMBOLS) < 0 ||
		decoder_init(&u->distances, lengths + SYMBOLS, DISTANCES) < 0)
		return -EBADMSG;
	bits.at = (const unsigned char *)*at;
	bits.end = bits.at + bytes;
	*at += bytes;
	return read_tokens(u, &bits, count);
}

static int read_blocks(struct unpacking *u, const char *at, const char *end, uint32_t crc)
{
	while (u->out->len < u->end) {
		int r = read_block(u, &at, end);

		if (r < 0)
			return r;
	}
	if (at != end || cairn_crc32c(CAIRN_CRC_START, grain_buf_text(u->out) + u->start,
				 u->end - u->start) != crc)
		return -EBADMSG;
	return 0;
}

int strand_unpack(const void *data, size_t len, size_t limit, struct grain_buf *out)
{
	const char *at = data, *end = at + len;
	struct unpacking u = {.out = out, .start = out->len};
	uint64_t original;
	uint32_t crc = 0;
	int r;

	if (len < 4 || memcmp(at, "STR1", 4) != 0)
		return -EBADMSG;
	at += 4;
	if (grain_num_read(&at, end, &original) < 0 || end - at < 4)
		return -EBADMSG;
	if (original > limit || original > SIZE_MAX / 4)
		return -EFBIG;
	for (int i = 0; i < 4; i++)
		crc |= (uint32_t)(unsigned char)*at++ << 8 * i;
	u.end = u.start + (size_t)original;
	r = read_blocks(&u, at, end, crc);
	if (r < 0)
		out->len = u.start;
	return r;
}
