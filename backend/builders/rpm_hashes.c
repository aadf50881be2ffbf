// SPDX-License-Identifier: MIT
#include "builders/rpm_env.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Beyond this many all are forgotten: they are only a saving. */
#define REMEMBERED_MAX 65536

struct rpm_hashes {
	pthread_mutex_t lock;
	struct map known; /* "dev:ino:size:mtime" to the digest in hex */
};

struct rpm_hashes *rpm_hashes_create(void)
{
	struct rpm_hashes *h = xcalloc(1, sizeof(*h));

	pthread_mutex_init(&h->lock, NULL);
	map_init(&h->known);
	return h;
}

static void forget_all(struct rpm_hashes *h)
{
	struct map_slot *slot;

	map_for_each (slot, &h->known)
		free(slot->value);
	map_finish(&h->known);
	map_init(&h->known);
}

void rpm_hashes_destroy(struct rpm_hashes *h)
{
	if (!h)
		return;
	forget_all(h);
	map_finish(&h->known);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

static bool recall(struct rpm_hashes *h, const char *key, char ret_hex[SHA256_HEX_MAX])
{
	const char *known;

	pthread_mutex_lock(&h->lock);
	known = map_get(&h->known, key);
	if (known)
		memcpy(ret_hex, known, SHA256_HEX_MAX);
	pthread_mutex_unlock(&h->lock);
	return known;
}

static void remember(struct rpm_hashes *h, const char *key, const char *hex)
{
	pthread_mutex_lock(&h->lock);
	if (h->known.count >= REMEMBERED_MAX)
		forget_all(h);
	free(map_remove(&h->known, key));
	map_set(&h->known, key, xstrdup(hex));
	pthread_mutex_unlock(&h->lock);
}

static int hash_file(int fd, char ret_hex[SHA256_HEX_MAX])
{
	struct digest *d = digest_create();
	char part[65536];
	ssize_t got;
	int r = 0;

	while (!r && (got = read(fd, part, sizeof(part))) != 0) {
		if (got > 0)
			digest_add(d, part, (size_t)got);
		else if (errno != EINTR)
			r = -errno;
	}
	if (!r)
		digest_hex(d, ret_hex);
	digest_destroy(d);
	return r;
}

int rpm_hashes_get(struct rpm_hashes *h, const char *path, char ret_hex[SHA256_HEX_MAX],
	int64_t *ret_size, struct strbuf *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), r = 0;
	struct stat st;
	char *key;

	if (fd < 0)
		return err_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return err_set(err, -EINVAL, "%s is no regular file", path);
	}
	key = xasprintf("%lx:%lx:%lx:%lx.%lx", (long)st.st_dev, (long)st.st_ino, (long)st.st_size,
		(long)st.st_mtim.tv_sec, (long)st.st_mtim.tv_nsec);
	if (!recall(h, key, ret_hex)) {
		r = hash_file(fd, ret_hex);
		if (!r)
			remember(h, key, ret_hex);
	}
	free(key);
	close(fd);
	if (r)
		return err_set(err, r, "cannot read %s: %s", path, strerror(-r));
	if (ret_size)
		*ret_size = st.st_size;
	return 0;
}
