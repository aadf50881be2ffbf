// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <strand.h>
#include <string.h>

#include "hamper-impl.h"

struct reader {
	const char *at, *end;
};

static bool read_number(struct reader *r, uint64_t most, uint64_t *ret_value)
{
	return grain_num_read(&r->at, r->end, ret_value) == 0 && *ret_value <= most;
}

static bool take(struct reader *r, uint64_t len, const char **ret_bytes)
{
	if (len > (uint64_t)(r->end - r->at))
		return false;
	*ret_bytes = r->at;
	r->at += len;
	return true;
}

static bool read_entry(struct reader *r, struct hamper_entry *e)
{
	const char *name, *digest;
	uint64_t name_len, mode;

	if (!read_number(r, HAMPER_NAME_MAX, &name_len) || !take(r, name_len, &name) ||
		!name_is_safe(name, name_len) || !read_number(r, HAMPER_MODES, &mode) ||
		!read_number(r, HAMPER_FILE_MAX, &e->size) ||
		!read_number(r, SIZE_MAX / 2, &e->stored) || !take(r, CAIRN_SHA256_SIZE, &digest) ||
		!take(r, e->stored, &e->packed))
		return false;
	e->mode = (unsigned int)mode;
	memcpy(e->sha256, digest, CAIRN_SHA256_SIZE);
	e->name = strndup(name, name_len);
	return e->name != NULL;
}

static int read_entries(struct hamper *h, struct reader *r)
{
	uint64_t count;

	/* An entry takes more than one byte, so the count cannot ask for more than there is. */
	if (!read_number(r, (uint64_t)(r->end - r->at), &count))
		return -EBADMSG;
	h->entries = calloc(count ? count : 1, sizeof(*h->entries));
	if (!h->entries)
		return -ENOMEM;
	for (; h->count < count; h->count++)
		if (!read_entry(r, &h->entries[h->count]))
			return -EBADMSG;
	return r->at == r->end ? 0 : -EBADMSG;
}

static int read_whole(struct hamper *h)
{
	const char *data = grain_buf_text(&h->bytes);
	unsigned char digest[CAIRN_SHA256_SIZE];
	struct reader r;

	if (h->bytes.len < HAMPER_MAGIC_LEN + CAIRN_SHA256_SIZE ||
		memcmp(data, HAMPER_MAGIC, HAMPER_MAGIC_LEN) != 0)
		return -EBADMSG;
	r.at = data + HAMPER_MAGIC_LEN;
	r.end = data + h->bytes.len - CAIRN_SHA256_SIZE;
	cairn_sha256(data, (size_t)(r.end - data), digest);
	if (memcmp(digest, r.end, sizeof(digest)) != 0)
		return -EBADMSG;
	return read_entries(h, &r);
}

int hamper_open(const char *path, struct hamper *ret_hamper, struct grain_buf *err)
{
	struct hamper h = {0};
	int r = grain_file_read(path, &h.bytes);

	if (r == 0)
		r = read_whole(&h);
	if (r == -EBADMSG)
		grain_buf_addf(err, "%s is no archive of hamper, or is damaged", path);
	else if (r < 0)
		grain_buf_addf(err, "%s: %s", path, strerror(-r));
	if (r < 0)
		hamper_close(&h);
	else
		*ret_hamper = h;
	return r;
}

void hamper_close(struct hamper *h)
{
	for (size_t i = 0; i < h->count; i++)
		free(h->entries[i].name);
	free(h->entries);
	grain_buf_finish(&h->bytes);
	*h = (struct hamper){0};
}

int hamper_read(const struct hamper_entry *e, struct grain_buf *out, struct grain_buf *err)
{
	unsigned char digest[CAIRN_SHA256_SIZE];
	size_t start = out->len;
	int r = strand_unpack(e->packed, e->stored, e->size, out);

	if (r == 0) {
		cairn_sha256(grain_buf_text(out) + start, out->len - start, digest);
		if (out->len - start != e->size || memcmp(digest, e->sha256, sizeof(digest)) != 0)
			r = -EBADMSG;
	}
	if (r < 0)
		grain_buf_addf(err, "\"%s\" is damaged in the archive", e->name);
	return r;
}
