// SPDX-License-Identifier: MIT
#include "cli/client.h"

#include <ctype.h>
#include <poll.h>

#include "cli/text.h"

#define CURL_POLL_MS 1000 /* libcurl has timers of its own; it is asked again at least this often */
#define TOKEN_MAX 4096 /* bytes of the token's file */

/* ---- the address */

static bool is_loopback(const char *host)
{
	size_t len = strlen(host);

	return !strcasecmp(host, "localhost") || !strcmp(host, "[::1]") ||
	       !strncmp(host, "127.", 4) ||
	       (len > 10 && !strcasecmp(host + len - 10, ".localhost"));
}

static int refuse_url(const char *url, const char *why, struct strbuf *err)
{
	struct strbuf shown = STRBUF_INIT;

	text_clean(&shown, url, strlen(url));
	err_set(err, -EINVAL, "the server's address \"%s\" %s; it looks like http://127.0.0.1:8000",
		shown.buf, why);
	strbuf_finish(&shown);
	return -EINVAL;
}

/* One part of the address; the caller frees by free(). NULL when it has none. */
static char *url_part(CURLU *u, CURLUPart part)
{
	char *text, *copy;

	if (curl_url_get(u, part, &text, 0))
		return NULL;
	copy = xstrdup(text);
	curl_free(text);
	return copy;
}

static bool url_has(CURLU *u, CURLUPart part)
{
	char *text = url_part(u, part);
	bool has = text != NULL;

	free(text);
	return has;
}

static void take_address(struct client *c, CURLU *u, const char *scheme, const char *host)
{
	char *port = url_part(u, CURLUPART_PORT), *path = url_part(u, CURLUPART_PATH);
	size_t len = path ? strlen(path) : 0;

	while (len && path[len - 1] == '/')
		len--;
	c->prefix = xstrndup(path ? path : "", len);
	c->host = port ? xasprintf("%s:%s", host, port) : xstrdup(host);
	c->base = xasprintf("%s://%s%s", scheme, c->host, c->prefix);
	c->loopback = is_loopback(host);
	free(port);
	free(path);
}

static int parse_address(struct client *c, const char *url, struct strbuf *err)
{
	CURLU *u = curl_url();
	char *scheme = NULL, *host = NULL;
	int r = 0;

	if (text_has_control(url) || strchr(url, ' ') || curl_url_set(u, CURLUPART_URL, url, 0)) {
		curl_url_cleanup(u);
		return refuse_url(url, "is none", err);
	}
	scheme = url_part(u, CURLUPART_SCHEME);
	host = url_part(u, CURLUPART_HOST);
	if (!scheme || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		r = refuse_url(url, "is not of http or https", err);
	else if (!host || !*host)
		r = refuse_url(url, "names no host", err);
	else if (url_has(u, CURLUPART_QUERY) || url_has(u, CURLUPART_FRAGMENT) ||
		 url_has(u, CURLUPART_USER))
		r = refuse_url(url, "has more than a host, a port and a path", err);
	else
		take_address(c, u, scheme, host);
	free(scheme);
	free(host);
	curl_url_cleanup(u);
	return r;
}

/* ---- the token */

/* Without the newline that editors leave; NULL when it cannot be one. */
static char *token_trim(const char *text)
{
	const char *start = text + strspn(text, " \t\r\n");
	size_t len = strlen(start);

	while (len && isspace((unsigned char)start[len - 1]))
		len--;
	for (size_t i = 0; i < len; i++)
		if (start[i] <= 0x20 || start[i] >= 0x7f)
			return NULL;
	return len ? xstrndup(start, len) : NULL;
}

/* The token of this machine's own server is another one's only when the caller says which folder he means. */
static bool is_for(const struct client *c)
{
	const char *said = getenv("REQPM_DATA_DIR");

	return c->loopback || (said && *said);
}

static void find_token(struct client *c, const char *data_dir)
{
	const char *set = getenv("REQPM_TOKEN");
	struct strbuf text = STRBUF_INIT, err = STRBUF_INIT;
	char *path = xasprintf("%s/token", data_dir);

	if (set && *set) {
		c->token = token_trim(set);
		c->token_from = xstrdup("the token in REQPM_TOKEN");
	} else if (!is_for(c)) {
		c->token_from = xasprintf(
			"no token: neither REQPM_TOKEN nor REQPM_DATA_DIR is set, and %s is for "
			"this machine's server",
			path);
	} else if (!file_read(path, TOKEN_MAX, &text, &err)) {
		c->token = token_trim(text.buf);
		c->token_from = xasprintf("the token in %s", path);
	} else {
		c->token_from = xasprintf("no token: REQPM_TOKEN is not set, and %s", err.buf);
	}
	free(path);
	strbuf_finish(&text);
	strbuf_finish(&err);
}

/* ---- life */

int client_init(struct client *c, const char *url, const char *data_dir, struct strbuf *err)
{
	int r;

	*c = (struct client){.wake_fd = -1, .server_timeout_ms = SERVER_TIMEOUT_MS};
	r = parse_address(c, url, err);
	if (r)
		return r;
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return err_set(err, -ENOMEM, "libcurl cannot be initialised");
	find_token(c, data_dir);
	c->multi = curl_multi_init();
	c->easy = curl_easy_init();
	if (!c->multi || !c->easy)
		return err_set(err, -ENOMEM, "libcurl gives no handle");
	return 0;
}

void client_finish(struct client *c)
{
	curl_easy_cleanup(c->easy);
	curl_multi_cleanup(c->multi);
	free(c->base);
	free(c->prefix);
	free(c->host);
	free(c->token);
	free(c->token_from);
}

void client_prepare(const struct client *c, CURL *easy, const char *path)
{
	char *url = xasprintf("%s%s", c->base, path);

	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	/* Else leaving would wait for a name server that does not answer. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	/* No proxy has this machine's loopback address. */
	if (c->loopback)
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
	free(url);
}

static bool is_late(const struct client *c)
{
	return c->deadline_ms && clock_monotonic_ms() >= c->deadline_ms;
}

/* How long to wait at most: until `end`, but not past the deadline. */
static int wait_ms(const struct client *c, int64_t end)
{
	int64_t left;

	if (c->deadline_ms && c->deadline_ms < end)
		end = c->deadline_ms;
	left = end - clock_monotonic_ms();
	return left <= 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

int client_wait(const struct client *c, int fd, short events, int64_t ms)
{
	int64_t end = clock_monotonic_ms() + ms;

	for (;;) {
		struct pollfd fds[2] = {
			{.fd = c->wake_fd, .events = POLLIN}, {.fd = fd, .events = events}};

		if (poll(fds, 2, wait_ms(c, end)) < 0)
			continue;
		/* Who was asked to stop once does not wait again. */
		if (c->woken && c->woken(c->wake_arg))
			return -EINTR;
		if (is_late(c))
			return -ETIMEDOUT;
		if (fds[1].revents)
			return 1;
		if (clock_monotonic_ms() >= end)
			return 0;
	}
}

int client_poll(const struct client *c, CURLM *multi)
{
	struct curl_waitfd wake = {.fd = c->wake_fd, .events = CURL_WAIT_POLLIN};
	int ms = wait_ms(c, clock_monotonic_ms() + CURL_POLL_MS);

	curl_multi_poll(multi, &wake, c->wake_fd >= 0, ms, NULL);
	if (c->wake_fd >= 0 && wake.revents && c->woken(c->wake_arg))
		return -EINTR;
	return is_late(c) ? -ETIMEDOUT : 0;
}

int client_unreachable(const struct client *c, CURL *easy, const char *why, struct strbuf *err)
{
	struct strbuf clean = STRBUF_INIT;
	long os_errno = 0;

	curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
	if (os_errno)
		why = strerror((int)os_errno);
	text_clean(&clean, why, strlen(why));
	err_set(err, 0,
		"no reqpm server can be reached at %s (%s); start one with \"./reqpm.sh start\" or "
		"\"reqpm serve\", or name another one with --server URL",
		c->base, clean.buf);
	strbuf_finish(&clean);
	return -ECONNREFUSED;
}
