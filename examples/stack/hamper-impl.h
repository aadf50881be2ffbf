/* SPDX-License-Identifier: MIT */
#ifndef HAMPER_IMPL_H
#define HAMPER_IMPL_H

/*
 * The archive: "HAMPER1\n", count of entries (number), entries, SHA-256 of all before it. An entry:
 * length of its name (number), name, mode, size and stored size (numbers), SHA-256, packed bytes.
 */
#include <stdbool.h>

#include "hamper.h"

#define HAMPER_MAGIC "HAMPER1\n"
#define HAMPER_MAGIC_LEN 8
#define HAMPER_NAME_MAX 4096
#define HAMPER_MODES 0777

/* Whether a name leads to a place below the folder that one unpacks into, and nowhere else. */
bool name_is_safe(const char *name, size_t len);

#endif
