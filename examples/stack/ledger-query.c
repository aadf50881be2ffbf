// SPDX-License-Identifier: MIT
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ledger.h"

bool ledger_number(const char *cell, double *ret_value)
{
	char *end;
	double value;

	if (!*cell || isspace((unsigned char)*cell))
		return false;
	value = strtod(cell, &end);
	if (*end)
		return false;
	*ret_value = value;
	return true;
}

int ledger_column(const struct ledger *l, const char *name)
{
	for (size_t column = 0; l->count > 0 && column < l->columns; column++)
		if (strcmp(l->rows[0].cells[column], name) == 0)
			return (int)column;
	return -ENOENT;
}

struct order {
	int column;
	bool numbers;
};

static int compare_numbers(const char *a, const char *b)
{
	double one = 0, other = 0;
	bool first = ledger_number(a, &one), second = ledger_number(b, &other);

	if (first != second)
		return first ? 1 : -1;
	return (one > other) - (one < other);
}

static int compare_rows(const void *a, const void *b, void *context)
{
	const struct ledger_row *one = a, *other = b;
	const struct order *order = context;
	const char *left = one->cells[order->column], *right = other->cells[order->column];
	int r = order->numbers ? compare_numbers(left, right) : strcmp(left, right);

	return r ? r : (one->line > other->line) - (one->line < other->line);
}

void ledger_sort(struct ledger *l, int column, bool numbers)
{
	struct order order = {column, numbers};

	if (l->count > 1)
		qsort_r(l->rows + 1, l->count - 1, sizeof(*l->rows), compare_rows, &order);
}

double ledger_total(const struct ledger *l, int column, size_t *ret_numbers)
{
	double total = 0, value;
	size_t numbers = 0;

	for (size_t i = 1; i < l->count; i++) {
		if (!ledger_number(l->rows[i].cells[column], &value))
			continue;
		total += value;
		numbers++;
	}
	*ret_numbers = numbers;
	return total;
}
