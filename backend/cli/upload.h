/* SPDX-License-Identifier: MIT
 *
 * What a build is made of: files collected from the paths on the command line, and sent.
 */
#ifndef REQPM_CLI_UPLOAD_H
#define REQPM_CLI_UPLOAD_H

#include "cli/client.h"

/* What the server takes at most, so that it need not be sent to be refused: the same figures as there. */
#define UPLOAD_FILES_LIMIT 100000
#define UPLOAD_PATH_LIMIT 1024 /* bytes of a path in the upload */
#define UPLOAD_DEPTH_LIMIT 32 /* folders in folders */
#define UPLOAD_NAME_LIMIT 200 /* bytes of a build's name */
#define PACKAGE_TIMEOUT_LIMIT_S (7 * 24 * 3600)

struct upload_file {
	char *source; /* where it is here */
	char *path; /* relative: what it is called there */
	int64_t size; /* when it was collected */
};
struct upload {
	struct upload_file *files; /* sorted by path */
	size_t count, cap;
	int64_t bytes;
	char *name; /* what the build is called unless --name says otherwise */
};

/* A folder gives its regular files, with those of its subfolders (hidden ones are left out); links are followed as long
 * as they stay in it. With more than one folder each keeps its name in front. Other paths are files, taken by their name.
 * -EINVAL: one sentence about what cannot be used; nothing was sent anywhere. */
int upload_collect(struct upload *ret, char *const *paths, int count, struct strbuf *err);
void upload_finish(struct upload *u);

/* Called for every piece that went out; may be NULL. */
typedef void upload_progress_fn(void *arg, size_t files, int64_t bytes);
/* Sends all files, each checked by its digest, and returns the upload's id: 0 or an exit code with err. */
int upload_send(const struct upload *u, struct client *c, upload_progress_fn *progress, void *arg,
	int64_t *ret_id, struct strbuf *err);

#endif
