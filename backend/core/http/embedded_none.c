// SPDX-License-Identifier: MIT
#include "core/http/embedded.h"

/* Linked where the page was not built. */
const struct embedded_file embedded_files[1];
const size_t embedded_file_count = 0;
