// SPDX-License-Identifier: MIT
#include "builders/launch.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * From a run to bubblewrap's command line. By now this process is the slot's uid, in the run's cgroup, and about to become
 * bubblewrap; whatever fails from here on is a sentence on the launcher's pipe.
 */

#define SMALL_TMPFS "67108864"

void args_add(struct args *a, const char *arg)
{
	if (a->count + 1 >= a->cap) {
		a->cap = a->cap ? 2 * a->cap : 128;
		a->list = xrealloc(a->list, a->cap * sizeof(*a->list));
	}
	a->list[a->count++] = arg;
	a->list[a->count] = NULL;
}

void args_put_list(struct args *a, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		args_add(a, list[i]);
}

const char *bwrap_path(char *buf, size_t size)
{
	const char *dirs = getenv("PATH");

	if (!dirs)
		dirs = "/usr/bin:/usr/local/bin:/bin";
	for (; *dirs; dirs += strcspn(dirs, ":"), dirs += *dirs == ':') {
		size_t len = strcspn(dirs, ":");

		if (!len || len + sizeof("/bwrap") > size)
			continue;
		memcpy(buf, dirs, len);
		strcpy(buf + len, "/bwrap");
		if (!access(buf, X_OK))
			return buf;
	}
	return NULL;
}

/* ---- the parts of the command line, in the order in which bubblewrap carries them out */

static void add_isolation(struct args *a, const struct inside *in)
{
	args_put(a, "--unshare-all", "--unshare-user", "--disable-userns", "--uid", "1000", "--gid",
		"1000", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname",
		"reqpm-build");
	if (in->spec->network)
		args_add(a, "--share-net");
}

/* /bin, /lib and the like: links into /usr on the systems of today, folders on those of yesterday. */
static void add_root(struct args *a, const struct inside *in)
{
	static const char *const names[] = {"/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32"};

	args_put(a, "--ro-bind", in->usr ? in->usr : "/usr", "/usr");
	for (size_t i = 0; i < countof(names); i++) {
		char link[256];
		struct stat st;
		ssize_t len = readlink(names[i], link, sizeof(link) - 1);

		if (len > 0) {
			link[len] = '\0';
			args_put(a, "--symlink", xstrdup(link), names[i]);
		} else if (!stat(names[i], &st)) {
			args_put(a, "--ro-bind", names[i], names[i]);
		}
	}
}

static int add_etc(struct args *a, struct inside *in)
{
	const char *etc = in->etc ? in->etc : etc_ready_path(in->data_dir);

	if (!in->etc && access(etc, R_OK | X_OK))
		return etc_args(a, &in->err);
	args_put(a, "--ro-bind", etc, "/etc");
	return 0;
}

static void add_kernel_mounts(struct args *a)
{
	const char *size = xasprintf("%lld", RUN_TMP_BYTES);

	args_put(a, "--proc", "/proc", "--dev", "/dev");
	args_put(a, "--perms", "1777", "--size", size, "--tmpfs", "/tmp");
	args_put(a, "--perms", "1777", "--size", size, "--tmpfs", "/var/tmp");
	args_put(a, "--perms", "1777", "--size", size, "--tmpfs", "/dev/shm");
	args_put(a, "--perms", "0755", "--size", SMALL_TMPFS, "--tmpfs", "/run");
	/* It is a tmpfs too, of no size that one could name. The devices in it are mounts of their own. */
	args_put(a, "--remount-ro", "/dev");
}

static void add_folders(struct args *a, const struct inside *in)
{
	args_put(a, "--bind", in->work, "/build");
	for (size_t i = 0; i < in->spec->bind_count; i++) {
		const struct run_bind *b = &in->spec->binds[i];

		args_put(a, b->writable ? "--bind" : "--ro-bind", b->source, b->target);
	}
	/* Last, for until here mount points are made in it. */
	args_put(a, "--remount-ro", "/", "--chdir", "/build");
}

/* After the defaults, so that a run can change them. */
static void add_env(struct args *a, const struct inside *in)
{
	args_put(a, "--clearenv", "--setenv", "PATH", "/usr/bin:/usr/sbin", "--setenv", "HOME",
		"/build", "--setenv", "LC_ALL", "C.UTF-8", "--setenv", "TZ", "UTC");
	if (in->spec->layer_count)
		args_put(a, "--setenv", "PKG_CONFIG_PATH",
			"/usr/lib64/pkgconfig:/usr/share/pkgconfig");
	for (size_t i = 0; in->spec->env[i]; i++) {
		const char *value = strchr(in->spec->env[i], '=');

		args_put(a, "--setenv",
			xstrndup(in->spec->env[i], (size_t)(value - in->spec->env[i])), value + 1);
	}
}

/* Surely there inside: layers are stacked over the host's /usr and take nothing away from it. */
static bool on_host(const char *program)
{
	static const char *const dirs[] = {"/usr/bin", "/usr/sbin"};

	for (size_t i = 0; i < countof(dirs) && !strchr(program, '/'); i++) {
		char *path = xasprintf("%s/%s", dirs[i], program);
		bool there = !access(path, X_OK);

		free(path);
		if (there)
			return true;
	}
	return false;
}

/*
 * A shell starts a program that may not be there, so that "no such program" is exit status 127 with a word about it, and never looks
 * like a sandbox that could not be made. What no cgroup limits is limited here: processes are counted in the sandbox's
 * own user namespace, memory is each process's own, which is better than nothing.
 */
static void add_command(struct args *a, const struct inside *in)
{
	const struct run_limits *limits = &in->spec->limits;

	args_add(a, "--");
	if (in->limit_processes || in->limit_memory)
		args_add(a, "prlimit");
	if (in->limit_processes)
		args_add(a, xasprintf("--nproc=%lld", (long long)limits->processes));
	if (in->limit_memory)
		args_add(a, xasprintf("--data=%lld", (long long)limits->memory_bytes));
	if (in->libraries)
		args_put(a, "sh", "-c",
			"ldconfig -X -C /run/ld.so.cache /usr/lib64 2>/dev/null; exec \"$@\"",
			"sh");
	else if (!on_host(in->spec->argv[0]))
		args_put(a, "sh", "-c", "exec \"$@\"", "sh");
	for (size_t i = 0; in->spec->argv[i]; i++)
		args_add(a, in->spec->argv[i]);
}

static int build_args(struct args *a, struct inside *in)
{
	int filter = seccomp_filter_open(&in->err), r;

	if (filter < 0)
		return filter;
	args_put(a, "bwrap", "--seccomp", xasprintf("%d", filter), "--json-status-fd",
		xasprintf("%d", in->status_fd));
	add_isolation(a, in);
	add_root(a, in);
	r = add_etc(a, in);
	if (r)
		return r;
	add_kernel_mounts(a);
	add_folders(a, in);
	add_env(a, in);
	add_command(a, in);
	return 0;
}

void inside_exec(struct inside *in, int fail_fd)
{
	static char *const no_env[] = {NULL};
	struct args a = {0};
	char path[256];
	int r = 0;

	if (!bwrap_path(path, sizeof(path)))
		r = err_set(&in->err, -ENOENT, "bubblewrap is not installed (no bwrap in PATH)");
	if (!r && in->spec->layer_count)
		r = overlay_mount(in);
	if (!r)
		r = build_args(&a, in);
	if (!r) {
		execve(path, (char *const *)a.list, no_env);
		err_set(&in->err, -errno, "cannot start %s: %s", path, strerror(errno));
	}
	/* If nobody reads it any more there is nobody to tell. */
	if (write(fail_fd, in->err.buf, in->err.len) < 0)
		_exit(126);
	_exit(125);
}
