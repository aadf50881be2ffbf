// SPDX-License-Identifier: MIT
#include "cairn.h"

enum {
	MODULUS = 65521,
	ROUND = 5552, /* so many bytes of 255 cannot carry the second sum past 32 bits */
};

uint32_t cairn_adler32(uint32_t adler, const void *data, size_t len)
{
	const unsigned char *p = data;
	uint32_t first = adler & 0xffff, second = adler >> 16;

	while (len > 0) {
		size_t round = len < ROUND ? len : ROUND;

		len -= round;
		for (; round > 0; round--) {
			first += *p++;
			second += first;
		}
		first %= MODULUS;
		second %= MODULUS;
	}
	return second << 16 | first;
}
