/* SPDX-License-Identifier: MIT
 *
 * Reads what was uploaded: every spec and source RPM of a folder is queried in the sandbox, several at once, because
 * reading a spec runs its code. Loop thread.
 *
 * A folder without a *.spec is looked into, so that package folders may lie side by side, in any depth. One with a *.spec is
 * a package's own: its sources are beside the spec, and what lies in folders below is not looked at.
 */
#ifndef REQPM_READER_H
#define REQPM_READER_H

#include "apps/packages/packages.h"
#include "builders/rpm.h"

#define READER_TIMEOUT_MS 10000 /* of one spec, all its queries together */
#define READER_SET_TIMEOUT_MS (2 * 3600 * 1000) /* of all specs of a set */
#define READER_BYTES_MAX (256 << 20) /* of all that the specs of a set say, in memory */
#define READER_ERROR_MAX 1024 /* bytes of rpm's words about a spec */
#define READER_CONCURRENCY 4 /* specs at once; all in slot 0 */

struct read_package {
	char *file; /* its path in the folder: what the builder wants as spec_file */
	struct spec_query query;
	const struct spec *spec; /* the one in query */
};
struct read_error {
	const char *
		package; /* the spec's name, or the file's when that is not known; "" when it is the folder's */
	const char *detail; /* a sentence: what is wrong and what to do */
	bool infrastructure; /* not the upload's fault: may be tried again */
};
struct reader;
/* error NULL: reader_packages() holds all, each name once, every source file there. Once, when nothing runs any more; not after
 * reader_cancel(). r is freed on return. */
typedef void reader_fn(struct reader *r, const struct read_error *error, void *arg);

struct reader_spec { /* borrowed until reader_start() returns */
	struct loop *loop;
	struct sandbox *sandbox;
	const char *folder; /* specs, sources, *.src.rpm, or folders of these */
	const char *name; /* "job7": unique among live readers; names runs and work folders */
	int64_t timeout_ms; /* 0: READER_SET_TIMEOUT_MS */
	size_t bytes_max; /* 0: READER_BYTES_MAX */
};
/* Never calls done from within. */
struct reader *reader_start(const struct reader_spec *spec, reader_fn *done, void *arg);
/* In the order of their paths. Valid inside done; reader_take() makes it the caller's. */
const struct read_package *reader_packages(const struct reader *r, size_t *ret_count);
struct read_package *reader_take(struct reader *r, size_t *ret_count);
void read_packages_free(struct read_package *packages, size_t count);
/* How many have been read, of how many; 0 of 0 until the folder has been looked through. */
size_t reader_progress(const struct reader *r, size_t *ret_total);
/* Stops the runs; `gone` is called instead of done when nothing is left of them. */
void reader_cancel(struct reader *r, loop_fn *gone, void *arg);

/* What to tell of a query that did not end well. text: its output, may be changed. Exported for its test. */
void reader_explain(
	const char *file, const struct run_result *result, char *text, struct strbuf *ret);

#endif
