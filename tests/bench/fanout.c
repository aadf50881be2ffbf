// SPDX-License-Identifier: MIT
/*
 * CPU of the server for one delivered frame, and memory of one idle viewer. A child process holds VIEWERS WebSocket connections and
 * reads all that comes; the parent runs the real HTTP server and rooms and publishes. The floor, measured in the same run: the same
 * bytes to the same number of plain sockets by a bare epoll + send() loop.
 *
 *   fanout [VIEWERS] [MESSAGES] [IN_FLIGHT]    prints one JSON line
 */
#include <fcntl.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "core/channels/channels.h"

#define MESSAGE_BYTES 250
#define GROUP "build_job_1"

static int viewers = 1000, messages = 400, in_flight = 1;

static double cpu_us(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- the child: holds the connections, drains them, reports bytes when asked for */

static int connect_to(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die("connect");
	return fd;
}

static void child_main(int port, bool websocket, int control)
{
	static const char hello[] =
		"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: "
		"Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
	struct epoll_event events[256], e = {.events = EPOLLIN};
	int ep = epoll_create1(0);
	static char buf[1 << 18];
	long long total = 0, want;

	for (int i = 0; i < viewers; i++) {
		int fd = connect_to(port);

		if (websocket && write(fd, hello, sizeof(hello) - 1) < 0)
			die("write");
		fcntl(fd, F_SETFL, O_NONBLOCK);
		e.data.fd = fd;
		epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
	}
	e.data.fd = control;
	epoll_ctl(ep, EPOLL_CTL_ADD, control, &e);
	want = -1;
	for (;;) {
		int n = epoll_wait(ep, events, 256, -1);

		for (int i = 0; i < n; i++) {
			ssize_t r = read(events[i].data.fd,
				events[i].data.fd == control ? (void *)&want : buf,
				events[i].data.fd == control ? sizeof(want) : sizeof(buf));

			if (events[i].data.fd == control) {
				if (r <= 0)
					_exit(0);
				if (want == 0)
					total = 0;
			} else if (r > 0) {
				total += r;
			} else if (r == 0) {
				/* It answers no pings: on a machine this slow there is no figure. */
				fprintf(stderr, "fanout: a viewer was sent away\n");
				_exit(1);
			}
		}
		/* The parent says how many bytes it waits for; 0 starts the count anew. */
		if (want == 0 || (want > 0 && total >= want)) {
			if (write(control, &total, sizeof(total)) < 0)
				_exit(1);
			want = -1;
		}
	}
}

static pid_t start_child(int port, bool websocket, int *ret_control)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		die("socketpair");
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		child_main(port, websocket, pair[1]);
	}
	close(pair[1]);
	*ret_control = pair[0];
	return pid;
}

static void ask(int control, long long want)
{
	if (write(control, &want, sizeof(want)) != sizeof(want))
		die("control");
}

static void answer(int control)
{
	long long total;

	if (read(control, &total, sizeof(total)) != sizeof(total))
		die("control");
}

/* ---- the floor */

static double floor_us(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), control, one = 1;
	int *fds = xcalloc((size_t)viewers, sizeof(*fds));
	size_t frame = (size_t)(MESSAGE_BYTES + 4) * (size_t)in_flight;
	char *bytes = xcalloc(1, frame);
	double start;
	pid_t child;

	bind(listener, (struct sockaddr *)&a, sizeof(a));
	listen(listener, 4096);
	getsockname(listener, (struct sockaddr *)&a, &len);
	child = start_child(ntohs(a.sin_port), false, &control);
	for (int i = 0; i < viewers; i++) {
		fds[i] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		setsockopt(fds[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	}
	start = cpu_us();
	for (int m = 0; m < messages / in_flight; m++) {
		ask(control, 0);
		answer(control);
		for (int i = 0; i < viewers; i++)
			if (send(fds[i], bytes, frame, MSG_NOSIGNAL) != (ssize_t)frame)
				die("send");
		ask(control, (long long)frame * viewers);
		answer(control);
	}
	start = cpu_us() - start;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	for (int i = 0; i < viewers; i++)
		close(fds[i]);
	close(listener);
	close(control);
	free(fds);
	free(bytes);
	return start / ((double)viewers * messages);
}

/* ---- ours */

static struct loop loop;
static struct layer *layer;
static struct rooms *rooms;
static int control, sent;
static int64_t seq = 1;
static uv_timer_t timer;
static uv_poll_t answers;
static double started, ours;
static size_t heap_before, heap_after;

static size_t heap_used(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void read_snapshot(void *arg, const char *group, room_snapshot_fn *done, void *read)
{
	struct room_snapshot s = {.version_count = 1};

	(void)arg;
	(void)group;
	strbuf_init(&s.json);
	strbuf_addstr(&s.json, "{\"type\":\"build_update\",\"snapshot\":true}");
	s.versions = xcalloc(1, sizeof(*s.versions));
	s.versions[0].seq = seq;
	done(read, &s);
}

static void join(struct http_request *req, void *app)
{
	(void)app;
	room_join(rooms, GROUP, req, NULL);
}

static void publish(void)
{
	char text[MESSAGE_BYTES + 1];

	for (int i = 0; i < in_flight; i++) {
		struct msg *m;

		memset(text, 'x', sizeof(text));
		m = msg_create(0, ++seq, false, text, MESSAGE_BYTES);
		group_send(layer, GROUP, m);
		msg_unref(m);
	}
	sent += in_flight;
	ask(control, (long long)(MESSAGE_BYTES + 4) * in_flight * viewers);
}

static void on_answer(uv_poll_t *poll, int status, int events)
{
	static bool counting;

	(void)poll;
	(void)status;
	(void)events;
	answer(control);
	counting = !counting;
	if (counting) {
		publish();
	} else if (sent < messages) {
		ask(control, 0);
	} else {
		ours = (cpu_us() - started) / ((double)viewers * messages);
		loop_stop(&loop);
	}
}

static void all_joined(uv_timer_t *t)
{
	struct rooms_stats stats;

	rooms_stats(rooms, &stats);
	if (stats.viewers < (size_t)viewers || stats.snapshots_sent < (uint64_t)viewers)
		return;
	uv_timer_stop(t);
	heap_after = heap_used();
	started = cpu_us();
	ask(control, 0);
}

static void run_ours(void)
{
	static const struct http_route routes[] = {
		{.method = HTTP_GET, .pattern = "/ws", .handler = join}};
	struct http_config config = {.loop = &loop, .routes = routes, .route_count = 1};
	struct room_source source = {
		.read_snapshot = read_snapshot, .read_versions = read_snapshot};
	struct strbuf err = STRBUF_INIT;
	struct http_server *server;
	pid_t child;

	loop_init(&loop);
	layer = layer_open(&loop, NULL, &err);
	rooms = rooms_create(&loop, layer, &source, "bench");
	server = http_server_create(&config);
	if (http_server_listen(server, "127.0.0.1", 0, &err) < 0) {
		fprintf(stderr, "%s\n", err.buf);
		exit(1);
	}
	heap_before = heap_used();
	child = start_child(http_server_port(server), true, &control);
	uv_poll_init(&loop.uv, &answers, control);
	uv_poll_start(&answers, UV_READABLE, on_answer);
	uv_timer_init(&loop.uv, &timer);
	uv_timer_start(&timer, all_joined, 50, 50);
	loop_run(&loop);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

int main(int argc, char **argv)
{
	double floor;

	if (argc > 1)
		viewers = atoi(argv[1]);
	if (argc > 2)
		messages = atoi(argv[2]);
	if (argc > 3)
		in_flight = atoi(argv[3]);
	signal(SIGPIPE, SIG_IGN);
	floor = floor_us();
	run_ours();
	printf("{\"benchmark\":\"fanout\",\"viewers\":%d,\"messages\":%d,\"in_flight\":%d,\"cpu_us_"
	       "per_frame\":%.3f,"
	       "\"floor_us_per_frame\":%.3f,\"ratio\":%.2f,\"heap_bytes_per_viewer\":%zu}\n",
		viewers, messages, in_flight, ours, floor, ours / floor,
		(heap_after - heap_before) / (size_t)viewers);
	return 0;
}
