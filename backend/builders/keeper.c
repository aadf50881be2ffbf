// SPDX-License-Identifier: MIT
#include "builders/launch.h"
#include "core/base/log.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The parent of everything, and the only process that stays root. It reads nothing but eight-byte orders and signals, and
 * does nothing but start launchers and clean up after those that were killed.
 *
 *     keeper (root) ─┬─ server (reqpm)
 *                    ├─ launcher (root) ── bubblewrap (slot's uid) ── the build
 *                    └─ launcher …
 *
 * The server dies: the launchers' sockets end, they clean up, the keeper waits for them and exits. The keeper is killed: the kernel
 * kills the server (PDEATHSIG), and the launchers see the same. A launcher is killed: its run is a child of the keeper now
 * (child subreaper), which kills it and reports for it.
 */

#define LAUNCHERS_MAX 1024
#define GOODBYE_MS 5000

struct launched {
	struct list link;
	pid_t pid;
	int slot;
	int control; /* kept so that the server hears of a lost launcher only when its run is gone */
};

struct keeper_process {
	const char *data_dir;
	struct keeper as; /* the server's ids */
	struct data_folder data;
	struct cgroup_place place;
	int slots, server_fd, signal_fd;
	pid_t server;
	int server_status;
	bool server_gone;
	struct list launched;
	int launched_count;
	sigset_t old_mask;
};

/* ---- launchers */

static void report_broken(int control, int code, const char *why)
{
	struct launch_report report = {.magic = LAUNCH_MAGIC, .end = RUN_BROKEN, .code = code};

	snprintf(report.why, sizeof(report.why), "%s", why);
	/* The server may have ended, or have its answer already. */
	if (send(control, &report, sizeof(report), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug("keeper: nobody took a report: %s", strerror(errno));
}

/* In the child: the three descriptors and the lock to where a launcher looks for them, all others closed. */
static bool place_descriptors(const int fds[LAUNCH_FD_COUNT], int lock)
{
	int high[LAUNCH_FD_COUNT + 1];

	for (int i = 0; i <= LAUNCH_FD_COUNT; i++)
		high[i] = fcntl(
			i < LAUNCH_FD_COUNT ? fds[i] : lock, F_DUPFD_CLOEXEC, LAUNCH_FD_LOCK + 1);
	for (int i = 0; i <= LAUNCH_FD_COUNT; i++)
		if (high[i] < 0 || dup2(high[i], LAUNCH_FD_BASE + i) < 0)
			return false;
	return !close_range(LAUNCH_FD_LOCK + 1, ~0u, 0);
}

/*
 * No exec: the program that is this server loads some fifty libraries, which takes longer than a launcher and a sandbox
 * together (18 ms to start it, under 1 ms to fork). The keeper has nothing in its memory that a launcher should not see.
 */
static void become_launcher(struct keeper_process *k, int slot, const int *fds) NORETURN;
static void become_launcher(struct keeper_process *k, int slot, const int *fds)
{
	struct launcher_role role = {
		.data_dir = k->data_dir, .slot = slot, .id = k->data.id, .place = k->place};

	role.slot_dir = xasprintf("%s/slots/%d", k->data_dir, slot);
	if (k->as.root)
		role.owner = (struct slot_owner){SLOT_UID_BASE + (uid_t)slot, k->as.gid};
	sigprocmask(SIG_SETMASK, &k->old_mask, NULL);
	if (!place_descriptors(fds, k->data.slots_fd))
		_exit(124);
	launcher_run(&role);
}

/* Takes the descriptors. */
static void launch(struct keeper_process *k, int slot, int *fds)
{
	struct launched *l;
	pid_t pid = -1;

	if (k->launched_count < LAUNCHERS_MAX)
		pid = fork();
	if (!pid)
		become_launcher(k, slot, fds);
	close(fds[LAUNCH_OUTPUT]);
	close(fds[LAUNCH_REQUEST]);
	if (pid < 0) {
		report_broken(fds[LAUNCH_CONTROL], 0,
			k->launched_count < LAUNCHERS_MAX
				? "no process for a launcher could be made"
				: "too many runs at once");
		close(fds[LAUNCH_CONTROL]);
		return;
	}
	l = xcalloc(1, sizeof(*l));
	l->pid = pid;
	l->slot = slot;
	l->control = fds[LAUNCH_CONTROL];
	list_append(&k->launched, &l->link);
	k->launched_count++;
}

/* ---- orders */

struct order_message {
	struct launch_order order;
	int fds[LAUNCH_FD_COUNT];
	size_t fd_count;
};

static void take_fds(struct msghdr *msg, struct order_message *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (m->fd_count < LAUNCH_FD_COUNT)
				m->fds[m->fd_count++] = fd;
			else
				close(fd);
		}
	}
}

/* False: the server's end is closed. */
static bool receive_order(struct keeper_process *k)
{
	struct order_message m = {0};
	struct iovec iov = {&m.order, sizeof(m.order)};
	union {
		char space[CMSG_SPACE(sizeof(int) * LAUNCH_FD_COUNT)];
		struct cmsghdr align;
	} control;
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space)};
	ssize_t got = recvmsg(k->server_fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (got <= 0)
		return got < 0 && (errno == EAGAIN || errno == EINTR);
	take_fds(&msg, &m);
	if (got == sizeof(m.order) && !(msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) &&
		m.order.magic == LAUNCH_MAGIC && m.order.slot >= 0 && m.order.slot < k->slots &&
		m.fd_count == LAUNCH_FD_COUNT) {
		launch(k, m.order.slot, m.fds);
		return true;
	}
	log_error("keeper: an order that cannot be from our server was refused");
	while (m.fd_count)
		close(m.fds[--m.fd_count]);
	return true;
}

/* ---- what ended */

static struct launched *find_launched(struct keeper_process *k, pid_t pid)
{
	struct launched *l;

	list_for_each (l, &k->launched, link)
		if (l->pid == pid)
			return l;
	return NULL;
}

/* Runs whose launcher was killed are our children now. Returns whether there were any. */
static bool kill_strays(struct keeper_process *k)
{
	FILE *f = fopen("/proc/thread-self/children", "re");
	bool any = false;
	int pid;

	while (f && fscanf(f, "%d", &pid) == 1)
		if (pid != k->server && !find_launched(k, pid)) {
			kill(pid, SIGKILL);
			any = true;
		}
	if (f)
		fclose(f);
	return any;
}

static void reap_one(struct keeper_process *k, pid_t pid, int status);

static void clean_after(struct keeper_process *k, const struct launched *l)
{
	struct cgroup cg;
	char name[64];
	pid_t pid;
	int status;

	cgroup_name(name, k->data.id, l->slot, l->pid);
	cgroup_create(&cg, &k->place, name); /* it is there, or was not made yet */
	cgroup_kill(&cg);
	while (kill_strays(k) && (pid = waitpid(-1, &status, 0)) > 0)
		reap_one(k, pid, status);
	if (cgroup_remove(&cg))
		log_warn("keeper: the cgroup %s cannot be removed", name);
}

static void launcher_ended(struct keeper_process *k, struct launched *l, int status)
{
	char why[100];

	list_remove(&l->link);
	k->launched_count--;
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		if (WIFEXITED(status))
			snprintf(why, sizeof(why), "the launcher failed with exit status %d",
				WEXITSTATUS(status));
		else
			snprintf(why, sizeof(why), "the launcher was killed by signal %d",
				WTERMSIG(status));
		clean_after(k, l);
		report_broken(l->control, 1, why);
	}
	close(l->control);
	free(l);
}

static void reap_one(struct keeper_process *k, pid_t pid, int status)
{
	struct launched *l = find_launched(k, pid);

	if (l) {
		launcher_ended(k, l, status);
	} else if (pid == k->server) {
		k->server_gone = true;
		k->server_status = status;
	}
}

static void reap_all(struct keeper_process *k)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		reap_one(k, pid, status);
}

static void take_signals(struct keeper_process *k)
{
	struct signalfd_siginfo info;

	while (read(k->signal_fd, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD && !k->server_gone)
			kill(k->server, (int)info.ssi_signo);
	reap_all(k);
}

/* ---- its life */

/* Nothing of a dead server survives it; the lock on the data folder is let go first, so that the next server waits for the
 * launchers only. */
static void say_goodbye(struct keeper_process *k)
{
	int64_t until = clock_monotonic_ms() + GOODBYE_MS, left;
	struct pollfd fd = {k->signal_fd, POLLIN, 0};

	close(k->server_fd);
	close(k->data.lock_fd);
	reap_all(k);
	while (!list_empty(&k->launched) && (left = until - clock_monotonic_ms()) > 0)
		if (poll(&fd, 1, (int)left) > 0)
			take_signals(k);
	while (!list_empty(&k->launched)) {
		struct launched *l = list_first(&k->launched, struct launched, link);
		int status = 0;

		log_warn("keeper: the launcher %d does not end; it is killed", (int)l->pid);
		kill(l->pid, SIGKILL);
		waitpid(l->pid, &status, 0);
		launcher_ended(k, l, status);
	}
}

/* The server keeps the command line that was typed; a launcher shows ours for the moment until it has its own. */
static void show_role(const struct keeper_process *k)
{
	char *title = xasprintf("reqpm --keeper %s", k->data_dir);

	process_title_set(title);
	free(title);
}

static void keeper_run(struct keeper_process *k) NORETURN;
static void keeper_run(struct keeper_process *k)
{
	struct pollfd fds[] = {{k->signal_fd, POLLIN, 0}, {k->server_fd, POLLIN, 0}};

	show_role(k);
	while (!k->server_gone) {
		if (poll(fds, countof(fds), -1) < 0 && errno != EINTR)
			break;
		take_signals(k);
		/* Once its end is closed only its death can be heard. */
		if (fds[1].revents && !k->server_gone && !receive_order(k))
			fds[1].fd = -1;
	}
	say_goodbye(k);
	if (WIFSIGNALED(k->server_status))
		_exit(128 + WTERMSIG(k->server_status));
	_exit(WEXITSTATUS(k->server_status));
}

/* ---- the server's side of the fork */

static int drop_privileges(const struct keeper *as, struct strbuf *err)
{
	if (as->root) {
		if (setgroups(0, NULL) || setresgid(as->gid, as->gid, as->gid) ||
			setresuid(as->uid, as->uid, as->uid))
			return err_set(err, -errno, "cannot become uid %u: %s",
				(unsigned int)as->uid, strerror(errno));
		if (!setuid(0) || !seteuid(0))
			return err_set(err, -EPERM, "root can be had back after it was given up");
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return err_set(err, -errno, "cannot give up new privileges: %s", strerror(errno));
	return 0;
}

static int become_server(
	struct keeper_process *k, pid_t parent, struct keeper *ret_keeper, struct strbuf *err)
{
	int r;

	close(k->signal_fd);
	close(k->data.lock_fd);
	setpgid(0, 0);
	sigprocmask(SIG_SETMASK, &k->old_mask, NULL);
	r = drop_privileges(&k->as, err);
	if (r)
		return r;
	/* After the change of uid, which forgets it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		return err_set(
			err, -errno, "cannot ask to die with the keeper: %s", strerror(errno));
	if (getppid() != parent)
		return err_set(err, -ESRCH, "the keeper died");
	umask(027);
	if (access(k->data_dir, W_OK | X_OK))
		return err_set(err, -errno,
			"uid %u cannot use %s: %s; every folder above it must let others pass "
			"(chmod o+x)",
			(unsigned int)getuid(), k->data_dir, strerror(errno));
	*ret_keeper = k->as;
	return 0;
}

/* ---- start */

static int find_user(const char *user, struct keeper *ret, struct strbuf *err)
{
	struct passwd *pw;

	*ret = (struct keeper){.fd = -1, .uid = getuid(), .gid = getgid()};
	if (geteuid())
		return 0;
	if (!user)
		user = "reqpm";
	pw = getpwnam(user);
	if (!pw)
		return err_set(err, -ENOENT,
			"there is no user %s for the server to run as; make it: "
			"useradd --system --no-create-home --shell /usr/sbin/nologin %s",
			user, user);
	if (!pw->pw_uid || !pw->pw_gid)
		return err_set(err, -EPERM, "the server does not run as %s: that is root", user);
	ret->root = true;
	ret->uid = pw->pw_uid;
	ret->gid = pw->pw_gid;
	return 0;
}

static int open_channels(struct keeper_process *k, int pair[2], struct strbuf *err)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGHUP);
	sigprocmask(SIG_BLOCK, &mask, &k->old_mask);
	k->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (k->signal_fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return err_set(
			err, -errno, "cannot make the keeper's channels: %s", strerror(errno));
	return 0;
}

int keeper_start(const char *data_dir, const char *user, int slots, struct keeper *ret_keeper,
	struct strbuf *err)
{
	static struct keeper_process process;
	struct keeper_process *k = &process;
	pid_t self = getpid();
	int pair[2] = {-1, -1}, r;

	if (slots < 1 || slots > SLOTS_MAX + 1)
		return err_set(err, -EINVAL, "--jobs must be 1 to %d", SLOTS_MAX);
	if (data_dir[0] != '/')
		return err_set(err, -EINVAL, "the data folder %s is no absolute path", data_dir);
	*k = (struct keeper_process){.data_dir = data_dir, .slots = slots};
	list_init(&k->launched);
	r = find_user(user, &k->as, err);
	if (!r)
		r = data_folder_open(data_dir, &k->as, slots, &k->data, err);
	if (!r)
		r = open_channels(k, pair, err);
	if (r)
		return r;
	cgroup_place_find(&k->place, k->data.id);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	k->server = fork();
	if (k->server < 0)
		return err_set(
			err, -errno, "cannot start the server's process: %s", strerror(errno));
	k->as.fd = pair[!k->server];
	close(pair[!!k->server]);
	if (!k->server)
		return become_server(k, self, ret_keeper, err);
	k->server_fd = k->as.fd;
	keeper_run(k);
}
