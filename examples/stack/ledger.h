/* SPDX-License-Identifier: MIT */
#ifndef LEDGER_H
#define LEDGER_H

/*
 * ledger: tables as text (RFC 4180: quoted cells, doubled quotes, lines ending LF or CRLF). The
 * first row is the header, and every row has as many cells as it. Text is UTF-8 without NUL.
 */
#include <stdbool.h>

#include <grain.h>

struct ledger_row {
	size_t line; /* where it starts in the text, from 1 */
	char **cells;
};

struct ledger {
	struct ledger_row *rows;
	size_t count; /* of rows, the header among them */
	size_t columns;
};

/* 0; -EBADMSG with a sentence in err that names the line; -ENOMEM. */
int ledger_parse(const char *text, size_t len, char separator, struct ledger *ret_ledger,
	struct grain_buf *err);
void ledger_finish(struct ledger *l);

void ledger_write(const struct ledger *l, char separator, struct grain_buf *out);

/* Aligned for people: numbers to the right, a rule below the header. */
void ledger_show(const struct ledger *l, struct grain_buf *out);

/* The column's place, or -ENOENT. */
int ledger_column(const struct ledger *l, const char *name);

/* Equal cells keep their order. With `numbers` what is no number comes first. */
void ledger_sort(struct ledger *l, int column, bool numbers);

/* The sum of a column's numbers, and how many there are. */
double ledger_total(const struct ledger *l, int column, size_t *ret_numbers);

/* False when the cell is no number from its start to its end. */
bool ledger_number(const char *cell, double *ret_value);

#endif
