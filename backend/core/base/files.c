// SPDX-License-Identifier: MIT
#include "core/base/base.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define READ_STEP 65536

/* ---- whole files */

/* To the end of fd, but no more than max bytes in all. */
static int read_all(int fd, size_t max, struct strbuf *ret)
{
	size_t start = ret->len;

	for (;;) {
		ssize_t got;

		strbuf_grow(ret, READ_STEP);
		got = read(fd, ret->buf + ret->len, READ_STEP);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return 0;
		ret->len += (size_t)got;
		ret->buf[ret->len] = '\0';
		if (ret->len - start > max)
			return -EFBIG;
	}
}

/* Devices and pipes are refused: a reader of one could wait for ever. */
static int open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	if (!r)
		return fd;
	close(fd);
	return r;
}

int file_read(const char *path, size_t max, struct strbuf *ret, struct strbuf *err)
{
	size_t start = ret->len;
	int fd = open_regular(path), r;

	if (fd == -EINVAL)
		return err_set(err, fd, "%s is not a regular file", path);
	if (fd < 0)
		return err_set(err, fd, "cannot read %s: %s", path, strerror(-fd));
	r = read_all(fd, max, ret);
	close(fd);
	if (!r)
		return 0;
	strbuf_setlen(ret, start);
	if (r == -EFBIG)
		return err_set(err, r, "%s is larger than %zu bytes", path, max);
	return err_set(err, r, "cannot read %s: %s", path, strerror(-r));
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t written = write(fd, data, len);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		data += written;
		len -= (size_t)written;
	}
	return 0;
}

/* The folder that path is in; the caller frees. */
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return xstrdup(".");
	return xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
}

int dir_sync(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	if (fd < 0 || fsync(fd))
		r = -errno;
	if (fd >= 0)
		close(fd);
	return r;
}

/* A rename is on disk when its folder is. */
static int sync_parent(const char *path)
{
	char *parent = parent_of(path);
	int r = dir_sync(parent);

	free(parent);
	return r;
}

static int fill_and_sync(int fd, const void *data, size_t len, mode_t mode)
{
	int r = write_all(fd, data, len);

	if (!r && (fchmod(fd, mode) || fsync(fd)))
		r = -errno;
	return r;
}

int file_write_atomic(
	const char *path, const void *data, size_t len, mode_t mode, struct strbuf *err)
{
	char *temporary = xasprintf("%s.XXXXXX", path);
	int fd = mkostemp(temporary, O_CLOEXEC), r;

	if (fd < 0) {
		r = -errno;
		goto free_name;
	}
	r = fill_and_sync(fd, data, len, mode);
	close(fd);
	if (!r && rename(temporary, path))
		r = -errno;
	if (r)
		unlink(temporary);
	else
		r = sync_parent(path);
free_name:
	free(temporary);
	return r ? err_set(err, r, "cannot write %s: %s", path, strerror(-r)) : 0;
}

/* ---- folders */

static int make_one(const char *path, mode_t mode)
{
	struct stat st;

	if (!mkdir(path, mode))
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (stat(path, &st))
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int dir_create(const char *path, mode_t mode, struct strbuf *err)
{
	char *copy = xstrdup(path), *slash = copy;
	int r = 0;

	do {
		char kept;

		slash += strspn(slash, "/");
		slash += strcspn(slash, "/");
		kept = *slash;
		*slash = '\0';
		r = make_one(copy, mode);
		if (r)
			err_set(err, r, "cannot create the folder %s: %s", copy, strerror(-r));
		*slash = kept;
	} while (!r && *slash);
	free(copy);
	return r;
}

int64_t disk_free_bytes(const char *path)
{
	struct statvfs fs;

	if (statvfs(path, &fs))
		return -errno;
	return (int64_t)(fs.f_bavail * fs.f_frsize);
}

const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

char *data_dir_usual(void)
{
	const char *said = environment("REQPM_DATA_DIR"), *state = environment("XDG_STATE_HOME");
	const char *home = environment("HOME");

	if (said)
		return xstrdup(said);
	if (!geteuid())
		return xstrdup("/var/lib/reqpm");
	if (state)
		return xasprintf("%s/reqpm", state);
	return xasprintf("%s/.local/state/reqpm", home ? home : "");
}
