// SPDX-License-Identifier: MIT
#include "core/base/near.h"

static size_t min_of(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many characters must be changed, added, dropped or swapped with the next to make a of b. Three rows of the table at a
 * time: a swap looks two rows back. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][NEAR_NAME_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		const size_t *before = rows[(i + 1) % 3], *above = rows[(i - 1) % 3];
		size_t *row = rows[i % 3];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t best = min_of(above[j], row[j - 1]) + 1;

			best = min_of(best, above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				best = min_of(best, before[j - 2] + 1);
			row[j] = best;
		}
	}
	return rows[a_len % 3][b_len];
}

void near_init(struct near *n, const char *typed, size_t len)
{
	*n = (struct near){.typed = typed, .len = len};
}

void near_offer(struct near *n, const char *name)
{
	size_t len = strlen(name), distance, at;

	if (!n->len || n->len > NEAR_NAME_MAX || len > NEAR_NAME_MAX)
		return;
	distance = edit_distance(n->typed, n->len, name, len);
	if (n->len >= 3 && !strncmp(name, n->typed, n->len))
		distance = 0;
	if (distance >= n->len / 3 + 2)
		return;
	for (at = n->count; at > 0 && n->distances[at - 1] > distance; at--)
		;
	if (at == NEAR_MAX)
		return;
	if (n->count < NEAR_MAX)
		n->count++;
	for (size_t i = n->count - 1; i > at; i--) {
		n->names[i] = n->names[i - 1];
		n->distances[i] = n->distances[i - 1];
	}
	n->names[at] = name;
	n->distances[at] = distance;
}

void near_add(const struct near *n, struct strbuf *out, const char *otherwise)
{
	strbuf_addstr(out, n->count ? "; did you mean " : "; ");
	if (!n->count)
		strbuf_addstr(out, otherwise);
	for (size_t i = 0; i < n->count; i++)
		strbuf_addf(out, "%s%s", i ? (i + 1 < n->count ? ", " : " or ") : "", n->names[i]);
	if (n->count)
		strbuf_addch(out, '?');
}
