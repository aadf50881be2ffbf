/* SPDX-License-Identifier: MIT
 *
 * What the server, the keeper and a launcher say to each other. Private to this folder.
 *
 *     server ── struct launch_order + 3 fds ──> keeper ── fork ──> launcher
 *     server <─────────── the run's control socket ───────────────────> launcher
 *
 * The order names a slot and nothing else; the keeper checks it and tells the launcher whose uid and folder that is. What to run stands in a memfd that the keeper does not read. So the server, which strangers talk to, chooses what
 * happens inside the sandbox, but not as whom, in which folder, or outside of one.
 */
#ifndef REQPM_LAUNCH_H
#define REQPM_LAUNCH_H

#include <dirent.h>

#include "builders/builder.h"

#define LAUNCH_MAGIC 0x52514c31u
#define LAUNCH_BYTES_MAX (8 << 20) /* of an encoded request */
#define LAUNCH_LIST_MAX 65536 /* entries of one list in it */

struct launch_order { /* server to keeper, with the fds of enum launch_fd in this order */
	uint32_t magic;
	int32_t slot;
};
enum launch_fd {
	LAUNCH_CONTROL, /* the launcher's end of the control socket */
	LAUNCH_OUTPUT, /* the write end of the pipe for stdout and stderr */
	LAUNCH_REQUEST, /* a memfd with an encoded request */
	LAUNCH_FD_COUNT
};
/* Where a launcher finds them, and the lock that the next keeper waits for. */
#define LAUNCH_FD_BASE 3
#define LAUNCH_FD_LOCK (LAUNCH_FD_BASE + LAUNCH_FD_COUNT)

/* Server to launcher, one byte; the first counts. The end of the socket means that the server died. */
#define LAUNCH_CANCEL 'c'
#define LAUNCH_TIMEOUT 't'

#define LAUNCH_WHY_MAX 400
struct launch_report { /* launcher to server, once, when nothing of the run is left */
	uint32_t magic;
	int32_t end; /* enum run_end */
	int32_t code; /* RUN_BROKEN: 1 when the launcher itself was lost, so that nothing was wiped */
	int32_t cgroup; /* 2, 1; 0: none that limits memory */
	int64_t cpu_ms, wall_ms, memory_peak_bytes;
	char why[LAUNCH_WHY_MAX]; /* "" for RUN_EXITED, RUN_TIMED_OUT, RUN_CANCELLED */
};

/* work becomes relative to the slot's folder. -E2BIG and -EINVAL say what is wrong with spec. A request without
 * argv only wipes. */
int launch_encode(
	const struct run_spec *spec, const char *slot_dir, struct strbuf *ret, struct strbuf *err);
/* Strings point into data, which must outlive it; slot and timeout_ms are 0. launch_finish() frees the lists. Trusts nothing. */
int launch_decode(char *data, size_t len, struct run_spec *ret_spec, struct strbuf *err);
void launch_finish(struct run_spec *spec);

/* ---- cgroups (cgroup.c): where there are none all of this does nothing. Keeper and launcher only. */

enum cgroup_tree { CGROUP_V2, CGROUP_MEMORY, CGROUP_PIDS, CGROUP_TREES };
/* Folders below which a run's groups are made, "" where there is none. V2 alone may be a tree without controllers (beside v1):
 * then it is only good for killing. */
struct cgroup_place {
	char dir[CGROUP_TREES][256];
};
struct cgroup {
	char dir[CGROUP_TREES][384]; /* "": not made */
	bool memory, pids; /* limits are in force */
	bool born; /* the child of cgroup_fork() is in the v2 group already */
};
#define CGROUP_ID_CHARS 16 /* hex digits of a data folder's id */

/* Finds and prepares a place; may move this process into a group of its own, so that its old one can have children. */
void cgroup_place_find(struct cgroup_place *ret, const char *id);
/* Gives the groups below dir their controllers; without cpu they are good enough. -EBUSY: a process is in dir itself. */
int cgroup_enable(const char *dir);
/* Kills and removes every group of this id anywhere on the machine. Returns how many are left. */
int cgroup_sweep(const char *id);
/* name: see cgroup_name(). What cannot be made is left out. */
void cgroup_create(struct cgroup *cg, const struct cgroup_place *place, const char *name);
void cgroup_name(char buf[64], const char *id, int slot, pid_t launcher);
void cgroup_limit(struct cgroup *cg, int64_t memory_bytes, int64_t processes);
pid_t cgroup_fork(struct cgroup *cg); /* as fork(); in the child cgroup_join() does the rest */
int cgroup_join(const struct cgroup *cg); /* this process, of one thread */
void cgroup_kill(const struct cgroup *cg); /* once; call again while not empty */
bool cgroup_empty(const struct cgroup *cg);
int cgroup_remove(const struct cgroup
		*cg); /* tries for 5 s: the kernel frees what was killed a little later */
int64_t cgroup_oom_kills(const struct cgroup *cg);
int64_t cgroup_memory_peak(const struct cgroup *cg); /* 0: unknown */
int cgroup_version(const struct cgroup *cg); /* see struct launch_report */

/* ---- inside a run's first process, after it has left root for good (inside.c, overlay.c, etc.c, seccomp.c) */

struct inside {
	const struct run_spec *spec;
	const char *work; /* host path of what becomes /build */
	const char *data_dir;
	bool limit_processes, limit_memory; /* no cgroup does it */
	int status_fd; /* bubblewrap says there that the program was started */
	char *usr, *etc; /* what is mounted there; NULL: the host's */
	bool libraries; /* layers bring some: the loader's cache must be made anew */
	struct strbuf err;
};
/* Never returns: executes bubblewrap, or writes one sentence to fail_fd and exits. */
void inside_exec(struct inside *in, int fail_fd) NORETURN;
/* A command line in the making; what it points to is never freed, for the process becomes that program. */
struct args {
	const char **list; /* NULL-terminated */
	size_t count, cap;
};
void args_add(struct args *a, const char *arg);
#define args_put(a, ...)                                                                           \
	args_put_list(a, (const char *const[]){__VA_ARGS__},                                       \
		countof(((const char *const[]){__VA_ARGS__})))
void args_put_list(struct args *a, const char *const *list, size_t count);
/* What bubblewrap is to do for the /etc of a run without layers (etc_args.c). */
int etc_args(struct args *a, struct strbuf *err);
/* The same, ready to be bound (etc_ready.c). The server makes it: at its start, when nothing runs and what an earlier one left is
 * removed, and again when the host has changed; blocking, 0 or negative errno. */
int etc_ready_begin(const char *data_dir);
int etc_ready_make(const char *data_dir);
char *etc_ready_path(const char *
		data_dir); /* where it is, if it has been made of the host as it is; the caller frees */
/* The namespaces, /usr and /etc of a run with layers. Sets usr, etc and libraries. */
int overlay_mount(struct inside *in);
/* lowerdir from names in the current folder, first is topmost; one name is bound. */
int overlay_stack(const char *const *lowers, size_t count, const char *target, struct strbuf *err);
/* A folder of a layer, reached through folders only; NULL: there is none. */
DIR *layer_opendir(const char *layer, const char *below);
/* Host's entries of /etc that a compiler or an interpreter looks for; no secrets among them. NULL-terminated. */
extern const char *const etc_from_host[];
#define ETC_COPY_BYTES_MAX (128 << 10) /* larger files of it are bound, not copied */
struct etc_file {
	const char *name, *text;
};
extern const struct etc_file etc_files[]; /* generated; ends with a NULL name */
/* Makes dir, in a tmpfs of ours, the /etc of a run with layers. */
int etc_build(const char *dir, const struct inside *in, struct strbuf *err);
int seccomp_filter_open(struct strbuf *err); /* fd of a BPF program, or negative errno */
const char *bwrap_path(char *buf, size_t size); /* looked up in PATH; NULL: not installed */

/* ---- the data folder as the keeper finds and leaves it (data.c) */

struct data_folder {
	int lock_fd; /* locked: a live server's keeper; -1 when let go */
	int slots_fd; /* locked as long as anything of this server runs: inherited by server and launchers */
	char id[CGROUP_ID_CHARS + 1];
};
int data_folder_open(const char *path, const struct keeper *k, int slots, struct data_folder *ret,
	struct strbuf *err);
void data_folder_close(struct data_folder *d);

struct slot_owner { /* whom a slot's processes are; uid 0: whoever we are */
	uid_t uid;
	gid_t gid;
};

/* ---- a launcher's own life (launcher.c): in a child of the keeper, which has put the descriptors in their places */

struct launcher_role {
	const char *data_dir;
	const char *slot_dir; /* DATA/slots/<slot> */
	int slot;
	struct slot_owner owner;
	const char *id; /* the data folder's */
	struct cgroup_place place;
};
void launcher_run(const struct launcher_role *role) NORETURN;
/* What ps shows of this process (title.c). Its arguments and its environment but PATH are gone afterwards. */
void process_title_set(const char *title);

/* ---- the slots' folders (slots.c) */

int slot_become(
	const struct slot_owner *owner); /* no way back; clears privileges, keeps /proc/self ours */
/* Opens a folder below slot_fd, made with its parents when missing, through folders only. fd or negative errno. */
int slot_open(int slot_fd, const char *path, bool create);
int slot_make_readable(int work_fd, const char *path);
#define MEASURE_ENTRIES_MAX 2000000
#define MEASURE_DEPTH_MAX 800 /* test suites make paths longer than PATH_MAX, a few hundred deep */
struct slot_size { /* what a folder may hold; depth: of folders below it */
	int64_t bytes, entries, depth;
};
enum slot_excess { SLOT_FITS, SLOT_BYTES, SLOT_ENTRIES, SLOT_DEPTH };
/* Looks until something is too much. A file of many names counts once. What changes underfoot is passed over. */
enum slot_excess slot_measure(int fd, const struct slot_size *max);

#endif
