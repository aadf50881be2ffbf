// SPDX-License-Identifier: MIT
#include "core/base/base.h"

#include <limits.h>
#include <openssl/rand.h>

void random_bytes(void *buf, size_t len)
{
	if (len > INT_MAX || RAND_bytes(buf, (int)len) != 1)
		BUG("libcrypto gives no %zu random bytes", len);
}

void random_hex(char *buf, size_t bytes)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t *raw = (uint8_t *)buf + bytes; /* the second half, which is written to last */

	random_bytes(raw, bytes);
	for (size_t i = 0; i < bytes; i++) {
		uint8_t byte = raw[i];

		buf[2 * i] = digits[byte >> 4];
		buf[2 * i + 1] = digits[byte & 15];
	}
	buf[2 * bytes] = '\0';
}

uint64_t random_u64(void)
{
	uint64_t value;

	random_bytes(&value, sizeof(value));
	return value;
}
