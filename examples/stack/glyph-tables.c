// SPDX-License-Identifier: MIT
/*
 * Runs while the library is built and prints its tables from what the C library knows of Unicode:
 * blocks of 128 code points, each distinct block once, each code point an index into the distinct
 * properties.
 */
#include <inttypes.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

enum {
	POINTS = 0x110000,
	BLOCK = 128,
	BLOCKS = POINTS / BLOCK,
	PROPERTIES = 4096,
};

struct property {
	int width;
	int32_t upper, lower; /* what to add */
};

static struct property properties[PROPERTIES];
static size_t property_count;
static uint16_t blocks[BLOCKS][BLOCK];
static size_t block_count;
static uint16_t block_of[BLOCKS];

static uint16_t property_index(struct property p)
{
	size_t i = 0;

	while (i < property_count &&
		(properties[i].width != p.width || properties[i].upper != p.upper ||
			properties[i].lower != p.lower))
		i++;
	if (i == property_count && i < PROPERTIES)
		properties[property_count++] = p;
	return (uint16_t)i;
}

static void read_block(uint32_t number)
{
	uint16_t *block = blocks[block_count];
	size_t same = 0;

	for (uint32_t i = 0; i < BLOCK; i++) {
		wint_t point = (wint_t)(number * BLOCK + i);

		block[i] = property_index((struct property){.width = wcwidth((wchar_t)point),
			.upper = (int32_t)(towupper(point) - point),
			.lower = (int32_t)(towlower(point) - point)});
	}
	while (memcmp(blocks[same], block, sizeof(blocks[0])) != 0)
		same++;
	block_of[number] = (uint16_t)same;
	block_count += same == block_count;
}

static void print_numbers(const char *name, const uint16_t *numbers, size_t count)
{
	printf("static const uint16_t %s[] = {", name);
	for (size_t i = 0; i < count; i++)
		printf("%s%d,", i % 16 ? " " : "\n\t", numbers[i]);
	printf("\n};\n");
}

int main(void)
{
	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		fprintf(stderr, "glyph-tables: there is no locale C.UTF-8\n");
		return 1;
	}
	for (uint32_t number = 0; number < BLOCKS; number++)
		read_block(number);
	if (property_count == PROPERTIES) {
		fprintf(stderr, "glyph-tables: more than %d properties\n", PROPERTIES);
		return 1;
	}
	print_numbers("block_of", block_of, BLOCKS);
	print_numbers("property_of", blocks[0], block_count * BLOCK);
	printf("static const struct property properties[] = {\n");
	for (size_t i = 0; i < property_count; i++)
		printf("\t{%d, %" PRId32 ", %" PRId32 "},\n", properties[i].width,
			properties[i].upper, properties[i].lower);
	printf("};\n");
	fprintf(stderr, "glyph-tables: %zu properties, %zu blocks\n", property_count, block_count);
	return 0;
}
