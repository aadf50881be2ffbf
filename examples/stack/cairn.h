/* SPDX-License-Identifier: MIT */
#ifndef CAIRN_H
#define CAIRN_H

/*
 * cairn: the checksums CRC-32, CRC-32C, Adler-32 and SHA-256.
 *
 * The three short ones go on from the value that the bytes before gave; start with
 * CAIRN_CRC_START or CAIRN_ADLER_START.
 */
#include <stddef.h>
#include <stdint.h>

#define CAIRN_CRC_START UINT32_C(0)
#define CAIRN_ADLER_START UINT32_C(1)
#define CAIRN_SHA256_SIZE 32

uint32_t cairn_crc32(uint32_t crc, const void *data, size_t len);
uint32_t cairn_crc32c(uint32_t crc, const void *data, size_t len);
uint32_t cairn_adler32(uint32_t adler, const void *data, size_t len);

struct cairn_sha256 {
	uint32_t state[8];
	uint64_t len; /* bytes so far */
	unsigned char block[64];
};

void cairn_sha256_init(struct cairn_sha256 *s);
void cairn_sha256_add(struct cairn_sha256 *s, const void *data, size_t len);
void cairn_sha256_finish(struct cairn_sha256 *s, unsigned char ret_digest[CAIRN_SHA256_SIZE]);

/* The three of them in one call. */
void cairn_sha256(const void *data, size_t len, unsigned char ret_digest[CAIRN_SHA256_SIZE]);

/* Writes 2 * len lower-case digits and a NUL. */
void cairn_hex(const void *data, size_t len, char *ret_text);

#endif
