// SPDX-License-Identifier: MIT
/* Listening sockets are watched with uv_poll and accepted here, not by uv_listen(): libuv keeps
 * accepting when descriptors are short, in a loop that ends only when they are not. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "core/base/log.h"
#include "core/http/http_internal.h"

#define ACCEPT_BATCH 64 /* per turn: those who are connected get their turn too */
#define PORT_TRIES 16 /* for a free port that is free on both loopback addresses */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage storage;
};

void http_address_text(
	const struct sockaddr *sa, char peer[INET6_ADDRSTRLEN], char key[INET6_ADDRSTRLEN])
{
	const union address *address = (const union address *)sa;
	struct in6_addr net;

	if (sa->sa_family != AF_INET6) {
		inet_ntop(AF_INET, &address->v4.sin_addr, peer, INET6_ADDRSTRLEN);
		strcpy(key, peer);
		return;
	}
	net = address->v6.sin6_addr;
	if (IN6_IS_ADDR_V4MAPPED(&net)) {
		inet_ntop(AF_INET, net.s6_addr + 12, peer, INET6_ADDRSTRLEN);
		strcpy(key, peer);
		return;
	}
	inet_ntop(AF_INET6, &net, peer, INET6_ADDRSTRLEN);
	if (!IN6_IS_ADDR_LOOPBACK(&net)) /* one host has a whole /64 to come from */
		memset(net.s6_addr + 8, 0, 8);
	inet_ntop(AF_INET6, &net, key, INET6_ADDRSTRLEN);
}

/* One connection off the backlog: 0, or -errno. */
static int accept_one(struct http_listener *l)
{
	union address peer = {0};
	socklen_t len = sizeof(peer);
	int fd = accept4(l->fd, &peer.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return -errno;
	http_server_accepted(l->server, fd, &peer.any);
	return 0;
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
	struct http_listener *l = container_of(poll, struct http_listener, poll);
	struct http_server *s = l->server;

	(void)status;
	(void)events;
	for (int i = 0; i < ACCEPT_BATCH && !s->accept_paused; i++) {
		int r = accept_one(l);
		if (r == -EAGAIN)
			return;
		if (r == 0)
			s->accept_failing = false;
		if (r == 0 || r == -EINTR || r == -ECONNABORTED)
			continue;
		if (!s->accept_failing)
			log_warn("http: cannot accept connections (%s); they wait until it is "
				 "possible again",
				strerror(-r));
		s->accept_failing = true;
		http_accept_pause(s);
	}
}

/* Who comes now waits in the backlog until a connection ends, or for a tick. */
void http_accept_pause(struct http_server *s)
{
	struct http_listener *l;

	s->accept_paused = true;
	list_for_each (l, &s->listeners, link)
		uv_poll_stop(&l->poll);
	http_server_watch(s);
}

void http_accept_resume(struct http_server *s)
{
	struct http_listener *l;

	if (s->stats.connections >= s->limits.connections)
		return;
	s->accept_paused = false;
	list_for_each (l, &s->listeners, link)
		uv_poll_start(&l->poll, UV_READABLE, on_acceptable);
}

static void on_listener_closed(uv_handle_t *handle)
{
	struct http_listener *l = container_of((uv_poll_t *)handle, struct http_listener, poll);

	http_server_unref(l->server);
	free(l);
}

void http_listeners_close(struct http_server *s)
{
	struct http_listener *l, *next;

	list_for_each_safe (l, next, &s->listeners, link) {
		list_remove(&l->link);
		uv_close((uv_handle_t *)&l->poll, on_listener_closed);
		close(l->fd);
	}
}

int http_server_listen_fd(struct http_server *s, int fd, struct strbuf *err)
{
	struct http_listener *l;
	int r = 0;

	if (listen(fd, SOMAXCONN) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return err_set(err, r, "cannot listen on a socket: %s", strerror(-r));
	}
	l = xcalloc(1, sizeof(*l));
	l->server = s;
	l->fd = fd;
	http_server_ref(s);
	list_append(&s->listeners, &l->link);
	uv_poll_init(&s->config.loop->uv, &l->poll, fd);
	if (!s->accept_paused)
		uv_poll_start(&l->poll, UV_READABLE, on_acceptable);
	return 0;
}

/* 0 and a bound socket, or -errno. */
static int bind_address(union address *address, int *ret_fd)
{
	socklen_t len =
		address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
	int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, r;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &address->any, len) == 0) {
		*ret_fd = fd;
		return 0;
	}
	r = -errno;
	close(fd);
	return r;
}

static bool address_parse(const char *host, int port, union address *ret_address)
{
	*ret_address = (union address){0};
	if (inet_pton(AF_INET, host, &ret_address->v4.sin_addr) == 1) {
		ret_address->v4.sin_family = AF_INET;
		ret_address->v4.sin_port = htons((uint16_t)port);
		return true;
	}
	if (inet_pton(AF_INET6, host, &ret_address->v6.sin6_addr) == 1) {
		ret_address->v6.sin6_family = AF_INET6;
		ret_address->v6.sin6_port = htons((uint16_t)port);
		return true;
	}
	return false;
}

static int bind_error(struct strbuf *err, int r, const char *host, int port)
{
	if (r == -EADDRINUSE)
		return err_set(err, r,
			"port %d on %s is in use: stop the program that listens there, or choose "
			"another port",
			port, host);
	if (r == -EADDRNOTAVAIL)
		return err_set(err, r,
			"%s is no address of this machine: choose one of its own, 127.0.0.1 or "
			"0.0.0.0",
			host);
	if (r == -EACCES)
		return err_set(
			err, r, "port %d on %s needs root: choose a port above 1023", port, host);
	return err_set(err, r, "cannot listen on port %d of %s: %s", port, host, strerror(-r));
}

static int fd_port(int fd)
{
	union address address = {0};
	socklen_t len = sizeof(address);

	getsockname(fd, &address.any, &len);
	return ntohs(
		address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

/* Both loopback addresses on one port; a machine without one of them has the other. */
static int bind_loopback(int port, int *ret_v4, int *ret_v6)
{
	union address address;
	int r4, r6;

	*ret_v4 = *ret_v6 = -1;
	address_parse("127.0.0.1", port, &address);
	r4 = bind_address(&address, ret_v4);
	if (r4 < 0 && r4 != -EADDRNOTAVAIL && r4 != -EAFNOSUPPORT)
		return r4;
	address_parse("::1", r4 == 0 ? fd_port(*ret_v4) : port, &address);
	r6 = bind_address(&address, ret_v6);
	if (r6 == 0 || (r4 == 0 && (r6 == -EADDRNOTAVAIL || r6 == -EAFNOSUPPORT)))
		return 0;
	if (*ret_v4 >= 0)
		close(*ret_v4);
	return r6;
}

static int listen_loopback(struct http_server *s, int port, struct strbuf *err)
{
	int v4, v6, r = bind_loopback(port, &v4, &v6);

	/* A port that the kernel picked for one address may be taken on the other: pick again. */
	for (int i = 0; port == 0 && r == -EADDRINUSE && i < PORT_TRIES; i++)
		r = bind_loopback(port, &v4, &v6);
	if (r < 0)
		return bind_error(err, r, "localhost", port);
	if (v4 >= 0)
		r = http_server_listen_fd(s, v4, err);
	if (v6 >= 0 && r == 0)
		r = http_server_listen_fd(s, v6, err);
	return r;
}

int http_server_listen(struct http_server *s, const char *host, int port, struct strbuf *err)
{
	union address address;
	int fd = -1, r;

	if (port < 0 || port > 65535)
		return err_set(err, -EINVAL, "%d is no port: choose one from 1 to 65535", port);
	if (strcmp(host, "localhost") == 0)
		return listen_loopback(s, port, err);
	if (!address_parse(host, port, &address))
		return err_set(err, -EINVAL,
			"\"%s\" is no address to listen on: give an IP address, or localhost",
			host);
	r = bind_address(&address, &fd);
	if (r < 0)
		return bind_error(err, r, host, port);
	return http_server_listen_fd(s, fd, err);
}

int http_server_port(const struct http_server *s)
{
	return list_empty(&s->listeners)
		       ? 0
		       : fd_port(list_first(&s->listeners, struct http_listener, link)->fd);
}
