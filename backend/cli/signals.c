// SPDX-License-Identifier: MIT
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/session.h"

/* The default action, as if nobody had taken the signal; returns when the process goes on. */
static void stop_process(void)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, NULL);
	sigprocmask(SIG_BLOCK, &stop, NULL);
}

static void handle(struct signals *s, int signo)
{
	if (signo == SIGTSTP) {
		if (s->leave)
			s->leave(s->arg);
		stop_process();
	}
	if (signo == SIGTSTP || signo == SIGCONT || signo == SIGWINCH) {
		if (s->redraw)
			s->redraw(s->arg);
		return;
	}
	s->stop = true;
}

static bool woken(void *arg)
{
	struct signals *s = arg;
	struct signalfd_siginfo info;

	while (read(s->fd, &info, sizeof(info)) == sizeof(info))
		handle(s, (int)info.ssi_signo);
	return s->stop;
}

void signals_take(struct signals *s, struct client *c)
{
	static const int taken[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};
	struct sigaction action;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < countof(taken); i++) {
		/* What the caller ignores stays ignored, as under nohup. */
		if (!sigaction(taken[i], NULL, &action) && action.sa_handler != SIG_IGN)
			sigaddset(&set, taken[i]);
	}
	*s = (struct signals){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
	if (s->fd < 0)
		return;
	sigprocmask(SIG_BLOCK, &set, &s->before);
	c->wake_fd = s->fd;
	c->woken = woken;
	c->wake_arg = s;
}

void signals_give_back(struct signals *s)
{
	if (s->fd < 0)
		return;
	close(s->fd);
	s->fd = -1;
	sigprocmask(SIG_SETMASK, &s->before, NULL);
}
