// SPDX-License-Identifier: MIT
#include "cairn.h"
#include "cairn-tables.h"

static uint32_t crc_add(const uint32_t tables[8][256], uint32_t crc, const void *data, size_t len)
{
	const unsigned char *p = data;

	crc = ~crc;
	for (; len >= 8; len -= 8, p += 8)
		crc = tables[7][p[0] ^ (crc & 0xff)] ^ tables[6][p[1] ^ (crc >> 8 & 0xff)] ^
		      tables[5][p[2] ^ (crc >> 16 & 0xff)] ^ tables[4][p[3] ^ crc >> 24] ^
		      tables[3][p[4]] ^ tables[2][p[5]] ^ tables[1][p[6]] ^ tables[0][p[7]];
	for (; len > 0; len--)
		crc = crc >> 8 ^ tables[0][(crc ^ *p++) & 0xff];
	return ~crc;
}

uint32_t cairn_crc32(uint32_t crc, const void *data, size_t len)
{
	return crc_add(crc32_tables, crc, data, len);
}

uint32_t cairn_crc32c(uint32_t crc, const void *data, size_t len)
{
	return crc_add(crc32c_tables, crc, data, len);
}
