/* SPDX-License-Identifier: MIT
 *
 * Words for people: a model to text. Pure; appends to out, lines end with a newline where that is said.
 * States are a symbol and a word, colour only repeats them.
 */
#ifndef REQPM_CLI_RENDER_H
#define REQPM_CLI_RENDER_H

#include "cli/model.h"
#include "cli/text.h"

#define FAILURES_SHOWN 5 /* rows that the live region keeps for them */
#define FAILURES_LISTED 20 /* at the end; `reqpm show` has them all */

/* One line without newline: "x glibc 2.43 failed in %check after 3m12s, line 1204: error: …" */
void render_item(struct strbuf *out, const struct style *style, const struct model *m,
	const struct model_item *item, int64_t wall_ms);
/* "running, 3 of 12 done, 2 building, 1 failed, 7 waiting, 1m04s" */
void render_progress(struct strbuf *out, const struct model *m, int64_t wall_ms);
/* The live region, each line with newline and cut to columns: how it stands, failures, what builds. */
void render_region(struct strbuf *out, const struct style *style, const struct model *m, int rows,
	int columns, int64_t wall_ms);
/* How the build ended: lines, with failures and where to read on. base: the server's address. */
void render_end(struct strbuf *out, const struct style *style, const struct model *m,
	const char *base, int64_t wall_ms);
/* A build that was refused in preparing: the sentence, and the edges of a cycle, as lines. */
void render_refusal(struct strbuf *out, const json_t *error);
/* What a dry run found, as lines. */
void render_plan(struct strbuf *out, const json_t *plan);

/* A command to go on with, as it is to be typed: "reqpm log 7 zlib", with --server where that is needed. package may be
 * NULL. */
void render_hint(struct strbuf *out, const struct style *style, const char *verb, int64_t id,
	const char *package);

void render_color(struct strbuf *out, const struct style *style, enum item_state state);
void render_color_end(struct strbuf *out, const struct style *style); /* ends a colour */

#endif
