// SPDX-License-Identifier: MIT
#include "builders/run.h"
#include "core/base/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- orders */

static int request_memfd(const struct run_spec *spec, const char *slot_dir, struct strbuf *err)
{
	struct strbuf request = STRBUF_INIT;
	int r = launch_encode(spec, slot_dir, &request, err), fd = -1;

	if (!r) {
		fd = memfd_create("request", MFD_CLOEXEC);
		if (fd < 0 || pwrite(fd, request.buf, request.len, 0) != (ssize_t)request.len)
			r = err_set(err, -errno, "no memory for a request: %s", strerror(errno));
	}
	strbuf_finish(&request);
	if (!r)
		return fd;
	if (fd >= 0)
		close(fd);
	return r;
}

int order_init(struct order *o, struct sandbox *sb, const struct run_spec *spec, struct strbuf *err)
{
	int control[2], output[2], request;

	list_init(&o->link);
	o->slot = spec->slot;
	request = request_memfd(spec, sb->slot_dirs[spec->slot], err);
	if (request < 0)
		return request;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control)) {
		err_set(err, -errno, "no socket for a run: %s", strerror(errno));
		goto close_request;
	}
	if (pipe2(output, O_CLOEXEC)) {
		err_set(err, -errno, "no pipe for a run: %s", strerror(errno));
		goto close_control;
	}
	/* Ours alone: the build's end of the pipe must block, or its output would be lost. */
	fcntl(control[0], F_SETFL, O_NONBLOCK);
	fcntl(output[0], F_SETFL, O_NONBLOCK);
	o->control = control[0];
	o->output = output[0];
	o->theirs[LAUNCH_CONTROL] = control[1];
	o->theirs[LAUNCH_OUTPUT] = output[1];
	o->theirs[LAUNCH_REQUEST] = request;
	return 0;
close_control:
	close(control[0]);
	close(control[1]);
close_request:
	close(request);
	return -EMFILE;
}

static int order_try(struct order *o, struct sandbox *sb)
{
	struct launch_order message = {.magic = LAUNCH_MAGIC, .slot = o->slot};
	struct iovec iov = {&message, sizeof(message)};
	union {
		char space[CMSG_SPACE(sizeof(o->theirs))];
		struct cmsghdr align;
	} control = {{0}};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(o->theirs));
	memcpy(CMSG_DATA(c), o->theirs, sizeof(o->theirs));
	if (sendmsg(sb->keeper.fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return -errno;
	order_finish(o);
	return 0;
}

static void keeper_writable(uv_poll_t *poll, int status, int events)
{
	struct sandbox *sb = poll->data;
	struct order *o, *next;

	(void)status;
	(void)events;
	list_for_each_safe (o, next, &sb->waiting, link) {
		int r = order_try(o, sb);

		if (r == -EAGAIN)
			return;
		if (r)
			order_finish(o); /* its run sees its control socket end */
	}
	uv_poll_stop(poll);
}

int order_send(struct order *o, struct sandbox *sb, struct strbuf *err)
{
	int r = list_empty(&sb->waiting) ? order_try(o, sb) : -EAGAIN;

	if (r == -EAGAIN) {
		list_append(&sb->waiting, &o->link);
		uv_poll_start(&sb->keeper_poll, UV_WRITABLE, keeper_writable);
		return 0;
	}
	if (r)
		return err_set(err, r, "the keeper cannot be reached: %s", strerror(-r));
	return 0;
}

void order_finish(struct order *o)
{
	list_remove(&o->link);
	for (int i = 0; i < LAUNCH_FD_COUNT; i++) {
		if (o->theirs[i] >= 0)
			close(o->theirs[i]);
		o->theirs[i] = -1;
	}
}

int report_receive(int control, struct launch_report *ret)
{
	struct launch_report report;
	ssize_t got = recv(control, &report, sizeof(report), MSG_DONTWAIT);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got != sizeof(report) || report.magic != LAUNCH_MAGIC)
		return got < 0 ? -errno : -EPIPE;
	report.why[sizeof(report.why) - 1] = '\0';
	*ret = report;
	return 1;
}

/* ---- runs */

/* It has ended when the launcher has reported and the output has come to its end, in whichever order. */
enum run_state { RUN_LIVE, RUN_REPORTED, RUN_DRAINED, RUN_ENDED };
enum run_event { REPORT_CAME, OUTPUT_ENDED };

struct run {
	struct sandbox *sb;
	struct order order;
	enum run_state state;
	struct run_handlers handlers;
	void *arg;
	struct launch_report report;
	uv_poll_t control;
	uv_pipe_t output;
	uv_timer_t timer;
	int open_handles;
	int64_t timeout_ms;
	bool told; /* the launcher has been told to stop */
	bool paused;
	bool wipe;
	int slot;
	char *work;
};

static void run_freed(uv_handle_t *handle)
{
	struct run *r = handle->data;

	if (--r->open_handles)
		return;
	close(r->order.control);
	free(r->work);
	free(r);
}

static void run_close(struct run *r)
{
	order_finish(&r->order);
	uv_close((uv_handle_t *)&r->control, run_freed);
	uv_close((uv_handle_t *)&r->output, run_freed);
	uv_close((uv_handle_t *)&r->timer, run_freed);
}

static void run_end(struct run *r)
{
	struct run_result result = {
		.end = (enum run_end)r->report.end,
		.code = r->report.code,
		.why = r->report.why,
		.cpu_ms = r->report.cpu_ms,
		.wall_ms = r->report.wall_ms,
		.memory_peak_bytes = r->report.memory_peak_bytes,
	};

	if (result.end == RUN_CANCELLED)
		result.why = "it was cancelled";
	if (result.end == RUN_TIMED_OUT)
		snprintf(r->report.why, sizeof(r->report.why),
			"it did not end within %" PRId64 " s and was stopped",
			(r->timeout_ms + 999) / 1000);
	r->handlers.on_end(r, &result, r->arg);
	run_close(r);
}

static void run_wiped(void *arg)
{
	run_end(arg);
}

/* The only writer of r->state. */
static void run_advance(struct run *r, enum run_event event)
{
	if (r->state == RUN_LIVE)
		r->state = event == REPORT_CAME ? RUN_REPORTED : RUN_DRAINED;
	else if ((r->state == RUN_REPORTED && event == OUTPUT_ENDED) ||
		 (r->state == RUN_DRAINED && event == REPORT_CAME))
		r->state = RUN_ENDED;
	if (r->state != RUN_ENDED)
		return;
	/* A lost launcher wiped nothing. */
	if (r->report.end == RUN_BROKEN && r->report.code && r->wipe)
		sandbox_wipe(r->sb, r->slot, r->work, run_wiped, r);
	else
		run_end(r);
}

static void control_readable(uv_poll_t *poll, int status, int events)
{
	struct run *r = poll->data;
	int got = status < 0 ? status : report_receive(r->order.control, &r->report);

	(void)events;
	if (!got)
		return;
	if (got < 0) {
		r->report.end = RUN_BROKEN;
		snprintf(r->report.why, sizeof(r->report.why), "the launcher vanished: %s",
			strerror(-got));
	}
	uv_poll_stop(poll);
	uv_timer_stop(&r->timer);
	run_advance(r, REPORT_CAME);
}

static void output_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct run *r = handle->data;

	(void)suggested;
	*buf = uv_buf_init(r->sb->piece, sizeof(r->sb->piece));
}

static void output_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
	struct run *r = stream->data;

	if (got > 0 && r->handlers.on_output) {
		r->handlers.on_output(r, buf->base, (size_t)got, r->arg);
	} else if (got < 0) {
		uv_read_stop(stream);
		run_advance(r, OUTPUT_ENDED);
	}
}

static void tell(struct run *r, char word)
{
	if (r->told)
		return;
	r->told = true;
	/* The first word in an empty buffer always fits; a launcher that is gone has reported or is being reported for. */
	if (send(r->order.control, &word, 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("run: the launcher is gone already: %s", strerror(errno));
}

static void timed_out(uv_timer_t *timer)
{
	tell(timer->data, LAUNCH_TIMEOUT);
}

static int run_open(struct run *r)
{
	uv_loop_t *uv = &r->sb->loop->uv;
	int code = uv_poll_init(uv, &r->control, r->order.control);

	if (code)
		return code;
	uv_pipe_init(uv, &r->output, 0);
	uv_timer_init(uv, &r->timer);
	r->control.data = r->output.data = r->timer.data = r;
	r->open_handles = 3;
	code = uv_pipe_open(&r->output, r->order.output);
	if (code)
		close(r->order.output);
	if (!code)
		code = uv_read_start((uv_stream_t *)&r->output, output_buffer, output_read);
	if (!code)
		code = uv_poll_start(&r->control, UV_READABLE, control_readable);
	if (!code && r->timeout_ms > 0)
		code = uv_timer_start(&r->timer, timed_out, (uint64_t)r->timeout_ms, 0);
	return code;
}

struct run *run_launch(struct sandbox *sb, const struct run_spec *spec,
	const struct run_handlers *handlers, void *arg, struct strbuf *err)
{
	struct run *r;
	int code;

	if (spec->slot < 0 || spec->slot >= sb->slots) {
		err_set(err, -EINVAL, "there is no slot %d", spec->slot);
		return NULL;
	}
	r = xcalloc(1, sizeof(*r));
	*r = (struct run){.sb = sb, .handlers = *handlers, .arg = arg};
	r->timeout_ms = spec->timeout_ms;
	r->wipe = spec->wipe || spec->hold;
	r->slot = spec->slot;
	if (order_init(&r->order, sb, spec, err)) {
		free(r);
		return NULL;
	}
	r->work = xstrdup(spec->work);
	code = run_open(r);
	if (code)
		err_set(err, code, "the loop cannot watch a run: %s", uv_strerror(code));
	else
		code = order_send(&r->order, sb, err);
	if (!code)
		return r;
	if (r->open_handles) {
		run_close(r);
	} else {
		order_finish(&r->order);
		close(r->order.control);
		close(r->order.output);
		free(r->work);
		free(r);
	}
	return NULL;
}

struct run *run_start(struct sandbox *sb, const struct run_spec *spec,
	const struct run_handlers *handlers, void *arg, struct strbuf *err)
{
	const struct protections *p = &sb->protections;

	if (!p->bubblewrap || !p->user_namespaces || !p->seccomp ||
		(spec->layer_count && !p->overlay)) {
		err_set(err, -EPERM, "nothing is built without its sandbox: %s", p->missing);
		return NULL;
	}
	if (!spec->argv || !spec->argv[0]) {
		err_set(err, -EINVAL, "there is no command to run");
		return NULL;
	}
	return run_launch(sb, spec, handlers, arg, err);
}

void run_cancel(struct run *r)
{
	tell(r, LAUNCH_CANCEL);
}

int run_hold(struct run *r)
{
	return fcntl(r->order.control, F_DUPFD_CLOEXEC, 0);
}

void run_pause(struct run *r)
{
	if (r->paused || r->state == RUN_DRAINED || r->state == RUN_ENDED)
		return;
	r->paused = true;
	uv_read_stop((uv_stream_t *)&r->output);
}

void run_resume(struct run *r)
{
	if (!r->paused)
		return;
	r->paused = false;
	uv_read_start((uv_stream_t *)&r->output, output_buffer, output_read);
}
