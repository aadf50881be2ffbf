// SPDX-License-Identifier: MIT
#include <errno.h>

#include "grain.h"

void grain_buf_addnum(struct grain_buf *b, uint64_t value)
{
	unsigned char bytes[10];
	size_t len = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[len++] = (unsigned char)(value | 0x80);
	bytes[len++] = (unsigned char)value;
	grain_buf_add(b, bytes, len);
}

int grain_num_read(const char **at, const char *end, uint64_t *ret_value)
{
	const char *p = *at;
	uint64_t value = 0;

	for (unsigned int shift = 0; p < end && shift < 70; shift += 7) {
		unsigned char byte = (unsigned char)*p++;

		if (shift == 63 && byte > 1)
			return -EBADMSG;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if (byte == 0 && shift > 0)
			return -EBADMSG;
		*at = p;
		*ret_value = value;
		return 0;
	}
	return -EBADMSG;
}
