/* SPDX-License-Identifier: MIT
 *
 * The page as it stands in the binary: files put in by the assembler, each also compressed. The table is generated when the
 * page was built (frontend/scripts/embed.mjs) and empty else (core/http/embedded_none.c).
 */
#ifndef REQPM_EMBEDDED_H
#define REQPM_EMBEDDED_H

#include "core/http/http.h"

struct embedded_file {
	const char *path; /* "/assets/index-3f2a.js" */
	const char *type;
	const char *etag; /* strong, with quotes, of the bytes as they are */
	const unsigned char *data;
	size_t size;
	const unsigned char *gzip; /* NULL: does not get smaller */
	size_t gzip_size;
	bool immutable; /* the name changes with the content */
};
extern const struct embedded_file embedded_files[];
extern const size_t embedded_file_count;

/* Answers with the file of the request's path, or with /index.html when the path has no extension, else 404. False: there is no page
 * in this binary, and nothing was answered. */
bool embedded_serve(struct http_request *req);

#endif
