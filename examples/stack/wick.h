/* SPDX-License-Identifier: MIT */
#ifndef WICK_H
#define WICK_H

/*
 * wick: text templates.
 *
 *	{{name}}                  a value; {{name|upper|html}} through filters
 *	{{#list}} ... {{/list}}   once for each record of a list
 *	{{^list}} ... {{/list}}   when the list has no record
 *	{{! ... }}                nothing
 *
 * Filters: upper, lower, html. A tag of the last three kinds that is alone on its line takes the
 * whole line with it.
 */
#include <stdbool.h>

#include <grain.h>

/* Where values come from. */
struct wick_source {
	void *context;

	/* NULL when there is none of that name. */
	const char *(*value)(void *context, const char *name);

	/*
	 * Makes a record of the list the one that value() looks into first, counted from 0. False
	 * when the list has no such record; then the list is left again.
	 */
	bool (*enter)(void *context, const char *list, size_t record);
};

/* 0; -EBADMSG with a sentence in err that names the line; -ENOMEM. */
int wick_render(const char *text, size_t len, const struct wick_source *source,
	struct grain_buf *out, struct grain_buf *err);

#endif
