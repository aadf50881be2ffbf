// SPDX-License-Identifier: MIT
#include "cairn.h"
#include "plumb.h"

static unsigned char bytes[4096 + 8];

static void fill_bytes(void)
{
	uint64_t state = 3;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)plumb_random(&state);
}

/* One bit at a time, straight from the definition. */
static uint32_t plain_crc_byte(uint32_t polynomial, uint32_t crc, unsigned char byte)
{
	crc = ~crc ^ byte;
	for (int bit = 0; bit < 8; bit++)
		crc = crc >> 1 ^ (crc & 1) * polynomial;
	return ~crc;
}

static uint32_t plain_adler_byte(uint32_t adler, unsigned char byte)
{
	uint32_t first = ((adler & 0xffff) + byte) % 65521;

	return ((adler >> 16) + first) % 65521 << 16 | first;
}

static void short_sums_have_their_check_values(void)
{
	plumb_check(cairn_crc32(CAIRN_CRC_START, "123456789", 9) == 0xcbf43926);
	plumb_check(cairn_crc32c(CAIRN_CRC_START, "123456789", 9) == 0xe3069283);
	plumb_check(cairn_adler32(CAIRN_ADLER_START, "Wikipedia", 9) == 0x11e60398);
	plumb_check(cairn_crc32(CAIRN_CRC_START, "", 0) == 0);
	plumb_check(cairn_adler32(CAIRN_ADLER_START, "", 0) == 1);
}

static void short_sums_agree_with_their_definition(void)
{
	fill_bytes();
	for (size_t start = 0; start < 8; start++) {
		uint32_t crc = CAIRN_CRC_START, crcc = CAIRN_CRC_START, adler = CAIRN_ADLER_START;

		for (size_t len = 0; len <= 4096; len++) {
			plumb_check(cairn_crc32(CAIRN_CRC_START, bytes + start, len) == crc);
			plumb_check(cairn_crc32c(CAIRN_CRC_START, bytes + start, len) == crcc);
			plumb_check(cairn_adler32(CAIRN_ADLER_START, bytes + start, len) == adler);
			crc = plain_crc_byte(0xedb88320, crc, bytes[start + len % 4096]);
			crcc = plain_crc_byte(0x82f63b78, crcc, bytes[start + len % 4096]);
			adler = plain_adler_byte(adler, bytes[start + len % 4096]);
		}
		plumb_progress(start + 1, 8, "alignments");
	}
}

static void sums_go_on_where_they_stopped(void)
{
	uint32_t whole = cairn_crc32(CAIRN_CRC_START, bytes, 4096);
	uint32_t adler = cairn_adler32(CAIRN_ADLER_START, bytes, 4096);
	unsigned char digest[32], expected[32];
	struct cairn_sha256 s;

	cairn_sha256(bytes, 4096, expected);
	for (size_t cut = 0; cut <= 4096; cut++) {
		uint32_t crc = cairn_crc32(CAIRN_CRC_START, bytes, cut);
		uint32_t part = cairn_adler32(CAIRN_ADLER_START, bytes, cut);

		plumb_check(cairn_crc32(crc, bytes + cut, 4096 - cut) == whole);
		plumb_check(cairn_adler32(part, bytes + cut, 4096 - cut) == adler);
		cairn_sha256_init(&s);
		cairn_sha256_add(&s, bytes, cut);
		cairn_sha256_add(&s, bytes + cut, 4096 - cut);
		cairn_sha256_finish(&s, digest);
		plumb_check(memcmp(digest, expected, 32) == 0);
	}
}

static void every_flipped_bit_is_seen(void)
{
	uint32_t crc = cairn_crc32(CAIRN_CRC_START, bytes, 4096);
	uint32_t crcc = cairn_crc32c(CAIRN_CRC_START, bytes, 4096);

	for (size_t bit = 0; bit < 4096 * 8; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		plumb_check(cairn_crc32(CAIRN_CRC_START, bytes, 4096) != crc);
		plumb_check(cairn_crc32c(CAIRN_CRC_START, bytes, 4096) != crcc);
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		plumb_progress(bit + 1, 4096 * 8, "bits");
	}
}

static void check_sha256(const char *text, const char *expected)
{
	unsigned char digest[CAIRN_SHA256_SIZE];
	char hex[2 * CAIRN_SHA256_SIZE + 1];

	cairn_sha256(text, strlen(text), digest);
	cairn_hex(digest, sizeof(digest), hex);
	plumb_check_text(hex, expected);
}

static void sha256_has_its_published_values(void)
{
	check_sha256("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check_sha256("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	check_sha256("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
		     "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
		"cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

static void check_repeated(const char *text, uint64_t times, const char *expected)
{
	unsigned char digest[CAIRN_SHA256_SIZE];
	char hex[2 * CAIRN_SHA256_SIZE + 1];
	struct cairn_sha256 s;

	cairn_sha256_init(&s);
	for (uint64_t i = 0; i < times; i++) {
		cairn_sha256_add(&s, text, strlen(text));
		plumb_progress(i + 1, times, "rounds");
	}
	cairn_sha256_finish(&s, digest);
	cairn_hex(digest, sizeof(digest), hex);
	plumb_check_text(hex, expected);
}

static void million_letters_have_their_published_value(void)
{
	check_repeated("aaaaaaaaaa", 100000,
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void gibibyte_has_its_published_value(void)
{
	check_repeated("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno", 16777216,
		"50e72a0e26442fe2552dc3938ac58658228c0cbfb1d2ca872ae435266fcd055e");
}

static const struct plumb_case cases[] = {
	{"CRC-32, CRC-32C and Adler-32 have their check values",
		short_sums_have_their_check_values},
	{"they agree with their definition at all lengths", short_sums_agree_with_their_definition},
	{"sums go on where they stopped", sums_go_on_where_they_stopped},
	{"every flipped bit of 4096 bytes is seen", every_flipped_bit_is_seen},
	{"SHA-256 has its published values", sha256_has_its_published_values},
	{"a million letters have their published value",
		million_letters_have_their_published_value},
	{"a gibibyte has its published value", gibibyte_has_its_published_value},
};

PLUMB_MAIN("libcairn", cases)
