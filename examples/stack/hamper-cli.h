/* SPDX-License-Identifier: MIT */
#ifndef HAMPER_CLI_H
#define HAMPER_CLI_H

#include <hamper.h>

/* Adds the list of an archive's files as an aligned table. */
int list_show(const struct hamper *h, struct grain_buf *out, struct grain_buf *err);

/* Adds the report that the template report.FORMAT makes of an archive. */
int report_show(const struct hamper *h, const char *archive, const char *format,
	struct grain_buf *out, struct grain_buf *err);

#endif
