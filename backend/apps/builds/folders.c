// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>
#include "apps/builds/app.h"
#include "apps/builds/logs.h"

void upload_dir(struct strbuf *out, const struct app *app, int64_t upload_id)
{
	strbuf_addf(out, "%s/uploads/%lld", app->data_dir, (long long)upload_id);
}

void build_dir(struct strbuf *out, const struct app *app, int64_t job_id)
{
	strbuf_addf(out, "%s/builds/%lld", app->data_dir, (long long)job_id);
}

void log_path(struct strbuf *out, const struct app *app, int64_t job_id, const char *package)
{
	build_dir(out, app, job_id);
	strbuf_addf(out, "/logs/%s.log", package);
}

int check_disk(const struct app *app, int64_t more)
{
	int64_t left = disk_free_bytes(app->data_dir);

	if (left < 0)
		return (int)left;
	return left - more < app->disk_floor_bytes ? -ENOSPC : 0;
}

static bool is_dots(const char *s, size_t len)
{
	return s[0] == '.' && (len == 1 || (len == 2 && s[1] == '.'));
}

/* Segment by segment and through no link, so that nothing that a build or an upload made leads outside. */
int open_beneath(int dir, const char *path, int flags)
{
	char segment[NAME_MAX + 1];
	int at = dir, next;

	for (;;) {
		size_t len = strcspn(path, "/");
		bool last = path[len] == '\0';

		if (!len || len > NAME_MAX || is_dots(path, len)) {
			next = -ENOENT;
		} else {
			memcpy(segment, path, len);
			segment[len] = '\0';
			next = openat(at, segment,
				O_CLOEXEC | O_NOFOLLOW | (last ? flags : O_PATH | O_DIRECTORY));
			next = next < 0 ? -errno : next;
		}
		if (at != dir)
			close(at);
		if (next < 0 || last)
			return next;
		at = next;
		path += len + 1;
	}
}

int file_open_beneath(const char *root, const char *path, int *ret_fd, int64_t *ret_size)
{
	int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;
	struct stat st;

	if (dir < 0)
		return -errno;
	fd = open_beneath(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	close(dir);
	if (fd < 0)
		return fd == -ELOOP || fd == -ENOTDIR ? -ENOENT : fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -ENOENT;
	}
	*ret_fd = fd;
	*ret_size = st.st_size;
	return 0;
}
