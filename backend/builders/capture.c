// SPDX-License-Identifier: MIT
#include "builders/capture.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

struct capture {
	uv_work_t work;
	capture_fn *done;
	void *arg;
	char **from; /* NULL-terminated */
	char *to, *suffix;
	bool flat, describe, visible;
	struct artifact *artifacts; /* their strings are owned */
	size_t artifact_cap;
	struct strbuf
		path; /* of the entry in hand, below its folder: for the copy's name and for sentences */
	struct strbuf why;
	struct capture_result result;
};

/* ---- one file */

static int copy_bytes(struct capture *c, int in, int out)
{
	for (;;) {
		ssize_t n = copy_file_range(in, NULL, out, NULL, 1 << 24, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(&c->why, -errno, "cannot copy %s: %s", c->path.buf,
				strerror(errno));
		if (!n)
			return 0;
		c->result.bytes += n;
		if (c->result.bytes > CAPTURE_BYTES_MAX)
			return err_set(&c->why, -EFBIG, "the results are larger than %lld GiB",
				CAPTURE_BYTES_MAX >> 30);
	}
}

static int open_copy(struct capture *c, int to, const char *name)
{
	int fd = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd >= 0)
		return fd;
	if (errno == EEXIST)
		return err_set(&c->why, -EEXIST, "two results are called %s", name);
	return err_set(
		&c->why, -errno, "cannot make the copy of %s: %s", c->path.buf, strerror(errno));
}

static struct artifact *new_artifact(struct capture *c)
{
	if (c->result.artifact_count == c->artifact_cap) {
		c->artifact_cap = c->artifact_cap ? 2 * c->artifact_cap : 16;
		c->artifacts = xrealloc(c->artifacts, c->artifact_cap * sizeof(*c->artifacts));
	}
	c->result.artifacts = c->artifacts;
	return &c->artifacts[c->result.artifact_count++];
}

static int describe(struct capture *c, int fd)
{
	struct digest *digest = digest_create();
	char hex[SHA256_HEX_MAX], buf[65536];
	int64_t size = 0;
	ssize_t n;

	while ((n = pread(fd, buf, sizeof(buf), size)) > 0) {
		digest_add(digest, buf, (size_t)n);
		size += n;
	}
	digest_hex(digest, hex);
	digest_destroy(digest);
	if (n < 0)
		return err_set(&c->why, -errno, "cannot read the result %s: %s", c->path.buf,
			strerror(errno));
	*new_artifact(c) = (struct artifact){
		.file = xstrdup(c->path.buf),
		.kind = "file",
		.sha256 = xstrdup(hex),
		.size = size,
	};
	return 0;
}

static int copy_file(struct capture *c, int parent, const char *name, int to)
{
	/* NONBLOCK: should it be a pipe by now, opening it must not wait. */
	int in = openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), out, r;
	struct stat st;

	if (in < 0)
		return err_set(&c->why, -errno, "cannot open the result %s: %s", c->path.buf,
			strerror(errno));
	if (fstat(in, &st) || !S_ISREG(st.st_mode)) {
		close(in);
		return err_set(&c->why, -EINVAL, "the result %s is no regular file", c->path.buf);
	}
	out = open_copy(c, to, name);
	if (out < 0) {
		close(in);
		return out;
	}
	r = copy_bytes(c, in, out);
	if (!r && fsync(out))
		r = err_set(&c->why, -errno, "cannot store %s: %s", c->path.buf, strerror(errno));
	if (!r && c->describe)
		r = describe(c, in);
	close(in);
	close(out);
	return r;
}

/* ---- folders */

static int copy_folder(struct capture *c, int from, int to, int depth);

static int open_folder(int parent, const char *name)
{
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int enter_folder(struct capture *c, int parent, const char *name, int to, int depth)
{
	int from, below, r;

	if (depth == CAPTURE_DEPTH_MAX)
		return err_set(&c->why, -E2BIG, "the results lie more than %d folders deep",
			CAPTURE_DEPTH_MAX);
	from = open_folder(parent, name);
	if (from < 0)
		return err_set(&c->why, -errno, "cannot open the result folder %s: %s", c->path.buf,
			strerror(errno));
	if (c->flat) {
		below = fcntl(to, F_DUPFD_CLOEXEC, 0);
	} else {
		if (mkdirat(to, name, 0755) && errno != EEXIST)
			below = -1;
		else
			below = open_folder(to, name);
	}
	if (below < 0) {
		r = err_set(&c->why, -errno, "cannot make the folder %s for results: %s",
			c->path.buf, strerror(errno));
		close(from);
		return r;
	}
	r = copy_folder(c, from, below, depth + 1);
	close(below);
	return r;
}

static bool wanted(const struct capture *c, const char *name)
{
	size_t len = strlen(name), suffix = c->suffix ? strlen(c->suffix) : 0;

	return len >= suffix && !strcmp(name + len - suffix, c->suffix ? c->suffix : "");
}

static int copy_entry(struct capture *c, int from, const char *name, int to, int depth)
{
	struct stat st;

	if (!utf8_valid(name, strlen(name)) || text_has_control(name))
		return err_set(
			&c->why, -EINVAL, "a result has a name that is no printable UTF-8 text");
	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW))
		return err_set(&c->why, -errno, "cannot read the result %s: %s", c->path.buf,
			strerror(errno));
	if (S_ISDIR(st.st_mode))
		return enter_folder(c, from, name, to, depth);
	if (!wanted(c, name))
		return 0;
	if (c->visible && name[0] == '.')
		return err_set(&c->why, -EINVAL,
			"the name of the result %s begins with a dot, so that no repository would "
			"show it",
			c->path.buf);
	if (!S_ISREG(st.st_mode))
		return err_set(&c->why, -EINVAL,
			"the result %s is neither a regular file nor a folder", c->path.buf);
	if (++c->result.files > CAPTURE_FILES_MAX)
		return err_set(
			&c->why, -E2BIG, "there are more than %d results", CAPTURE_FILES_MAX);
	return copy_file(c, from, name, to);
}

/* Takes from. */
static int copy_folder(struct capture *c, int from, int to, int depth)
{
	DIR *dir = fdopendir(from);
	size_t base = c->path.len;
	struct dirent *entry;
	int r = 0;

	if (!dir) {
		close(from);
		return err_set(&c->why, -ENOMEM, "no memory to read a folder of results");
	}
	while (!r && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		strbuf_addf(&c->path, "%s%s", base ? "/" : "", entry->d_name);
		r = copy_entry(c, dirfd(dir), entry->d_name, to, depth);
		strbuf_setlen(&c->path, base);
	}
	closedir(dir);
	return r;
}

/* ---- the whole, on a thread of the pool */

static int copy_all(struct capture *c)
{
	int r = tree_remove(c->to), to;

	/* What an attempt left whose end was never committed. */
	if (r)
		return err_set(&c->why, r, "cannot remove %s: %s", c->to, strerror(-r));
	r = dir_create(c->to, 0755, &c->why);
	if (r)
		return r;
	to = open(c->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to < 0)
		return err_set(&c->why, -errno, "cannot open %s: %s", c->to, strerror(errno));
	for (size_t i = 0; c->from[i] && !r; i++) {
		int from = open(c->from[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (from >= 0)
			r = copy_folder(c, from, to, 0);
		else if (errno != ENOENT)
			r = err_set(&c->why, -errno, "cannot open the results in %s: %s",
				c->from[i], strerror(errno));
	}
	if (!r && fsync(to))
		r = err_set(&c->why, -errno, "cannot store %s: %s", c->to, strerror(errno));
	close(to);
	return r;
}

static void capture_work(uv_work_t *work)
{
	struct capture *c = work->data;

	c->result.code = copy_all(c);
	/* Part of a copy is of no use, and when the disk is full it is in the way. */
	if (c->result.code)
		tree_remove(c->to);
	c->result.why = c->why.buf;
}

static void capture_done(uv_work_t *work, int status)
{
	struct capture *c = work->data;

	if (status)
		c->result = (struct capture_result){.code = -ECANCELED,
			.why = "the server stops before the results are stored"};
	c->done(&c->result, c->arg);
	for (size_t i = 0; c->from[i]; i++)
		free(c->from[i]);
	free(c->from);
	for (size_t i = 0; i < c->result.artifact_count; i++) {
		free((void *)c->artifacts[i].file);
		free((void *)c->artifacts[i].sha256);
	}
	free(c->artifacts);
	free(c->to);
	free(c->suffix);
	strbuf_finish(&c->path);
	strbuf_finish(&c->why);
	free(c);
}

void capture_start(struct loop *loop, const struct capture_spec *spec, capture_fn *done, void *arg)
{
	struct capture *c = xcalloc(1, sizeof(*c));
	size_t count = 0;

	while (spec->from[count])
		count++;
	c->from = xcalloc(count + 1, sizeof(*c->from));
	for (size_t i = 0; i < count; i++)
		c->from[i] = xstrdup(spec->from[i]);
	c->to = xstrdup(spec->to);
	c->suffix = xstrdup(spec->suffix);
	c->flat = spec->flat;
	c->describe = spec->describe;
	c->visible = spec->visible;
	c->done = done;
	c->arg = arg;
	strbuf_init(&c->path);
	strbuf_init(&c->why);
	c->work.data = c;
	uv_queue_work(&loop->uv, &c->work, capture_work, capture_done);
}
