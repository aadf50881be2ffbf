// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include "core/http/http_internal.h"

/* Locale-free: what a peer sends is ASCII or nothing. */
static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Labels of letters, digits, '-' and '_'; a trailing dot is well formed (and listed nowhere). */
static bool name_parse(const char *text, size_t len, char *ret_name)
{
	if (len == 0 || len > 253)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = lower(text[i]);
		bool dot_fits = c == '.' && i > 0 && text[i - 1] != '.';
		if (!name_byte(c) && !dot_fits)
			return false;
		ret_name[i] = c;
	}
	ret_name[len] = '\0';
	return true;
}

/* One address has many spellings; they are compared in the one that inet_ntop() makes. */
static bool ipv6_parse(const char *text, size_t len, char *ret_name)
{
	char inner[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (len >= sizeof(inner))
		return false;
	memcpy(inner, text, len);
	inner[len] = '\0';
	if (strlen(inner) != len || inet_pton(AF_INET6, inner, &address) != 1)
		return false;
	ret_name[0] = '[';
	inet_ntop(AF_INET6, &address, ret_name + 1, INET6_ADDRSTRLEN);
	strcat(ret_name, "]");
	return true;
}

static bool port_parse(const char *text, size_t len, int *ret_port)
{
	int port = 0;

	if (len == 0 || len > 5 || text[0] == '0')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		port = port * 10 + (text[i] - '0');
	}
	*ret_port = port;
	return port <= 65535;
}

bool http_host_parse(const char *text, size_t len, struct http_host *ret_host)
{
	struct http_host host = {.port = -1};
	const char *end = text + len, *after;

	if (len > 0 && text[0] == '[') {
		after = memchr(text, ']', len);
		if (!after || !ipv6_parse(text + 1, (size_t)(after - text - 1), host.name))
			return false;
		after++;
	} else {
		after = memchr(text, ':', len);
		if (!after)
			after = end;
		if (!name_parse(text, (size_t)(after - text), host.name))
			return false;
	}
	if (after < end && *after != ':')
		return false;
	if (after < end && !port_parse(after + 1, (size_t)(end - after - 1), &host.port))
		return false;
	*ret_host = host;
	return true;
}

bool http_host_is_loopback(const char *name)
{
	struct in_addr address;

	/* Not by its beginning: 127.example.org is a name like any other. */
	if (inet_pton(AF_INET, name, &address) == 1)
		return ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
	return strcmp(name, "localhost") == 0 || strcmp(name, "[::1]") == 0;
}
