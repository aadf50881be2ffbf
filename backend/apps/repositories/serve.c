// SPDX-License-Identifier: MIT
#include "apps/repositories/repositories.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *suffix, *content_type;
} content_types[] = {
	{".rpm", "application/x-rpm"},
	{".xml", "text/xml; charset=utf-8"},
	{".gz", "application/gzip"},
	{".zst", "application/zstd"},
	{".xz", "application/x-xz"},
	{".bz2", "application/x-bzip2"},
};

static const char *content_type_of(const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < countof(content_types); i++) {
		size_t want = strlen(content_types[i].suffix);

		if (len > want && !strcmp(path + len - want, content_types[i].suffix))
			return content_types[i].content_type;
	}
	return "application/octet-stream";
}

/* The kernel keeps the walk below dir; no path of ours is cleaned or compared. */
static int open_beneath(int dir, const char *path)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

static int open_live(const char *job_dir)
{
	char *path = xasprintf("%s/" REPOSITORY_LINK, job_dir);
	int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	free(path);
	return fd < 0 ? -errno : fd;
}

/* What a path from outside can cause is "there is no such file". */
static int as_not_found(int code)
{
	switch (code) {
	case -ENOTDIR:
	case -EXDEV:
	case -ELOOP:
	case -ENAMETOOLONG:
	case -EISDIR:
	case -ENXIO:
	case -EINVAL:
		return -ENOENT;
	default:
		return code;
	}
}

int repository_open_file(const char *job_dir, const char *path, struct repository_file *ret)
{
	int dir = open_live(job_dir), fd;
	struct stat st;

	if (dir < 0)
		return as_not_found(dir);
	fd = open_beneath(dir, path);
	close(dir);
	if (fd < 0)
		return as_not_found(fd);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -ENOENT;
	}
	*ret = (struct repository_file){.fd = fd,
		.size = st.st_size,
		.mtime_s = st.st_mtim.tv_sec,
		.content_type = content_type_of(path)};
	return 0;
}

static void add_line(struct strbuf *out, const char *key, const char *value)
{
	strbuf_addf(out, "%s=", key);
	for (; *value; value++)
		strbuf_addch(out, (unsigned char)*value < ' ' || *value == 0x7f ? ' ' : *value);
	strbuf_addch(out, '\n');
}

void repository_config(struct strbuf *out, const char *id, const char *title, const char *base_url)
{
	strbuf_addf(out, "[%s]\n", id);
	add_line(out, "name", title);
	add_line(out, "baseurl", base_url);
	add_line(out, "enabled", "1");
	add_line(out, "gpgcheck", "0");
	/* It grows while the build runs; dnf would keep what it read for two days. */
	add_line(out, "metadata_expire", "60");
}
