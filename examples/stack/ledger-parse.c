// SPDX-License-Identifier: MIT
#include <errno.h>
#include <glyph.h>
#include <stdlib.h>
#include <string.h>

#include "ledger.h"

enum {
	COLUMNS_MAX = 4096,
};

struct parser {
	const char *at, *end;
	char separator;
	size_t line;
	char *cells[COLUMNS_MAX]; /* of the row that is read */
	size_t count;
	struct grain_buf cell;
	struct grain_buf *err;
};

static int complain(struct parser *p, const char *what)
{
	grain_buf_addf(p->err, "line %zu: %s", p->line, what);
	return -EBADMSG;
}

static bool at_line_end(const struct parser *p)
{
	return p->at == p->end || *p->at == '\n' ||
	       (*p->at == '\r' && p->at + 1 < p->end && p->at[1] == '\n');
}

static int read_quoted(struct parser *p)
{
	for (p->at++; p->at < p->end; p->at++) {
		if (*p->at == '\n')
			p->line++;
		if (*p->at != '"') {
			grain_buf_addc(&p->cell, *p->at);
			continue;
		}
		if (p->at + 1 < p->end && p->at[1] == '"') {
			grain_buf_addc(&p->cell, *p->at++);
			continue;
		}
		p->at++;
		if (at_line_end(p) || *p->at == p->separator)
			return 0;
		return complain(p, "text after the closing quote of a cell");
	}
	return complain(p, "a quoted cell that does not end");
}

static int read_cell(struct parser *p)
{
	int r = 0;

	grain_buf_reset(&p->cell);
	if (p->at < p->end && *p->at == '"')
		r = read_quoted(p);
	else
		for (; !at_line_end(p) && *p->at != p->separator; p->at++) {
			if (*p->at == '"')
				return complain(p, "a quote within a cell that is not quoted");
			grain_buf_addc(&p->cell, *p->at);
		}
	if (r < 0)
		return r;
	if (p->count == COLUMNS_MAX)
		return complain(p, "more than 4096 cells");
	p->cells[p->count] = strdup(grain_buf_text(&p->cell));
	return p->cells[p->count++] ? p->cell.error : -ENOMEM;
}

static int read_row(struct parser *p)
{
	int r = read_cell(p);

	while (r == 0 && p->at < p->end && *p->at == p->separator) {
		p->at++;
		r = read_cell(p);
	}
	if (r == 0 && p->at < p->end)
		p->at += *p->at == '\r' ? 2 : 1;
	return r;
}

/* Takes the cells that were read. */
static int add_row(struct ledger *l, struct parser *p, size_t line)
{
	struct ledger_row *row;

	if ((l->count & (l->count - 1)) == 0) {
		size_t room = l->count ? 2 * l->count : 1;
		struct ledger_row *rows = realloc(l->rows, room * sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		l->rows = rows;
	}
	row = &l->rows[l->count];
	row->line = line;
	row->cells = malloc(p->count * sizeof(*row->cells));
	if (!row->cells)
		return -ENOMEM;
	memcpy(row->cells, p->cells, p->count * sizeof(*row->cells));
	l->columns = p->count;
	l->count++;
	p->count = 0;
	return 0;
}

static int read_rows(struct parser *p, struct ledger *l)
{
	for (; p->at < p->end; p->line++) {
		size_t line = p->line;
		int r = read_row(p);

		if (r == 0 && l->count > 0 && p->count != l->columns) {
			grain_buf_addf(p->err, "line %zu: %zu cells where the header has %zu", line,
				p->count, l->columns);
			return -EBADMSG;
		}
		if (r == 0)
			r = add_row(l, p, line);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_text(const char *text, size_t len, struct grain_buf *err)
{
	size_t valid = glyph_valid(text, len), line = 1;
	const char *nul = memchr(text, '\0', valid);

	if (valid == len && !nul)
		return 0;
	for (const char *p = text; p < (nul ? nul : text + valid); p++)
		line += *p == '\n';
	grain_buf_addf(err, "line %zu: %s", line, nul ? "a NUL byte" : "bytes that are not UTF-8");
	return -EBADMSG;
}

int ledger_parse(const char *text, size_t len, char separator, struct ledger *ret_ledger,
	struct grain_buf *err)
{
	struct parser p = {.at = text, .end = text + len, .separator = separator, .line = 1};
	struct ledger l = {0};
	int r;

	p.err = err;
	r = check_text(text, len, err);
	if (r == 0)
		r = read_rows(&p, &l);
	while (p.count > 0)
		free(p.cells[--p.count]);
	grain_buf_finish(&p.cell);
	if (r == 0)
		*ret_ledger = l;
	else
		ledger_finish(&l);
	return r;
}

void ledger_finish(struct ledger *l)
{
	for (size_t i = 0; i < l->count; i++) {
		for (size_t column = 0; column < l->columns; column++)
			free(l->rows[i].cells[column]);
		free(l->rows[i].cells);
	}
	free(l->rows);
	*l = (struct ledger){0};
}
