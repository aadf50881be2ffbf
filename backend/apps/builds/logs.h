/* SPDX-License-Identifier: MIT
 *
 * Build logs are files, DATA/builds/<job>/logs/<package>.log, appended as they come; beside each a sparse line index (.idx: the byte
 * offset of every LOG_INDEX_EVERY-th line, 8 bytes each, native order). An attempt that is tried again appends to the same file,
 * so that offsets only grow and nothing is lost.
 *
 * Writing and following are on the loop with the files' work in libuv's pool, one operation per file in flight. The reading
 * functions block: for pool and store threads.
 */
#ifndef REQPM_LOGS_H
#define REQPM_LOGS_H

#include "apps/builds/app.h"

#define LOG_INDEX_EVERY 1024
#define LOG_SIZE_MAX                                                                               \
	(1LL << 30) /* bytes of one item's log unless --max-log says otherwise; at more it fails */
#define LOG_DISK_RESERVE                                                                           \
	(64LL << 20) /* where less is free, or less than --disk-floor, nothing is logged any more */
#define LOG_BUFFER_MAX                                                                             \
	(256 << 10) /* bytes that wait to be written; then the build's output is paused */
#define LOG_WINDOW_LINES_MAX 5000
#define LOG_LINE_SHOWN_MAX 16384 /* bytes of one line in JSON; the rest is cut and said to be */
#define LOG_SEARCH_MATCHES_MAX 1000 /* then `truncated` */
#define LOG_ANSWER_MAX                                                                             \
	(4 << 20) /* bytes of JSON after which a window has fewer lines, a search is `truncated` */
#define LOG_READ_TURN                                                                              \
	(8 << 20) /* bytes of a log that one read goes through before others get their turn */
#define LOG_READ_BUFFER (256 << 10) /* bytes; a turn has one */
#define LOG_READS_MAX                                                                              \
	2 /* such reads at once: they leave half of libuv's pool to uploads and downloads */
#define LOG_READS_KEPT_MAX                                                                         \
	8 /* reads that keep a file and LOG_ANSWER_MAX from turn to turn; what others had is dropped */
#define LOG_CHUNK_MAX 65536 /* bytes of one `log` message */
#define LOG_TAIL_START 65536 /* where a viewer without an offset begins */

struct logs *logs_create(struct loop *loop, int64_t size_max, int64_t disk_reserve);
void logs_destroy(struct logs *l);

/* ---- writing: one writer per item */
struct log_writer;
struct log_totals {
	int64_t size, lines;
	char sha256[SHA256_HEX_MAX];
	char *tail; /* the last LOG_TAIL_MAX bytes, made harmless; freed by the writer's end */
	int error; /* as log_writer_on_broken(); what is there is intact up to size */
};
/* Opens for appending, reading what an earlier attempt left (for digest and line count). ready(arg, status) on the loop. */
typedef void log_ready_fn(void *arg, int status);
struct log_writer *log_writer_open(
	struct logs *l, int64_t item_id, const char *path, log_ready_fn *ready, void *arg);
/* Never fails at once; false: full, pause the source until `drained`. */
bool log_writer_add(struct log_writer *w, const char *data, size_t len);
void log_writer_on_drained(struct log_writer *w, loop_fn *drained, void *arg);
/* Once, when nothing more is written: -EFBIG: size_max is reached; -ENOSPC: also when no more than disk_reserve is left; or what
 * else the disk said. What is added from then on is dropped. */
void log_writer_on_broken(struct log_writer *w, log_ready_fn *broken, void *arg);
int64_t log_writer_size(const struct log_writer *w); /* written so far */
int64_t log_writer_lines(const struct log_writer *w); /* whole lines so far */
/* Flushes and syncs, then done(arg, totals); the writer is freed after it returns. */
void log_writer_close(
	struct log_writer *w, void (*done)(void *arg, const struct log_totals *totals), void *arg);

/* ---- following: told when an item's log grew (same process) */
struct log_follower {
	struct list link;
	int64_t item_id;
	void (*grew)(struct log_follower *f, int64_t size); /* loop; at most once a turn */
	void (*ended)(struct log_follower *f);
	void (*going_away)(struct log_follower *f); /* the server restarts */
};
/* The item's end was committed: tells its followers, who read its row. */
void log_ended(struct logs *l, int64_t item_id);
void log_follow(struct logs *l, struct log_follower *f);
void log_unfollow(struct log_follower *f);
/* Tells every follower that the server goes away. */
void logs_drain(struct logs *l);

/* A piece of a log as UTF-8 text that no terminal can be driven by (see json_log_text()); the caller frees it. Any thread. */
char *log_plain_text(const char *data, size_t len);

/* ---- reading (blocking) */
/* Lines [from_line, from_line + limit) as JSON {"from_line","lines":[…],"total_lines","size","final"}. -ENOENT: no log yet. */
struct log_window;
int log_window_open(const char *path, int64_t from_line, int64_t limit, struct strbuf *out,
	struct log_window **ret_window);
/* Looks through LOG_READ_TURN bytes more, with a buffer that nothing is kept in. 1: there are more; 0: out is whole; or negative. */
int log_window_step(struct log_window *win, char *buf, bool final);
void log_window_close(struct log_window *win);
/* Whole-log search, plain text, ASCII case ignored: {"q","matches":[{"line","text"}],"truncated"}. -ENOENT: no log yet. */
struct log_search;
int log_search_open(
	const char *path, const char *query, struct strbuf *out, struct log_search **ret_search);
/* As log_window_step(). */
int log_search_step(struct log_search *s, char *buf);
void log_search_close(struct log_search *s);
/* Where a viewer begins. From an offset: there, or at the end when that comes before. From LOG_TAIL: at the first line that starts
 * in the last LOG_TAIL_START bytes, else in the midst of the one line there is. -ENOENT: no log yet. */
#define LOG_TAIL (-1)
struct log_place;
int log_place_open(const char *path, int64_t offset, struct log_place **ret_place);
/* As log_window_step(). 1: not there yet; 0: that is the place, and the 1-based line that it is in; or negative. */
int log_place_step(struct log_place *p, char *buf, int64_t *ret_offset, int64_t *ret_line);
void log_place_close(struct log_place *p);

/* ---- reads that somebody waits for (log_reads.c). A log may be huge: these reads are made in libuv's pool, which uploads, downloads
 * and the logs of running builds share, LOG_READS_MAX at once. The others wait for their turn, and who has had one stands in
 * line again. Of those that need more than one, LOG_READS_KEPT_MAX are gone on with; a further one has had its turn, too, so that none
 * that is short waits for those, but forgets what it found and begins anew when one of them is over. The caller's memory, until
 * done(). */
struct log_read {
	struct app *app;
	/* Pool: 1: there is more to do; else the outcome. buf: LOG_READ_BUFFER bytes, until it returns. */
	int (*step)(struct log_read *r, char *buf);
	void (*forget)(struct log_read *r); /* pool, after a step: frees all that it holds */
	bool (*given_up)(struct log_read *r); /* loop, while it waits: nobody else does any more */
	void (*done)(struct log_read *r, int outcome); /* loop; -ECANCELED: given up */
	struct list link; /* these are the queue's */
	uv_work_t work;
	int outcome;
	bool kept; /* one of the LOG_READS_KEPT_MAX */
};
void log_reads_init(struct log_reads *q);
void log_read_start(struct log_read *r); /* done() may come from inside */

/* "<log>.idx" */
void log_index_path(struct strbuf *out, const char *path);
/* DATA/builds/<job>/logs/<package>.log */
void log_path(struct strbuf *out, const struct app *app, int64_t job_id, const char *package);

#endif
