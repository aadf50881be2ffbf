// SPDX-License-Identifier: MIT
/*
 * Runs while the library is built and prints its tables: tables[n][byte] is what the byte does to
 * the checksum when n more bytes follow it, so that eight bytes are taken in one step.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

static void print_tables(const char *name, uint32_t polynomial)
{
	static uint32_t tables[8][256];

	for (uint32_t byte = 0; byte < 256; byte++) {
		tables[0][byte] = byte;
		for (int bit = 0; bit < 8; bit++)
			tables[0][byte] = tables[0][byte] >> 1 ^ (tables[0][byte] & 1) * polynomial;
	}
	for (int n = 1; n < 8; n++)
		for (uint32_t byte = 0; byte < 256; byte++)
			tables[n][byte] =
				tables[n - 1][byte] >> 8 ^ tables[0][tables[n - 1][byte] & 0xff];

	printf("static const uint32_t %s[8][256] = {\n", name);
	for (int n = 0; n < 8; n++) {
		printf("\t{");
		for (uint32_t byte = 0; byte < 256; byte++)
			printf("%s0x%08" PRIx32 ",", byte % 8 ? " " : "\n\t\t", tables[n][byte]);
		printf("\n\t},\n");
	}
	printf("};\n");
}

int main(void)
{
	printf("#include <stdint.h>\n\n");
	print_tables("crc32_tables", UINT32_C(0xedb88320));
	print_tables("crc32c_tables", UINT32_C(0x82f63b78));
	return 0;
}
