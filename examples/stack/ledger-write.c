// SPDX-License-Identifier: MIT
#include <glyph.h>
#include <stdlib.h>
#include <string.h>

#include "ledger.h"

static void write_cell(const char *cell, char separator, struct grain_buf *out)
{
	const char special[] = {'"', '\n', '\r', separator, '\0'};

	if (!cell[strcspn(cell, special)]) {
		grain_buf_addstr(out, cell);
		return;
	}
	grain_buf_addc(out, '"');
	for (; *cell; cell++) {
		if (*cell == '"')
			grain_buf_addc(out, '"');
		grain_buf_addc(out, *cell);
	}
	grain_buf_addc(out, '"');
}

void ledger_write(const struct ledger *l, char separator, struct grain_buf *out)
{
	for (size_t i = 0; i < l->count; i++) {
		for (size_t column = 0; column < l->columns; column++) {
			if (column > 0)
				grain_buf_addc(out, separator);
			write_cell(l->rows[i].cells[column], separator, out);
		}
		grain_buf_addc(out, '\n');
	}
}

struct shape {
	size_t width;
	bool numbers; /* all that is not empty */
};

static size_t columns_of(const char *cell)
{
	return glyph_columns(cell, strlen(cell));
}

static struct shape column_shape(const struct ledger *l, size_t column)
{
	struct shape shape = {columns_of(l->rows[0].cells[column]), true};

	for (size_t i = 1; i < l->count; i++) {
		const char *cell = l->rows[i].cells[column];
		size_t width = columns_of(cell);
		double value;

		if (width > shape.width)
			shape.width = width;
		if (*cell && !ledger_number(cell, &value))
			shape.numbers = false;
	}
	return shape;
}

static void add_times(struct grain_buf *out, char c, size_t times)
{
	while (times-- > 0)
		grain_buf_addc(out, c);
}

/* A control character would break the line, so it is shown as a dot. */
static void show_cell(const char *cell, struct shape shape, bool last, struct grain_buf *out)
{
	size_t space = shape.width - columns_of(cell);

	if (shape.numbers)
		add_times(out, ' ', space);
	for (; *cell; cell++)
		grain_buf_addc(out, (unsigned char)*cell < ' ' ? '.' : *cell);
	if (!shape.numbers && !last)
		add_times(out, ' ', space);
	grain_buf_addstr(out, last ? "\n" : "  ");
}

void ledger_show(const struct ledger *l, struct grain_buf *out)
{
	struct shape *shapes = calloc(l->columns ? l->columns : 1, sizeof(*shapes));

	if (!shapes || l->count == 0) {
		free(shapes);
		return;
	}
	for (size_t column = 0; column < l->columns; column++)
		shapes[column] = column_shape(l, column);
	for (size_t i = 0; i < l->count; i++) {
		for (size_t column = 0; column < l->columns; column++)
			show_cell(l->rows[i].cells[column], shapes[column],
				column + 1 == l->columns, out);
		for (size_t column = 0; i == 0 && column < l->columns; column++) {
			add_times(out, '-', shapes[column].width);
			grain_buf_addstr(out, column + 1 == l->columns ? "\n" : "  ");
		}
	}
	free(shapes);
}
