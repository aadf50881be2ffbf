// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "grain.h"

int grain_file_read(const char *path, struct grain_buf *b)
{
	int fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	char chunk[65536];
	ssize_t n;
	int r = 0;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno != EINTR) {
			r = -errno;
			break;
		}
		if (n > 0)
			grain_buf_add(b, chunk, (size_t)n);
	}
	if (fd != STDIN_FILENO)
		close(fd);
	return r ? r : b->error;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

int grain_file_write(const char *path, const void *data, size_t len, unsigned int mode)
{
	struct grain_buf temporary = GRAIN_BUF_INIT;
	int fd, r;

	grain_buf_addf(&temporary, "%s.new-%ld", path, (long)getpid());
	if (temporary.error)
		return temporary.error;
	fd = open(temporary.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0) {
		r = -errno;
		goto finish_name;
	}
	r = write_all(fd, data, len);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(temporary.data, path) < 0)
		r = -errno;
	if (r < 0)
		unlink(temporary.data);
finish_name:
	grain_buf_finish(&temporary);
	return r;
}
