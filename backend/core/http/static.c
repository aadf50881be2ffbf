// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/http/http_internal.h"

struct static_dir {
	int fd;
	unsigned refs; /* the owner's and one per look-up under way */
};

struct lookup {
	uv_work_t work;
	struct static_dir *dir;
	struct http_request *req;
	const char *path; /* relative to the folder */
	const char *served; /* path, or index.html in its place */
	int fd;
	struct stat st;
};

static const struct {
	const char *extension, *type;
} types[] = {
	{".css", "text/css; charset=utf-8"},
	{".html", "text/html; charset=utf-8"},
	{".ico", "image/x-icon"},
	{".js", "text/javascript; charset=utf-8"},
	{".json", "application/json"},
	{".map", "application/json"},
	{".png", "image/png"},
	{".svg", "image/svg+xml"},
	{".txt", "text/plain; charset=utf-8"},
	{".webmanifest", "application/manifest+json"},
	{".woff2", "font/woff2"},
};

static const char *content_type(const char *path)
{
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < countof(types); i++)
		if (strcmp(dot, types[i].extension) == 0)
			return types[i].type;
	return "application/octet-stream";
}

struct static_dir *static_dir_open(const char *path, struct strbuf *err)
{
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct static_dir *d;

	if (fd < 0) {
		err_set(err, -errno, "cannot serve the folder %s: %s", path, strerror(errno));
		return NULL;
	}
	d = xcalloc(1, sizeof(*d));
	d->fd = fd;
	d->refs = 1;
	return d;
}

void static_dir_close(struct static_dir *d)
{
	if (!d || --d->refs > 0)
		return;
	close(d->fd);
	free(d);
}

/* Segment by segment and through no link, so that nothing in the path or the folder leads outside.
 * fd or -errno. */
static int open_beneath(int dir, const char *path)
{
	char segment[NAME_MAX + 1];
	int at = dir, next;

	for (;;) {
		size_t len = strcspn(path, "/");
		bool last = path[len] == '\0';
		if (len == 0 || len > NAME_MAX) {
			next = -ENOENT;
		} else {
			memcpy(segment, path, len);
			segment[len] = '\0';
			next = openat(at, segment,
				O_CLOEXEC | O_NOFOLLOW |
					(last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY));
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

static int open_regular(int dir, const char *path, struct stat *ret_st)
{
	int fd = open_beneath(dir, path);

	if (fd < 0)
		return fd;
	if (fstat(fd, ret_st) == 0 && S_ISREG(ret_st->st_mode))
		return fd;
	close(fd);
	return -ENOENT;
}

static bool has_extension(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strchr(slash ? slash + 1 : path, '.');
}

/* On a thread of the pool. */
static void on_look(uv_work_t *work)
{
	struct lookup *l = container_of(work, struct lookup, work);

	l->served = l->path;
	l->fd = open_regular(l->dir->fd, l->path, &l->st);
	if (l->fd < 0 && !has_extension(l->path)) {
		l->served = "index.html";
		l->fd = open_regular(l->dir->fd, l->served, &l->st);
	}
}

static void found_reply(struct lookup *l)
{
	char etag[64];

	snprintf(etag, sizeof(etag), "W/\"%llx-%llx%08lx\"", (unsigned long long)l->st.st_size,
		(unsigned long long)l->st.st_mtim.tv_sec, (unsigned long)l->st.st_mtim.tv_nsec);
	if (http_reply_condition(l->req, etag))
		close(l->fd);
	else
		http_reply_file(l->req, l->fd, l->st.st_size, content_type(l->served));
}

static void on_looked(uv_work_t *work, int status)
{
	struct lookup *l = container_of(work, struct lookup, work);

	if (status == 0 && l->fd >= 0)
		found_reply(l);
	else
		http_reply_problem(l->req, 404, "not-found", "nothing is at /%s", l->path);
	static_dir_close(l->dir);
	free(l);
}

void static_dir_serve(struct static_dir *d, struct http_request *req)
{
	struct lookup *l = xcalloc(1, sizeof(*l));

	l->dir = d;
	l->req = req;
	l->path = req->head.path + 1;
	l->fd = -1;
	d->refs++;
	uv_queue_work(&req->server->config.loop->uv, &l->work, on_look, on_looked);
}
