/* SPDX-License-Identifier: MIT
 *
 * The small words that every folder speaks: memory that does not fail, strings that grow, errors
 * that are sentences, lists, maps, clocks. Nothing here knows of networks, databases or
 * packages.
 *
 * Functions return 0 or a negative errno code unless they say otherwise. A `struct strbuf *err`,
 * always the last parameter, receives one sentence for a human when the code is negative and is
 * untouched else.
 */
#ifndef REQPM_BASE_H
#define REQPM_BASE_H

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#define countof(array) (sizeof(array) / sizeof((array)[0]))
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN __attribute__((noreturn))

/* Whether this binary was made with -fsanitize=address or thread. */
#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) ||                               \
	__has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* A broken invariant of ours: says where and aborts. Never for what a peer or a build can cause. */
#define BUG(...) bug_at(__FILE__, __LINE__, __VA_ARGS__)
void bug_at(const char *file, int line, const char *fmt, ...) PRINTF(3, 4) NORETURN;

/* ---- memory (alloc.c): these die when memory is out. Sizes that a peer chooses are checked
 * first. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *ptr, size_t size);
char *xstrdup(const char *s); /* NULL stays NULL */
char *xstrndup(const char *s, size_t len);
char *xasprintf(const char *fmt, ...) PRINTF(1, 2);

/* ---- strings that grow (strbuf.c). buf is always NUL-terminated and never NULL after init. */
struct strbuf {
	char *buf;
	size_t len; /* bytes, without the NUL */
	size_t cap; /* bytes allocated, 0 while buf is the shared empty string */
};
extern char strbuf_empty[];
#define STRBUF_INIT                                                                                \
	{                                                                                          \
		.buf = strbuf_empty                                                                \
	}
void strbuf_init(struct strbuf *sb);
void strbuf_finish(struct strbuf *sb); /* frees, and leaves a usable empty one */
void strbuf_reset(struct strbuf *sb); /* len 0, memory kept */
void strbuf_grow(struct strbuf *sb, size_t extra);
void strbuf_add(struct strbuf *sb, const void *data, size_t len);
void strbuf_addstr(struct strbuf *sb, const char *s);
void strbuf_addch(struct strbuf *sb, char c);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) PRINTF(2, 3);
void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap) PRINTF(2, 0);
void strbuf_setlen(struct strbuf *sb, size_t len); /* only shortens */
void strbuf_remove(struct strbuf *sb, size_t pos, size_t len);
char *strbuf_detach(struct strbuf *sb, size_t *ret_len); /* caller frees; ret_len may be NULL */

/* ---- errors (err.c) */
/* Replaces *err (may be NULL) by the sentence and returns code, so: return err_set(err, -EINVAL,
 * "…"); */
int err_set(struct strbuf *err, int code, const char *fmt, ...) PRINTF(3, 4);

/* ---- intrusive lists (header only). A head is a struct list that links to itself when empty. */
struct list {
	struct list *prev, *next;
};
static inline void list_init(struct list *l)
{
	l->prev = l->next = l;
}
static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}
static inline void list_append(struct list *head, struct list *item)
{
	item->prev = head->prev;
	item->next = head;
	head->prev->next = item;
	head->prev = item;
}
/* Safe on an item that was initialised but is in no list, and twice. */
static inline void list_remove(struct list *item)
{
	item->prev->next = item->next;
	item->next->prev = item->prev;
	list_init(item);
}
#ifdef __clang_analyzer__
/* It does not see that list_remove() changes head->next through the item, and would call every second first one freed. */
struct list *list_next_unknown(const struct list *head);
#define list_first(head, type, member) container_of(list_next_unknown(head), type, member)
#else
#define list_first(head, type, member) container_of((head)->next, type, member)
#endif
#define list_for_each(item, head, member)                                                          \
	for (item = container_of((head)->next, __typeof__(*item), member);                         \
		&item->member != (head);                                                           \
		item = container_of(item->member.next, __typeof__(*item), member))
/* The body may remove and free item, nothing else. */
#define list_for_each_safe(item, tmp, head, member)                                                \
	for (item = container_of((head)->next, __typeof__(*item), member),                         \
	    tmp = container_of(item->member.next, __typeof__(*item), member);                      \
		&item->member != (head);                                                           \
		item = tmp, tmp = container_of(tmp->member.next, __typeof__(*item), member))

/* ---- maps from strings (hash.c): seeded per process, because the keys come from strangers. */
struct map_slot {
	char *key; /* owned; NULL: free slot */
	uint64_t hash;
	void *value; /* borrowed */
};
struct map {
	struct map_slot *slots;
	size_t count, cap;
};
void map_init(struct map *m);
void map_finish(struct map *m); /* frees keys, not values */
void *map_get(const struct map *m, const char *key);
void map_set(struct map *m, const char *key, void *value); /* value not NULL; replaces */
void *map_remove(struct map *m, const char *key); /* the value, or NULL */
/* Walks in no order. The map must not change meanwhile. */
#define map_for_each(slot, m)                                                                      \
	for (slot = (m)->slots; slot && slot < (m)->slots + (m)->cap; slot++)                      \
		if (slot->key)

/* ---- clocks (clock.c) */
int64_t clock_monotonic_ms(void); /* for leases, timers, durations */
int64_t clock_wall_ms(void); /* Unix time in ms: for people to read, never to decide by */
#define CLOCK_TEXT_MAX 32
/* RFC 3339 in UTC with milliseconds when they are not 0; returns buf. */
const char *clock_format(int64_t wall_ms, char buf[CLOCK_TEXT_MAX]);

/* ---- random and digests (random.c, digest.c); both end the process if libcrypto fails */
void random_bytes(void *buf, size_t len);
void random_hex(char *buf, size_t bytes); /* writes 2 * bytes characters and a NUL */
uint64_t random_u64(void);
#define SHA256_HEX_MAX 65
struct digest; /* SHA-256 */
struct digest *digest_create(void);
void digest_add(struct digest *d, const void *data, size_t len);
/* Of what was added so far; the digest goes on. */
void digest_hex(const struct digest *d, char buf[SHA256_HEX_MAX]);
void digest_destroy(struct digest *d);
void digest_sha1(const void *data, size_t len, uint8_t ret_hash[20]); /* RFC 6455 only */
size_t base64_encode(const void *data, size_t len, char *out); /* out: 4 * ceil(len / 3) + 1 */
bool constant_time_equal(const char *a, const char *b);

/* ---- files (files.c, tree.c): blocking, for start-up, store threads and pool threads; never on
 * the loop */
/* Appends a regular file to ret: pipes and devices are refused, and more than max bytes
 * (-EFBIG). */
int file_read(const char *path, size_t max, struct strbuf *ret, struct strbuf *err);
/* Writes a temporary beside path, fsyncs and renames: a reader sees the old file or the new one,
 * whole. The mode is exactly this one. */
int file_write_atomic(
	const char *path, const void *data, size_t len, mode_t mode, struct strbuf *err);
int dir_create(const char *path, mode_t mode, struct strbuf *err); /* with parents; exists: fine */
int dir_sync(const char *path); /* what was made in it, renamed or removed is on disk then */
/* Removes a file, or a tree of any depth without following links or leaving the file system
 * (-EXDEV); gone already: fine. Makes folders that nobody may enter enterable first. What cannot
 * be removed does not keep the rest from going; the first failure is returned. */
int tree_remove(const char *path);
int64_t disk_free_bytes(const char *path); /* for this user, or negative errno */
/* A variable; NULL when it is not set, or set to nothing, as compose files and units do it. */
const char *environment(const char *name);
/* Where this user's server keeps its data unless its command line says otherwise, and where the
 * terminal finds its token: REQPM_DATA_DIR, else /var/lib/reqpm for root, else reqpm in the XDG
 * state folder. reqpm.sh knows it, too. The caller frees. */
char *data_dir_usual(void);

/* ---- text (text.c) */
/* Bytes of the valid UTF-8 sequence at s, or 0 when there is none within len. */
size_t utf8_sequence(const char *s, size_t len);
/* How many of the bytes at s can begin a sequence, and how many the whole sequence needs: equal,
 * the sequence is there; fewer at the end of s, it may be cut there; else it is broken. 0 and 0:
 * none begins like this. */
size_t utf8_prefix(const char *s, size_t len, size_t *ret_need);
bool utf8_valid(const char *s, size_t len);
bool text_has_control(const char *s); /* C0, DEL or C1, in UTF-8 */
/* Appends s; where it has more than max bytes what fits, cut between characters, and "…". */
void text_shorten(struct strbuf *out, const char *s, size_t len, size_t max);
/* Strict decimal of 1..INT64_MAX, no sign, no spaces, no leading zero: 0 or -EINVAL. */
int parse_id(const char *s, int64_t *ret_id);
/* "512M", "2G", "100000": bytes; K, M, G, T are powers of 1024. 0 or -EINVAL, as for a number
 * too large. */
int parse_size(const char *s, int64_t *ret_bytes);
/* "90", "90s", "45m", "2h": milliseconds. 0 or -EINVAL. */
int parse_duration(const char *s, int64_t *ret_ms);

#endif
