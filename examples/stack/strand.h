/* SPDX-License-Identifier: MIT */
#ifndef STRAND_H
#define STRAND_H

/*
 * strand: packs bytes by replacing what came before (LZ77, a window of 128 KiB) and coding the
 * rest by how often it comes (Huffman), with a CRC-32C of the original.
 */
#include <grain.h>

#define STRAND_FASTEST 1
#define STRAND_SMALLEST 9

/* Adds the packed form to out. 0; -EINVAL for another level; -ENOMEM. */
int strand_pack(const void *data, size_t len, int level, struct grain_buf *out);

/*
 * Adds the original to out. 0; -EBADMSG when it is damaged; -EFBIG when the original is longer
 * than limit; -ENOMEM. After a failure out holds what it held before.
 */
int strand_unpack(const void *data, size_t len, size_t limit, struct grain_buf *out);

#endif
