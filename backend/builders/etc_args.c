// SPDX-License-Identifier: MIT
#include "builders/launch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A bind mount costs bubblewrap 0.3 ms, because it reads the list of all mounts to make each one read-only; forty of them took longer than
 * the rest of a sandbox. So what is small is copied into the root's own tmpfs, and only large folders are bound.
 */
#define COPY_ENTRIES_MAX 24 /* of one folder, those below it included */
#define COPY_DEPTH_MAX 4

static void put_file(struct args *a, int fd, const char *mode, const char *path)
{
	args_put(a, "--perms", mode, "--file", xasprintf("%d", fd), xstrdup(path));
}

/* ---- of the host */

struct copy {
	struct args *args;
	size_t left; /* entries that may still be copied */
};

static bool copy_entry(struct copy *c, const char *path, int depth);

static bool copy_folder(struct copy *c, const char *path, int depth)
{
	DIR *dir = depth < COPY_DEPTH_MAX ? opendir(path) : NULL;
	struct dirent *entry;
	bool ok = dir != NULL;

	args_put(c->args, "--dir", xstrdup(path));
	while (ok && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			ok = copy_entry(c, xasprintf("%s/%s", path, entry->d_name), depth + 1);
	if (dir)
		closedir(dir);
	return ok;
}

/* What bubblewrap is to read is opened without O_CLOEXEC. Bubblewrap reads it as soon as it starts, as the same user. */
static bool copy_file(struct copy *c, const char *path, const struct stat *st)
{
	int fd = st->st_size <= ETC_COPY_BYTES_MAX ? open(path, O_RDONLY | O_NOFOLLOW) : -1;

	/* A bind shows it as well, closed. */
	if (fd >= 0)
		put_file(c->args, fd, st->st_mode & 0111 ? "0755" : "0644", path);
	return fd >= 0;
}

static bool copy_link(struct copy *c, const char *path)
{
	char text[4096];
	ssize_t len = readlink(path, text, sizeof(text) - 1);

	if (len < 0)
		return false;
	text[len] = '\0';
	args_put(c->args, "--symlink", xstrdup(text), xstrdup(path));
	return true;
}

/* False: it is to be bound instead. */
static bool copy_entry(struct copy *c, const char *path, int depth)
{
	struct stat st;

	if (!c->left-- || lstat(path, &st))
		return false;
	if (S_ISLNK(st.st_mode))
		return copy_link(c, path);
	if (S_ISREG(st.st_mode))
		return copy_file(c, path, &st);
	return S_ISDIR(st.st_mode) && copy_folder(c, path, depth);
}

static void close_files(const struct args *a, size_t from)
{
	for (size_t i = from; i + 1 < a->count; i++)
		if (!strcmp(a->list[i], "--file"))
			close(atoi(a->list[i + 1]));
}

static void add_from_host(struct args *a, const char *name)
{
	struct copy c = {a, COPY_ENTRIES_MAX};
	char *path = xasprintf("/etc/%s", name);
	size_t before = a->count;
	struct stat st;

	if (lstat(path, &st) || copy_entry(&c, path, 0))
		return;
	close_files(a, before);
	a->count = before;
	args_put(a, "--ro-bind-try", path, path);
}

/* ---- generated */

static int text_fd(const char *text)
{
	int fd = memfd_create("etc", 0);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -errno;
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : fd;
}

int etc_args(struct args *a, struct strbuf *err)
{
	args_put(a, "--perms", "0755", "--dir", "/etc");
	for (size_t i = 0; etc_from_host[i]; i++)
		add_from_host(a, etc_from_host[i]);
	for (const struct etc_file *f = etc_files; f->name; f++) {
		int fd = text_fd(f->text);

		if (fd < 0)
			return err_set(err, fd, "cannot make /etc/%s: %s", f->name, strerror(-fd));
		put_file(a, fd, "0644", xasprintf("/etc/%s", f->name));
	}
	return 0;
}
