// SPDX-License-Identifier: MIT
/* Strict on purpose: where HTTP allows two readings, a proxy may take the other one, so neither is
 * accepted. */
#include <strings.h>
#include "core/http/http_internal.h"

struct request_line {
	enum http_method method;
	const char *target;
	size_t target_len;
	int minor;
};

static const char *const method_names[] = {
	[HTTP_GET] = "GET",
	[HTTP_HEAD] = "HEAD",
	[HTTP_POST] = "POST",
	[HTTP_PUT] = "PUT",
	[HTTP_PATCH] = "PATCH",
	[HTTP_DELETE] = "DELETE",
	[HTTP_OPTIONS] = "OPTIONS",
};
_Static_assert(countof(method_names) == HTTP_METHOD_COUNT, "name all methods");

const char *http_method_name(enum http_method m)
{
	return method_names[m];
}

static int refuse(const char **ret_why, int status, const char *why)
{
	*ret_why = why;
	return -status;
}

static int method_parse(
	const char *s, size_t len, enum http_method *ret_method, const char **ret_why)
{
	if (!http_token_valid(s, len))
		return refuse(ret_why, 400, "the request line does not begin with a method");
	for (int m = 0; m < HTTP_METHOD_COUNT; m++) {
		if (strlen(method_names[m]) == len && memcmp(method_names[m], s, len) == 0) {
			*ret_method = m;
			return 0;
		}
	}
	return refuse(ret_why, 501, "this server does not know the request's method");
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static int version_parse(const char *s, size_t len, int *ret_minor, const char **ret_why)
{
	bool formed =
		len == 8 && memcmp(s, "HTTP/", 5) == 0 && digit(s[5]) && s[6] == '.' && digit(s[7]);

	if (!formed)
		return refuse(ret_why, 400, "the request line does not end with an HTTP version");
	if (s[5] != '1' || s[7] > '1')
		return refuse(ret_why, 505, "this server speaks HTTP/1.1 and HTTP/1.0");
	*ret_minor = s[7] - '0';
	return 0;
}

/* method SP target SP version, with exactly these two spaces. */
static int request_line_parse(
	const char *line, size_t len, struct request_line *ret_line, const char **ret_why)
{
	const char *end = line + len;
	const char *first = memchr(line, ' ', len);
	const char *second = first ? memchr(first + 1, ' ', (size_t)(end - first - 1)) : NULL;
	int r;

	if (!second)
		return refuse(ret_why, 400, "the request line is not \"method target version\"");
	ret_line->target = first + 1;
	ret_line->target_len = (size_t)(second - first - 1);
	if (ret_line->target_len == 0)
		return refuse(ret_why, 400, "the request line has no target");
	r = version_parse(second + 1, (size_t)(end - second - 1), &ret_line->minor, ret_why);
	if (r < 0)
		return r;
	return method_parse(line, (size_t)(first - line), &ret_line->method, ret_why);
}

/* What may not stand in any line, whole or begun; a begun one may end with the CR of its CRLF. */
static int line_bytes_check(const char *line, size_t len, bool whole, const char **ret_why)
{
	const char *cr = memchr(line, '\r', len);

	if (memchr(line, '\0', len))
		return refuse(ret_why, 400, "the request's head holds a NUL byte");
	if (whole && !cr)
		return refuse(ret_why, 400, "a line of the request's head does not end with CR LF");
	if (cr && cr != line + len - 1)
		return refuse(ret_why, 400, "the request's head holds a CR that ends no line");
	return 0;
}

static int head_size_check(
	size_t line_number, size_t first_len, size_t pos, size_t line_len, const char **ret_why)
{
	if (line_number == 0)
		return line_len <= HTTP_REQUEST_LINE_MAX
			       ? 0
			       : refuse(ret_why, 414, "the request line is longer than 8192 bytes");
	if (line_len > 0 && line_number > HTTP_HEADERS_MAX)
		return refuse(ret_why, 431, "the request has more than 100 header fields");
	if (line_len > 0 && pos + line_len + 2 - first_len > HTTP_HEADERS_MAX_BYTES)
		return refuse(
			ret_why, 431, "the request's header fields take more than 32768 bytes");
	return 0;
}

/* Finds the blank line and refuses what can be refused before it: nobody is kept waiting for the
 * end of a head that is wrong at its start. Returns the head's bytes, 0: more is needed, or a
 * negative status. */
static ssize_t head_measure(
	const char *data, size_t len, struct request_line *ret_line, const char **ret_why)
{
	size_t pos = 0, first_len = 0;

	for (size_t number = 0;; number++) {
		const char *lf = memchr(data + pos, '\n', len - pos);
		size_t line_len = lf ? (size_t)(lf - data) - pos : len - pos;
		int r = line_bytes_check(data + pos, line_len, lf, ret_why);
		if (r < 0)
			return r;
		if (line_len > 0 && data[pos + line_len - 1] == '\r')
			line_len--;
		r = head_size_check(number, first_len, pos, line_len, ret_why);
		if (r < 0 || !lf)
			return r;
		if (number == 0) {
			r = request_line_parse(data, line_len, ret_line, ret_why);
			if (r < 0)
				return r;
			first_len = line_len + 2;
		} else if (line_len == 0) {
			return (ssize_t)pos + 2;
		}
		pos += line_len + 2;
	}
}

/* "name: value" in place; line is NUL-terminated and is the head's from now on. */
static int field_parse(char *line, struct http_field *ret_field, const char **ret_why)
{
	char *colon = strchr(line, ':'), *value, *end;

	if (*line == ' ' || *line == '\t')
		return refuse(ret_why, 400, "a header field is folded over two lines");
	if (!colon || !http_token_valid(line, (size_t)(colon - line)))
		return refuse(
			ret_why, 400, "a header line does not begin with a field name and a colon");
	*colon = '\0';
	for (char *c = line; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + 32);
	value = colon + 1 + strspn(colon + 1, " \t");
	end = value + strlen(value);
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = '\0';
	for (const char *c = value; *c; c++)
		if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
			return refuse(ret_why, 400,
				"the value of a header field holds a control character");
	*ret_field = (struct http_field){.name = line, .value = value};
	return 0;
}

static const char *field_value(const struct http_head *head, const char *name)
{
	for (size_t i = 0; i < head->field_count; i++)
		if (strcmp(head->fields[i].name, name) == 0)
			return head->fields[i].value;
	return NULL;
}

/* Fields that decide something here; which of two counts would be anybody's guess. */
static bool is_singleton(const char *name)
{
	static const char *const names[] = {"authorization", "content-length", "content-type",
		"expect", "host", "origin", "range", "transfer-encoding"};

	for (size_t i = 0; i < countof(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* text: the fields, each line ended by CRLF (turned into NULs here). */
static int fields_parse(struct http_head *head, char *text, const char **ret_why)
{
	while (*text) {
		char *end = strstr(text, "\r\n");
		struct http_field field;
		int r;

		*end = '\0';
		r = field_parse(text, &field, ret_why);
		if (r < 0)
			return r;
		if (is_singleton(field.name) && field_value(head, field.name))
			return refuse(ret_why, 400,
				"a header field that must be sent once is sent twice");
		head->fields[head->field_count++] = field;
		text = end + 2;
	}
	return 0;
}

static int content_length_parse(const char *value, int64_t *ret_length, const char **ret_why)
{
	int64_t length = 0;
	size_t len = strlen(value);

	if (len == 0 || len > 18 || (value[0] == '0' && len > 1))
		return refuse(ret_why, 400, "Content-Length is not a plain decimal number");
	for (size_t i = 0; i < len; i++) {
		if (!digit(value[i]))
			return refuse(ret_why, 400, "Content-Length is not a plain decimal number");
		length = length * 10 + (value[i] - '0');
	}
	*ret_length = length;
	return 0;
}

static int transfer_encoding_refuse(
	const struct http_head *head, const char *encoding, const char **ret_why)
{
	bool wants_body =
		head->method == HTTP_POST || head->method == HTTP_PUT || head->method == HTTP_PATCH;

	if (head->content_length >= 0)
		return refuse(ret_why, 400, "both Content-Length and Transfer-Encoding are sent");
	if (head->minor == 0)
		return refuse(ret_why, 400, "Transfer-Encoding is sent with HTTP/1.0");
	if (wants_body && strcasecmp(encoding, "chunked") == 0)
		return refuse(ret_why, 411,
			"send the body with Content-Length instead of Transfer-Encoding");
	return refuse(ret_why, 501, "this server takes bodies with Content-Length only");
}

static int framing_parse(struct http_head *head, const char **ret_why)
{
	const char *length = field_value(head, "content-length");
	const char *encoding = field_value(head, "transfer-encoding");
	const char *expect = field_value(head, "expect");
	int r = length ? content_length_parse(length, &head->content_length, ret_why) : 0;

	if (r < 0)
		return r;
	if (encoding)
		return transfer_encoding_refuse(head, encoding, ret_why);
	if (expect && strcasecmp(expect, "100-continue") != 0)
		return refuse(ret_why, 417, "this server meets the expectation 100-continue only");
	head->expect_continue = expect && head->minor == 1 && head->content_length > 0;
	return 0;
}

/* "close" among the comma-separated tokens. HTTP/1.0 closes always: its keep-alive was never
 * standardised. */
static bool wants_close(const struct http_head *head)
{
	if (head->minor == 0)
		return true;
	for (size_t i = 0; i < head->field_count; i++) {
		const char *s = head->fields[i].value;
		if (strcmp(head->fields[i].name, "connection") != 0)
			continue;
		for (; *s; s += strcspn(s, ",")) {
			s += strspn(s, ", \t");
			size_t len = strcspn(s, ", \t");
			if (len == 5 && strncasecmp(s, "close", 5) == 0)
				return true;
		}
	}
	return false;
}

/* Origin form, or absolute form for the very authority that Host names (RFC 9112 section 3.2.2). */
static int target_path_find(
	const char *target, const char *host, const char **ret_path, const char **ret_why)
{
	size_t host_len = strlen(host);

	if (target[0] == '/') {
		*ret_path = target;
		return 0;
	}
	if (strncasecmp(target, "http://", 7) != 0)
		return refuse(
			ret_why, 400, "the request target is neither a path nor a http:// URL");
	target += 7;
	if (strcspn(target, "/?#") != host_len || strncasecmp(target, host, host_len) != 0)
		return refuse(ret_why, 400, "the request target names another host than Host does");
	*ret_path = target + host_len;
	return 0;
}

/* space: at least 2 bytes longer than the target. */
static int target_parse(struct http_head *head, char *space, const char **ret_why)
{
	const char *host = field_value(head, "host"), *path, *mark;
	struct http_host parsed;
	size_t path_len;
	int r;

	if (!host || !*host)
		return refuse(ret_why, 400, "the request has no Host");
	if (!http_host_parse(host, strlen(host), &parsed))
		return refuse(
			ret_why, 400, "Host is not a name or an address with an optional port");
	r = target_path_find(head->target, host, &path, ret_why);
	if (r < 0)
		return r;
	mark = strchr(path, '?');
	path_len = mark ? (size_t)(mark - path) : strlen(path);
	head->query = mark ? head->target + (mark + 1 - head->target)
			   : head->target + strlen(head->target);
	r = http_target_check(path, path_len, head->query, ret_why);
	if (r < 0)
		return r;
	head->path = space;
	if (path_len == 0) { /* http://host and http://host?query */
		strcpy(space, "/");
		return 0;
	}
	return http_path_decode(path, path_len, space, ret_why);
}

ssize_t http_head_parse(
	const char *data, size_t len, struct http_head *ret_head, const char **ret_why)
{
	struct request_line line = {0};
	struct http_head head = {.content_length = -1};
	ssize_t size = head_measure(data, len, &line, ret_why);
	size_t fields_at;
	int r;

	if (size <= 0)
		return size;
	head.method = line.method;
	head.minor = line.minor;
	/* A copy of the head without its blank line, cut up in place; then the decoded path. */
	head.storage = xmalloc((size_t)size + line.target_len + 2);
	memcpy(head.storage, data, (size_t)size - 2);
	head.storage[size - 2] = '\0';
	head.target = head.storage + (line.target - data);
	head.target[line.target_len] = '\0';
	fields_at = (size_t)(line.target - data) + line.target_len + strlen(" HTTP/1.1\r\n");

	r = fields_parse(&head, head.storage + fields_at, ret_why);
	if (r == 0)
		r = framing_parse(&head, ret_why);
	if (r == 0)
		r = target_parse(&head, head.storage + size, ret_why);
	if (r < 0) {
		free(head.storage);
		return r;
	}
	head.keep_alive = !wants_close(&head);
	*ret_head = head;
	return size;
}

void http_head_finish(struct http_head *head)
{
	free(head->storage);
	*head = (struct http_head){.content_length = -1};
}
