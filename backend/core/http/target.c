// SPDX-License-Identifier: MIT
#include "core/http/http_internal.h"

static int refuse(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -400;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool http_token_valid(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		bool alnum =
			(c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		if (!alnum && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c)))
			return false;
	}
	return len > 0;
}

/* Wider than RFC 3986 by the marks that browsers and dnf leave as they are ('[', ']', '^', '|' and
 * the like in names of packages); no two parsers read those differently. A backslash is another
 * matter in a path: some make it a slash. */
static bool target_byte(unsigned char c, bool in_path)
{
	if (c <= 0x20 || c >= 0x7f || c == '"' || c == '<' || c == '>' || c == '#')
		return false;
	return c != '\\' || !in_path;
}

/* %XX decoded; -1 when it is not whole. */
static int escape_value(const char *s)
{
	int high = hex_value(s[0]);
	int low = high < 0 ? -1 : hex_value(s[1]);

	return low < 0 ? -1 : high * 16 + low;
}

/* One part, NUL-terminated or followed by a byte that is no hex digit. */
static int part_check(const char *s, size_t len, bool in_path, const char **ret_why)
{
	for (size_t i = 0; i < len; i++) {
		if (!target_byte((unsigned char)s[i], in_path))
			return refuse(ret_why,
				"the request target holds a byte that must be percent-encoded");
		if (s[i] != '%')
			continue;
		if (len - i < 3 || escape_value(s + i + 1) < 0)
			return refuse(
				ret_why, "the request target holds an incomplete percent-encoding");
		if (escape_value(s + i + 1) == 0)
			return refuse(ret_why, "the request target holds an encoded NUL byte");
	}
	return 0;
}

/* As a whole: no sequence of UTF-8 reaches across a separator, which is ASCII. */
static bool query_is_utf8(const char *query)
{
	char *text = xstrdup(query);
	bool valid;

	http_query_decode(text);
	valid = utf8_valid(text, strlen(text));
	free(text);
	return valid;
}

int http_target_check(const char *path, size_t path_len, const char *query, const char **ret_why)
{
	int r = part_check(path, path_len, true, ret_why);

	if (r == 0)
		r = part_check(query, strlen(query), false, ret_why);
	if (r == 0 && strchr(query, '%') && !query_is_utf8(query))
		return refuse(ret_why, "the query of the request target is not UTF-8 when decoded");
	return r;
}

static bool is_dot_segment(const char *segment, size_t len)
{
	return (len == 1 && segment[0] == '.') ||
	       (len == 2 && segment[0] == '.' && segment[1] == '.');
}

static bool has_dot_segment(const char *path)
{
	const char *segment = path, *slash;

	for (; (slash = strchr(segment, '/')); segment = slash + 1)
		if (is_dot_segment(segment, (size_t)(slash - segment)))
			return true;
	return is_dot_segment(segment, strlen(segment));
}

int http_path_decode(const char *path, size_t len, char *out, const char **ret_why)
{
	char *to = out;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)path[i];
		if (c == '%') {
			c = (unsigned char)escape_value(path + i + 1);
			i += 2;
		}
		if (c < 0x20 || c == 0x7f)
			return refuse(ret_why, "the path holds an encoded control character");
		*to++ = (char)c;
	}
	*to = '\0';
	if (!utf8_valid(out, (size_t)(to - out)))
		return refuse(ret_why, "the path is not UTF-8 when decoded");
	if (has_dot_segment(out))
		return refuse(ret_why, "the path holds a \".\" or \"..\" segment");
	return 0;
}

void http_query_decode(char *text)
{
	char *to = text;

	for (; *text; text++) {
		if (*text == '%') {
			*to++ = (char)escape_value(text + 1);
			text += 2;
		} else {
			*to++ = *text == '+' ? ' ' : *text;
		}
	}
	*to = '\0';
}
