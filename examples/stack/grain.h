/* SPDX-License-Identifier: MIT */
#ifndef GRAIN_H
#define GRAIN_H

/*
 * grain: growable byte buffers, numbers of variable length, a map from strings, whole files.
 *
 * Functions that can fail return 0 or a negative errno.
 */
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes that grow at the end. `data` is followed by a NUL once it is not NULL. The first failure
 * (-ENOMEM) stays in `error` and later adds do nothing, so one look at the end is enough.
 */
struct grain_buf {
	char *data;
	size_t len;
	size_t capacity;
	int error;
};

#define GRAIN_BUF_INIT                                                                             \
	{                                                                                          \
		NULL, 0, 0, 0                                                                      \
	}

void grain_buf_add(struct grain_buf *b, const void *data, size_t len);
void grain_buf_addstr(struct grain_buf *b, const char *text);
void grain_buf_addc(struct grain_buf *b, char c);
void grain_buf_addf(struct grain_buf *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* 1 to 10 bytes, low seven bits first. */
void grain_buf_addnum(struct grain_buf *b, uint64_t value);

/* Never NULL. */
const char *grain_buf_text(const struct grain_buf *b);

void grain_buf_reset(struct grain_buf *b); /* empties it, keeps the memory */
void grain_buf_finish(struct grain_buf *b);

/* Moves *at past the number. -EBADMSG when it is cut off, too long or longer than needed. */
int grain_num_read(const char **at, const char *end, uint64_t *ret_value);

/* Adds the whole file; a path of "-" is standard input. */
int grain_file_read(const char *path, struct grain_buf *b);

/* Replaces the file in one step: whoever opens it sees the old bytes or the new ones. */
int grain_file_write(const char *path, const void *data, size_t len, unsigned int mode);

/* Keys are copied; values are the caller's and never NULL. */
struct grain_map;

struct grain_map *grain_map_create(void);
void grain_map_destroy(struct grain_map *m);
int grain_map_set(struct grain_map *m, const char *key, void *value);
void *grain_map_get(const struct grain_map *m, const char *key); /* NULL: there is none */
void *grain_map_remove(struct grain_map *m, const char *key); /* what it held, or NULL */
size_t grain_map_count(const struct grain_map *m);

#endif
