// SPDX-License-Identifier: MIT
#include "cli/client.h"

#include <poll.h>

#include "cli/text.h"

#define HEAD_MAX 32768 /* bytes of the answer to the handshake */
#define HANDSHAKE_MS 10000
#define READ_STEP 65536
#define GOODBYE_MS 200 /* for the close frame to be written */
#define KEY_MAX 25

struct socket {
	struct client *client;
	CURLM *multi;
	CURL *easy;
	curl_socket_t fd;
	struct ws_parser parser;
	struct strbuf out; /* frames that wait to be sent */
	struct strbuf reason;
	int code; /* 0: open */
	int64_t heard_ms;
	struct strbuf early; /* came with the answer to the handshake */
	socket_message_fn *fn; /* while pumping */
	void *arg;
	char error[CURL_ERROR_SIZE];
};

/* ---- connecting */

static void set_up(struct socket *s, const char *path)
{
	client_prepare(s->client, s->easy, path);
	curl_easy_setopt(s->easy, CURLOPT_CONNECT_ONLY, 1L);
	/* A proxy has to let the bytes through as they are. */
	curl_easy_setopt(s->easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
	curl_easy_setopt(s->easy, CURLOPT_ERRORBUFFER, s->error);
}

static int connect_socket(struct socket *s, struct strbuf *err)
{
	struct client *c = s->client;
	CURLMsg *done = NULL;
	int running, left, r;

	curl_multi_add_handle(s->multi, s->easy);
	while (!done) {
		curl_multi_perform(s->multi, &running);
		done = curl_multi_info_read(s->multi, &left);
		if (done)
			break;
		r = client_poll(c, s->multi);
		if (r)
			return r;
	}
	if (done->data.result == CURLE_OK &&
		!curl_easy_getinfo(s->easy, CURLINFO_ACTIVESOCKET, &s->fd) &&
		s->fd != CURL_SOCKET_BAD)
		return 0;
	return client_unreachable(
		c, s->easy, *s->error ? s->error : curl_easy_strerror(done->data.result), err);
}

/* Sends what waits in out, as far as the connection takes it: 0 or -EPIPE. */
static int flush(struct socket *s)
{
	size_t sent = 0;
	CURLcode code;

	while (s->out.len) {
		code = curl_easy_send(s->easy, s->out.buf, s->out.len, &sent);
		if (code == CURLE_AGAIN)
			return 0;
		if (code)
			return -EPIPE;
		strbuf_remove(&s->out, 0, sent);
	}
	return 0;
}

/* ---- the handshake */

static void put_request(struct socket *s, const char *path, const char *key)
{
	const struct client *c = s->client;

	strbuf_addf(&s->out,
		"GET %s%s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n"
		"User-Agent: reqpm/" REQPM_VERSION "\r\n",
		c->prefix, path, c->host, key);
	if (c->token)
		strbuf_addf(&s->out, "Authorization: Bearer %s\r\n", c->token);
	strbuf_addstr(&s->out, "\r\n");
}

/* Reads until the blank line: 0 and where the head ends. */
static int read_head(struct socket *s, struct strbuf *head, size_t *ret_end, struct strbuf *err)
{
	int64_t deadline = clock_monotonic_ms() + HANDSHAKE_MS;
	char *end = NULL;

	while (!end) {
		CURLcode code;
		size_t got = 0;
		int r;

		if (flush(s))
			return err_set(err, -EIO, "%s hung up", s->client->base);
		strbuf_grow(head, READ_STEP);
		code = curl_easy_recv(s->easy, head->buf + head->len, READ_STEP, &got);
		if (code == CURLE_AGAIN) {
			r = client_wait(s->client, s->fd, s->out.len ? POLLIN | POLLOUT : POLLIN,
				deadline - clock_monotonic_ms());
			if (r < 0)
				return r;
			if (!r)
				return err_set(err, -EIO, "%s does not answer", s->client->base);
			continue;
		}
		if (code || !got)
			return err_set(err, -EIO, "%s hung up", s->client->base);
		head->len += got;
		head->buf[head->len] = '\0';
		end = memmem(head->buf, head->len, "\r\n\r\n", 4);
		if (!end && head->len > HEAD_MAX)
			return err_set(err, -EPROTO, "what answers at %s is no reqpm server",
				s->client->base);
	}
	*ret_end = (size_t)(end - head->buf) + 4;
	return 0;
}

/* The value of a header in a head of whole lines, trimmed; the caller frees; NULL: not there. */
static char *find_header(const char *head, const char *name)
{
	size_t name_len = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
		const char *value = line + 2;
		size_t len;

		if (strncasecmp(value, name, name_len) != 0 || value[name_len] != ':')
			continue;
		value += name_len + 1;
		value += strspn(value, " \t");
		len = strcspn(value, "\r");
		while (len && (value[len - 1] == ' ' || value[len - 1] == '\t'))
			len--;
		return xstrndup(value, len);
	}
	return NULL;
}

/* Proxies put more beside it, as in "keep-alive, Upgrade". */
static bool mentions(const char *head, const char *name, const char *wanted)
{
	char *value = find_header(head, name);
	bool does = value && strcasestr(value, wanted);

	free(value);
	return does;
}

static int check_head(const struct socket *s, const char *head, const char *key, struct strbuf *err)
{
	const struct client *c = s->client;
	char accept[29];
	char *answered;
	int status = 0, r = 0;

	if (sscanf(head, "HTTP/1.%*1d %3d", &status) != 1)
		return err_set(err, -EPROTO, "what answers at %s speaks no HTTP", c->base);
	if (status == 401 || status == 403)
		return err_set(err, -EACCES, "%s refuses (%d; %s%s)", c->base, status,
			c->token_from, c->token ? " was sent" : "");
	if (status == 404)
		return err_set(
			err, -ENOENT, "%s has no live updates: it is no reqpm server", c->base);
	if (status >= 500)
		return err_set(err, -EBUSY, "%s answered %d", c->base, status);
	if (status != 101)
		return err_set(err, -EPROTO,
			"%s answered %d where it should have opened a WebSocket", c->base, status);
	ws_accept_key(key, accept);
	answered = find_header(head, "Sec-WebSocket-Accept");
	/* No extension was offered, so none may be in use. */
	if (!answered || strcmp(answered, accept) != 0 || !mentions(head, "Upgrade", "websocket") ||
		!mentions(head, "Connection", "upgrade"))
		r = err_set(err, -EPROTO, "the WebSocket handshake of %s is not right", c->base);
	free(answered);
	return r;
}

static int shake_hands(struct socket *s, const char *path, struct strbuf *err)
{
	struct strbuf head = STRBUF_INIT;
	uint8_t random[16];
	char key[KEY_MAX];
	size_t end = 0;
	int r;

	random_bytes(random, sizeof(random));
	base64_encode(random, sizeof(random), key);
	put_request(s, path, key);
	r = read_head(s, &head, &end, err);
	if (!r) {
		strbuf_add(&s->early, head.buf + end, head.len - end);
		strbuf_setlen(&head, end);
		r = check_head(s, head.buf, key, err);
	}
	strbuf_finish(&head);
	return r;
}

static void destroy(struct socket *s)
{
	curl_multi_remove_handle(s->multi, s->easy);
	curl_easy_cleanup(s->easy);
	curl_multi_cleanup(s->multi);
	ws_parser_finish(&s->parser);
	strbuf_finish(&s->out);
	strbuf_finish(&s->reason);
	strbuf_finish(&s->early);
	free(s);
}

int socket_open(struct client *c, const char *path, struct socket **ret, struct strbuf *err)
{
	struct socket *s = xcalloc(1, sizeof(*s));
	int r;

	s->client = c;
	strbuf_init(&s->out);
	strbuf_init(&s->reason);
	strbuf_init(&s->early);
	ws_parser_init(&s->parser, false, BODY_MAX);
	s->multi = curl_multi_init();
	s->easy = curl_easy_init();
	if (!s->multi || !s->easy)
		BUG("libcurl gives no handle");
	set_up(s, path);
	r = connect_socket(s, err);
	if (!r)
		r = shake_hands(s, path, err);
	if (r) {
		destroy(s);
		return r;
	}
	s->heard_ms = clock_monotonic_ms();
	*ret = s;
	return 0;
}

/* ---- messages */

static void put_close(struct socket *s, uint16_t code, const char *reason)
{
	struct strbuf payload = STRBUF_INIT;

	ws_close_payload(&payload, code, reason);
	ws_frame_masked(&s->out, WS_CLOSE, payload.buf, payload.len);
	strbuf_finish(&payload);
}

static void on_close(struct socket *s, const char *data, size_t len)
{
	const unsigned char *bytes = (const unsigned char *)data;

	s->code = len < 2 ? WS_CLOSE_NO_STATUS : bytes[0] << 8 | bytes[1];
	if (len > 2)
		text_clean(&s->reason, data + 2, len - 2);
	put_close(s, len < 2 ? WS_CLOSE_NORMAL : (uint16_t)s->code, "");
	flush(s);
}

static void on_frame(void *arg, enum ws_opcode opcode, const char *data, size_t len)
{
	struct socket *s = arg;

	if (s->code)
		return;
	if (opcode == WS_CLOSE)
		on_close(s, data, len);
	else if (opcode == WS_PING)
		ws_frame_masked(&s->out, WS_PONG, data, len);
	else if (opcode == WS_TEXT)
		s->fn(s->arg, data, len);
}

static void feed(struct socket *s, const char *data, size_t len)
{
	const char *why = "";
	int code = ws_parser_feed(&s->parser, (const uint8_t *)data, len, on_frame, s, &why);

	s->heard_ms = clock_monotonic_ms();
	if (!code || s->code)
		return;
	/* The server broke the protocol: told so, and for our part the connection is cut. */
	put_close(s, (uint16_t)code, why);
	flush(s);
	s->code = WS_CLOSE_ABNORMAL;
	text_clean(&s->reason, why, strlen(why));
}

/* Reads what is there: -EAGAIN when nothing is. */
static int receive(struct socket *s)
{
	struct strbuf data = STRBUF_INIT;
	size_t got = 0;
	CURLcode code;
	int r = 0;

	if (s->early.len) {
		data = s->early;
		strbuf_init(&s->early);
	} else {
		strbuf_grow(&data, READ_STEP);
		code = curl_easy_recv(s->easy, data.buf, READ_STEP, &got);
		data.len = got;
		if (code == CURLE_AGAIN)
			r = -EAGAIN;
		else if (code || !got)
			s->code = WS_CLOSE_ABNORMAL;
	}
	if (!r && !s->code)
		feed(s, data.buf, data.len);
	strbuf_finish(&data);
	return r;
}

int socket_pump(struct socket *s, int64_t ms, socket_message_fn *fn, void *arg)
{
	int r;

	s->fn = fn;
	s->arg = arg;
	/* First, since a server that always has more would leave nobody the time to ask. */
	r = client_wait(s->client, -1, 0, 0);
	if (r < 0)
		return r;
	r = s->code ? 0 : receive(s);
	if (r == -EAGAIN) {
		r = client_wait(s->client, s->fd, s->out.len ? POLLIN | POLLOUT : POLLIN, ms);
		if (r > 0)
			r = receive(s);
	}
	if (!s->code && flush(s))
		s->code = WS_CLOSE_ABNORMAL;
	if (r == -EINTR || r == -ETIMEDOUT)
		return r;
	return s->code ? -EPIPE : 0;
}

int socket_code(const struct socket *s)
{
	return s->code;
}

const char *socket_reason(const struct socket *s)
{
	return s->reason.buf;
}

int64_t socket_heard_ms(const struct socket *s)
{
	return s->heard_ms;
}

void socket_close(struct socket *s)
{
	int64_t end = clock_monotonic_ms() + GOODBYE_MS;

	if (!s)
		return;
	if (!s->code)
		put_close(s, WS_CLOSE_NORMAL, "");
	while (s->out.len && !flush(s) && s->out.len && clock_monotonic_ms() < end)
		poll(&(struct pollfd){.fd = s->fd, .events = POLLOUT}, 1, GOODBYE_MS);
	destroy(s);
}
