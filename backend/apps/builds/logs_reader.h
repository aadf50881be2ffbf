/* SPDX-License-Identifier: MIT
 *
 * What the readings of a log share (logs_read.c): its bytes, a turn's share at a time, and the line index. A log may still grow: its
 * size is taken once and nothing beyond is looked at. Nobody but the logs_*.c files includes this.
 */
#ifndef REQPM_LOGS_READER_H
#define REQPM_LOGS_READER_H

#include "apps/builds/logs.h"

struct reader {
	int fd;
	int64_t size; /* bytes that are looked at */
	int64_t at; /* file offset of buf[0] */
	size_t len; /* bytes in buf */
	char *buf; /* LOG_READ_BUFFER, of this turn */
	int64_t turn; /* bytes read in this turn */
};
int reader_open(struct reader *r, const char *path);
void reader_close(struct reader *r);
/* A turn begins, with nothing in its buffer yet. */
void reader_begin_turn(struct reader *r, char *buf);
/* Fills buf with what is at offset; len 0: the end. */
int reader_fill(struct reader *r, int64_t offset);
/* The same; 1: this turn has read its LOG_READ_TURN bytes. */
int reader_next(struct reader *r, int64_t offset);

/* Entry k is where line (k + 1) * LOG_INDEX_EVERY + 1 begins. It may lack its end, never more. */
struct line_index {
	int64_t *offsets; /* malloc'ed */
	size_t count;
};
void index_read(struct line_index *index, const char *path, int64_t size);

struct walk {
	int64_t at; /* how far it has come */
	int64_t line, start; /* the line there: its 0-based number, where it begins */
};
/* From the last indexed line at or before offset. */
struct walk walk_from(const struct line_index *index, int64_t offset);
/* Towards `to`. 1: the turn is over and it is not there yet. */
int walk_step(struct reader *r, struct walk *w, int64_t to);

struct json_writer;
/* One line without its newline; len may be less than the line's whole length. */
void put_line(struct json_writer *w, const char *key, const char *data, size_t len, int64_t whole);

#endif
