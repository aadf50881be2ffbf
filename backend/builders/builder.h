/* SPDX-License-Identifier: MIT
 *
 * What reqpm drives: programs in a sandbox, and the builders made of them.
 *
 * Processes. `serve` forks before it opens anything: the parent, the keeper, keeps the privileges it was started
 * with and does nothing but start launchers (keeper.c); the child faces the network without them. A launcher
 * (launcher.c) stands between the keeper and bubblewrap, one per run: it joins the cgroup, sets limits and the slot's
 * uid, is child subreaper, and holds a socket from the server. When that socket ends - cancel, timeout, or
 * the server died - it kills everything of its run, through the cgroup where there is one, else its children until
 * waitpid says ECHILD, gives root up, wipes what it was told to wipe, and only then reports. So a report means: nothing is left,
 * but for a folder that it was told to hold, which goes with the socket.
 *
 * All functions on the loop's thread unless they say otherwise.
 */
#ifndef REQPM_BUILDER_H
#define REQPM_BUILDER_H

#include "core/base/base.h"
#include "core/base/loop.h"

#define SLOTS_MAX                                                                                  \
	64 /* --jobs; one more slot, number 0, serves reading specs, unpacking, createrepo_c */
#define SLOT_UID_BASE                                                                              \
	61000 /* slot n runs as this + n when the keeper is root; its gid is the server's */
#define RUN_ARGV_BYTES_MAX (1 << 20)
#define RUN_LAYERS_MAX 499 /* overlayfs stacks 500, the host's /usr is one of them */

/* ---- the keeper (keeper.c) */
struct keeper {
	int fd; /* the server's end */
	bool root; /* slot uids are in force */
	uid_t uid; /* whom the server runs as */
	gid_t gid;
};
/* Forks. Returns 0 in the child, which has dropped to `user` when started as root (NULL: "reqpm"; no such user: -ENOENT and a sentence).
 * The parent never returns: it serves launch requests until the child ends, forwards SIGTERM, SIGINT and SIGHUP to it (the child has
 * a process group of its own, so a Ctrl-C comes once), and exits with its status, 128 + signal when it was killed.
 * Call it before any thread exists and before anything is written to data_dir. `slots` counts slot 0: --jobs + 1.
 * data_dir (absolute): made when missing, owned by the user, mode 0711; refused when it is in use by a live server, or is neither empty nor
 * a data folder of reqpm. Its slots/<n> folders are made, owned by the slot's uid, group the server's, mode 2770; they are
 * emptied, and the data folder's cgroups killed and removed, after every launcher of an earlier server has ended. */
int keeper_start(const char *data_dir, const char *user, int slots, struct keeper *ret_keeper,
	struct strbuf *err);

/* ---- the sandbox on the server's side (sandbox.c) */
struct sandbox;
struct sandbox *sandbox_open(struct loop *loop, const struct keeper *keeper, const char *data_dir,
	int slots, struct strbuf *err);
void sandbox_close(struct sandbox *sb); /* every run has ended before */
/* Blocking, from time to time: after a change of the host's /etc its runs start more slowly until this was called. */
void sandbox_refresh(const char *data_dir);

/* What is in force here; each `false` has a remedy in words. */
struct protections {
	bool bubblewrap, user_namespaces, seccomp, slot_uids, overlay;
	const char *cgroup; /* "v2", "v1" or NULL */
	char *missing; /* sentences with remedies, one per line; NULL: all is there */
};
const struct protections *sandbox_protections(const struct sandbox *sb);
/* DATA/slots/<slot>: what is bound from here is writable for the slot. The string lives as long as sb. */
const char *sandbox_slot_dir(const struct sandbox *sb, int slot);

struct run_limits { /* 0: the default, RUN_* below */
	int64_t memory_bytes, processes, file_bytes, disk_bytes, cpu_seconds;
};
#define RUN_MEMORY_BYTES (8LL << 30)
#define RUN_PROCESSES 2048
#define RUN_FILE_BYTES (8LL << 30)
#define RUN_DISK_BYTES                                                                             \
	(32LL << 30) /* of the work folder, looked at every 2 s: enforced late, but enforced */
#define RUN_TMP_BYTES (1LL << 30) /* size of /tmp, a tmpfs */

struct run_bind {
	const char *source; /* host path */
	const char *target; /* inside */
	bool writable;
};
struct run_spec {
	int slot;
	const char *name; /* for the cgroup, the log and --hostname: letters, digits, hyphen */
	const char *const *argv; /* NULL-terminated; looked up in /usr/bin:/usr/sbin inside */
	const char *const *env; /* NAME=value, added to the fixed clean environment; may be NULL */
	const char *
		work; /* host folder below the slot's, bound writable at /build, the working directory; made when missing,
				  * as the slot's uid: what the server makes in it itself cannot be wiped unless group-writable */
	const struct run_bind *binds;
	size_t bind_count;
	/* Host folders, topmost first, each holding a usr/ and perhaps an etc/: stacked read-only over the host's /usr and
	 * the sandbox's /etc. With layers, an ld.so.cache that knows /usr/lib64 is made inside first. */
	const char *const *layers;
	size_t layer_count;
	/* Folders below work ("results", "RPMS"): made beforehand; afterwards the server may read their files, which are still what the
	 * build made of them: open them with O_NOFOLLOW (capture.h does). */
	const char *const *collect;
	size_t collect_count;
	struct run_limits limits;
	int64_t timeout_ms; /* 0: none */
	bool network;
	bool wipe; /* remove work when the run has ended */
	bool hold; /* remove it when the descriptor of run_hold() is closed; at once if nobody asked for one */
};
enum run_end {
	RUN_EXITED,
	RUN_SIGNALED,
	RUN_TIMED_OUT,
	RUN_CANCELLED,
	RUN_OUT_OF_MEMORY,
	RUN_DISK_FULL,
	RUN_BROKEN /* the sandbox itself failed: infrastructure, may be tried again */
};
struct run_result {
	enum run_end end;
	/* Exit status (127: no such program) or signal. A program that a signal ended and one that exited with 128 + signal look
	 * the same from outside the sandbox, as they do to a shell: both are RUN_SIGNALED. */
	int code;
	const char *why; /* a sentence when end is not RUN_EXITED; borrowed */
	int64_t cpu_ms, wall_ms, memory_peak_bytes; /* 0: unknown */
};
struct run;
struct run_handlers {
	/* stdout and stderr together, in order, as it comes. */
	void (*on_output)(struct run *r, const char *data, size_t len, void *arg);
	/* Once, after the last output, when every process is gone. r is freed on return. */
	void (*on_end)(struct run *r, const struct run_result *result, void *arg);
};
/* NULL: err says why. Many may be alive at once, several in slot 0 as well. spec is not needed after the return. */
struct run *run_start(struct sandbox *sb, const struct run_spec *spec,
	const struct run_handlers *handlers, void *arg, struct strbuf *err);
void run_cancel(
	struct run *r); /* idempotent; on_end follows within 5 s, unless the output is paused */
/* In on_end, of a run that was to hold its work folder: it stays until this descriptor is closed. The launcher removes it then, and if the server dies. */
int run_hold(struct run *r);
void run_pause(struct run *r); /* stops reading the output; the build waits when the pipe is full */
void run_resume(struct run *r);
/* Removes a folder below the slot's as the slot's uid; done(arg) on the loop. For what a build left. */
void sandbox_wipe(struct sandbox *sb, int slot, const char *path, loop_fn *done, void *arg);

/* ---- builders: each makes one package of a job into results (command.c, rpmbuild.c) */
#define LACKS_MAX (16 << 10) /* bytes of build_result.lacks; what is beyond is left out */
#define PROVIDES_MAX                                                                               \
	(1 << 20) /* bytes of artifact.provides; of an RPM with more nothing is learned */
struct artifact { /* a file in results_dir */
	const char *file; /* its name there, folders included */
	const char *kind; /* "rpm", "srpm" or "file" */
	const char *nevra; /* of RPMs; NULL */
	const char *provides; /* of binary RPMs: JSON, ["zlib-devel = 1.3-1", …]; NULL */
	const char *sha256;
	int64_t size;
};
struct build_result {
	bool ok;
	enum run_end
		end; /* how the deciding run ended, when not ok: RUN_TIMED_OUT, RUN_OUT_OF_MEMORY … */
	const struct artifact *artifacts;
	size_t artifact_count;
	bool infrastructure; /* not the package's fault: may be tried again */
	bool cancelled;
	const char *phase; /* "%build"; "" when there is none */
	const char *why; /* one sentence when not ok */
	/* rpmbuild: the capabilities that nothing provides, one per line, when there is no build root for want of them: what the
	 * job builds meanwhile may bring them. NULL else. */
	const char *lacks;
	int64_t error_line; /* 1-based line of the log that shows the cause; 0: none found */
	const char *error_text; /* that line, "" when none */
	int64_t exit_code;
};
struct build;
struct build_handlers {
	void (*on_log)(struct build *b, const char *data, size_t len, void *arg);
	void (*on_phase)(struct build *b, const char *phase,
		void *arg); /* advice, as the output claims it */
	/* Once, last. Results lie in request.results_dir. b is freed on return. */
	void (*on_end)(struct build *b, const struct build_result *result, void *arg);
};
struct build_request { /* borrowed until build_start() returns */
	struct sandbox *sandbox;
	int slot;
	const char
		*attempt_name; /* "job7-item123-2": never used twice; names folders and cgroups */
	const char *package;
	const char *version;
	const char *sources_dir; /* the upload's files, bound read-only */
	const char *
		spec_file; /* rpmbuild: path of the .spec or .src.rpm in sources_dir; its sources lie beside it */
	struct rpm_env *rpm; /* rpmbuild: rpm_env_open(), rpm.h; outlives the build */
	bool skip_check; /* rpmbuild: without %check and what only it needs, because that closed a cycle */
	const char *const *command; /* command: argv */
	const char *
		job_dir; /* DATA/builds/<id>; rpmbuild: rpms/ in it holds what the job has built so far */
	const char *results_dir; /* made; the artifacts are put here, on the server's side */
	int64_t timeout_ms;
};
struct builder_ops {
	const char *name; /* "command", "rpmbuild" */
	int (*start)(const struct build_request *req, const struct build_handlers *h, void *arg,
		struct build **ret_build, struct strbuf *err);
	void (*cancel)(struct build *b);
	void (*pause)(struct build *b);
	void (*resume)(struct build *b);
};
extern const struct builder_ops builder_command, builder_rpmbuild;
const struct builder_ops *builder_find(const char *name); /* NULL: none of that name */

#endif
