// SPDX-License-Identifier: MIT
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "core/http/http_internal.h"

#define RESERVED_FDS 64 /* for the database, logs, uploads and builds */

/* A log's viewer and a download have two descriptors. RESERVED_FDS are left; with very few, half of them. */
static size_t connections_allowed(void)
{
	struct rlimit files;
	size_t max = HTTP_CONNECTIONS_MAX;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur == RLIM_INFINITY)
		return max;
	size_t spare = files.rlim_cur >= 2 * RESERVED_FDS ? files.rlim_cur - RESERVED_FDS
							  : files.rlim_cur / 2;
	size_t fits = spare / 2;
	return fits < max ? fits : max;
}

struct http_server *http_server_create(const struct http_config *config)
{
	struct http_server *s = xcalloc(1, sizeof(*s));

	s->config = *config;
	s->limits = (struct http_limits){
		.head_ms = HTTP_HEAD_TIMEOUT_MS,
		.body_stall_ms = HTTP_BODY_STALL_MS,
		.body_ms = HTTP_BODY_TIMEOUT_MS,
		.idle_ms = HTTP_IDLE_MS,
		.write_stall_ms = HTTP_WRITE_STALL_MS,
		.linger_ms = HTTP_LINGER_MS,
		.drain_ms = HTTP_DRAIN_MS,
		.tick_ms = 1000,
		.write_least = HTTP_WRITE_LEAST,
		.queued_max = HTTP_QUEUED_MAX,
		.linger_bytes = HTTP_LINGER_BYTES,
		.per_address = HTTP_CONNECTIONS_PER_ADDRESS_MAX,
		.connections = connections_allowed(),
	};
	s->refs = 1;
	list_init(&s->listeners);
	list_init(&s->connections);
	map_init(&s->addresses);
	uv_timer_init(&config->loop->uv, &s->timer);
	s->timer.data = s;
	http_server_ref(s); /* the timer's */
	s->read_buffer = xmalloc(HTTP_READ_SIZE);
	random_hex(s->request_prefix, 4);
	return s;
}

void http_server_ref(struct http_server *s)
{
	s->refs++;
}

void http_server_unref(struct http_server *s)
{
	if (--s->refs > 0)
		return;
	map_finish(&s->addresses);
	free(s->read_buffer);
	free(s);
}

struct http_limits *http_server_limits(struct http_server *s)
{
	return &s->limits;
}

size_t http_server_held_bytes(const struct http_server *s)
{
	const struct http_conn *c;
	size_t held = 0;

	list_for_each (c, &s->connections, link)
		held += c->in.cap;
	return held;
}

void http_server_stats(const struct http_server *s, struct http_stats *ret_stats)
{
	*ret_stats = s->stats;
}

/* Made once per second. No part of the program sets a locale: the names are C's. */
const char *http_server_date(struct http_server *s)
{
	time_t now = clock_wall_ms() / 1000;
	struct tm tm;

	if (now != s->date_second) {
		gmtime_r(&now, &tm);
		strftime(s->date, sizeof(s->date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		s->date_second = now;
	}
	return s->date;
}

/* ---- the timer: one look at all connections per tick */

static void reap_upgraded(struct http_server *s)
{
	struct http_conn *c, *next;

	list_for_each_safe (c, next, &s->connections, link)
		if (c->state == HTTP_CONN_CLOSED && !c->stream)
			http_conn_free(c);
}

/* What a connection's end makes a handler do may end other connections, but none is unlinked while
 * walking. */
static void for_each_connection(struct http_server *s, void (*fn)(struct http_conn *c, int64_t now))
{
	int64_t now = clock_monotonic_ms();
	struct http_conn *c;
	bool outer = !s->walking;

	s->walking = true;
	list_for_each (c, &s->connections, link)
		fn(c, now);
	if (!outer)
		return;
	s->walking = false;
	reap_upgraded(s);
}

static void close_one(struct http_conn *c, int64_t now)
{
	(void)now;
	http_conn_close(c);
}

static void on_tick(uv_timer_t *timer)
{
	struct http_server *s = timer->data;
	bool late = s->draining && clock_monotonic_ms() >= s->drain_by;

	for_each_connection(s, late ? close_one : http_conn_tick);
	if (s->destroyed)
		return;
	if (s->accept_paused)
		http_accept_resume(s);
	if (list_empty(&s->connections) && !s->accept_paused) {
		s->ticking = false;
		uv_timer_stop(timer);
	}
}

void http_server_watch(struct http_server *s)
{
	if (s->ticking || s->destroyed)
		return;
	s->ticking = true;
	uv_timer_start(
		&s->timer, on_tick, (uint64_t)s->limits.tick_ms, (uint64_t)s->limits.tick_ms);
}

/* ---- connections and who they come from */

static struct http_address *address_enter(struct http_server *s, const char *key)
{
	struct http_address *a = map_get(&s->addresses, key);

	if (a && a->connections >= s->limits.per_address)
		return NULL;
	if (!a) {
		a = xcalloc(1, sizeof(*a));
		snprintf(a->key, sizeof(a->key), "%s", key);
		map_set(&s->addresses, key, a);
	}
	a->connections++;
	return a;
}

static void address_leave(struct http_server *s, struct http_address *a)
{
	if (--a->connections > 0)
		return;
	map_remove(&s->addresses, a->key);
	free(a);
}

/* Left to itself the kernel takes 4 MB for a peer that reads nothing. */
static void bound_unsent(int fd)
{
	int max = HTTP_UNSENT_MAX;

	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &max, sizeof(max));
}

void http_server_accepted(struct http_server *s, int fd, const struct sockaddr *peer)
{
	char text[INET6_ADDRSTRLEN], key[INET6_ADDRSTRLEN];
	struct http_address *address;
	struct http_stream *stream;

	http_address_text(peer, text, key);
	address = address_enter(s, key);
	if (!address) {
		s->stats.refused++;
		close(fd);
		return;
	}
	stream = xcalloc(1, sizeof(*stream));
	stream->server = s;
	stream->address = address;
	http_server_ref(s);
	s->stats.connections_total++;
	bound_unsent(fd);
	uv_tcp_init(&s->config.loop->uv, &stream->tcp);
	if (uv_tcp_open(&stream->tcp, fd) < 0)
		close(fd); /* the stream then says so itself when it is read */
	uv_tcp_nodelay(&stream->tcp, 1);
	if (++s->stats.connections >= s->limits.connections)
		http_accept_pause(s);
	http_conn_open(s, stream, text);
	http_server_watch(s);
}

void http_stream_release(uv_tcp_t *tcp)
{
	struct http_stream *stream = container_of(tcp, struct http_stream, tcp);
	struct http_server *s = stream->server;

	address_leave(s, stream->address);
	free(stream);
	s->stats.connections--;
	if (s->accept_paused && !s->destroyed)
		http_accept_resume(s);
	http_server_unref(s);
}

/* ---- the end */

static void drain_one(struct http_conn *c, int64_t now)
{
	(void)now;
	http_conn_drain(c);
}

void http_server_drain(struct http_server *s, loop_fn *done, void *arg)
{
	s->draining = true;
	s->drained = done;
	s->drained_arg = arg;
	s->drain_by = clock_monotonic_ms() + s->limits.drain_ms;
	http_listeners_close(s);
	for_each_connection(s, drain_one);
	http_server_one_less(s);
}

/* Posted, never called from inside: the one who waits may destroy the server, and what handlers use. */
void http_server_one_less(struct http_server *s)
{
	if (!s->drained || !list_empty(&s->connections) || s->unanswered)
		return;
	loop_post(s->config.loop, s->drained, s->drained_arg);
	s->drained = NULL;
}

static void on_timer_closed(uv_handle_t *timer)
{
	http_server_unref(timer->data);
}

void http_server_destroy(struct http_server *s)
{
	if (!s)
		return;
	s->destroyed = true;
	s->draining = true;
	s->drained = NULL;
	http_listeners_close(s);
	for_each_connection(s, close_one);
	uv_close((uv_handle_t *)&s->timer, on_timer_closed);
	http_server_unref(s);
}
