// SPDX-License-Identifier: MIT
#include "builders/launch.h"
#include "core/base/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * One run, from its request to its report. Whatever ends it - the program itself, the server's word, the server's death, a full disk -
 * goes the same way: kill all, reap all, clean up, report. It never trusts the build to end by itself, and never
 * reports while anything of it lives.
 */

#define MEASURE_SECONDS 2
#define MEASURED 70 /* and an enum slot_excess: exit status of the child that measures */
#define OPEN_FILES 4096
/* A run that fails with less than this left on the disk of the data folder may be right, and is tried again. */
#define DISK_FLOOR_BYTES (64LL << 20)
#define DISK_FLOOR_FILES 1000
#define STOP_WAIT_MS 2000 /* for the server's word, when somebody stops all processes at once */

struct launcher {
	const struct launcher_role *role;
	struct cgroup cg;
	struct run_spec spec;
	char *request, *work; /* owned; work: host path */
	int slot_fd, signal_fd, timer_fd;
	int fail_fd, status_fd; /* read ends: a sentence, bubblewrap's status */
	pid_t child, measurer;
	bool child_gone;
	enum slot_excess excess;
	int child_status;
	char cause; /* LAUNCH_CANCEL, LAUNCH_TIMEOUT, or 0 */
	bool server_gone;
	int64_t started_ms;
	struct strbuf err; /* not empty: the run could not be made */
	struct launch_report report;
};

/* ---- start */

static int read_request(struct launcher *l)
{
	struct stat st;
	int fd = LAUNCH_FD_BASE + LAUNCH_REQUEST;
	ssize_t got;

	if (fstat(fd, &st) || st.st_size <= 0 || st.st_size > LAUNCH_BYTES_MAX)
		return err_set(&l->err, -EINVAL, "the launcher got no request it can read");
	/* A copy: the server still holds the other end and could change it under our eyes. */
	l->request = xmalloc((size_t)st.st_size);
	got = pread(fd, l->request, (size_t)st.st_size, 0);
	close(fd);
	if (got != st.st_size)
		return err_set(&l->err, -EIO, "the launcher cannot read its request");
	return launch_decode(l->request, (size_t)got, &l->spec, &l->err);
}

static int open_own(struct launcher *l)
{
	struct itimerspec every = {{MEASURE_SECONDS, 0}, {MEASURE_SECONDS, 0}};
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	l->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	l->slot_fd = open(l->role->slot_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (l->signal_fd < 0 || l->timer_fd < 0 || l->slot_fd < 0 ||
		timerfd_settime(l->timer_fd, 0, &every, NULL))
		return err_set(&l->err, -errno, "the launcher cannot open %s: %s",
			l->role->slot_dir, strerror(errno));
	return 0;
}

static void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	/* Advice to the kernel: nothing depends on it. */
	if (write(fd, text, strlen(text)) < 0)
		log_debug("launcher: %s: %s", path, strerror(errno));
	close(fd);
}

/* ---- the child, until it is bubblewrap */

static void child_limit(int which, int64_t value)
{
	struct rlimit limit = {(rlim_t)value, (rlim_t)value}, old;

	if (!getrlimit(which, &old) && old.rlim_max < limit.rlim_max)
		limit.rlim_cur = limit.rlim_max = old.rlim_max;
	setrlimit(which, &limit);
}

static void child_limits(const struct launcher *l)
{
	const struct run_limits *limits = &l->spec.limits;

	child_limit(RLIMIT_CORE, 0);
	child_limit(RLIMIT_NOFILE, OPEN_FILES);
	child_limit(RLIMIT_FSIZE, limits->file_bytes);
	if (limits->cpu_seconds)
		child_limit(RLIMIT_CPU, limits->cpu_seconds);
}

static int child_folders(const struct launcher *l, struct strbuf *err)
{
	int work = slot_open(l->slot_fd, l->spec.work, true), r = 0;

	if (work < 0)
		return err_set(
			err, work, "cannot make the folder %s: %s", l->work, strerror(-work));
	for (size_t i = 0; i < l->spec.collect_count && !r; i++) {
		int fd = slot_open(work, l->spec.collect[i], true);

		if (fd < 0)
			r = err_set(err, fd, "cannot make the folder %s in %s: %s",
				l->spec.collect[i], l->work, strerror(-fd));
		else
			close(fd);
	}
	close(work);
	return r;
}

/* Everything above 2 ends with exec, but what bubblewrap is to read is made without that flag later. */
static int child_descriptors(int status)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), output = LAUNCH_FD_BASE + LAUNCH_OUTPUT;

	if (null < 0 || dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0)
		return -errno;
	return fcntl(status, F_SETFD, 0) ? -errno : 0;
}

static int child_prepare(struct launcher *l, int status, pid_t parent, struct strbuf *err)
{
	sigset_t none;
	int r = cgroup_join(&l->cg);

	if (r)
		return err_set(err, r, "cannot join the run's cgroup: %s", strerror(-r));
	put_text("/proc/self/oom_score_adj", "500");
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	child_limits(l);
	r = child_descriptors(status);
	if (!r)
		r = slot_become(&l->role->owner);
	if (r)
		return err_set(err, r, "cannot become the slot's user: %s", strerror(-r));
	/* After the change of uid, which forgets it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		_exit(125);
	umask(0);
	r = child_folders(l, err);
	/* What builds expect, and readable by the server; others stop at the slot's folder. */
	umask(022);
	return r;
}

static void child_run(struct launcher *l, int fail, int status, pid_t parent) NORETURN;
static void child_run(struct launcher *l, int fail, int status, pid_t parent)
{
	struct inside in = {
		.spec = &l->spec,
		.work = l->work,
		.data_dir = l->role->data_dir,
		.limit_processes = !l->cg.pids,
		.limit_memory = !l->cg.memory,
		.status_fd = status,
		.err = STRBUF_INIT,
	};

	if (child_prepare(l, status, parent, &in.err)) {
		if (write(fail, in.err.buf, in.err.len) < 0)
			_exit(126);
		_exit(125);
	}
	inside_exec(&in, fail);
}

static void start_child(struct launcher *l)
{
	pid_t self = getpid();
	int fail[2], status[2];
	char name[64];

	cgroup_name(name, l->role->id, l->role->slot, self);
	cgroup_create(&l->cg, &l->role->place, name);
	cgroup_limit(&l->cg, l->spec.limits.memory_bytes, l->spec.limits.processes);
	if (pipe2(fail, O_CLOEXEC) || pipe2(status, O_CLOEXEC)) {
		err_set(&l->err, -errno, "no pipe for a launcher: %s", strerror(errno));
		return;
	}
	l->started_ms = clock_monotonic_ms();
	l->child = cgroup_fork(&l->cg);
	if (!l->child)
		child_run(l, fail[1], status[1], self);
	close(fail[1]);
	close(status[1]);
	l->fail_fd = fail[0];
	l->status_fd = status[0];
	if (l->child < 0)
		err_set(&l->err, -errno, "cannot start a process: %s", strerror(errno));
}

/* ---- while it runs */

/* A child that does fn as the slot's uid; its exit status is fn's value. */
static pid_t as_slot(struct launcher *l, int (*fn)(struct launcher *l))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (slot_become(&l->role->owner))
		_exit(124);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	_exit(fn(l));
}

/* A build can close its own folder, but not to us. */
static int open_work(const struct launcher *l)
{
	int fd = slot_open(l->slot_fd, l->spec.work, false);

	if (fd == -EACCES && !fchmodat(l->slot_fd, l->spec.work, 02770, AT_SYMLINK_NOFOLLOW))
		fd = slot_open(l->slot_fd, l->spec.work, false);
	return fd;
}

static int measure(struct launcher *l)
{
	const struct slot_size max = {
		l->spec.limits.disk_bytes, MEASURE_ENTRIES_MAX, MEASURE_DEPTH_MAX};
	int work = open_work(l);

	return work < 0 ? 0 : MEASURED + (int)slot_measure(work, &max);
}

static void reaped(struct launcher *l, pid_t pid, int status)
{
	if (pid == l->child) {
		l->child_gone = true;
		l->child_status = status;
	} else if (pid == l->measurer) {
		l->measurer = 0;
		if (WIFEXITED(status) && WEXITSTATUS(status) > MEASURED + SLOT_FITS &&
			WEXITSTATUS(status) <= MEASURED + SLOT_DEPTH)
			l->excess = (enum slot_excess)(WEXITSTATUS(status) - MEASURED);
	}
}

static void reap_ended(struct launcher *l)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		reaped(l, pid, status);
}

static void hear_server(struct launcher *l)
{
	char word = 0;
	ssize_t got = recv(LAUNCH_FD_BASE + LAUNCH_CONTROL, &word, 1, MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	l->server_gone = got <= 0;
	l->cause = got == 1 && word == LAUNCH_TIMEOUT ? LAUNCH_TIMEOUT : LAUNCH_CANCEL;
}

static void wait_for_end(struct launcher *l)
{
	struct pollfd fds[] = {{LAUNCH_FD_BASE + LAUNCH_CONTROL, POLLIN, 0},
		{l->signal_fd, POLLIN, 0}, {l->timer_fd, POLLIN, 0}};
	struct signalfd_siginfo info;
	uint64_t ticks;

	while (!l->child_gone && !l->cause && !l->excess) {
		if (poll(fds, countof(fds), -1) < 0 && errno != EINTR)
			break;
		if (fds[0].revents)
			hear_server(l);
		while (read(l->signal_fd, &info, sizeof(info)) > 0)
			;
		reap_ended(l);
		if (read(l->timer_fd, &ticks, sizeof(ticks)) > 0 && l->measurer <= 0)
			l->measurer = as_slot(l, measure);
	}
}

/*
 * A service manager that stops a server may signal everything in its cgroup at once, builds included. A sandbox that was ended so is not
 * broken: the server is about to say that it stops, and an attempt that it cancels costs none.
 */
static void hear_why_stopped(struct launcher *l)
{
	struct pollfd fd = {LAUNCH_FD_BASE + LAUNCH_CONTROL, POLLIN, 0};

	if (l->cause || !l->child_gone || !WIFSIGNALED(l->child_status) ||
		WTERMSIG(l->child_status) != SIGTERM)
		return;
	if (poll(&fd, 1, STOP_WAIT_MS) > 0)
		hear_server(l);
}

/* ---- the end */

static void kill_children(void)
{
	FILE *f = fopen("/proc/thread-self/children", "re");
	int pid;

	if (!f)
		return;
	while (fscanf(f, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	fclose(f);
}

/*
 * We are child subreaper, so whatever the run started is, or becomes, a descendant of ours: when there is no child left there is nothing
 * left. Each turn kills all children there are, so that at least one ends and waitpid cannot block; what it leaves
 * behind is our child in the next turn.
 */
static void kill_everything(struct launcher *l)
{
	int status;
	pid_t pid;

	for (;;) {
		cgroup_kill(&l->cg);
		if (!l->child_gone && l->child > 0)
			kill(l->child, SIGKILL);
		kill_children();
		pid = waitpid(-1, &status, 0);
		if (pid > 0)
			reaped(l, pid, status);
		else if (errno == ECHILD)
			return;
	}
}

static void read_pipe(int fd, struct strbuf *ret)
{
	char piece[512];
	ssize_t got;

	while (ret->len < 8192 && (got = read(fd, piece, sizeof(piece))) > 0)
		strbuf_add(ret, piece, (size_t)got);
}

static void PRINTF(3, 4) ended(struct launcher *l, enum run_end end, const char *fmt, ...)
{
	va_list ap;

	l->report.end = end;
	va_start(ap, fmt);
	vsnprintf(l->report.why, sizeof(l->report.why), fmt, ap);
	va_end(ap);
}

/* What a build could not write is not its fault. */
static bool host_disk_is_full(const struct launcher *l)
{
	struct statvfs fs;

	if (l->slot_fd < 0 || fstatvfs(l->slot_fd, &fs))
		return false;
	return (int64_t)(fs.f_bavail * fs.f_frsize) < DISK_FLOOR_BYTES ||
	       (fs.f_files && fs.f_favail < DISK_FLOOR_FILES);
}

static void judge_status(struct launcher *l, bool started)
{
	int code = WIFEXITED(l->child_status) ? WEXITSTATUS(l->child_status) : 0;

	if (WIFSIGNALED(l->child_status)) {
		ended(l, RUN_BROKEN, "the sandbox was killed from outside by signal %d (%s)",
			WTERMSIG(l->child_status), strsignal(WTERMSIG(l->child_status)));
	} else if (!started) {
		ended(l, RUN_BROKEN, "bubblewrap could not make the sandbox; its output says why");
	} else if (code > 128 && code <= 128 + SIGRTMAX) {
		ended(l, RUN_SIGNALED, "it was ended by signal %d (%s)", code - 128,
			strsignal(code - 128));
		l->report.code = code - 128;
	} else {
		l->report.end = RUN_EXITED;
		l->report.code = code;
	}
}

static void judge_excess(struct launcher *l)
{
	if (l->excess == SLOT_BYTES)
		ended(l, RUN_DISK_FULL, "its folder grew past the limit of %" PRId64 " MiB",
			l->spec.limits.disk_bytes >> 20);
	else if (l->excess == SLOT_ENTRIES)
		ended(l, RUN_DISK_FULL, "its folder holds more than %d files and folders",
			MEASURE_ENTRIES_MAX);
	else
		ended(l, RUN_DISK_FULL, "its folders lie more than %d deep in each other",
			MEASURE_DEPTH_MAX);
}

static void judge(struct launcher *l)
{
	struct strbuf status = STRBUF_INIT;
	bool failed = !WIFEXITED(l->child_status) || WEXITSTATUS(l->child_status);

	if (l->fail_fd >= 0)
		read_pipe(l->fail_fd, &l->err);
	if (l->status_fd >= 0)
		read_pipe(l->status_fd, &status);
	if (l->cause == LAUNCH_TIMEOUT)
		l->report.end = RUN_TIMED_OUT;
	else if (l->cause)
		l->report.end = RUN_CANCELLED;
	else if (l->excess)
		judge_excess(l);
	else if (l->err.len)
		ended(l, RUN_BROKEN, "%s", l->err.buf);
	else if (l->child <= 0) /* it was only to wipe */
		l->report.end = RUN_EXITED;
	else if (failed && cgroup_oom_kills(&l->cg))
		ended(l, RUN_OUT_OF_MEMORY, "it needed more than its %" PRId64 " MiB of memory",
			l->spec.limits.memory_bytes >> 20);
	else if (failed && host_disk_is_full(l))
		ended(l, RUN_BROKEN, "the disk of the data folder is full");
	else
		judge_status(l, strstr(status.buf, "\"exit-code\"") != NULL);
	strbuf_finish(&status);
}

static void account(struct launcher *l)
{
	struct rusage usage;

	l->report.cgroup = cgroup_version(&l->cg);
	l->report.wall_ms = clock_monotonic_ms() - l->started_ms;
	l->report.memory_peak_bytes = cgroup_memory_peak(&l->cg);
	if (getrusage(RUSAGE_CHILDREN, &usage))
		return;
	l->report.cpu_ms = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
			   (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
	if (!l->report.memory_peak_bytes)
		l->report.memory_peak_bytes = (int64_t)usage.ru_maxrss * 1024;
}

static int collect(struct launcher *l)
{
	int work = open_work(l), r = work < 0 ? work : 0;

	for (size_t i = 0; i < l->spec.collect_count && !r; i++)
		r = slot_make_readable(work, l->spec.collect[i]);
	if (work >= 0)
		close(work);
	return r;
}

static int wipe(struct launcher *l)
{
	int work = open_work(l);

	if (work == -ENOENT)
		return 0;
	if (work < 0)
		return work;
	close(work);
	return tree_remove(l->work);
}

/*
 * Nothing of the run lives any more, so there is nothing left that needs root: the launcher itself becomes the slot for what it
 * does with the folder.
 */
static int give_up_root(struct launcher *l)
{
	int r = l->role->owner.uid ? slot_become(&l->role->owner) : 0;

	if (r)
		ended(l, RUN_BROKEN, "the launcher cannot become the slot's user: %s",
			strerror(-r));
	return r;
}

static void clean_up(struct launcher *l)
{
	bool drop = l->spec.wipe || l->server_gone;

	if (cgroup_remove(&l->cg))
		log_warn("launcher: a cgroup of slot %d cannot be removed", l->role->slot);
	if (!l->spec.work || !*l->spec.work)
		return;
	if (give_up_root(l)) {
		l->spec.hold =
			false; /* what a build left is never removed as root; the next start does it */
		return;
	}
	/* Nobody looks at the results of any other end, and what was ended early may not have a folder yet. */
	if (!drop && l->spec.collect_count && l->report.end == RUN_EXITED && collect(l))
		ended(l, RUN_DISK_FULL,
			"its results cannot be looked at: too many files, folders too deep, or "
			"a link in place of their folder");
	if (drop && wipe(l))
		log_warn("launcher: %s cannot be removed whole; the next start tries again",
			l->work);
}

/* Until the server has copied the results, or is gone: its end of the socket closes. */
static void hold(struct launcher *l)
{
	struct pollfd fd = {LAUNCH_FD_BASE + LAUNCH_CONTROL, POLLIN, 0};

	if (!l->spec.hold || l->spec.wipe || l->server_gone)
		return;
	while (!l->server_gone)
		if (poll(&fd, 1, -1) > 0)
			hear_server(l);
	if (wipe(l))
		log_warn("launcher: %s cannot be removed whole; the next start tries again",
			l->work);
}

static void send_report(struct launcher *l)
{
	l->report.magic = LAUNCH_MAGIC;
	if (send(LAUNCH_FD_BASE + LAUNCH_CONTROL, &l->report, sizeof(l->report), MSG_NOSIGNAL) <
			0 &&
		!l->server_gone)
		log_debug("launcher: nobody took the report: %s", strerror(errno));
}

static void launcher_setup(const struct launcher_role *role)
{
	char *title = xasprintf("reqpm --launcher %s", role->slot_dir);

	process_title_set(title);
	free(title);
	setsid(); /* a Ctrl-C is for the keeper to pass on */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	for (int fd = LAUNCH_FD_BASE; fd <= LAUNCH_FD_LOCK; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	put_text("/proc/self/oom_score_adj", "-500");
}

void launcher_run(const struct launcher_role *role)
{
	struct launcher l = {.role = role, .fail_fd = -1, .status_fd = -1, .err = STRBUF_INIT};

	launcher_setup(role);
	if (!read_request(&l) && !open_own(&l)) {
		l.work = xasprintf("%s/%s", role->slot_dir, l.spec.work);
		if (l.spec.argv[0])
			start_child(&l);
	}
	close(LAUNCH_FD_BASE + LAUNCH_OUTPUT);
	if (l.child > 0)
		wait_for_end(&l);
	kill_everything(&l);
	hear_why_stopped(&l);
	account(&l);
	judge(&l);
	clean_up(&l);
	send_report(&l);
	hold(&l);
	/* What the keeper had prepared to do at its own exit is not ours to do. */
	_exit(0);
}
