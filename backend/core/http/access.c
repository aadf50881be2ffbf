// SPDX-License-Identifier: MIT
/* Who may do what. Host and Origin are held against a list that the configuration makes, never
 * against each other: a name that an attacker points at this machine (DNS rebinding) is a Host and
 * an Origin that agree. What X-Forwarded-* says is not believed. */
#include <stdio.h>
#include <strings.h>
#include "core/base/json.h"
#include "core/http/http_internal.h"

struct place { /* where this server is reached */
	struct http_host host;
	int default_port; /* that Host may leave out */
	char origin[300]; /* as browsers write it */
};

struct access {
	struct place *places;
	size_t place_count;
	bool public_read;
	char *token;
	char cookie_name[32];
	struct access_sessions *sessions;
	int64_t clock_offset;
};

/* What a request has to show for itself. */
struct caller {
	const struct place *place; /* NULL: its Host is not listed */
	bool origin_sent, origin_listed;
	bool token, session;
};

static void place_add(
	struct access *a, const char *scheme, const struct http_host *host, int default_port)
{
	struct place *p = &a->places[a->place_count++];

	p->host = *host;
	p->default_port = default_port;
	if (p->host.port < 0)
		p->host.port = default_port;
	if (p->host.port == default_port)
		snprintf(p->origin, sizeof(p->origin), "%s://%s", scheme, host->name);
	else
		snprintf(p->origin, sizeof(p->origin), "%s://%s:%d", scheme, host->name,
			p->host.port);
}

static int public_url_add(struct access *a, const char *url, struct strbuf *err)
{
	bool https = strncasecmp(url, "https://", 8) == 0;
	struct http_host host;
	const char *rest;
	size_t len;

	if (!https && strncasecmp(url, "http://", 7) != 0)
		return err_set(err, -EINVAL,
			"the public URL \"%s\" does not begin with http:// or https://", url);
	rest = url + (https ? 8 : 7);
	len = strcspn(rest, "/");
	if (!http_host_parse(rest, len, &host))
		return err_set(err, -EINVAL, "the public URL \"%s\" has no valid host name", url);
	if (rest[len] && strcmp(rest + len, "/") != 0)
		return err_set(err, -EINVAL,
			"the public URL \"%s\" has a path: serve reqpm at the root of a host", url);
	place_add(a, https ? "https" : "http", &host, https ? 443 : 80);
	return 0;
}

static void loopback_add(struct access *a, const char *name, int port)
{
	struct http_host host;

	if (!http_host_parse(name, strlen(name), &host) || !http_host_is_loopback(host.name))
		return;
	host.port = port;
	place_add(a, "http", &host, 80);
}

/* Only a place of its own when it is not 127.0.0.1 or ::1, but twice the same is as good. */
static void bound_add(struct access *a, const char *address, int port)
{
	char *name = strchr(address, ':') ? xasprintf("[%s]", address) : xstrdup(address);

	loopback_add(a, name, port);
	free(name);
}

struct access *access_create(const struct access_config *config, struct strbuf *err)
{
	static const char *const loopback[] = {"localhost", "127.0.0.1", "[::1]"};
	struct access *a = xcalloc(1, sizeof(*a));

	a->places = xcalloc(config->public_url_count + config->bound_count + countof(loopback),
		sizeof(*a->places));
	a->public_read = config->public_read;
	a->token = xstrdup(config->token);
	a->sessions = access_sessions_create();
	snprintf(a->cookie_name, sizeof(a->cookie_name), "reqpm_%d", config->port);
	for (size_t i = 0; i < countof(loopback); i++)
		loopback_add(a, loopback[i], config->port);
	for (size_t i = 0; i < config->bound_count; i++)
		bound_add(a, config->bound[i], config->port);
	for (size_t i = 0; i < config->public_url_count; i++) {
		if (public_url_add(a, config->public_urls[i], err) < 0) {
			access_destroy(a);
			return NULL;
		}
	}
	return a;
}

void access_destroy(struct access *a)
{
	if (!a)
		return;
	access_sessions_destroy(a->sessions);
	free(a->places);
	free(a->token);
	free(a);
}

static int64_t access_now(const struct access *a)
{
	return clock_monotonic_ms() + a->clock_offset;
}

void access_clock_advance(struct access *a, int64_t ms)
{
	a->clock_offset += ms;
}

static const struct place *place_of_host(const struct access *a, const char *value)
{
	struct http_host host;

	if (!value || !http_host_parse(value, strlen(value), &host))
		return NULL;
	for (size_t i = 0; i < a->place_count; i++) {
		const struct place *p = &a->places[i];
		int port = host.port < 0 ? p->default_port : host.port;
		if (port == p->host.port && strcmp(host.name, p->host.name) == 0)
			return p;
	}
	return NULL;
}

/* Byte for byte: browsers write an origin in one way only. */
static bool origin_listed(const struct access *a, const char *origin)
{
	for (size_t i = 0; i < a->place_count; i++)
		if (strcmp(origin, a->places[i].origin) == 0)
			return true;
	return false;
}

static bool token_right(const struct access *a, const char *authorization)
{
	if (!a->token || !*a->token || !authorization ||
		strncasecmp(authorization, "Bearer ", 7) != 0)
		return false;
	return constant_time_equal(authorization + 7 + strspn(authorization + 7, " "), a->token);
}

static struct caller caller_of(const struct access *a, struct http_request *req)
{
	const char *origin = http_header(req, "origin");
	const char *session = http_cookie(req, a->cookie_name);

	return (struct caller){
		.place = place_of_host(a, http_header(req, "host")),
		.origin_sent = origin,
		.origin_listed = origin && origin_listed(a, origin),
		.token = token_right(a, http_header(req, "authorization")),
		.session = session && access_sessions_has(a->sessions, session),
	};
}

/* A page of this server reads without an Origin, so a cookie alone must do for that; pages of other
 * ports of this machine count as the same site and would send it too, but say so. */
static bool same_origin_said(const struct http_request *req)
{
	const char *site = http_header(req, "sec-fetch-site");

	return !site || strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
}

static bool peer_is_loopback(const struct http_request *req)
{
	return strncmp(req->peer, "127.", 4) == 0 || strcmp(req->peer, "::1") == 0;
}

/* A proxy on this machine speaks for others. Whoever writes such a field himself only takes rights from himself. */
static bool is_forwarded(const struct http_request *req)
{
	static const char *const names[] = {"forwarded", "via", "x-real-ip"};
	static const char prefix[] = "x-forwarded-";

	for (size_t i = 0; i < req->head.field_count; i++)
		if (strncmp(req->head.fields[i].name, prefix, strlen(prefix)) == 0)
			return true;
	for (size_t i = 0; i < countof(names); i++)
		if (http_header(req, names[i]))
			return true;
	return false;
}

/* Anyone can write "Host: localhost" into a request from afar; the peer's address cannot be chosen
 * so freely. */
static bool reading_open(
	const struct access *a, const struct http_request *req, const struct caller *who)
{
	return a->public_read || (http_host_is_loopback(who->place->host.name) &&
					 peer_is_loopback(req) && !is_forwarded(req));
}

static bool has_right(const struct access *a, const struct http_request *req,
	const struct caller *who, enum access_right right, bool websocket)
{
	if (right == ACCESS_PUBLIC || who->token || (who->session && who->origin_listed))
		return true;
	if (right == ACCESS_CHANGE)
		return false;
	return reading_open(a, req, who) || (who->session && !websocket && same_origin_said(req));
}

/* Host and Origin; answers when they are not listed. */
static bool place_check(struct http_request *req, const struct caller *who)
{
	if (!who->place) {
		http_reply_problem(req, 421, "unknown-host",
			"this server is not known as \"%s\": use a name it was started with, or "
			"add --public-url",
			http_header(req, "host"));
		return false;
	}
	if (who->origin_sent && !who->origin_listed) {
		http_reply_problem(req, 403, "foreign-origin",
			"pages of \"%s\" may not use this server: open it under its own address, "
			"or add --public-url",
			http_header(req, "origin"));
		return false;
	}
	return true;
}

bool access_check(
	struct access *a, struct http_request *req, enum access_right right, bool websocket)
{
	struct caller who = caller_of(a, req);

	if (!place_check(req, &who))
		return false;
	if (websocket || has_right(a, req, &who, right, websocket))
		return true;
	http_add_header(req, "WWW-Authenticate", "Bearer");
	http_reply_problem(req, 401, "not-signed-in",
		"%s needs the server's token, or a signed-in browser",
		right == ACCESS_CHANGE ? "a change" : "reading from here");
	return false;
}

bool access_may_read(struct access *a, struct http_request *req, bool websocket)
{
	struct caller who = caller_of(a, req);

	return has_right(a, req, &who, ACCESS_READ, websocket);
}

bool access_signed_in(struct access *a, struct http_request *req)
{
	struct caller who = caller_of(a, req);

	return who.token ||
	       (who.session && (who.origin_listed || (!who.origin_sent && same_origin_said(req))));
}

void access_code_new(struct access *a, char buf[ACCESS_CODE_MAX])
{
	access_sessions_code(a->sessions, access_now(a), buf);
}

/* The code in {"code": "…"}, or NULL; json keeps it alive. */
static const char *code_of(const struct strbuf *body, json_t **ret_json)
{
	*ret_json = json_parse(body->buf, body->len, NULL);
	return json_string_value(json_object_get(*ret_json, "code"));
}

static void session_answer(struct access *a, struct http_request *req, const char *session)
{
	bool https = strncmp(http_header(req, "origin"), "https://", 8) == 0;
	char cookie[160];

	snprintf(cookie, sizeof(cookie), "%s=%s; Path=/; HttpOnly; SameSite=Strict%s",
		a->cookie_name, session, https ? "; Secure" : "");
	http_add_header(req, "Set-Cookie", cookie);
	http_add_header(req, "Cache-Control", "no-store");
	http_reply(req, 204, NULL, "", 0);
}

void access_login(struct access *a, struct http_request *req)
{
	struct caller who = caller_of(a, req);
	char session[ACCESS_CODE_MAX];
	const char *code;
	json_t *json;

	if (!place_check(req, &who))
		return;
	if (!who.origin_sent) {
		http_reply_problem(
			req, 403, "foreign-origin", "only a page of this server signs in");
		return;
	}
	code = code_of(http_body(req), &json);
	if (!code)
		http_reply_problem(req, 400, "bad-login", "send {\"code\": \"…\"}");
	else if (!access_sessions_open(a->sessions, code, access_now(a), session))
		http_reply_problem(req, 401, "bad-code",
			"the link was used already or is older than 10 minutes: ask for a new one");
	else
		session_answer(a, req, session);
	json_decref(json);
}
