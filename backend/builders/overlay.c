// SPDX-License-Identifier: MIT
#include "builders/launch.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A run with layers gets namespaces of its own before bubblewrap makes the others: in them the slot's uid may mount. A tmpfs over
 * /sys, which is always there and never holds anybody's data, seen by nobody else, holds what is built here:
 *
 *     /sys/l/<n>  links to the folders that are stacked, because the kernel takes 4 KiB of options and 500
 *                 paths need more; names of at most three digits do not
 *     /sys/usr    overlay, read-only: layers over the host's /usr
 *     /sys/etc    the merged /etc (etc.c)
 */
#define STAGE "/sys"
#define STAGE_BYTES "size=16m,mode=755"
#define OPTIONS_MAX 4096

static int proc_put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t r;

	if (fd < 0)
		return -errno;
	r = write(fd, text, strlen(text));
	close(fd);
	return r < 0 ? -errno : 0;
}

static int map_ids(uid_t uid, gid_t gid)
{
	char text[64];
	int r = proc_put("/proc/self/setgroups", "deny");

	if (r && r != -ENOENT)
		return r;
	snprintf(text, sizeof(text), "0 %u 1", (unsigned int)uid);
	r = proc_put("/proc/self/uid_map", text);
	if (r)
		return r;
	snprintf(text, sizeof(text), "0 %u 1", (unsigned int)gid);
	return proc_put("/proc/self/gid_map", text);
}

static int enter_namespaces(struct strbuf *err)
{
	uid_t uid = getuid();
	gid_t gid = getgid();
	int r;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return err_set(err, -errno,
			"this system lets user %u make no user namespace (%s); see the "
			"sysctls user.max_user_namespaces, kernel.unprivileged_userns_clone and "
			"kernel.apparmor_restrict_unprivileged_userns",
			(unsigned int)uid, strerror(errno));
	r = map_ids(uid, gid);
	if (r)
		return err_set(err, r, "cannot map the user namespace's ids: %s", strerror(-r));
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return err_set(err, -errno, "cannot make the mounts private: %s", strerror(errno));
	return 0;
}

static int add_lower(
	struct strbuf *options, int links, const char *path, size_t number, struct strbuf *err)
{
	char name[24];

	snprintf(name, sizeof(name), "%zu", number);
	if (symlinkat(path, links, name))
		return err_set(err, -errno, "cannot name the layer %s: %s", path, strerror(errno));
	strbuf_addf(options, "%s%s", number ? ":" : "", name);
	return 0;
}

/* Opens an empty folder of links; the last stack's are gone, for the kernel has looked them up. */
static int open_links(struct strbuf *err)
{
	tree_remove(STAGE "/l");
	if (mkdir(STAGE "/l", 0755) || chdir(STAGE "/l"))
		return err_set(
			err, -errno, "cannot make " STAGE "/l for layers: %s", strerror(errno));
	return 0;
}

int overlay_stack(const char *const *lowers, size_t count, const char *target, struct strbuf *err)
{
	struct strbuf options = STRBUF_INIT;
	int r = 0;

	if (count == 1) {
		if (mount(lowers[0], target, NULL, MS_BIND | MS_REC, NULL))
			r = err_set(err, -errno, "cannot bind %s: %s", lowers[0], strerror(errno));
		return r;
	}
	r = open_links(err);
	strbuf_addstr(&options, "userxattr,lowerdir=");
	for (size_t i = 0; i < count && !r; i++)
		r = add_lower(&options, AT_FDCWD, lowers[i], i, err);
	if (!r && options.len >= OPTIONS_MAX)
		r = err_set(err, -E2BIG, "%zu layers are more than the kernel can stack", count);
	if (!r && mount("overlay", target, "overlay", MS_RDONLY | MS_NODEV, options.buf))
		r = err_set(err, -errno,
			"cannot stack %zu layers with overlayfs in a user namespace: %s; "
			"Linux 5.11 or newer can",
			count, strerror(errno));
	strbuf_finish(&options);
	return r;
}

/* Layers that hold no usr/ are left out of it. */
static int stack_usr(const struct run_spec *spec, struct strbuf *err)
{
	char **lowers = xcalloc(spec->layer_count + 1, sizeof(*lowers));
	size_t count = 0;
	int r = 0;

	for (size_t i = 0; i < spec->layer_count && !r; i++) {
		char *usr = xasprintf("%s/usr", spec->layers[i]);
		struct stat st;

		if (lstat(spec->layers[i], &st))
			r = err_set(err, -errno, "the layer %s cannot be reached: %s",
				spec->layers[i], strerror(errno));
		if (!r && !lstat(usr, &st) && S_ISDIR(st.st_mode))
			lowers[count++] = usr;
		else
			free(usr);
	}
	lowers[count++] = xstrdup("/usr");
	if (!r)
		r = overlay_stack((const char *const *)lowers, count, STAGE "/usr", err);
	while (count)
		free(lowers[--count]);
	free(lowers);
	return r;
}

/* What is in a layer is a package's word, and this process sees the host's files: no link of it is followed. */
DIR *layer_opendir(const char *layer, const char *below)
{
	int top = open(layer, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fd = top < 0 ? -1 : slot_open(top, below, false);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (top >= 0)
		close(top);
	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

static bool folder_has_libraries(const char *layer, const char *below)
{
	DIR *dir = layer_opendir(layer, below);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir)))
		found = strstr(entry->d_name, ".so") != NULL;
	if (dir)
		closedir(dir);
	return found;
}

/* ldconfig reads every library of the host, which takes longer than all else here together. */
static bool have_libraries(const struct run_spec *spec)
{
	for (size_t i = 0; i < spec->layer_count; i++)
		if (folder_has_libraries(spec->layers[i], "usr/lib64") ||
			folder_has_libraries(spec->layers[i], "usr/lib"))
			return true;
	return false;
}

int overlay_mount(struct inside *in)
{
	struct strbuf *err = &in->err;
	int r = enter_namespaces(err);

	if (r)
		return r;
	if (mount("tmpfs", STAGE, "tmpfs", MS_NOSUID | MS_NODEV, STAGE_BYTES))
		return err_set(err, -errno, "cannot mount a tmpfs: %s", strerror(errno));
	if (mkdir(STAGE "/usr", 0755) || mkdir(STAGE "/etc", 0755))
		return err_set(err, -errno, "cannot make the build root: %s", strerror(errno));
	in->libraries = have_libraries(in->spec);
	r = stack_usr(in->spec, err);
	if (!r)
		r = etc_build(STAGE "/etc", in, err);
	if (!r && chdir("/"))
		r = err_set(err, -errno, "cannot leave the stage: %s", strerror(errno));
	in->usr = xstrdup(STAGE "/usr");
	in->etc = xstrdup(STAGE "/etc");
	return r;
}
