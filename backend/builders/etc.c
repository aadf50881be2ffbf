// SPDX-License-Identifier: MIT
#include "builders/launch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The sandbox has an /etc of its own: what Debian's and Fedora's compilers, interpreters and rpm look for, bound from the host by
 * this list, and a few generated files. Accounts, keys, host names and mail addresses stay outside.
 *
 * With layers, their etc/ counts too, entry by entry: a file of the topmost layer that has it wins, then the host's; folders of
 * one name are stacked, so that a package can add one file to /etc/rpm. Generated files win over all.
 */
const char *const etc_from_host[] = {
	/* clang-format off */
	"alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "rpm", "perl", "magic",
	"mime.types", "debian_version", "redhat-release", "fedora-release", "system-release",
	"system-release-cpe", "os-release", "rpc", "services", "protocols", "crypto-policies",
	"ssl", "pki", "ca-certificates", "ca-certificates.conf", "fonts", "java", "java-17-openjdk",
	"java-21-openjdk", "maven", "python3", "python3.11", "python3.12", "python3.13", "sgml", "xml",
	"texmf", "groff", "manpath.config", "terminfo", "inputrc", "login.defs", "dpkg", "gnucobol",
	"xdg",
	/* clang-format on */
	NULL,
};

const struct etc_file etc_files[] = {
	{"passwd", "root:x:0:0:root:/:/bin/sh\n"
		   "build:x:1000:1000:build:/build:/bin/sh\n"
		   "nobody:x:65534:65534:nobody:/:/bin/sh\n"},
	{"group", "root:x:0:\nbuild:x:1000:\nnobody:x:65534:\n"},
	{"nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
			  "services: files\nprotocols: files\nrpc: files\n"},
	{"hosts", "127.0.0.1 localhost\n::1 localhost\n"},
	{NULL, NULL},
};

/* ---- the merged /etc of a run with layers */

/* The topmost folders that hold an entry, layers first, the host last. */
struct sources {
	char **paths; /* count of them */
	size_t count;
	bool file; /* the topmost one is no folder: it alone counts */
};

static void sources_add(struct sources *s, const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	struct stat st;

	if (s->file || lstat(path, &st) || (s->count && !S_ISDIR(st.st_mode))) {
		free(path);
		return;
	}
	s->file = !S_ISDIR(st.st_mode);
	s->paths[s->count++] = path;
}

/* A layer is what a package made of it, and here it is looked at outside of any sandbox: an etc that is a link would
 * name a folder of the host. */
static bool is_folder(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISDIR(st.st_mode);
}

static void sources_find(struct sources *s, const struct run_spec *spec, const char *name)
{
	memset(s, 0, sizeof(*s));
	s->paths = xcalloc(spec->layer_count + 1, sizeof(*s->paths));
	for (size_t i = 0; i < spec->layer_count; i++) {
		char *etc = xasprintf("%s/etc", spec->layers[i]);

		if (is_folder(etc))
			sources_add(s, etc, name);
		free(etc);
	}
	for (size_t i = 0; etc_from_host[i]; i++)
		if (!strcmp(etc_from_host[i], name))
			sources_add(s, "/etc", name);
}

static void sources_free(struct sources *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->paths[i]);
	free(s->paths);
}

/* Each mount costs bubblewrap a remount. */
static int copy_file(const char *source, const char *target, off_t size, struct strbuf *err)
{
	int in = open(source, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), r = 0;
	int out = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (in < 0 || out < 0 || (size && sendfile(out, in, NULL, (size_t)size) < 0))
		r = err_set(err, -errno, "cannot copy %s: %s", source, strerror(errno));
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return r;
}

static int bind_file(const char *source, const char *target, struct strbuf *err)
{
	int fd = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd >= 0)
		close(fd);
	if (fd < 0 || mount(source, target, NULL, MS_BIND, NULL))
		return err_set(err, -errno, "cannot bind %s: %s", source, strerror(errno));
	return 0;
}

static int copy_link(const char *source, const char *target, struct strbuf *err)
{
	char text[4096];
	ssize_t len = readlink(source, text, sizeof(text) - 1);

	if (len >= 0)
		text[len] = '\0';
	if (len < 0 || symlink(text, target))
		return err_set(err, -errno, "cannot copy the link %s: %s", source, strerror(errno));
	return 0;
}

static int merge_entry(
	const char *dir, const struct run_spec *spec, const char *name, struct strbuf *err)
{
	char *target = xasprintf("%s/%s", dir, name);
	struct sources s;
	struct stat st;
	int r = 0;

	sources_find(&s, spec, name);
	if (!s.count || !lstat(target, &st)) /* merged already, or generated */
		goto done;
	if (!s.file && mkdir(target, 0755))
		r = err_set(err, -errno, "cannot make %s: %s", target, strerror(errno));
	else if (!s.file)
		r = overlay_stack((const char *const *)s.paths, s.count, target, err);
	else if (!lstat(s.paths[0], &st) && S_ISLNK(st.st_mode))
		r = copy_link(s.paths[0], target, err);
	else if (S_ISREG(st.st_mode) && st.st_size <= ETC_COPY_BYTES_MAX &&
		 !access(s.paths[0], R_OK))
		r = copy_file(s.paths[0], target, st.st_size, err);
	else if (S_ISREG(st.st_mode))
		r = bind_file(s.paths[0], target, err);
done:
	sources_free(&s);
	free(target);
	return r;
}

static int merge_layer(
	const char *dir, const struct run_spec *spec, const char *layer, struct strbuf *err)
{
	DIR *d = layer_opendir(layer, "etc");
	struct dirent *entry;
	int r = 0;

	if (!d)
		return 0;
	while (!r && (entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			r = merge_entry(dir, spec, entry->d_name, err);
	closedir(d);
	return r;
}

static int write_generated(const char *dir, struct strbuf *err)
{
	for (const struct etc_file *f = etc_files; f->name; f++) {
		char *path = xasprintf("%s/%s", dir, f->name);
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		ssize_t len = (ssize_t)strlen(f->text);
		bool ok = fd >= 0 && write(fd, f->text, (size_t)len) == len;

		if (fd >= 0)
			close(fd);
		free(path);
		if (!ok)
			return err_set(err, -errno, "cannot write the sandbox's /etc/%s: %s",
				f->name, strerror(errno));
	}
	return 0;
}

int etc_build(const char *dir, const struct inside *in, struct strbuf *err)
{
	const struct run_spec *spec = in->spec;
	char *cache = xasprintf("%s/ld.so.cache", dir);
	int r = write_generated(dir, err);

	/* Made by the first step inside, where it may write. */
	if (!r && in->libraries && symlink("/run/ld.so.cache", cache))
		r = err_set(err, -errno, "cannot make %s: %s", cache, strerror(errno));
	for (size_t i = 0; i < spec->layer_count && !r; i++)
		r = merge_layer(dir, spec, spec->layers[i], err);
	for (size_t i = 0; etc_from_host[i] && !r; i++)
		r = merge_entry(dir, spec, etc_from_host[i], err);
	free(cache);
	return r;
}
