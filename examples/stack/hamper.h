/* SPDX-License-Identifier: MIT */
#ifndef HAMPER_H
#define HAMPER_H

/*
 * hamper: many files in one, packed by strand, with a SHA-256 of each and one of the whole.
 *
 * Functions return 0 or a negative errno; with a failure comes a sentence in err.
 */
#include <stdint.h>

#include <cairn.h>
#include <grain.h>

#define HAMPER_FILE_MAX ((size_t)1 << 30)

/* An archive that is being packed. */
struct hamper_packer {
	struct grain_buf entries;
	struct grain_map *names;
	size_t count;
	int level;
};

int hamper_packer_init(struct hamper_packer *p, int level, struct grain_buf *err);

/* Names are relative paths without "." and "..", each once. */
int hamper_packer_add(struct hamper_packer *p, const char *name, unsigned int mode,
	const void *data, size_t len, struct grain_buf *err);
int hamper_packer_write(struct hamper_packer *p, const char *path, struct grain_buf *err);
void hamper_packer_finish(struct hamper_packer *p);

/* An archive that is read. */
struct hamper_entry {
	char *name;
	unsigned int mode; /* permission bits only */
	uint64_t size;
	uint64_t stored;
	unsigned char sha256[CAIRN_SHA256_SIZE];
	const char *packed; /* within the archive's bytes */
};

struct hamper {
	struct grain_buf bytes;
	struct hamper_entry *entries;
	size_t count;
};

/* Reads all of it and checks the sum of the whole. */
int hamper_open(const char *path, struct hamper *ret_hamper, struct grain_buf *err);
void hamper_close(struct hamper *h);

/* Adds the file's bytes to out and checks their sum. */
int hamper_read(const struct hamper_entry *e, struct grain_buf *out, struct grain_buf *err);

#endif
