/* SPDX-License-Identifier: MIT
 *
 * What stands ready on this host for every rpmbuild: the base package and the unpacked layers. Private to this folder;
 * loop thread. What is asked for twice at once is made once.
 */
#ifndef REQPM_RPM_ENV_H
#define REQPM_RPM_ENV_H

#include "builders/rpm.h"
#include "core/base/json.h"

/* For runs of the hidden role. A sanitizer's shadow memory is larger than any limit that makes sense. */
#define RPM_ROLE_MEMORY_BYTES (SANITIZED ? 1LL << 50 : RUN_MEMORY_BYTES)

/* One who waits; the caller's memory. */
struct rpm_wait {
	struct list link;
	/* Once, on the loop, never from within the call that asked. code 0, or negative and why is a sentence. */
	void (*done)(struct rpm_wait *w, int code, const char *why);
};

/* ---- base (rpm_base.c) */
struct rpm_base {
	struct list waiting; /* struct rpm_wait */
	bool busy;
	char *dir; /* DATA/base/<key>, of the last look; NULL before */
	char key[SHA256_HEX_MAX];
	bool present;
	int code; /* of the publishing */
	uv_work_t work;
};
/* Looks whether the base package still fits the host, and makes it when not. */
void rpm_base_ensure(struct rpm_env *env, struct rpm_wait *w);
/* Bound at RPM_ROLE_BASE. Valid after a successful rpm_base_ensure(), until the next. */
const char *rpm_base_dir(const struct rpm_env *env);

/* ---- layers (rpm_layers.c) */
struct rpm_layers; /* one request */
/* files: names of RPMs in repo_dir, in install order. The waiter may be forgotten by rpm_layers_drop() at any time, which must be
 * called once also after done: until then the layers are in use and stay. */
struct rpm_layers *rpm_layers_start(struct rpm_env *env, const char *repo_dir,
	const char *const *files, size_t count, struct rpm_wait *w);
/* After done: host folders, topmost first. */
const char *const *rpm_layers_folders(const struct rpm_layers *l);
void rpm_layers_drop(struct rpm_layers *l);
#define RPM_LAYERS_KEEP_DAYS 14

/* Pool threads and the loop; the lock is never held for long. name: its SHA-256. */
struct rpm_uses {
	uv_mutex_t lock;
	struct map counts; /* name to size_t */
};
void rpm_uses_init(struct rpm_uses *u);
void rpm_uses_finish(struct rpm_uses *u);
void rpm_uses_add(struct rpm_uses *u, const char *name);
void rpm_uses_drop(struct rpm_uses *u, const char *name);

/* ---- contents that become layers (rpm_making.c) */
#define RPM_REFUSED_MAX 4096 /* contents that could not be unpacked: beyond it all are forgotten */
struct rpm_making;
struct rpm_want { /* one who wants a content; the caller's memory, all but these 0 */
	const char *repo_dir, *file; /* where it may be unpacked from */
	/* It is unpacked: what else is wanted may be unpacked now. It gets its place when somebody settles. */
	void (*unpacked)(struct rpm_want *want);
	/* Once, last: code 0, it has its place; -EINVAL: the RPM's fault, and so it will be; others: ours. */
	void (*done)(struct rpm_want *want, int code, const char *why);
	void *arg;
	struct list link;
	struct rpm_making *making; /* NULL: done, or forgotten */
};
/* 0: it is being unpacked. 1: it is unpacked already, only done follows. Negative, and a sentence: it cannot be, nothing follows. Nothing is
 * called from within. */
int rpm_making_want(
	struct rpm_env *env, const char *name, struct rpm_want *want, struct strbuf *err);
/* At any time. What nobody wants any more is stopped. */
void rpm_making_forget(struct rpm_env *env, struct rpm_want *want);
/* Somebody only waits now: what is unpacked is synced and gets its place. */
void rpm_making_settle(struct rpm_env *env);
void rpm_making_forget_refused(struct rpm_env *env);

/* ---- one RPM's files (rpm_unpack.c) */
/* -EINVAL: the RPM's fault, it would end so again; -ECANCELED; other codes: ours. why is a sentence, borrowed. */
typedef void rpm_unpack_fn(int code, const char *why, void *arg);
struct rpm_unpacking;
/* Unpacks an RPM of repo_dir into work/out/layer; work is a folder of slot 0. NULL: err says why, and done is not called. */
struct rpm_unpacking *rpm_unpack_start(struct rpm_env *env, const char *repo_dir, const char *file,
	const char *work, rpm_unpack_fn *done, void *arg, struct strbuf *err);
void rpm_unpack_cancel(struct rpm_unpacking *u); /* done follows soon */
#define RPM_UNPACK_GONE 66 /* exit status: there is no such RPM any more */
int rpm_unpack_verdict(
	const char *file, const struct run_result *result, const char *text, struct strbuf *why);

struct rpm_env {
	struct loop *loop;
	struct sandbox *sandbox;
	char *data_dir, *self;
	char **provides;
	struct rpm_base base;
	struct {
		struct list all; /* struct rpm_making */
		struct list moving; /* those in the hands of work */
		struct map refused; /* name to the sentence why */
		bool busy, again;
		uv_work_t work;
	} making;
	struct rpm_uses uses;
	uv_mutex_t layers_lock; /* between looking at a layer's age and acting on it */
	bool pruning;
	struct rpm_hashes *hashes;
	uint64_t counter; /* makes names of work folders */
	size_t under_way;
	loop_fn *drained; /* when under_way is 0; NULL: nobody asked */
	void *drained_arg;
};
void rpm_env_enter(struct rpm_env *env);
void rpm_env_leave(struct rpm_env *env);
/* Removes a folder of slot 0 while life goes on. */
void rpm_env_wipe(struct rpm_env *env, const char *path);

/* ---- SHA-256 of files that do not change any more, remembered (rpm_hashes.c); any thread */
struct rpm_hashes *rpm_hashes_create(void);
void rpm_hashes_destroy(struct rpm_hashes *h);
/* Blocking. Regular files only, no link is followed. ret_size may be NULL. */
int rpm_hashes_get(struct rpm_hashes *h, const char *path, char ret_hex[SHA256_HEX_MAX],
	int64_t *ret_size, struct strbuf *err);

/* ---- answers of the hidden role (rpm_answer.c) */
#define RPM_ANSWER_TEXT_MAX (32 << 20)
/* The answer in a role's output, or NULL and a sentence: broken off, timed out, out of memory, or no answer in it. text is cut
 * before the answer's line. The caller owns the result. */
json_t *rpm_answer_take(const struct run_result *result, struct strbuf *text, struct strbuf *err);
/* {"error"} and {"problems"} as one sentence; NULL: neither. Caller frees. */
char *rpm_answer_complaint(const json_t *answer);

#endif
