// SPDX-License-Identifier: MIT
#include "core/http/http_internal.h"

struct match {
	const struct http_route *route;
	struct http_param params[HTTP_PARAMS_MAX];
	size_t value_len[HTTP_PARAMS_MAX];
	size_t count;
	size_t literal; /* bytes of the pattern that stand for themselves */
};

static void match_add(
	struct match *m, const char *name, size_t name_len, const char *value, size_t value_len)
{
	if (m->count == HTTP_PARAMS_MAX)
		BUG("the pattern %s has more than %d parameters", m->route->pattern,
			HTTP_PARAMS_MAX);
	m->params[m->count] =
		(struct http_param){.name = name, .name_len = name_len, .value = value};
	m->value_len[m->count++] = value_len;
}

/* Walks pattern and path side by side; a parameter takes one segment that is not empty. */
static bool route_match(const struct http_route *route, const char *path, struct match *ret_match)
{
	const char *p = route->pattern;
	struct match m = {.route = route};

	while (*p) {
		bool at_segment = p > route->pattern && p[-1] == '/';
		if (at_segment && *p == '*') {
			match_add(&m, p + 1, strlen(p + 1), path, strlen(path));
			*ret_match = m;
			return true;
		}
		if (at_segment && *p == ':') {
			size_t name_len = strcspn(p, "/"), value_len = strcspn(path, "/");
			if (value_len == 0)
				return false;
			match_add(&m, p + 1, name_len - 1, path, value_len);
			p += name_len;
			path += value_len;
			continue;
		}
		if (*p++ != *path++)
			return false;
		m.literal++;
	}
	*ret_match = m;
	return *path == '\0';
}

static void allow_add(struct strbuf *allow, enum http_method method)
{
	strbuf_addf(allow, "%s%s", allow->len > 0 ? ", " : "", http_method_name(method));
	if (method == HTTP_GET)
		strbuf_addstr(allow, ", HEAD");
}

static void request_use(struct http_request *req, const struct match *m)
{
	req->route = m->route;
	req->param_count = m->count;
	for (size_t i = 0; i < m->count; i++) {
		char *value = http_request_memory(req, m->value_len[i] + 1);
		memcpy(value, m->params[i].value, m->value_len[i]);
		req->params[i] = m->params[i];
		req->params[i].value = value;
	}
}

void http_route_find(struct http_request *req, struct strbuf *ret_allow)
{
	const struct http_config *config = &req->server->config;
	enum http_method wanted = req->head.method == HTTP_HEAD ? HTTP_GET : req->head.method;
	unsigned allowed = 0;
	struct match best = {0}, m;

	/* A walk over all routes, not a tree: there are tens of them, and a request is looked up
	 * once. */
	for (size_t i = 0; i < config->route_count; i++) {
		const struct http_route *route = &config->routes[i];
		if (!route_match(route, req->head.path, &m))
			continue;
		allowed |= 1u << route->method;
		if (route->method == wanted && (!best.route || m.literal > best.literal))
			best = m;
	}
	if (best.route) {
		request_use(req, &best);
		return;
	}
	for (int method = 0; method < HTTP_METHOD_COUNT; method++)
		if (allowed & (1u << method))
			allow_add(ret_allow, method);
}
