/* SPDX-License-Identifier: MIT
 *
 * Between the server and the hidden role: what the two sides of `reqpm --rpm-role VERB` agree on. Every verb runs in
 * RPM_TOPDIR and may print anything; the last line that begins with RPM_ROLE_RESULT carries its answer, a JSON object. A hostile
 * spec can forge that line. It gains nothing: the server takes names of files that the job built itself, never paths.
 *
 *   base [PROVIDE…]   makes out/base.rpm, out/rpmdb.sqlite and out/RPM_BASE_PROVIDES: {}
 *   prepare FILE      a build root for a spec or source RPM in RPM_SOURCES, and RPM_TOPDIR/.rpmdb for it:
 *                     {"install":[file…],"epoch":seconds,"spec":path}, or {"error":sentence}, or
 *                     {"problems":[sentence…],"missing":[capability…]}: what nothing provides
 *   describe          what the RPMs in RPM_ROLE_REPO say of themselves: {"rpms":[{…}]} or {"error":sentence}
 */
#ifndef REQPM_RPM_ROLE_H
#define REQPM_RPM_ROLE_H

#include "core/base/json.h"

#define RPM_ROLE_UNCHECKED "--without-check" /* of `prepare`: leave out what %check alone needs */
#define RPM_ROLE_RESULT "reqpm-result: "
#define RPM_ROLE_REPO "/repo" /* RPMs, read-only */
#define RPM_ROLE_BASE "/base" /* base.rpm and rpmdb.sqlite, read-only */
#define RPM_BASE_PROVIDES "provides" /* what base.rpm provides, one capability a line */
#define RPM_ROLE_HOSTDB                                                                            \
	"/hostdb" /* `base`: a Fedora host's rpm database, read-only; may be missing */

/* ---- helpers of the verbs (rpm_role.c) */
/* Runs argv and waits. With out, its stdout goes there (at most ROLE_TEXT_MAX bytes, -EFBIG else), with `quiet` its
 * stderr too. Returns the wait status, or a negative errno. */
#define ROLE_TEXT_MAX (64 << 20)
int role_run(const char *const *argv, struct strbuf *out, bool quiet);
void role_answer(const char *json); /* one line */
/* Answers {"error": sentence} and returns 0. */
int role_answer_error(const char *fmt, ...) PRINTF(1, 2);
/* "ended with exit code 1", "was killed by signal 11 (SEGV)" */
void role_status_text(int status, struct strbuf *out);

/* ---- verbs: argc and argv without the verb; they return the exit code */
int role_base(int argc, char **argv); /* rpm_role_base.c */
int role_prepare(int argc, char **argv); /* rpm_role_prepare.c */
int role_describe(int argc, char **argv);

#endif
