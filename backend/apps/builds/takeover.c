// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "apps/builds/tasks.h"

#define DEPTH_MAX 20 /* folders in results; deeper ones are not captured */

/* A retry shares files with the build before it as hard links: nobody writes to a result again. */
static int link_file(int from, int to, const char *name)
{
	if (linkat(from, name, to, name, 0) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	return fd < 0 ? -errno : fd;
}

static int link_folder(const char *from, const char *to, const char *rest, int depth);

static int link_entry(
	DIR *dir, int to_fd, const char *name, const char *from, const char *to, int depth)
{
	struct stat st;
	int r = 0;

	if (fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISREG(st.st_mode)) {
		r = link_file(dirfd(dir), to_fd, name);
	} else if (S_ISDIR(st.st_mode) && strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
		r = depth < DEPTH_MAX ? link_folder(from, to, name, depth + 1) : -ELOOP;
	}
	return r;
}

static int link_entries(DIR *dir, int to_fd, const char *from, const char *to, int depth)
{
	struct dirent *e;
	int r = 0;

	while (r >= 0 && (e = readdir(dir)))
		r = link_entry(dir, to_fd, e->d_name, from, to, depth);
	return r;
}

/* A folder that is missing is empty. */
static int link_folder(const char *from, const char *to, const char *rest, int depth)
{
	char *source = xasprintf("%s/%s", from, rest), *target = xasprintf("%s/%s", to, rest);
	int from_fd = open_dir(source), to_fd = -1, r = from_fd == -ENOENT ? 0 : from_fd;
	DIR *dir;

	if (from_fd < 0)
		goto out;
	r = dir_create(target, 0750, NULL);
	to_fd = r < 0 ? r : open_dir(target);
	if (to_fd < 0) {
		r = to_fd;
		close(from_fd);
		goto out;
	}
	dir = fdopendir(from_fd); /* owns from_fd */
	r = dir ? link_entries(dir, to_fd, source, target, depth) : -errno;
	if (dir)
		closedir(dir);
	close(to_fd);
out:
	free(source);
	free(target);
	return r < 0 ? r : 0;
}

static int link_log(const char *from, const char *to, const char *package)
{
	static const char *const suffixes[] = {".log", ".log.idx"};
	char *source, *target;
	int r;

	target = xasprintf("%s/logs", to);
	r = dir_create(target, 0750, NULL);
	free(target);
	for (size_t i = 0; r >= 0 && i < countof(suffixes); i++) {
		source = xasprintf("%s/logs/%s%s", from, package, suffixes[i]);
		target = xasprintf("%s/logs/%s%s", to, package, suffixes[i]);
		if (link(source, target) < 0 && errno != EEXIST && errno != ENOENT)
			r = -errno;
		free(source);
		free(target);
	}
	return r;
}

int takeover_link(const char *from_job_dir, const char *to_job_dir, const char *package)
{
	char *rest = xasprintf("results/%s", package);
	int r = link_folder(from_job_dir, to_job_dir, rest, 0);

	free(rest);
	return r < 0 ? r : link_log(from_job_dir, to_job_dir, package);
}

/* The whole file system, because a sync for each of thousands of folders takes minutes. */
int takeover_sync(const char *to_job_dir)
{
	int fd = open_dir(to_job_dir), r = 0;

	if (fd < 0)
		return fd;
	if (syncfs(fd))
		r = -errno;
	close(fd);
	return r;
}

int takeover_rpms(const char *job_dir, const char *package, struct takeover_paths *paths)
{
	char *folder = xasprintf("%s/results/%s", job_dir, package);
	DIR *dir = opendir(folder);
	struct dirent *e;
	int r = dir || errno == ENOENT ? 0 : -errno;

	while (dir && (e = readdir(dir)))
		if (rpm_is_binary(e->d_name)) {
			paths->paths =
				xrealloc(paths->paths, (paths->count + 1) * sizeof(*paths->paths));
			paths->paths[paths->count++] = xasprintf("%s/%s", folder, e->d_name);
		}
	if (dir)
		closedir(dir);
	free(folder);
	return r;
}

void takeover_paths_finish(struct takeover_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free(paths->paths[i]);
	free(paths->paths);
	*paths = (struct takeover_paths){0};
}
