// SPDX-License-Identifier: MIT
/* If-Match and If-None-Match: RFC 9110 section 13, in the order of its section 13.2.2. A condition on a time counts for nothing,
 * because no answer names one. */
#include "core/http/http_internal.h"

/* Walks one field's list. Weak comparison does not mind W/, strong comparison wants none of it (section 8.8.3.2). */
static bool list_has(const char *list, const char *etag, bool strong)
{
	size_t len = strlen(etag);

	while (*list) {
		bool weak;
		const char *end;
		list += strspn(list, ", \t");
		weak = strncmp(list, "W/", 2) == 0;
		list += weak ? 2 : 0;
		end = *list == '"' ? strchr(list + 1, '"') : NULL;
		if (!end)
			return *list == '*' && !weak;
		if (!(weak && strong) && (size_t)(end + 1 - list) == len &&
			strncmp(list, etag, len) == 0)
			return true;
		list = end + 1;
	}
	return false;
}

/* A list may be spread over several fields. */
static bool fields_have(
	const struct http_request *req, const char *name, const char *etag, bool strong)
{
	for (size_t i = 0; i < req->head.field_count; i++)
		if (strcmp(req->head.fields[i].name, name) == 0 &&
			list_has(req->head.fields[i].value, etag, strong))
			return true;
	return false;
}

bool http_etag_known(const struct http_request *req, const char *etag)
{
	return http_request_reads(req) &&
	       fields_have(
		       req, "if-none-match", strncmp(etag, "W/", 2) == 0 ? etag + 2 : etag, false);
}

/* A weak tag is like none, because W/ is never compared: it does not say that the bytes are the same. */
bool http_match_fails(const struct http_request *req)
{
	return http_header(req, "if-match") &&
	       !fields_have(req, "if-match", req->etag ? req->etag : "", true);
}

void http_reply_match_failed(struct http_request *req)
{
	strbuf_reset(&req->headers); /* they tell of what is not sent */
	if (req->etag)
		http_add_header(req, "ETag", req->etag);
	http_reply_problem(req, 412, "precondition-failed",
		"what is at %s is not what If-Match names", req->head.path);
}

bool http_reply_condition(struct http_request *req, const char *etag)
{
	req->etag = strcpy(http_request_memory(req, strlen(etag) + 1), etag);
	http_add_header(req, "ETag", etag);
	if (http_request_reads(req) && http_match_fails(req))
		http_reply_match_failed(req);
	else if (http_etag_known(req, etag))
		http_reply(req, 304, NULL, "", 0);
	else
		return false;
	return true;
}
