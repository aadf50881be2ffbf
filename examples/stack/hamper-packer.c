// SPDX-License-Identifier: MIT
#include <errno.h>
#include <strand.h>
#include <string.h>

#include "hamper-impl.h"

static int no_memory(struct grain_buf *err)
{
	grain_buf_addstr(err, "there is no memory left");
	return -ENOMEM;
}

int hamper_packer_init(struct hamper_packer *p, int level, struct grain_buf *err)
{
	*p = (struct hamper_packer){.level = level};
	if (level < STRAND_FASTEST || level > STRAND_SMALLEST) {
		grain_buf_addf(err, "the level is %d, not 1 to 9", level);
		return -EINVAL;
	}
	p->names = grain_map_create();
	return p->names ? 0 : no_memory(err);
}

static int check_new(struct hamper_packer *p, const char *name, size_t len, struct grain_buf *err)
{
	if (!name_is_safe(name, strlen(name))) {
		grain_buf_addf(err, "the name \"%s\" leads out of the archive", name);
		return -EINVAL;
	}
	if (len > HAMPER_FILE_MAX) {
		grain_buf_addf(err, "\"%s\" is longer than 1 GiB", name);
		return -EFBIG;
	}
	if (grain_map_get(p->names, name)) {
		grain_buf_addf(err, "\"%s\" is in the archive already", name);
		return -EEXIST;
	}
	return 0;
}

int hamper_packer_add(struct hamper_packer *p, const char *name, unsigned int mode,
	const void *data, size_t len, struct grain_buf *err)
{
	struct grain_buf packed = GRAIN_BUF_INIT;
	unsigned char digest[CAIRN_SHA256_SIZE];
	int r = check_new(p, name, len, err);

	if (r < 0)
		return r;
	cairn_sha256(data, len, digest);
	if (strand_pack(data, len, p->level, &packed) < 0 || grain_map_set(p->names, name, p) < 0) {
		grain_buf_finish(&packed);
		return no_memory(err);
	}
	grain_buf_addnum(&p->entries, strlen(name));
	grain_buf_addstr(&p->entries, name);
	grain_buf_addnum(&p->entries, mode & HAMPER_MODES);
	grain_buf_addnum(&p->entries, len);
	grain_buf_addnum(&p->entries, packed.len);
	grain_buf_add(&p->entries, digest, sizeof(digest));
	grain_buf_add(&p->entries, packed.data, packed.len);
	grain_buf_finish(&packed);
	p->count++;
	return p->entries.error ? no_memory(err) : 0;
}

int hamper_packer_write(struct hamper_packer *p, const char *path, struct grain_buf *err)
{
	struct grain_buf whole = GRAIN_BUF_INIT;
	unsigned char digest[CAIRN_SHA256_SIZE];
	int r;

	grain_buf_addstr(&whole, HAMPER_MAGIC);
	grain_buf_addnum(&whole, p->count);
	grain_buf_add(&whole, p->entries.data, p->entries.len);
	cairn_sha256(whole.data, whole.len, digest);
	grain_buf_add(&whole, digest, sizeof(digest));
	r = whole.error ? whole.error : grain_file_write(path, whole.data, whole.len, 0644);
	if (r < 0)
		grain_buf_addf(err, "%s: %s", path, strerror(-r));
	grain_buf_finish(&whole);
	return r;
}

void hamper_packer_finish(struct hamper_packer *p)
{
	grain_buf_finish(&p->entries);
	grain_map_destroy(p->names);
	*p = (struct hamper_packer){0};
}
