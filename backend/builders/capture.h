/* SPDX-License-Identifier: MIT
 *
 * Takes what a build left in its folder over to the server's side: a copy, made in libuv's pool, of regular files only,
 * reached from folder to folder without following a link. The build is over, so nobody changes them meanwhile; but they are
 * still what a stranger made: sockets, devices, links and names that no page should print are refused, not copied.
 */
#ifndef REQPM_CAPTURE_H
#define REQPM_CAPTURE_H

#include "builders/builder.h"

#define CAPTURE_FILES_MAX 10000
#define CAPTURE_BYTES_MAX (16LL << 30)
#define CAPTURE_DEPTH_MAX 16

struct capture_spec { /* borrowed until capture_start() returns */
	const char *const
		*from; /* host folders, NULL-terminated; one that is missing counts as empty */
	const char *to; /* emptied first: it is the server's own */
	const char *suffix; /* only files whose name ends so, others are passed over; NULL: all */
	bool describe; /* name, size and digest of each go into the result */
	bool visible; /* a name that begins with a dot is refused */
	bool flat; /* all into `to` itself, two of one name are refused; else folders are kept */
};
struct capture_result {
	int code; /* 0, or -EINVAL, -E2BIG, -EFBIG, -EEXIST: the build's fault; others: ours */
	const char *why; /* a sentence when code is not 0; borrowed */
	int64_t files, bytes;
	const struct artifact *artifacts; /* with describe: of kind "file"; borrowed */
	size_t artifact_count;
};
typedef void capture_fn(const struct capture_result *result, void *arg);
/* done once, on the loop. When it fails, `to` is gone. */
void capture_start(struct loop *loop, const struct capture_spec *spec, capture_fn *done, void *arg);

#endif
