// SPDX-License-Identifier: MIT
#include "cli/upload.h"

#include <dirent.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/text.h"

/* ---- sentences. Paths are the user's own, but may hold anything. */

PRINTF(3, 4) static int refuse(struct strbuf *err, const char *path, const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT;
	va_list ap;

	text_clean(&text, *path ? path : "an empty path", strlen(*path ? path : "an empty path"));
	strbuf_addch(&text, ' ');
	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	err_set(err, -EINVAL, "%s", text.buf);
	strbuf_finish(&text);
	return -EINVAL;
}

static int refuse_errno(struct strbuf *err, const char *path, int code)
{
	return refuse(err, path, "cannot be read: %s", strerror(code));
}

/* ---- one file */

static int check_name(const char *source, const char *path, struct strbuf *err)
{
	if (!utf8_valid(path, strlen(path)) || text_has_control(path))
		return refuse(err, source, "has a name with control characters or not in UTF-8");
	if (strlen(path) > UPLOAD_PATH_LIMIT)
		return refuse(err, source, "has a path of more than %d bytes", UPLOAD_PATH_LIMIT);
	return 0;
}

static int add_file(
	struct upload *u, const char *source, const char *path, int64_t size, struct strbuf *err)
{
	int r = check_name(source, path, err);

	if (r)
		return r;
	if (u->count == UPLOAD_FILES_LIMIT)
		return refuse(err, source, "is one file too many: %d can be uploaded at most",
			UPLOAD_FILES_LIMIT);
	if (u->count == u->cap) {
		u->cap = u->cap ? u->cap * 2 : 64;
		u->files = xrealloc(u->files, u->cap * sizeof(*u->files));
	}
	u->files[u->count++] = (struct upload_file){
		.source = xstrdup(source), .path = xstrdup(path), .size = size};
	u->bytes += size;
	return 0;
}

/* ---- folders */

struct walk {
	struct upload *upload;
	const char *root; /* real path of the folder */
	struct strbuf source, path; /* of where the walk is */
	int depth;
};

/* Does the link at source lead to a regular file below root? */
static int check_link(
	const struct walk *w, const char *source, struct stat *ret_st, struct strbuf *err)
{
	char *target = realpath(source, NULL);
	size_t len = strlen(w->root);
	bool inside = target && !strncmp(target, w->root, len) &&
		      (target[len] == '/' || !strcmp(w->root, "/"));
	int r = 0;

	if (!target)
		r = refuse(err, source, "is a link to nothing");
	else if (!inside)
		r = refuse(err, source, "is a link that leads out of the folder");
	else if (stat(target, ret_st) || !S_ISREG(ret_st->st_mode))
		r = refuse(err, source, "is a link to something that is not a file");
	free(target);
	return r;
}

static int walk_folder(struct walk *w, struct strbuf *err);

static int walk_entry(struct walk *w, struct strbuf *err)
{
	const char *source = w->source.buf;
	struct stat st;
	int r;

	if (lstat(source, &st))
		return refuse_errno(err, source, errno);
	if (S_ISLNK(st.st_mode)) {
		r = check_link(w, source, &st, err);
		if (r)
			return r;
	}
	if (S_ISREG(st.st_mode))
		return add_file(w->upload, source, w->path.buf, st.st_size, err);
	if (!S_ISDIR(st.st_mode))
		return refuse(err, source, "is no regular file");
	if (w->depth == UPLOAD_DEPTH_LIMIT)
		return refuse(err, source, "lies too deep: %d folders in each other at most",
			UPLOAD_DEPTH_LIMIT);
	w->depth++;
	strbuf_addch(&w->path, '/');
	r = walk_folder(w, err);
	w->depth--;
	return r;
}

static int walk_folder(struct walk *w, struct strbuf *err)
{
	size_t source_len = w->source.len, path_len = w->path.len;
	DIR *dir = opendir(w->source.buf);
	struct dirent *entry;
	int r = 0;

	if (!dir)
		return refuse_errno(err, w->source.buf, errno);
	while (!r && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		strbuf_addf(&w->source, "/%s", entry->d_name);
		strbuf_addstr(&w->path, entry->d_name);
		r = walk_entry(w, err);
		strbuf_setlen(&w->source, source_len);
		strbuf_setlen(&w->path, path_len);
	}
	closedir(dir);
	return r;
}

/* The last part of the real path: "." and "/" have a name too; the caller frees. */
static char *real_name(const char *path)
{
	char *real = realpath(path, NULL), *name;

	name = xstrdup(basename(real ? real : (char[]){"build"}));
	free(real);
	if (!strcmp(name, "/"))
		strcpy(name, "");
	return name;
}

static int add_folder(struct upload *u, const char *path, bool prefixed, struct strbuf *err)
{
	char *root = realpath(path, NULL), *name = real_name(path);
	struct walk w = {.upload = u, .root = root, .source = STRBUF_INIT, .path = STRBUF_INIT};
	size_t len = strlen(path);
	int r;

	while (len > 1 && path[len - 1] == '/')
		len--;
	strbuf_add(&w.source, path, len);
	if (prefixed)
		strbuf_addf(&w.path, "%s/", name);
	r = root ? walk_folder(&w, err) : refuse_errno(err, path, errno);
	strbuf_finish(&w.source);
	strbuf_finish(&w.path);
	free(root);
	free(name);
	return r;
}

/* ---- all paths */

static int add_path(struct upload *u, const char *path, bool prefixed, struct strbuf *err)
{
	char *copy;
	struct stat st;
	int r;

	if (stat(path, &st))
		return refuse_errno(err, path, errno);
	if (S_ISDIR(st.st_mode))
		return add_folder(u, path, prefixed, err);
	if (!S_ISREG(st.st_mode))
		return refuse(err, path, "is neither a file nor a folder");
	copy = xstrdup(path);
	r = add_file(u, path, basename(copy), st.st_size, err);
	free(copy);
	return r;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct upload_file *)a)->path, ((const struct upload_file *)b)->path);
}

static int refuse_doubles(struct upload *u, struct strbuf *err)
{
	for (size_t i = 1; i < u->count; i++) {
		struct strbuf other = STRBUF_INIT;

		if (strcmp(u->files[i - 1].path, u->files[i].path) != 0)
			continue;
		text_clean(&other, u->files[i].source, strlen(u->files[i].source));
		refuse(err, u->files[i - 1].source, "and %s would both be %s in the build",
			other.buf, u->files[i].path);
		strbuf_finish(&other);
		return -EINVAL;
	}
	return 0;
}

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), end_len = strlen(end);

	return len > end_len && !strcmp(s + len - end_len, end);
}

static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Specs lie in folders of any depth, a packages.json at the top. */
static bool is_input(const char *path)
{
	const char *name = file_name(path);

	return !strcmp(path, "packages.json") || ends_with(name, ".spec") ||
	       ends_with(name, ".src.rpm");
}

/* Beside a *.spec no folder is looked into: it would be the package's own. */
static int refuse_hidden(const struct upload *u, char *const *paths, int count, struct strbuf *err)
{
	const char *loose = NULL;
	struct stat st;

	for (int i = 0; i < count; i++)
		if (ends_with(paths[i], ".spec") && !stat(paths[i], &st) && S_ISREG(st.st_mode))
			loose = paths[i];
	for (size_t i = 0; loose && i < u->count; i++)
		if (strchr(u->files[i].path, '/') && ends_with(u->files[i].path, ".spec"))
			return refuse(err, loose,
				"cannot be built together with folders of specs as a single file: "
				"put it and its sources into a folder, too");
	return 0;
}

static int require_input(const struct upload *u, const char *path, struct strbuf *err)
{
	const char *deep = NULL;

	for (size_t i = 0; i < u->count; i++) {
		if (is_input(u->files[i].path))
			return 0;
		if (!deep && !strcmp(file_name(u->files[i].path), "packages.json"))
			deep = u->files[i].source;
	}
	if (deep)
		return refuse(err, deep,
			"would not be at the top of the upload, the one place where a "
			"packages.json is read: build its folder by itself");
	return refuse(err, path, "%s",
		u->count ? "holds nothing to build: no *.spec, *.src.rpm or packages.json"
			 : "is empty: there is nothing to build");
}

/* The name that a build of this path has: without what says the kind, and not too long. */
static char *build_name(const char *path)
{
	static const char *const kinds[] = {".spec", ".src.rpm", ".json"};
	char *name = real_name(path);
	size_t len;

	for (size_t i = 0; i < countof(kinds); i++)
		if (ends_with(name, kinds[i]))
			name[strlen(name) - strlen(kinds[i])] = '\0';
	len = strlen(name);
	if (len > UPLOAD_NAME_LIMIT)
		len = UPLOAD_NAME_LIMIT;
	/* Not in the middle of a character. */
	while (len && !utf8_valid(name, len))
		len--;
	name[len] = '\0';
	return name;
}

static int count_folders(char *const *paths, int count)
{
	struct stat st;
	int folders = 0;

	for (int i = 0; i < count; i++)
		folders += !stat(paths[i], &st) && S_ISDIR(st.st_mode);
	return folders;
}

int upload_collect(struct upload *ret, char *const *paths, int count, struct strbuf *err)
{
	struct upload u = {0};
	bool prefixed = count_folders(paths, count) > 1;
	int r = 0;

	for (int i = 0; i < count && !r; i++)
		r = add_path(&u, paths[i], prefixed, err);
	if (!r && u.count)
		qsort(u.files, u.count, sizeof(*u.files), by_path);
	if (!r)
		r = refuse_doubles(&u, err);
	if (!r)
		r = require_input(&u, paths[0], err);
	if (!r)
		r = refuse_hidden(&u, paths, count, err);
	if (r) {
		upload_finish(&u);
		return r;
	}
	u.name = build_name(paths[0]);
	*ret = u;
	return 0;
}

void upload_finish(struct upload *u)
{
	for (size_t i = 0; i < u->count; i++) {
		free(u->files[i].source);
		free(u->files[i].path);
	}
	free(u->files);
	free(u->name);
	*u = (struct upload){0};
}
