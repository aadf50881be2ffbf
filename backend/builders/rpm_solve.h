/* SPDX-License-Identifier: MIT
 *
 * libsolv, for the hidden role only: which RPMs make up a build root, and what an RPM says of itself.
 * Runs in the sandbox, because it looks into RPMs that strangers made.
 */
#ifndef REQPM_RPM_SOLVE_H
#define REQPM_RPM_SOLVE_H

#include "core/base/json.h"

struct solve_need {
	char *name; /* also a rich one, "(a if b)" */
	char *op; /* "", "<", "<=", "=", ">=", ">" */
	char *evr;
};
struct solve_request {
	const char *name, *evr; /* of the package to be built, for the sentences */
	struct solve_need *needs; /* BuildRequires */
	struct solve_need *conflicts; /* BuildConflicts */
	size_t need_count, conflict_count;
	const char *base; /* the RPM that stands for the host */
	const char *repo_dir; /* *.rpm of the job so far; source RPMs are passed over */
};
/* Puts "install": [file names, in install order] or "problems": [sentences] into the open object. Negative: a file that is
 * no RPM, and err names it. */
int solve_build_root(const struct solve_request *req, struct json_writer *w, struct strbuf *err);
void solve_needs_finish(struct solve_need *needs, size_t count);

/* Puts {"file","name","evr","arch","provides":[…]} of one RPM into the open array; -EINVAL: it is none. */
int solve_describe(const char *path, struct json_writer *w, struct strbuf *err);

#endif
