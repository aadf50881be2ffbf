// SPDX-License-Identifier: MIT
/* hamper: packs files into one archive, lists, verifies and unpacks it, and reports on it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hamper-cli.h"

#define LEVEL 6

static int print(const struct grain_buf *out)
{
	fwrite(grain_buf_text(out), 1, out->len, stdout);
	return ferror(stdout) || fflush(stdout) != 0 ? -EIO : 0;
}

static int pack_file(struct hamper_packer *p, const char *path, struct grain_buf *err)
{
	struct grain_buf bytes = GRAIN_BUF_INIT;
	struct stat status;
	int r = stat(path, &status) < 0 ? -errno : grain_file_read(path, &bytes);

	if (r < 0)
		grain_buf_addf(err, "%s: %s", path, strerror(-r));
	else
		r = hamper_packer_add(p, path, status.st_mode, bytes.data, bytes.len, err);
	grain_buf_finish(&bytes);
	return r;
}

static int pack(const char *archive, char **paths, struct grain_buf *err)
{
	struct hamper_packer p;
	int r = hamper_packer_init(&p, LEVEL, err);

	for (; r == 0 && *paths; paths++)
		r = pack_file(&p, *paths, err);
	if (r == 0)
		r = hamper_packer_write(&p, archive, err);
	hamper_packer_finish(&p);
	return r;
}

static int list(const struct hamper *h, const char *archive, char **more, struct grain_buf *err)
{
	struct grain_buf out = GRAIN_BUF_INIT;
	int r = list_show(h, &out, err);

	(void)archive;
	(void)more;
	if (r == 0)
		r = print(&out);
	grain_buf_finish(&out);
	return r;
}

static int report(const struct hamper *h, const char *archive, char **more, struct grain_buf *err)
{
	struct grain_buf out = GRAIN_BUF_INIT;
	int r = report_show(h, archive, *more ? *more : "txt", &out, err);

	if (r == 0)
		r = print(&out);
	grain_buf_finish(&out);
	return r;
}

static int verify(const struct hamper *h, const char *archive, char **more, struct grain_buf *err)
{
	struct grain_buf out = GRAIN_BUF_INIT;
	int r = 0;

	(void)more;
	for (size_t i = 0; r == 0 && i < h->count; i++) {
		grain_buf_reset(&out);
		r = hamper_read(&h->entries[i], &out, err);
	}
	if (r == 0)
		printf("%s: %zu files, all as they were packed\n", archive, h->count);
	grain_buf_finish(&out);
	return r;
}

/* Makes the folders above the path; one that is there already is as good. */
static int make_folders(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(path, 0777) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static int unpack_file(const struct hamper_entry *e, const char *folder, struct grain_buf *err)
{
	struct grain_buf path = GRAIN_BUF_INIT, bytes = GRAIN_BUF_INIT;
	int r = hamper_read(e, &bytes, err);

	if (r < 0)
		goto finish;
	grain_buf_addf(&path, "%s/%s", folder, e->name);
	r = path.error ? path.error : make_folders(path.data);
	if (r == 0)
		r = grain_file_write(path.data, bytes.data, bytes.len, e->mode);
	if (r < 0)
		grain_buf_addf(err, "%s: %s", grain_buf_text(&path), strerror(-r));
finish:
	grain_buf_finish(&path);
	grain_buf_finish(&bytes);
	return r;
}

static int unpack(const struct hamper *h, const char *archive, char **more, struct grain_buf *err)
{
	int r = 0;

	(void)archive;
	for (size_t i = 0; r == 0 && i < h->count; i++)
		r = unpack_file(&h->entries[i], *more, err);
	return r;
}

static const struct command {
	const char *name;
	int least, most; /* arguments after the archive */
	int (*run)(const struct hamper *h, const char *archive, char **more, struct grain_buf *err);
} commands[] = {
	{"list", 0, 0, list},
	{"verify", 0, 0, verify},
	{"report", 0, 1, report},
	{"unpack", 1, 1, unpack},
};

static int usage(FILE *to, int status)
{
	fputs("usage: hamper pack ARCHIVE FILE...\n"
	      "       hamper list ARCHIVE\n"
	      "       hamper verify ARCHIVE\n"
	      "       hamper report ARCHIVE [txt|html]\n"
	      "       hamper unpack ARCHIVE FOLDER\n"
	      "       hamper --version\n"
	      "\n"
	      "Packs files into one archive with a checksum of each and one of the whole.\n",
		to);
	return status;
}

static int read_archive(const struct command *c, char **arguments, struct grain_buf *err)
{
	struct hamper h;
	int r = hamper_open(arguments[0], &h, err);

	if (r < 0)
		return r;
	r = c->run(&h, arguments[0], arguments + 1, err);
	hamper_close(&h);
	return r;
}

static int finish(int r, struct grain_buf *err)
{
	if (r < 0)
		fprintf(stderr, "hamper: %s\n", err->len ? err->data : strerror(-r));
	grain_buf_finish(err);
	return r < 0;
}

int main(int argc, char **argv)
{
	struct grain_buf err = GRAIN_BUF_INIT;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("hamper %s\n", VERSION) < 0;
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return usage(stdout, 0);
	if (argc > 3 && strcmp(argv[1], "pack") == 0)
		return finish(pack(argv[2], argv + 3, &err), &err);
	for (size_t i = 0; argc > 2 && i < sizeof(commands) / sizeof(*commands); i++) {
		const struct command *c = &commands[i];

		if (strcmp(argv[1], c->name) == 0 && argc - 3 >= c->least && argc - 3 <= c->most)
			return finish(read_archive(c, argv + 2, &err), &err);
	}
	return usage(stderr, 2);
}
