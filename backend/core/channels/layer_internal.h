/* SPDX-License-Identifier: MIT
 *
 * Between layer.c and the tracing wrapper.
 */
#ifndef REQPM_LAYER_INTERNAL_H
#define REQPM_LAYER_INTERNAL_H

#include "core/channels/channels.h"

/* Puts the wrapper, which has the same table, around what ops will do. */
void layer_trace_wrap(struct layer *l, const struct layer_ops *ops);

#endif
