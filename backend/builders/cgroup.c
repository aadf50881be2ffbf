// SPDX-License-Identifier: MIT
#include "builders/launch.h"
#include "core/base/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * Three kinds of machine: cgroup v2 with its controllers; v1 trees for memory and pids, often with a v2 tree beside
 * them that has no controllers but can still kill a group at once; none that we may write to. One run has one
 * group of the same name in each tree it needs.
 */

#define REMOVE_TRIES 5000
#define REMOVE_WAIT_NS 1000000
#define SWEEP_DEPTH 12
#define CPU_WEIGHT "50" /* half of everybody else's: the server and the host come first */

/* ---- small files */

static int file_put(const char *dir, const char *name, const char *text)
{
	char path[512];
	int fd, r = 0;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		r = -errno;
	close(fd);
	return r;
}

static int file_put_int(const char *dir, const char *name, int64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	return file_put(dir, name, text);
}

/* The kernel's small files, whole; -EFBIG cannot happen for those read here. */
static int file_get(const char *dir, const char *name, struct strbuf *ret)
{
	char path[512];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
		return -ENAMETOOLONG;
	return file_read(path, 1 << 20, ret, NULL);
}

/* The number after `key` at the start of a line, or the whole file's with key ""; 0 when it is not there. */
static int64_t file_get_int(const char *dir, const char *name, const char *key)
{
	struct strbuf text = STRBUF_INIT;
	size_t len = strlen(key);
	int64_t value = 0;
	char *save = NULL;

	if (!file_get(dir, name, &text))
		for (char *line = strtok_r(text.buf, "\n", &save); line;
			line = strtok_r(NULL, "\n", &save))
			if (!strncmp(line, key, len)) {
				value = strtoll(line + len, NULL, 10);
				break;
			}
	strbuf_finish(&text);
	return value;
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = text; (p = strstr(p, word)); p += len)
		if ((p == text || p[-1] == ' ') && (!p[len] || strchr(" \n,", p[len])))
			return true;
	return false;
}

/* ---- where the trees are mounted */

struct tree {
	char mount[256];
	char root[256]; /* what of the tree is mounted there */
};

/* Fields of /proc/self/mountinfo: id parent dev root mount options … - type source super-options */
static void read_mount(char *line, struct tree trees[CGROUP_TREES])
{
	char *tail = strstr(line, " - "), *root, *mount, *save = NULL;
	enum cgroup_tree which;

	if (!tail || strncmp(tail + 3, "cgroup", 6) != 0)
		return;
	*tail = '\0';
	tail += 3;
	strtok_r(line, " ", &save);
	strtok_r(NULL, " ", &save);
	strtok_r(NULL, " ", &save);
	root = strtok_r(NULL, " ", &save);
	mount = strtok_r(NULL, " ", &save);
	if (!root || !mount || strlen(root) > 255 || strlen(mount) > 255)
		return;
	tail[strcspn(tail, "\n")] = '\0';
	if (!strncmp(tail, "cgroup2 ", 8))
		which = CGROUP_V2;
	else if (has_word(strrchr(tail, ' ') + 1, "memory") || strstr(tail, ",memory"))
		which = CGROUP_MEMORY;
	else if (has_word(strrchr(tail, ' ') + 1, "pids") || strstr(tail, ",pids"))
		which = CGROUP_PIDS;
	else
		return;
	if (trees[which].mount[0])
		return;
	strcpy(trees[which].root, root);
	strcpy(trees[which].mount, mount);
}

static void find_trees(struct tree trees[CGROUP_TREES])
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t cap = 0;

	memset(trees, 0, CGROUP_TREES * sizeof(*trees));
	if (!f)
		return;
	while (getline(&line, &cap, f) > 0)
		read_mount(line, trees);
	free(line);
	fclose(f);
}

/* Our own group in the tree, from the lines "4:memory:/a/b" and "0::/a/b" of /proc/self/cgroup. */
static bool own_group(enum cgroup_tree which, struct strbuf *ret)
{
	static const char *const controller[CGROUP_TREES] = {"", "memory", "pids"};
	struct strbuf text = STRBUF_INIT;
	bool found = false;
	char *save = NULL;

	if (!file_get("/proc/self", "cgroup", &text))
		for (char *line = strtok_r(text.buf, "\n", &save); line && !found;
			line = strtok_r(NULL, "\n", &save)) {
			char *names = strchr(line, ':'),
			     *path = names ? strchr(names + 1, ':') : NULL;

			if (!path)
				continue;
			*path++ = '\0';
			names++;
			found = which == CGROUP_V2 ? !*names
						   : has_word(names, controller[which]) ||
							     strstr(names, ",memory,");
			if (found)
				strbuf_addstr(ret, path);
		}
	strbuf_finish(&text);
	return found;
}

/* Our own group as a folder: what of the tree is mounted may begin below its root, in containers. */
static bool own_folder(const struct tree *tree, enum cgroup_tree which, char *buf, size_t size)
{
	struct strbuf group = STRBUF_INIT;
	size_t root = strcmp(tree->root, "/") ? strlen(tree->root) : 0;
	const char *below;
	bool ok = false;

	if (tree->mount[0] && own_group(which, &group)) {
		below = strncmp(group.buf, tree->root, root) ? "" : group.buf + root;
		if (!strcmp(below, "/"))
			below = "";
		ok = (size_t)snprintf(buf, size, "%s%s", tree->mount, below) < size;
	}
	strbuf_finish(&group);
	return ok;
}

/* ---- a place for the groups */

/* A fair share of the processor is nice to have; memory and pids are what protects the host. */
int cgroup_enable(const char *dir)
{
	static const struct {
		const char *name;
		bool optional;
	} wanted[] = {{"memory", false}, {"pids", false}, {"cpu", true}};
	struct strbuf have = STRBUF_INIT, on = STRBUF_INIT;
	int r = file_get(dir, "cgroup.controllers", &have);

	if (!r)
		r = file_get(dir, "cgroup.subtree_control", &on);
	for (size_t i = 0; i < countof(wanted) && !r; i++) {
		char text[16];

		if (!has_word(have.buf, wanted[i].name) || has_word(on.buf, wanted[i].name))
			continue;
		snprintf(text, sizeof(text), "+%s", wanted[i].name);
		r = file_put(dir, "cgroup.subtree_control", text);
		if (wanted[i].optional)
			r = 0;
	}
	strbuf_finish(&have);
	strbuf_finish(&on);
	return r;
}

/* A group with controllers for its children may hold no process itself, so we move down into one of them, if we are alone. */
static int step_down(const char *dir, const char *id)
{
	struct strbuf procs = STRBUF_INIT;
	char leaf[384];
	int r = file_get(dir, "cgroup.procs", &procs);

	if (!r && strtol(procs.buf, NULL, 10) == getpid() && strchr(procs.buf, '\n') &&
		!strchr(procs.buf, '\n')[1]) {
		snprintf(leaf, sizeof(leaf), "%s/reqpm-keeper-%s", dir, id);
		if (mkdir(leaf, 0755) && errno != EEXIST)
			r = -errno;
		else
			r = file_put(leaf, "cgroup.procs", "0");
	} else if (!r) {
		r = -EBUSY;
	}
	strbuf_finish(&procs);
	return r;
}

static void find_v2(const struct tree *tree, char *ret_dir, size_t size, const char *id)
{
	char own[256];
	int r;

	if (!tree->mount[0])
		return;
	if (own_folder(tree, CGROUP_V2, own, sizeof(own)) && !access(own, W_OK)) {
		r = cgroup_enable(own);
		if (r == -EBUSY && !step_down(own, id))
			r = cgroup_enable(own);
		if (!r) {
			snprintf(ret_dir, size, "%s", own);
			return;
		}
	}
	/* Started from a shell that shares its group with others: root may go to the top of the tree instead. */
	if (!access(tree->mount, W_OK) && !cgroup_enable(tree->mount))
		snprintf(ret_dir, size, "%s", tree->mount);
}

void cgroup_place_find(struct cgroup_place *ret, const char *id)
{
	struct tree trees[CGROUP_TREES];

	memset(ret, 0, sizeof(*ret));
	find_trees(trees);
	find_v2(&trees[CGROUP_V2], ret->dir[CGROUP_V2], sizeof(ret->dir[0]), id);
	for (int t = CGROUP_MEMORY; t < CGROUP_TREES; t++)
		if (!own_folder(&trees[t], t, ret->dir[t], sizeof(ret->dir[t])) ||
			access(ret->dir[t], W_OK))
			ret->dir[t][0] = '\0';
}

/* ---- one run's groups */

void cgroup_name(char buf[64], const char *id, int slot, pid_t launcher)
{
	snprintf(buf, 64, "reqpm-%s-%d-%d", id, slot, (int)launcher);
}

void cgroup_create(struct cgroup *cg, const struct cgroup_place *place, const char *name)
{
	memset(cg, 0, sizeof(*cg));
	for (int t = 0; t < CGROUP_TREES; t++) {
		if (!place->dir[t][0])
			continue;
		snprintf(cg->dir[t], sizeof(cg->dir[t]), "%s/%s", place->dir[t], name);
		if (mkdir(cg->dir[t], 0755) && errno != EEXIST)
			cg->dir[t][0] = '\0';
	}
}

static void limit_memory(struct cgroup *cg, int64_t bytes)
{
	if (cg->dir[CGROUP_V2][0] && !file_put_int(cg->dir[CGROUP_V2], "memory.max", bytes)) {
		cg->memory = true;
		/* These may be missing: no swap, an old kernel. */
		file_put(cg->dir[CGROUP_V2], "memory.swap.max", "0");
		file_put(cg->dir[CGROUP_V2], "memory.oom.group", "1");
		return;
	}
	if (!cg->dir[CGROUP_MEMORY][0] ||
		file_put_int(cg->dir[CGROUP_MEMORY], "memory.limit_in_bytes", bytes))
		return;
	cg->memory = true;
	file_put_int(cg->dir[CGROUP_MEMORY], "memory.memsw.limit_in_bytes", bytes);
}

void cgroup_limit(struct cgroup *cg, int64_t memory_bytes, int64_t processes)
{
	limit_memory(cg, memory_bytes);
	cg->pids = (cg->dir[CGROUP_V2][0] &&
			   !file_put_int(cg->dir[CGROUP_V2], "pids.max", processes)) ||
		   (cg->dir[CGROUP_PIDS][0] &&
			   !file_put_int(cg->dir[CGROUP_PIDS], "pids.max", processes));
	if (cg->dir[CGROUP_V2][0])
		file_put(cg->dir[CGROUP_V2], "cpu.weight", CPU_WEIGHT);
}

/*
 * Writing a process into cgroup.procs takes a lock of the whole system for which the kernel waits 5 to 15 ms, longer than a sandbox
 * takes to make. A process that is born in its v2 group does not, nor does a lone thread that moves itself in a v1 tree.
 */
static pid_t fork_into(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct clone_args args = {
		.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)fd};
	long pid = fd < 0 ? -1 : syscall(SYS_clone3, &args, sizeof(args));

	if (fd >= 0)
		close(fd);
	return (pid_t)pid;
}

pid_t cgroup_fork(struct cgroup *cg)
{
	pid_t pid = -1;

	/* A sanitizer must see each fork; Linux before 5.7 and some containers have no other. */
	if (cg->dir[CGROUP_V2][0] && !SANITIZED)
		pid = fork_into(cg->dir[CGROUP_V2]);
	cg->born = pid >= 0;
	return pid >= 0 ? pid : fork();
}

int cgroup_join(const struct cgroup *cg)
{
	int r = 0;

	if (cg->dir[CGROUP_V2][0] && !cg->born)
		r = file_put(cg->dir[CGROUP_V2], "cgroup.procs", "0");
	for (int t = CGROUP_MEMORY; t < CGROUP_TREES && !r; t++)
		if (cg->dir[t][0])
			r = file_put(cg->dir[t], "tasks", "0");
	return r;
}

static bool list_is_empty(const char *dir)
{
	struct strbuf procs = STRBUF_INIT;
	bool empty = file_get(dir, "cgroup.procs", &procs) || !procs.len;

	strbuf_finish(&procs);
	return empty;
}

static void kill_listed(const char *dir)
{
	struct strbuf procs = STRBUF_INIT;
	char *at, *end;

	if (!file_get(dir, "cgroup.procs", &procs))
		for (at = procs.buf; *at; at = end) {
			long pid = strtol(at, &end, 10);

			if (end == at)
				break;
			/* 0: a process of a PID namespace that is not below ours. */
			if (pid > 0)
				kill((pid_t)pid, SIGKILL);
			end += *end == '\n';
		}
	strbuf_finish(&procs);
}

void cgroup_kill(const struct cgroup *cg)
{
	for (int t = 0; t < CGROUP_TREES; t++)
		if (cg->dir[t][0] && file_put(cg->dir[t], "cgroup.kill", "1"))
			kill_listed(cg->dir[t]);
}

bool cgroup_empty(const struct cgroup *cg)
{
	for (int t = 0; t < CGROUP_TREES; t++)
		if (cg->dir[t][0] && !list_is_empty(cg->dir[t]))
			return false;
	return true;
}

static int remove_folder(const char *dir)
{
	struct timespec wait = {0, REMOVE_WAIT_NS};

	for (int i = 0; i < REMOVE_TRIES; i++) {
		if (!rmdir(dir) || errno == ENOENT)
			return 0;
		if (errno != EBUSY)
			return -errno;
		if (file_put(dir, "cgroup.kill", "1"))
			kill_listed(dir);
		if (i)
			nanosleep(&wait, NULL);
	}
	return -EBUSY;
}

int cgroup_remove(const struct cgroup *cg)
{
	int r = 0;

	for (int t = 0; t < CGROUP_TREES; t++)
		if (cg->dir[t][0] && remove_folder(cg->dir[t]))
			r = -EBUSY;
	return r;
}

int64_t cgroup_oom_kills(const struct cgroup *cg)
{
	if (!cg->memory)
		return 0;
	if (cg->dir[CGROUP_MEMORY][0])
		return file_get_int(cg->dir[CGROUP_MEMORY], "memory.oom_control", "oom_kill ");
	return file_get_int(cg->dir[CGROUP_V2], "memory.events", "oom_kill ");
}

int64_t cgroup_memory_peak(const struct cgroup *cg)
{
	if (!cg->memory)
		return 0;
	if (cg->dir[CGROUP_MEMORY][0])
		return file_get_int(cg->dir[CGROUP_MEMORY], "memory.max_usage_in_bytes", "");
	return file_get_int(cg->dir[CGROUP_V2], "memory.peak", "");
}

int cgroup_version(const struct cgroup *cg)
{
	if (!cg->memory)
		return 0;
	return cg->dir[CGROUP_MEMORY][0] ? 1 : 2;
}

/* ---- what an earlier server left, in whatever place it found then */

static int sweep_folder(const char *dir, const char *prefix, int depth)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	int left = 0;

	if (!d)
		return 0;
	while ((entry = readdir(d))) {
		char path[1024];

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
			(size_t)snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) >=
				sizeof(path))
			continue;
		if (!strncmp(entry->d_name, prefix, strlen(prefix)))
			left += remove_folder(path) != 0;
		else if (depth < SWEEP_DEPTH)
			left += sweep_folder(path, prefix, depth + 1);
	}
	closedir(d);
	return left;
}

int cgroup_sweep(const char *id)
{
	struct tree trees[CGROUP_TREES];
	char prefix[64];
	int left = 0;

	snprintf(prefix, sizeof(prefix), "reqpm-%s-", id);
	find_trees(trees);
	for (int t = 0; t < CGROUP_TREES; t++)
		if (trees[t].mount[0])
			left += sweep_folder(trees[t].mount, prefix, 0);
	return left;
}
