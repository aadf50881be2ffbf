// SPDX-License-Identifier: MIT
#include "builders/launch.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/openat2.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Everything here is done as the slot's uid, never as root: whatever a build made of its folder, it can only reach
 * what it could reach itself.
 */

#define TREE_DEPTH_MAX 200
#define TREE_ENTRIES_MAX 2000000

int slot_become(const struct slot_owner *owner)
{
	if (owner->uid) {
		if (setgroups(0, NULL) || setresgid(owner->gid, owner->gid, owner->gid) ||
			setresuid(owner->uid, owner->uid, owner->uid))
			return -errno;
		if (!setuid(0))
			return -EPERM;
		/* A change of uid hides /proc/self from its own process, where user namespaces are set up. What runs from here
		 * on is the slot's alone. */
		if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
			return -errno;
	}
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

static int open_beneath(int parent, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, parent, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* Takes the path apart itself, because mkdir has no way to refuse links on its way. */
int slot_open(int slot_fd, const char *path, bool create)
{
	char *copy = xstrdup(path), *save = NULL;
	int fd = fcntl(slot_fd, F_DUPFD_CLOEXEC, 0), r = fd < 0 ? -errno : 0;
	size_t parts = 0;

	for (char *part = strtok_r(copy, "/", &save); part && !r;
		part = strtok_r(NULL, "/", &save)) {
		int next;

		parts++;
		if (!strcmp(part, "..") || !strcmp(part, "."))
			r = -EINVAL;
		else if (create && mkdirat(fd, part, 02770) && errno != EEXIST)
			r = -errno;
		if (r)
			break;
		next = open_beneath(fd, part);
		close(fd);
		fd = next;
		r = fd < 0 ? fd : 0;
	}
	if (!r && (!parts || path[0] == '/'))
		r = -EINVAL;
	free(copy);
	if (!r)
		return fd;
	if (fd >= 0)
		close(fd);
	return r;
}

/* ---- walks: by descriptor, without following links, as deep and as far as the limits say */

struct walk {
	struct slot_size max, seen;
	bool readable; /* give the group its rights, else measure */
};

static int walk_folder(struct walk *w, int fd, int depth);

/* What was changed or removed since it was listed is passed over. */
static int walk_below(struct walk *w, int parent, const char *name, int depth)
{
	int fd = open_beneath(parent, name);

	if (fd == -EMFILE)
		return -ELOOP; /* each level holds one descriptor */
	return fd < 0 ? 0 : walk_folder(w, fd, depth + 1);
}

/* What nobody is to see takes up room all the same. Its owner may look in, and the build finds the mode as it was. */
static int walk_closed(struct walk *w, int parent, const char *name, mode_t mode, int depth)
{
	int fd, r;

	if (fchmodat(parent, name, (mode & 07777) | 0500, AT_SYMLINK_NOFOLLOW))
		return 0;
	fd = open_beneath(parent, name);
	if (fd < 0)
		return fd == -EMFILE ? -ELOOP : 0;
	r = walk_below(w, fd, ".", depth);
	fchmod(fd, mode & 07777);
	close(fd);
	return r;
}

/* Each of its names bears its share: trees of hard links, as `cp -al` makes them, are as large as what they hold. */
static int64_t bytes_of(const struct stat *st)
{
	int64_t names = S_ISDIR(st->st_mode) || st->st_nlink < 1 ? 1 : (int64_t)st->st_nlink;

	return (int64_t)st->st_blocks * 512 / names;
}

static int walk_entry(struct walk *w, int parent, const char *name, int depth)
{
	struct stat st;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW))
		return 0; /* gone already */
	w->seen.bytes += bytes_of(&st);
	if (w->seen.bytes >= w->max.bytes)
		return -EFBIG;
	if (w->readable && S_ISREG(st.st_mode) && (st.st_mode & 0440) != 0440)
		/* No link can be here instead: the build's processes are dead. */
		return fchmodat(parent, name, (st.st_mode & 0777) | 0440, 0) ? -errno : 0;
	if (!S_ISDIR(st.st_mode))
		return 0;
	if (w->readable && (st.st_mode & 0770) != 0770 &&
		fchmodat(parent, name, (st.st_mode & 07777) | 0770, 0))
		return -errno;
	if (!w->readable && (st.st_mode & 0500) != 0500 && st.st_uid == geteuid())
		return walk_closed(w, parent, name, st.st_mode, depth);
	return walk_below(w, parent, name, depth);
}

/* Takes fd. */
static int walk_folder(struct walk *w, int fd, int depth)
{
	DIR *dir = depth < w->max.depth ? fdopendir(fd) : NULL;
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		r = depth < w->max.depth ? -errno : -ELOOP;
		close(fd);
		return r;
	}
	while (!r && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (++w->seen.entries > w->max.entries)
			r = -E2BIG;
		else
			r = walk_entry(w, dirfd(dir), entry->d_name, depth);
	}
	closedir(dir);
	return r;
}

int slot_make_readable(int work_fd, const char *path)
{
	struct walk w = {.max = {INT64_MAX, TREE_ENTRIES_MAX, TREE_DEPTH_MAX}, .readable = true};
	int fd = slot_open(work_fd, path, false);

	if (fd == -ENOENT)
		return 0;
	if (fd < 0)
		return fd;
	if (fchmod(fd, 02770)) {
		int r = -errno;

		close(fd);
		return r;
	}
	return walk_folder(&w, fd, 0);
}

/* A walk holds one descriptor for each level. */
static void allow_depth(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur > 2 * MEASURE_DEPTH_MAX)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

enum slot_excess slot_measure(int fd, const struct slot_size *max)
{
	struct walk w = {.max = *max};

	allow_depth();
	switch (walk_below(&w, fd, ".", -1)) {
	case -EFBIG:
		return SLOT_BYTES;
	case -E2BIG:
		return SLOT_ENTRIES;
	case -ELOOP:
		return SLOT_DEPTH;
	default:
		return SLOT_FITS; /* or this machine is short of something, and the next look sees more */
	}
}
