// SPDX-License-Identifier: MIT
#include "core/base/base.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A build may leave anything behind: folders that nobody may enter, links to everywhere, a million
 * levels. So names are only ever looked up in folders that are held open, links are not followed,
 * and folders deeper than TREE_OPEN_MAX are moved up to the top and removed from there: no depth is
 * too deep, and no more than that many descriptors are open at a time.
 */
#define TREE_OPEN_MAX 64

struct removal {
	int top; /* descriptor of the folder that is removed */
	dev_t device;
	int result; /* the first failure; the rest is removed all the same */
	size_t done; /* entries removed or moved in this pass */
	bool again; /* something is left that another pass can remove */
};

static void failed(struct removal *r, int code)
{
	if (!r->result)
		r->result = code;
}

/* Opens a folder, and makes it one that its owner may list and change. */
static int open_folder(int parent, const char *name, mode_t mode)
{
	int fd;

	if ((mode & 0700) != 0700 &&
		fchmodat(parent, name, (mode & 07777) | 0700, AT_SYMLINK_NOFOLLOW))
		return -errno;
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static void move_to_top(struct removal *r, int parent, const char *name)
{
	char unused[2 * 16 + 1];

	random_hex(unused, 16);
	if (renameat(parent, name, r->top, unused)) {
		failed(r, -errno);
		return;
	}
	r->done++;
	r->again = true;
}

static void remove_entry(struct removal *r, int parent, const char *name, int depth);

/* Takes fd. */
static void remove_entries(struct removal *r, int fd, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		failed(r, -errno);
		close(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			remove_entry(r, dirfd(dir), entry->d_name, depth);
	closedir(dir);
}

static void remove_folder(struct removal *r, int parent, const char *name, int depth)
{
	struct stat st;
	int fd;

	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW)) {
		failed(r, -errno);
		return;
	}
	if (st.st_dev != r->device) {
		failed(r, -EXDEV);
		return;
	}
	fd = open_folder(parent, name, st.st_mode);
	if (fd < 0) {
		failed(r, fd);
		return;
	}
	if (depth == TREE_OPEN_MAX) {
		close(fd);
		move_to_top(r, parent, name);
		return;
	}
	remove_entries(r, fd, depth + 1);
	if (!unlinkat(parent, name, AT_REMOVEDIR))
		r->done++;
	else if (errno == ENOTEMPTY || errno == EEXIST)
		r->again = true; /* readdir may pass over names while others go */
	else
		failed(r, -errno);
}

static void remove_entry(struct removal *r, int parent, const char *name, int depth)
{
	if (!unlinkat(parent, name, 0))
		r->done++;
	else if (errno == EISDIR)
		remove_folder(r, parent, name, depth);
	else if (errno != ENOENT)
		failed(r, -errno);
}

int tree_remove(const char *path)
{
	struct removal r = {0};
	struct stat st;

	if (lstat(path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode))
		return unlink(path) ? -errno : 0;
	r.top = open_folder(AT_FDCWD, path, st.st_mode);
	if (r.top < 0)
		return r.top;
	r.device = st.st_dev;
	do {
		int fd = openat(r.top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		r.done = 0;
		r.again = false;
		if (fd < 0)
			failed(&r, -errno);
		else
			remove_entries(&r, fd, 1);
	} while (r.again && r.done);
	close(r.top);
	if (!r.result && rmdir(path))
		r.result = -errno;
	return r.result;
}
