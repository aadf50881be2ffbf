// SPDX-License-Identifier: MIT
/* SHA-256 as FIPS 180-4 describes it. */
#include <string.h>

#include "cairn.h"

static const uint32_t round_constants[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
	0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
	0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152,
	0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e,
	0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624,
	0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3,
	0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotate(uint32_t value, int bits)
{
	return value >> bits | value << (32 - bits);
}

static void schedule(const unsigned char block[64], uint32_t words[64])
{
	for (int i = 0; i < 16; i++)
		words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
			   (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (int i = 16; i < 64; i++) {
		uint32_t early = words[i - 15], late = words[i - 2];

		words[i] = words[i - 16] + words[i - 7] +
			   (rotate(early, 7) ^ rotate(early, 18) ^ early >> 3) +
			   (rotate(late, 17) ^ rotate(late, 19) ^ late >> 10);
	}
}

static void add_block(uint32_t state[8], const unsigned char block[64])
{
	uint32_t words[64], a = state[0], b = state[1], c = state[2], d = state[3];
	uint32_t e = state[4], f = state[5], g = state[6], h = state[7];

	schedule(block, words);
	for (int i = 0; i < 64; i++) {
		uint32_t one = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
			       ((e & f) ^ (~e & g)) + round_constants[i] + words[i];
		uint32_t two = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
			       ((a & b) ^ (a & c) ^ (b & c));

		h = g;
		g = f;
		f = e;
		e = d + one;
		d = c;
		c = b;
		b = a;
		a = one + two;
	}
	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
	state[5] += f;
	state[6] += g;
	state[7] += h;
}

void cairn_sha256_init(struct cairn_sha256 *s)
{
	static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

	memcpy(s->state, start, sizeof(start));
	s->len = 0;
}

void cairn_sha256_add(struct cairn_sha256 *s, const void *data, size_t len)
{
	const unsigned char *p = data;
	size_t held = s->len % 64;

	s->len += len;
	if (held > 0) {
		size_t take = len < 64 - held ? len : 64 - held;

		memcpy(s->block + held, p, take);
		if (held + take < 64)
			return;
		add_block(s->state, s->block);
		p += take;
		len -= take;
	}
	for (; len >= 64; len -= 64, p += 64)
		add_block(s->state, p);
	if (len > 0)
		memcpy(s->block, p, len);
}

void cairn_sha256_finish(struct cairn_sha256 *s, unsigned char ret_digest[CAIRN_SHA256_SIZE])
{
	static const unsigned char padding[64] = {0x80};
	unsigned char bits[8];
	uint64_t len = s->len;

	for (int i = 0; i < 8; i++)
		bits[i] = (unsigned char)(len * 8 >> (56 - 8 * i));
	cairn_sha256_add(s, padding, (119 - len % 64) % 64 + 1);
	cairn_sha256_add(s, bits, sizeof(bits));
	for (int i = 0; i < CAIRN_SHA256_SIZE; i++)
		ret_digest[i] = (unsigned char)(s->state[i / 4] >> (24 - 8 * (i % 4)));
}

void cairn_sha256(const void *data, size_t len, unsigned char ret_digest[CAIRN_SHA256_SIZE])
{
	struct cairn_sha256 s;

	cairn_sha256_init(&s);
	cairn_sha256_add(&s, data, len);
	cairn_sha256_finish(&s, ret_digest);
}

void cairn_hex(const void *data, size_t len, char *ret_text)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++) {
		*ret_text++ = "0123456789abcdef"[p[i] >> 4];
		*ret_text++ = "0123456789abcdef"[p[i] & 15];
	}
	*ret_text = '\0';
}
