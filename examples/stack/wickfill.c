// SPDX-License-Identifier: MIT
/* wickfill: fills a template in with the rows of a table and with values from the command line. */
#include <ledger.h>
#include <stdio.h>
#include <string.h>
#include <wick.h>

struct filling {
	struct ledger table;
	size_t row; /* 0: not in the list */
	char number[24];
	char **values; /* NAME=VALUE, ends with NULL */
};

static const char *filling_value(void *context, const char *name)
{
	struct filling *f = context;
	size_t len = strlen(name);

	if (f->row > 0) {
		int column = ledger_column(&f->table, name);

		if (column >= 0)
			return f->table.rows[f->row].cells[column];
		if (strcmp(name, "number") == 0) {
			snprintf(f->number, sizeof(f->number), "%zu", f->row);
			return f->number;
		}
	}
	for (char **value = f->values; *value; value++)
		if (strncmp(*value, name, len) == 0 && (*value)[len] == '=')
			return *value + len + 1;
	return NULL;
}

static bool filling_enter(void *context, const char *list, size_t record)
{
	struct filling *f = context;
	bool there = strcmp(list, "rows") == 0 && f->table.count > 1 && record < f->table.count - 1;

	f->row = there ? record + 1 : 0;
	return there;
}

static int read_text(const char *path, struct grain_buf *text)
{
	int r = grain_file_read(path, text);

	if (r < 0)
		fprintf(stderr, "wickfill: %s: %s\n", path, strerror(-r));
	return r;
}

static int fill(const char *template_path, const struct grain_buf *text, struct filling *f)
{
	struct wick_source source = {f, filling_value, filling_enter};
	struct grain_buf out = GRAIN_BUF_INIT, err = GRAIN_BUF_INIT;
	int r = wick_render(grain_buf_text(text), text->len, &source, &out, &err);

	if (r < 0)
		fprintf(stderr, "wickfill: %s: %s\n", template_path, grain_buf_text(&err));
	else if (fwrite(grain_buf_text(&out), 1, out.len, stdout) != out.len || fflush(stdout) != 0)
		r = -1;
	grain_buf_finish(&out);
	grain_buf_finish(&err);
	return r;
}

static int run(const char *template_path, const char *table_path, char **values)
{
	struct grain_buf template = GRAIN_BUF_INIT, text = GRAIN_BUF_INIT, err = GRAIN_BUF_INIT;
	struct filling f = {.values = values};
	int r = read_text(template_path, &template);

	if (r == 0)
		r = read_text(table_path, &text);
	if (r == 0) {
		r = ledger_parse(grain_buf_text(&text), text.len, ',', &f.table, &err);
		if (r < 0)
			fprintf(stderr, "wickfill: %s: %s\n", table_path, grain_buf_text(&err));
	}
	if (r == 0)
		r = fill(template_path, &template, &f);
	ledger_finish(&f.table);
	grain_buf_finish(&template);
	grain_buf_finish(&text);
	grain_buf_finish(&err);
	return r < 0;
}

static int usage(FILE *to, int status)
{
	fputs("usage: wickfill TEMPLATE TABLE [NAME=VALUE]...\n"
	      "\n"
	      "Fills a template in. {{#rows}} ... {{/rows}} is repeated for each row of the comma\n"
	      "separated table, and within it {{column}} is the cell and {{number}} the row's "
	      "number.\n"
	      "      --version   print the version\n",
		to);
	return status;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("wickfill %s\n", VERSION) < 0;
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return usage(stdout, 0);
	if (argc < 3)
		return usage(stderr, 2);
	return run(argv[1], argv[2], argv + 3);
}
