// SPDX-License-Identifier: MIT
#include "core/http/http_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void path_check(const char *path)
{
	size_t len = strlen(path);

	if (path[0] != '/' || !utf8_valid(path, len))
		BUG("a path that is none was accepted");
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)path[i] < 0x20 || path[i] == 0x7f)
			BUG("a path with a control character was accepted");
	if (strstr(path, "/../") || strstr(path, "/./"))
		BUG("a path with a dot segment was accepted");
}

static void fields_check(const struct http_head *head)
{
	struct http_host host;
	size_t hosts = 0;

	if (head->field_count > HTTP_HEADERS_MAX)
		BUG("too many fields were accepted");
	for (size_t i = 0; i < head->field_count; i++) {
		const char *name = head->fields[i].name, *value = head->fields[i].value;
		if (!http_token_valid(name, strlen(name)) || strpbrk(value, "\r\n\x1b"))
			BUG("field %zu is none", i);
		if (strcmp(name, "transfer-encoding") == 0)
			BUG("a transfer coding was accepted");
		hosts += strcmp(name, "host") == 0;
		if (strcmp(name, "host") == 0 && !http_host_parse(value, strlen(value), &host))
			BUG("a Host that is none was accepted");
	}
	if (hosts != 1)
		BUG("%zu Hosts were accepted", hosts);
}

static void query_check(const struct http_head *head)
{
	char *query = xstrdup(head->query);

	http_query_decode(query);
	if (!utf8_valid(query, strlen(query)))
		BUG("a query that is no UTF-8 was accepted");
	free(query);
}

static void ranges_check(const struct http_head *head)
{
	int64_t first, last, size = head->content_length < 0 ? 0 : head->content_length;

	for (size_t i = 0; i < head->field_count; i++)
		if (http_range_parse(head->fields[i].value, size, &first, &last) ==
				HTTP_RANGE_PART &&
			(first < 0 || first > last || last >= size))
			BUG("a range beyond the file was accepted");
}

/* What is accepted is what it says, and one byte less of it is not enough. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *why = NULL;
	struct http_head head, other;
	ssize_t len = http_head_parse(text, size, &head, &why);

	if (len < 0 && !why)
		BUG("refused without a sentence");
	if (len <= 0)
		return 0;
	if ((size_t)len > size || memcmp(text + len - 4, "\r\n\r\n", 4) != 0)
		BUG("a head ends elsewhere");
	path_check(head.path);
	fields_check(&head);
	query_check(&head);
	ranges_check(&head);
	http_head_finish(&head);
	if (http_head_parse(text, (size_t)len - 1, &other, &why) != 0)
		BUG("a head is whole before its end");
	return 0;
}
