// SPDX-License-Identifier: MIT
/* tabula: shows a comma separated table aligned, sorted, cut and added up. */
#include <getopt.h>
#include <ledger.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wishes {
	char separator;
	const char *sort;
	bool numbers;
	const char *total;
	size_t head; /* rows to show below the header; 0: all */
	bool csv;
};

static int usage(FILE *to, int status)
{
	fputs("usage: tabula [OPTION]... [FILE]\n"
	      "\n"
	      "Shows a comma separated table, or standard input, aligned.\n"
	      "  -s, --sort COLUMN     order the rows by a column\n"
	      "  -n, --numbers         order it by its numbers\n"
	      "  -t, --total COLUMN    print the sum of a column's numbers instead\n"
	      "  -k, --head COUNT      only so many rows\n"
	      "  -d, --separator CHAR  what stands between the cells, default a comma\n"
	      "      --csv             print the table with commas again\n"
	      "      --version         print the version\n",
		to);
	return status;
}

static int find_column(const struct ledger *table, const char *name)
{
	int column = ledger_column(table, name);

	if (column < 0)
		fprintf(stderr, "tabula: there is no column \"%s\"\n", name);
	return column;
}

static int print_total(const struct ledger *table, const char *name)
{
	int column = find_column(table, name);
	size_t numbers;
	double total;

	if (column < 0)
		return 1;
	total = ledger_total(table, column, &numbers);
	printf("%s: %.10g in %zu numbers of %zu rows\n", name, total, numbers,
		table->count ? table->count - 1 : 0);
	return 0;
}

static int print_table(struct ledger *table, const struct wishes *w)
{
	struct grain_buf out = GRAIN_BUF_INIT;
	struct ledger part;

	if (w->sort) {
		int column = find_column(table, w->sort);

		if (column < 0)
			return 1;
		ledger_sort(table, column, w->numbers);
	}
	part = *table;
	if (w->head > 0 && part.count > w->head + 1)
		part.count = w->head + 1;
	if (w->csv)
		ledger_write(&part, ',', &out);
	else
		ledger_show(&part, &out);
	fwrite(grain_buf_text(&out), 1, out.len, stdout);
	grain_buf_finish(&out);
	return ferror(stdout) || fflush(stdout) != 0;
}

static int run(const char *path, const struct wishes *w)
{
	struct grain_buf text = GRAIN_BUF_INIT, err = GRAIN_BUF_INIT;
	struct ledger table = {0};
	int r = grain_file_read(path, &text), status = 1;

	if (r < 0)
		grain_buf_addstr(&err, strerror(-r));
	else
		r = ledger_parse(grain_buf_text(&text), text.len, w->separator, &table, &err);
	if (r < 0)
		fprintf(stderr, "tabula: %s: %s\n", path, grain_buf_text(&err));
	else
		status = w->total ? print_total(&table, w->total) : print_table(&table, w);
	ledger_finish(&table);
	grain_buf_finish(&text);
	grain_buf_finish(&err);
	return status;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"sort", required_argument, NULL, 's'},
		{"numbers", no_argument, NULL, 'n'}, {"total", required_argument, NULL, 't'},
		{"head", required_argument, NULL, 'k'}, {"separator", required_argument, NULL, 'd'},
		{"csv", no_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'}, {0}};
	struct wishes w = {.separator = ','};
	int option;

	while ((option = getopt_long(argc, argv, "s:nt:k:d:h", options, NULL)) != -1) {
		switch (option) {
		case 's':
			w.sort = optarg;
			break;
		case 'n':
			w.numbers = true;
			break;
		case 't':
			w.total = optarg;
			break;
		case 'k':
			w.head = strtoul(optarg, NULL, 10);
			break;
		case 'd':
			w.separator = *optarg;
			break;
		case 'c':
			w.csv = true;
			break;
		case 'v':
			return printf("tabula %s\n", VERSION) < 0;
		default:
			return option == 'h' ? usage(stdout, 0) : usage(stderr, 2);
		}
	}
	if (argc - optind > 1)
		return usage(stderr, 2);
	return run(optind < argc ? argv[optind] : "-", &w);
}
