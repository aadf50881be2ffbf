// SPDX-License-Identifier: MIT
#include "builders/launch.h"
#include "core/base/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/*
 * The data folder before the server runs. Done with the keeper's rights in a folder that belongs to the user the server runs
 * as, so nothing is reached through a link and nothing is given away that was not ours: a server that was taken over
 * must not be able to plant something here that the next start trips over.
 *
 * Two locks. DATA/lock, in which the folder's id stands, is locked by the keeper alone, and let go when its server has ended: somebody
 * holds it means a live server. DATA/slots is locked by a descriptor that the server and the launchers inherit: when it is free, nothing of an earlier
 * server runs any more, however that one ended, and its slots can be emptied.
 */
#define LOCK_FILE "lock"
#define WAIT_STEP_NS 10000000
#define SERVER_WAIT_STEPS 200 /* 2 s: a killed server's keeper needs a moment to notice */
#define LAUNCHERS_WAIT_STEPS 1000 /* 10 s: launchers kill, reap and wipe */

static int lock_within(int fd, int steps)
{
	struct timespec wait = {0, WAIT_STEP_NS};

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK || !steps--)
			return -errno;
		nanosleep(&wait, NULL);
	}
	return 0;
}

static bool folder_is_empty(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	bool empty = true;

	if (!dir)
		return false;
	while (empty && (entry = readdir(dir)))
		empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
	closedir(dir);
	return empty;
}

/* Makes the folder ours, unless it is somebody's. */
static int adopt(int fd, const char *path, const struct keeper *k, struct strbuf *err)
{
	struct stat st, lock;
	bool known = !fstatat(fd, LOCK_FILE, &lock, AT_SYMLINK_NOFOLLOW) && S_ISREG(lock.st_mode);

	if (fstat(fd, &st))
		return err_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	if (!known && !folder_is_empty(fd))
		return err_set(err, -ENOTEMPTY,
			"%s is neither empty nor a data folder of reqpm; name another with "
			"--data-dir",
			path);
	if (k->root && (st.st_uid != k->uid || st.st_gid != k->gid) && fchown(fd, k->uid, k->gid))
		return err_set(err, -errno, "cannot give %s to uid %u: %s", path,
			(unsigned int)k->uid, strerror(errno));
	if ((st.st_mode & 07777) != 0711 && fchmod(fd, 0711))
		return err_set(err, -errno, "cannot set the mode of %s: %s; uid %u owns it", path,
			strerror(errno), (unsigned int)st.st_uid);
	return 0;
}

static bool id_ok(const char *id)
{
	return strlen(id) == CGROUP_ID_CHARS && strspn(id, "0123456789abcdef") == CGROUP_ID_CHARS;
}

static int read_id(int fd, const char *path, char id[CGROUP_ID_CHARS + 1], struct strbuf *err)
{
	ssize_t got = pread(fd, id, CGROUP_ID_CHARS, 0);

	id[got < 0 ? 0 : got] = '\0';
	if (id_ok(id))
		return 0;
	random_hex(id, CGROUP_ID_CHARS / 2);
	if (ftruncate(fd, 0) || pwrite(fd, id, CGROUP_ID_CHARS, 0) != CGROUP_ID_CHARS || fsync(fd))
		return err_set(
			err, -errno, "cannot write %s/" LOCK_FILE ": %s", path, strerror(errno));
	return 0;
}

/* What is written to it is written with our rights: it must be no second name of another file. */
static int open_lock(int data, const char *path, struct strbuf *err)
{
	int fd = openat(data, LOCK_FILE,
		O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644);
	struct stat st;

	if (fd < 0)
		return err_set(
			err, -errno, "cannot open %s/" LOCK_FILE ": %s", path, strerror(errno));
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_nlink == 1)
		return fd;
	close(fd);
	return err_set(err, -EPERM,
		"%s/" LOCK_FILE " is no file of its own: it is a second name of another, or no "
		"file at all; remove it",
		path);
}

static int take_lock(int data, const char *path, struct data_folder *ret, struct strbuf *err)
{
	int r;

	ret->lock_fd = open_lock(data, path, err);
	if (ret->lock_fd < 0)
		return ret->lock_fd;
	r = lock_within(ret->lock_fd, SERVER_WAIT_STEPS);
	if (r == -EWOULDBLOCK)
		return err_set(err, -EBUSY, "another reqpm server runs on %s", path);
	if (r)
		return err_set(err, r, "cannot lock %s/" LOCK_FILE ": %s", path, strerror(-r));
	return read_id(ret->lock_fd, path, ret->id, err);
}

static int open_slots(int data, const char *path, const struct keeper *k, struct strbuf *err)
{
	int fd;

	if (mkdirat(data, "slots", 0711) && errno != EEXIST)
		return err_set(err, -errno, "cannot make %s/slots: %s", path, strerror(errno));
	fd = openat(data, "slots", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "%s/slots is not a folder: %s", path, strerror(errno));
	if ((!k->root || !fchown(fd, 0, 0)) && !fchmod(fd, 0711))
		return fd;
	err_set(err, -errno, "cannot set the owner and mode of %s/slots: %s", path,
		strerror(errno));
	close(fd);
	return -EPERM;
}

/* In a child that is whoever owns the folder: root's rights are not for what a build may still move about. */
static void empty_as(uid_t uid, gid_t gid, const char *path)
{
	const struct slot_owner owner = {uid, gid};
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (slot_become(&owner))
			_exit(1);
		/* It cannot take the folder itself out of its parent. */
		tree_remove(path);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
}

/* Named by the folder that we hold open, whatever bears the name DATA/slots by now. Only root changes what is in it. */
static int remove_left(int slots, const char *name, const struct keeper *k)
{
	char *path = xasprintf("/proc/self/fd/%d/%s", slots, name);
	struct stat st;
	int r = 0;

	if (fstatat(slots, name, &st, AT_SYMLINK_NOFOLLOW))
		r = -errno;
	else if (!k->root)
		r = tree_remove(path);
	else if (S_ISDIR(st.st_mode) && st.st_uid)
		empty_as(st.st_uid, k->gid, path);
	if (!r && k->root && unlinkat(slots, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0))
		r = -errno;
	free(path);
	return r;
}

static void empty_slots(int slots, const char *path, const struct keeper *k)
{
	int copy = openat(slots, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int r;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		r = remove_left(slots, entry->d_name, k);
		if (r)
			log_warn("keeper: %s/slots/%s cannot be removed: %s", path, entry->d_name,
				strerror(-r));
	}
	if (dir)
		closedir(dir);
}

/* An argument that begins so: /srv/data/slots is not below /data. */
static bool has_argument(const struct strbuf *arguments, const char *start)
{
	size_t len = strlen(start);

	for (const char *at = arguments->buf, *end = at + arguments->len; at < end;
		at += strlen(at) + 1)
		if (!strncmp(at, start, len))
			return true;
	return false;
}

/* A sandbox of ours: bubblewrap, with one of our slots among its arguments, which it never changes. */
static bool is_sandbox(const char *pid, const char *slots)
{
	struct strbuf arguments = STRBUF_INIT;
	char path[300];
	bool found = false;

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	if (!file_read(path, LAUNCH_BYTES_MAX, &arguments, NULL) && !strcmp(arguments.buf, "bwrap"))
		found = has_argument(&arguments, slots);
	strbuf_finish(&arguments);
	return found;
}

/*
 * When the keeper and a launcher are killed at once, while bubblewrap starts, its inner process may miss that its parent died, and
 * where there is no cgroup only its arguments tell whose it is. It is the first of its PID namespace: with it
 * the whole run dies. Returns how many there were.
 */
static int kill_sandboxes(const char *path)
{
	char *slots = xasprintf("%s/slots/", path);
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int count = 0;

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
			is_sandbox(entry->d_name, slots))
			count += !kill((pid_t)atoi(entry->d_name), SIGKILL);
	if (dir)
		closedir(dir);
	free(slots);
	return count;
}

static void end_sandboxes(const char *path)
{
	struct timespec wait = {0, WAIT_STEP_NS};

	for (int i = 0; i < LAUNCHERS_WAIT_STEPS && kill_sandboxes(path); i++)
		nanosleep(&wait, NULL);
}

static int make_slot(int slots, const char *path, int n, const struct keeper *k, struct strbuf *err)
{
	char name[16];
	int fd, r = 0;

	snprintf(name, sizeof(name), "%d", n);
	if (mkdirat(slots, name, 0700) && errno != EEXIST)
		return err_set(
			err, -errno, "cannot make %s/slots/%s: %s", path, name, strerror(errno));
	fd = openat(slots, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || (k->root && fchown(fd, SLOT_UID_BASE + (uid_t)n, k->gid)) ||
		fchmod(fd, 02770))
		r = err_set(
			err, -errno, "cannot prepare %s/slots/%s: %s", path, name, strerror(errno));
	if (fd >= 0)
		close(fd);
	return r;
}

static int prepare_slots(int data, const char *path, const struct keeper *k, int count,
	struct data_folder *ret, struct strbuf *err)
{
	int r = 0;

	ret->slots_fd = open_slots(data, path, k, err);
	if (ret->slots_fd < 0)
		return ret->slots_fd;
	/* A launcher that hangs in the kernel must not keep the server from starting; it cannot do more harm. */
	if (lock_within(ret->slots_fd, LAUNCHERS_WAIT_STEPS))
		log_warn("keeper: something of an earlier server on %s still runs; going on", path);
	end_sandboxes(path);
	if (cgroup_sweep(ret->id))
		log_warn("keeper: some cgroups of an earlier server cannot be removed");
	empty_slots(ret->slots_fd, path, k);
	for (int n = 0; n < count && !r; n++)
		r = make_slot(ret->slots_fd, path, n, k, err);
	return r;
}

int data_folder_open(const char *path, const struct keeper *k, int slots, struct data_folder *ret,
	struct strbuf *err)
{
	int data, r;

	*ret = (struct data_folder){.lock_fd = -1, .slots_fd = -1};
	r = dir_create(path, 0755, err);
	if (r)
		return r;
	data = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (data < 0)
		return err_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
	r = adopt(data, path, k, err);
	if (!r)
		r = take_lock(data, path, ret, err);
	if (!r)
		r = prepare_slots(data, path, k, slots, ret, err);
	close(data);
	if (r)
		data_folder_close(ret);
	return r;
}

void data_folder_close(struct data_folder *d)
{
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	if (d->slots_fd >= 0)
		close(d->slots_fd);
	d->lock_fd = d->slots_fd = -1;
}
