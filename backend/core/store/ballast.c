// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "core/base/log.h"
#include "core/store/ballast.h"
#include "core/store/store.h"

#define STAT_BLOCK 512 /* st_blocks, on every file system */

/* Has the last server left it whole? */
static bool is_whole(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISREG(st.st_mode) &&
	       st.st_blocks * STAT_BLOCK >= STORE_ROOM_BYTES;
}

void ballast_init(struct ballast *b, const char *database)
{
	const char *slash = strrchr(database, '/');

	b->path = xasprintf("%s-ballast", database);
	b->folder = slash ? xstrndup(database, (size_t)(slash + 1 - database)) : xstrdup(".");
	b->there = is_whole(b->path);
	b->not_before_ms = 0;
}

void ballast_finish(struct ballast *b)
{
	free(b->path);
	free(b->folder);
}

bool ballast_drop(struct ballast *b)
{
	if (!b->there)
		return false;
	b->there = false;
	b->not_before_ms = clock_monotonic_ms() + BALLAST_LOOK_MS;
	if (unlink(b->path) < 0)
		log_warn("store: %s cannot be removed: %s", b->path, strerror(errno));
	return true;
}

static int allocate(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = fd < 0 || fallocate(fd, 0, 0, STORE_ROOM_BYTES) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	if (fd >= 0 && r < 0)
		unlink(path);
	return r;
}

/* Some file systems cannot reserve anything: there a full disk is what it is everywhere. */
bool ballast_make(struct ballast *b)
{
	int64_t now = clock_monotonic_ms();
	int r;

	if (b->there || now < b->not_before_ms)
		return false;
	b->not_before_ms = now + BALLAST_LOOK_MS;
	if (disk_free_bytes(b->folder) < STORE_ROOM_ENOUGH)
		return false;
	r = allocate(b->path);
	if (r < 0)
		log_debug("store: no room is kept for a full disk: %s", strerror(-r));
	b->there = r >= 0;
	return b->there;
}
