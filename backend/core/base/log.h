/* SPDX-License-Identifier: MIT
 *
 * The program's own log: one JSON object per line, {"time","level","message"}. Any thread. Control
 * characters are escaped, so that a line is always one line; what is secret is never passed in.
 */
#ifndef REQPM_LOG_H
#define REQPM_LOG_H

#include "core/base/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_LEVEL_COUNT };

/* A log is a file that is appended to; the default one writes to stderr. */
struct log_file;
struct log_file *log_file_open(const char *path, struct strbuf *err); /* NULL: err says why */
void log_file_close(struct log_file *lf);
void log_use(struct log_file *lf); /* what log_info() and the rest write to; NULL: stderr */
void log_threshold(enum log_level least); /* until called: REQPM_LOG_LEVEL, else info */

void log_to(struct log_file *lf, enum log_level level, const char *fmt, ...) PRINTF(3, 4);
#define log_debug(...) log_to(NULL, LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_to(NULL, LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_to(NULL, LOG_WARN, __VA_ARGS__)
#define log_error(...) log_to(NULL, LOG_ERROR, __VA_ARGS__)
/* Is anything printed for this subsystem? REQPM_TRACE=layer,db turns tracing wrappers on. */
bool trace_enabled(const char *subsystem);

#endif
