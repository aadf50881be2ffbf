// SPDX-License-Identifier: MIT
#include <stdio.h>
#include "core/http/embedded.h"

#define ETAG_MAX 96

static const struct embedded_file *find(const char *path)
{
	for (size_t i = 0; i < embedded_file_count; i++)
		if (!strcmp(embedded_files[i].path, path))
			return &embedded_files[i];
	return NULL;
}

/* RFC 9110 section 12.5.3, as far as one coding needs it: named, and not with weight 0. */
static bool takes_gzip(const struct http_request *req)
{
	const char *accept = http_header(req, "accept-encoding"),
		   *at = accept ? strstr(accept, "gzip") : NULL;
	size_t blank;

	if (!at || (at > accept && at[-1] != ' ' && at[-1] != ',' && at[-1] != '\t'))
		return false;
	at += strlen("gzip");
	blank = strspn(at, " \t");
	if (at[blank] == '\0' || at[blank] == ',')
		return true;
	if (at[blank] != ';')
		return false;
	at += blank + 1;
	at += strspn(at, " \t");
	return strncmp(at, "q=0", 3) != 0 || strspn(at + 3, ".0") != strcspn(at + 3, ", \t");
}

static void serve(struct http_request *req, const struct embedded_file *file)
{
	bool gzip = file->gzip && takes_gzip(req);
	char etag[ETAG_MAX];

	/* Each encoding is a representation of its own. */
	snprintf(etag, sizeof(etag), "%.*s%s", (int)strlen(file->etag) - 1, file->etag,
		gzip ? "-gzip\"" : "\"");
	http_add_header(req, "Vary", "Accept-Encoding");
	http_add_header(req, "Cache-Control",
		file->immutable ? "public, max-age=31536000, immutable" : "no-cache");
	if (http_reply_condition(req, etag))
		return;
	if (gzip)
		http_add_header(req, "Content-Encoding", "gzip");
	http_reply(req, 200, file->type, gzip ? file->gzip : file->data,
		gzip ? file->gzip_size : file->size);
}

bool embedded_serve(struct http_request *req)
{
	const char *path = http_request_head(req)->path;
	const struct embedded_file *file = find(path);

	if (!embedded_file_count)
		return false;
	/* A missing asset is missing: the page in its place would be taken for a script by a tab of an older version. */
	if (!file && !strchr(strrchr(path, '/'), '.'))
		file = find("/index.html");
	if (file)
		serve(req, file);
	else
		http_reply_problem(req, 404, "not-found", "nothing is at %s", path);
	return true;
}
