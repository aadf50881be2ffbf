/* SPDX-License-Identifier: MIT */
#ifndef WICK_IMPL_H
#define WICK_IMPL_H

#include "wick.h"

/* Adds the value as the filter makes it. False: there is no such filter. */
bool filter_apply(const char *name, const char *value, struct grain_buf *out);

#endif
