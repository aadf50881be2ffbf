// SPDX-License-Identifier: MIT
#include "builders/run.h"
#include "core/base/log.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/*
 * What is in force on this machine is not guessed from versions and settings: one run is made, with all of it, before
 * the loop turns, and if it fails a second without layers tells which half it was.
 */
#define TRIAL_MS 10000
#define TRIAL_WORDS 400 /* of its output, for the sentence */

struct trial {
	struct launch_report report;
	struct strbuf said;
	bool ok;
};

/* ---- a run without a loop */

static void trial_read(int fd, struct strbuf *said)
{
	char piece[512];
	ssize_t got = read(fd, piece, sizeof(piece));

	for (ssize_t i = 0; i < got && said->len < TRIAL_WORDS; i++)
		strbuf_addch(said, (unsigned char)piece[i] < ' ' ? ' ' : piece[i]);
}

static void trial_wait(const struct order *o, struct trial *t)
{
	int64_t until = clock_monotonic_ms() + TRIAL_MS, left;
	struct pollfd fds[] = {{o->control, POLLIN, 0}, {o->output, POLLIN, 0}};
	int got = 0;

	while (!got && (left = until - clock_monotonic_ms()) > 0) {
		poll(fds, 1, (int)left);
		if (fds[0].revents)
			got = report_receive(o->control, &t->report);
	}
	while (poll(&fds[1], 1, 0) > 0 && fds[1].revents & POLLIN)
		trial_read(o->output, &t->said);
	if (!got)
		snprintf(t->report.why, sizeof(t->report.why), "no answer within %d s",
			TRIAL_MS / 1000);
	t->ok = got > 0 && t->report.end == RUN_EXITED && !t->report.code;
}

static void trial_run(struct sandbox *sb, bool layers, struct trial *t)
{
	char *work = xasprintf("%s/trial", sb->slot_dirs[0]);
	const char *argv[] = {"true", NULL}, *layer[] = {work}, *folders[] = {"usr"};
	struct run_spec spec = {
		.name = "trial",
		.argv = argv,
		.work = work,
		.layers = layer,
		.layer_count = layers,
		.collect = folders,
		.collect_count = 1,
		.wipe = true,
	};
	struct order o;

	*t = (struct trial){.said = STRBUF_INIT};
	t->report.end = RUN_BROKEN;
	if (!order_init(&o, sb, &spec, &t->said)) {
		if (!order_send(&o, sb, &t->said))
			trial_wait(&o, t);
		order_finish(&o);
		close(o.control);
		close(o.output);
	}
	free(work);
}

/* ---- what it says */

static void miss(struct sandbox *sb, const char *fmt, ...) PRINTF(2, 3);
static void miss(struct sandbox *sb, const char *fmt, ...)
{
	va_list ap;

	if (sb->missing.len)
		strbuf_addch(&sb->missing, '\n');
	va_start(ap, fmt);
	strbuf_vaddf(&sb->missing, fmt, ap);
	va_end(ap);
}

static void explain_failure(struct sandbox *sb, const struct trial *t)
{
	struct protections *p = &sb->protections;

	if (strstr(t->said.buf, "namespace") || strstr(t->report.why, "namespace") ||
		strstr(t->said.buf, "uid map")) {
		p->bubblewrap = p->seccomp = true;
		miss(sb,
			"User namespaces are closed to the builds' users, so there is no sandbox: "
			"set "
			"the sysctl user.max_user_namespaces to 10000 or more, and where they "
			"exist "
			"kernel.unprivileged_userns_clone to 1 and "
			"kernel.apparmor_restrict_unprivileged_userns to 0, then restart the "
			"server "
			"(bubblewrap says: %s).",
			t->said.len ? t->said.buf : t->report.why);
		return;
	}
	miss(sb, "The sandbox does not work here: %s%s%s. bubblewrap 0.8 or newer is needed.",
		t->report.why, t->said.len ? ": " : "", t->said.buf);
}

static void note_overlay(struct sandbox *sb, const struct trial *t)
{
	miss(sb,
		"Packages cannot be stacked into a build root, so only packages that need no other "
		"can "
		"be built: %s%s%s. Linux 5.11 or newer with overlayfs is needed.",
		t->report.why, t->said.len ? ": " : "", t->said.buf);
}

static void note_limits(struct sandbox *sb, const struct trial *t)
{
	struct protections *p = &sb->protections;

	p->cgroup = t->report.cgroup == 2 ? "v2" : t->report.cgroup == 1 ? "v1" : NULL;
	p->slot_uids = sb->keeper.root;
	if (!p->cgroup)
		miss(sb,
			"No cgroup can be made here, so a build's memory is limited process by "
			"process only: run the server as a systemd unit with Delegate=yes%s.",
			sb->keeper.root ? "" : ", or start it as root");
	if (!p->slot_uids)
		miss(sb, "All builds run as the server's own user, apart from it by their "
			 "namespaces "
			 "only: start the server as root and each slot gets a user of its own.");
}

static void try_protections(struct sandbox *sb)
{
	struct protections *p = &sb->protections;
	struct trial whole, plain;
	char path[256];

	if (!bwrap_path(path, sizeof(path))) {
		miss(sb, "bubblewrap is not installed, so there is no sandbox: apt-get install "
			 "bubblewrap, or dnf install bubblewrap, then restart the server.");
		return;
	}
	trial_run(sb, true, &whole);
	p->overlay = whole.ok;
	if (whole.ok) {
		plain = (struct trial){.said = STRBUF_INIT, .ok = true, .report = whole.report};
	} else {
		trial_run(sb, false, &plain);
		if (plain.ok)
			note_overlay(sb, &whole);
		else
			explain_failure(sb, &plain);
	}
	if (plain.ok)
		p->bubblewrap = p->user_namespaces = p->seccomp = true;
	note_limits(sb, &plain);
	strbuf_finish(&whole.said);
	strbuf_finish(&plain.said);
}

/* ---- open and close */

/* Runs have theirs put together then, which takes a little longer. */
static void tell_of_etc(int code)
{
	if (code)
		log_warn("sandbox: no /etc can be made ready: %s", strerror(-code));
}

void sandbox_refresh(const char *data_dir)
{
	tell_of_etc(etc_ready_make(data_dir));
}

struct sandbox *sandbox_open(struct loop *loop, const struct keeper *keeper, const char *data_dir,
	int slots, struct strbuf *err)
{
	struct sandbox *sb;
	int r;

	if (slots < 1 || slots > SLOTS_MAX + 1) {
		err_set(err, -EINVAL, "the number of slots must be 1 to %d", SLOTS_MAX + 1);
		return NULL;
	}
	sb = xcalloc(1, sizeof(*sb));
	sb->loop = loop;
	sb->keeper = *keeper;
	sb->slots = slots;
	strbuf_init(&sb->missing);
	list_init(&sb->waiting);
	r = uv_poll_init(&loop->uv, &sb->keeper_poll, keeper->fd);
	if (r) {
		err_set(err, r, "the loop cannot watch the keeper: %s", uv_strerror(r));
		free(sb);
		return NULL;
	}
	sb->keeper_poll.data = sb;
	for (int n = 0; n < slots; n++)
		sb->slot_dirs[n] = xasprintf("%s/slots/%d", data_dir, n);
	tell_of_etc(etc_ready_begin(data_dir));
	try_protections(sb);
	sb->protections.missing = sb->missing.len ? sb->missing.buf : NULL;
	return sb;
}

static void sandbox_closed(uv_handle_t *handle)
{
	struct sandbox *sb = handle->data;

	for (int n = 0; n < sb->slots; n++)
		free(sb->slot_dirs[n]);
	strbuf_finish(&sb->missing);
	free(sb);
}

void sandbox_close(struct sandbox *sb)
{
	if (sb)
		uv_close((uv_handle_t *)&sb->keeper_poll, sandbox_closed);
}

const struct protections *sandbox_protections(const struct sandbox *sb)
{
	return &sb->protections;
}

const char *sandbox_slot_dir(const struct sandbox *sb, int slot)
{
	if (slot < 0 || slot >= sb->slots)
		BUG("there is no slot %d", slot);
	return sb->slot_dirs[slot];
}

/* ---- wiping: a launcher that runs nothing */

struct wiping {
	loop_fn *done;
	void *arg;
	char *path;
};

static void wiping_finish(void *arg)
{
	struct wiping *w = arg;

	w->done(w->arg);
	free(w->path);
	free(w);
}

static void wiping_ended(struct run *r, const struct run_result *result, void *arg)
{
	struct wiping *w = arg;

	(void)r;
	if (result->end != RUN_EXITED)
		log_warn("sandbox: %s is left behind until the next start: %s", w->path,
			result->why);
	wiping_finish(w);
}

void sandbox_wipe(struct sandbox *sb, int slot, const char *path, loop_fn *done, void *arg)
{
	const struct run_handlers handlers = {.on_end = wiping_ended};
	struct run_spec spec = {.slot = slot, .name = "wipe", .work = path, .wipe = true};
	struct wiping *w = xcalloc(1, sizeof(*w));
	struct strbuf err = STRBUF_INIT;

	*w = (struct wiping){done, arg, xstrdup(path)};
	if (!run_launch(sb, &spec, &handlers, w, &err)) {
		log_warn("sandbox: %s is left behind until the next start: %s", path, err.buf);
		loop_post(sb->loop, wiping_finish, w);
	}
	strbuf_finish(&err);
}
