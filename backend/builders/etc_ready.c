// SPDX-License-Identifier: MIT
#include "builders/launch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The /etc of runs without layers, made once: to let bubblewrap put it together from some fifty files takes 3 ms, half as long as
 * all the rest of a sandbox, and one bind mount takes 0.3. It is named after what it was copied from. A run whose host looks
 * different by now does not find it, and has its /etc put together as before (etc_args.c).
 *
 * Only what everybody may read is copied, for the copy is everybody's.
 */

#define READY_ENTRIES_MAX 20000
#define READY_BYTES_MAX (64LL << 20)
#define READY_DEPTH_MAX 8

/* Whose change says that an entry may have changed further below than its own name shows. */
static const char *const host_state[] = {"/var/lib/dpkg/status",
	"/usr/lib/sysimage/rpm/rpmdb.sqlite", "/var/lib/rpm/rpmdb.sqlite", "/etc/ssl/certs",
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/ca-trust/extracted/pem",
	"/etc/fonts/conf.d"};

static void digest_entry(struct digest *d, const char *path)
{
	struct stat st;
	char text[160];

	if (lstat(path, &st))
		return;
	snprintf(text, sizeof(text), "%s %jd %jd %jd.%09ld", path, (intmax_t)st.st_ino,
		(intmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
	digest_add(d, text, strlen(text) + 1);
}

char *etc_ready_path(const char *data_dir)
{
	struct digest *d = digest_create();
	char hex[SHA256_HEX_MAX];

	for (size_t i = 0; etc_from_host[i]; i++) {
		char *path = xasprintf("/etc/%s", etc_from_host[i]);

		digest_entry(d, path);
		free(path);
	}
	for (size_t i = 0; i < countof(host_state); i++)
		digest_entry(d, host_state[i]);
	digest_hex(d, hex);
	digest_destroy(d);
	return xasprintf("%s/etc/%.16s", data_dir, hex);
}

/* ---- the copy */

struct copying {
	int64_t entries, bytes; /* so far */
};

static int copy_entry(
	struct copying *c, int from, const char *name, int to, const char *as, int depth);

static int copy_file(int from, const char *name, const struct stat *st, int to, const char *as)
{
	int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), r = 0;
	int out = openat(to, as, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	off_t left = st->st_size;

	if (in < 0 || out < 0)
		r = -errno;
	while (!r && left > 0) {
		ssize_t n = sendfile(out, in, NULL, (size_t)left);

		if (n <= 0)
			r = n < 0 ? -errno : -EIO;
		left -= n;
	}
	if (!r && fchmod(out, st->st_mode & 0111 ? 0755 : 0644))
		r = -errno;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return r;
}

static int copy_link(int from, const char *name, int to, const char *as)
{
	char text[4096];
	ssize_t len = readlinkat(from, name, text, sizeof(text) - 1);

	if (len < 0)
		return -errno;
	text[len] = '\0';
	return symlinkat(text, to, as) ? -errno : 0;
}

static int copy_folder(
	struct copying *c, int from, const char *name, int to, const char *as, int depth)
{
	int in = openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), out = -1,
	    r = 0;
	DIR *dir = in < 0 ? NULL : fdopendir(in);
	struct dirent *e;

	if (!dir || depth > READY_DEPTH_MAX || mkdirat(to, as, 0700))
		r = dir ? (depth > READY_DEPTH_MAX ? -ELOOP : -errno) : -errno;
	if (!r && (out = openat(to, as, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		r = -errno;
	while (!r && (e = readdir(dir)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			r = copy_entry(c, in, e->d_name, out, e->d_name, depth + 1);
	if (!r && fchmod(out, 0755))
		r = -errno;
	if (out >= 0)
		close(out);
	if (dir)
		closedir(dir);
	else if (in >= 0)
		close(in);
	return r;
}

static int copy_entry(
	struct copying *c, int from, const char *name, int to, const char *as, int depth)
{
	struct stat st;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	c->bytes += S_ISREG(st.st_mode) ? st.st_size : 0;
	if (++c->entries > READY_ENTRIES_MAX || c->bytes > READY_BYTES_MAX)
		return -E2BIG;
	if (S_ISLNK(st.st_mode))
		return copy_link(from, name, to, as);
	if (S_ISREG(st.st_mode) && st.st_mode & S_IROTH)
		return copy_file(from, name, &st, to, as);
	if (S_ISDIR(st.st_mode) && (st.st_mode & 0005) == 0005)
		return copy_folder(c, from, name, to, as, depth);
	return 0;
}

static int write_generated(int to)
{
	for (const struct etc_file *f = etc_files; f->name; f++) {
		int fd = openat(to, f->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		ssize_t len = (ssize_t)strlen(f->text);
		int r = fd < 0 || write(fd, f->text, (size_t)len) != len || fchmod(fd, 0644) ? -EIO
											     : 0;

		if (fd >= 0)
			close(fd);
		if (r)
			return r;
	}
	return 0;
}

static int fill(const char *folder)
{
	int host = open("/etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = host < 0 ? -errno : 0;
	int to = mkdir(folder, 0700) ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct copying c = {0};

	if (!r && to < 0)
		r = -errno;
	if (!r)
		r = write_generated(to);
	for (size_t i = 0; etc_from_host[i] && !r; i++)
		r = copy_entry(&c, host, etc_from_host[i], to, etc_from_host[i], 0);
	if (!r && fchmod(to, 0755))
		r = -errno;
	if (host >= 0)
		close(host);
	if (to >= 0)
		close(to);
	return r;
}

int etc_ready_make(const char *data_dir)
{
	char *path = etc_ready_path(data_dir), *fresh = xasprintf("%s.new", path);
	int r = 0;

	if (access(path, F_OK)) {
		tree_remove(fresh);
		r = fill(fresh);
		if (!r && rename(fresh, path))
			r = -errno;
		if (r)
			tree_remove(fresh);
	}
	free(path);
	free(fresh);
	return r;
}

int etc_ready_begin(const char *data_dir)
{
	char *folder = xasprintf("%s/etc", data_dir);
	int r = tree_remove(folder);

	if (!r && (mkdir(folder, 0700) || chmod(folder, 0755)))
		r = -errno;
	free(folder);
	return r ? r : etc_ready_make(data_dir);
}
