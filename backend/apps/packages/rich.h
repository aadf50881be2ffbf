/* SPDX-License-Identifier: MIT
 *
 * Rich dependencies as trees: "(a or (b >= 2 with b < 3))".
 */
#ifndef REQPM_PACKAGES_RICH_H
#define REQPM_PACKAGES_RICH_H

#include "apps/packages/arena.h"
#include "apps/packages/packages.h"

#define RICH_DEPTH_MAX 32

enum rich_op { RICH_ATOM, RICH_AND, RICH_OR, RICH_WITH, RICH_WITHOUT, RICH_IF, RICH_UNLESS };

struct rich {
	enum rich_op op;
	struct capability atom; /* RICH_ATOM, with the flag soft of the whole */
	struct rich
		*first; /* operands in order; of IF and UNLESS: left, condition, else if given */
	struct rich *next; /* the operand after this one */
};

static inline bool rich_is(const char *name)
{
	return name[0] == '(';
}

/* All memory is the arena's. NULL: err says what is wrong with the text (err may be NULL). */
struct rich *rich_parse(struct arena *arena, const struct capability *need, struct strbuf *err);
#endif
