/* SPDX-License-Identifier: MIT
 *
 * What a build left behind, taken over: copied to the server's side, hashed, and described by the hidden role, because
 * only the sandbox looks into headers that a stranger made. Private to this folder; loop thread.
 */
#ifndef REQPM_RPM_RESULTS_H
#define REQPM_RPM_RESULTS_H

#include "builders/rpm_env.h"

struct rpm_results; /* the caller drops it after done */
struct rpm_results_spec { /* borrowed until rpm_results_start() returns */
	struct rpm_env *env;
	int slot;
	const char *name; /* for the run and its work folder */
	const char *work; /* of the build: holds RPMS and SRPMS */
	const char *to;
};
/* code: 0; negative with a sentence. infrastructure: not the package's fault. */
typedef void rpm_results_fn(
	struct rpm_results *rs, int code, bool infrastructure, const char *why, void *arg);
struct rpm_results *rpm_results_start(
	const struct rpm_results_spec *spec, rpm_results_fn *done, void *arg);
/* Ends what can be ended; done still comes. */
void rpm_results_cancel(struct rpm_results *rs);
/* Was work removed on the way? */
bool rpm_results_wiped(const struct rpm_results *rs);
/* After done with code 0: at least one, in the order of their names. They live until the drop. */
const struct artifact *rpm_results_artifacts(const struct rpm_results *rs, size_t *ret_count);
void rpm_results_drop(struct rpm_results *rs);

#endif
