// SPDX-License-Identifier: MIT
#include <errno.h>
#include <plumb.h>

#include "ledger.h"

static const char letters[] = {'a', ',', '"', '\n', '\r'};

enum {
	LETTERS = sizeof(letters),
	LONGEST = 9, /* all texts of these letters up to this length */
	CELL_TEXTS = 1 + 5 + 25 + 125,
};

static uint64_t power_of_letters(size_t exponent)
{
	return exponent ? LETTERS * power_of_letters(exponent - 1) : 1;
}

static void spell(uint64_t number, size_t len, char *ret_text)
{
	for (size_t i = 0; i < len; i++, number /= LETTERS)
		ret_text[i] = letters[number % LETTERS];
	ret_text[len] = '\0';
}

static bool same_tables(const struct ledger *a, const struct ledger *b)
{
	if (a->count != b->count || a->columns != b->columns)
		return false;
	for (size_t i = 0; i < a->count; i++)
		for (size_t column = 0; column < a->columns; column++)
			if (strcmp(a->rows[i].cells[column], b->rows[i].cells[column]) != 0)
				return false;
	return true;
}

/* A text that is a table is the same table again when written; true when it is one. */
static bool check_text(const char *text, size_t len, struct grain_buf *scratch)
{
	struct ledger table = {0}, again = {0};

	grain_buf_reset(scratch);
	if (ledger_parse(text, len, ',', &table, scratch) < 0) {
		plumb_check(strncmp(grain_buf_text(scratch), "line ", 5) == 0);
		return false;
	}
	ledger_write(&table, ',', scratch);
	plumb_check(ledger_parse(grain_buf_text(scratch), scratch->len, ',', &again, scratch) == 0);
	plumb_check(same_tables(&table, &again));
	ledger_finish(&table);
	ledger_finish(&again);
	return true;
}

static void short_texts_are_tables_or_refused(void)
{
	struct grain_buf scratch = GRAIN_BUF_INIT;
	uint64_t total = 0, done = 0, tables = 0;
	char text[LONGEST + 1];

	for (size_t len = 0; len <= LONGEST; len++)
		total += power_of_letters(len);
	for (size_t len = 0; len <= LONGEST; len++) {
		for (uint64_t n = 0; n < power_of_letters(len); n++) {
			spell(n, len, text);
			tables += check_text(text, len, &scratch);
			plumb_progress(++done, total, "texts");
		}
	}
	printf("      %" PRIu64 " tables, %" PRIu64 " refused\n", tables, total - tables);
	grain_buf_finish(&scratch);
}

static void cells_are_read_as_written(void)
{
	static char texts[CELL_TEXTS][4];
	struct grain_buf out = GRAIN_BUF_INIT, err = GRAIN_BUF_INIT;
	size_t count = 0;

	for (size_t len = 0; len <= 3; len++)
		for (uint64_t n = 0; n < power_of_letters(len); n++)
			spell(n, len, texts[count++]);
	plumb_check(count == CELL_TEXTS);
	for (size_t i = 0; i < count * count; i++) {
		char *header[] = {"one", "two"}, *cells[] = {texts[i / count], texts[i % count]};
		struct ledger_row rows[] = {{1, header}, {2, cells}};
		struct ledger table = {rows, 2, 2}, back = {0};

		grain_buf_reset(&out);
		ledger_write(&table, ',', &out);
		plumb_check(ledger_parse(out.data, out.len, ',', &back, &err) == 0);
		plumb_check(same_tables(&table, &back));
		ledger_finish(&back);
		plumb_progress(i + 1, count * count, "rows");
	}
	grain_buf_finish(&out);
	grain_buf_finish(&err);
}

static void check_refused(const char *text, size_t len, const char *sentence)
{
	struct grain_buf err = GRAIN_BUF_INIT;
	struct ledger table = {0};

	plumb_check(ledger_parse(text, len, ',', &table, &err) == -EBADMSG);
	plumb_check_text(grain_buf_text(&err), sentence);
	grain_buf_finish(&err);
}

static void faults_are_named_with_their_line(void)
{
	check_refused("a,b\n1\n", 6, "line 2: 1 cells where the header has 2");
	check_refused("a\n\"x\ny\"z\n", 9, "line 3: text after the closing quote of a cell");
	check_refused("a\n\"x\n", 5, "line 3: a quoted cell that does not end");
	check_refused("a\nx\"\n", 5, "line 2: a quote within a cell that is not quoted");
	check_refused("a\nb\n\xff", 5, "line 3: bytes that are not UTF-8");
	check_refused("a\nb\0c", 5, "line 2: a NUL byte");
}

static void read_stations(struct ledger *ret_table)
{
	const char *folder = getenv("SAMPLES");
	struct grain_buf path = GRAIN_BUF_INIT, text = GRAIN_BUF_INIT, err = GRAIN_BUF_INIT;

	grain_buf_addf(&path, "%s/stations.csv", folder ? folder : "/usr/share/hamper/samples");
	plumb_check(grain_file_read(path.data, &text) == 0);
	plumb_check(ledger_parse(text.data, text.len, ',', ret_table, &err) == 0);
	grain_buf_finish(&path);
	grain_buf_finish(&text);
	grain_buf_finish(&err);
}

static void sorting_orders_and_keeps(void)
{
	struct ledger table = {0};
	size_t numbers;
	double total;
	int column;

	read_stations(&table);
	column = ledger_column(&table, "temperature");
	plumb_check(table.count == 20001 && column == 2);
	plumb_check(ledger_column(&table, "nowhere") == -ENOENT);
	total = ledger_total(&table, column, &numbers);
	plumb_check(numbers == 20000);
	for (int round = 0; round < 4; round++)
		ledger_sort(&table, round % 2 ? column : 0, round % 2);
	for (size_t i = 2; i < table.count; i++) {
		int before = atoi(table.rows[i - 1].cells[2]), here = atoi(table.rows[i].cells[2]);

		plumb_check(before < here ||
			    (before == here && table.rows[i - 1].line < table.rows[i].line));
	}
	plumb_check(ledger_total(&table, column, &numbers) == total);
	ledger_finish(&table);
}

static void tables_are_shown_aligned(void)
{
	static const char text[] = "name,bytes\n\xe6\xbc\xa2,7\nplain,1234\n\"two\nlines\",\n";
	struct grain_buf out = GRAIN_BUF_INIT, err = GRAIN_BUF_INIT;
	struct ledger table = {0};

	plumb_check(ledger_parse(text, strlen(text), ',', &table, &err) == 0);
	ledger_show(&table, &out);
	plumb_check_text(grain_buf_text(&out), "name       bytes\n"
					       "---------  -----\n"
					       "\xe6\xbc\xa2             7\n"
					       "plain       1234\n"
					       "two.lines       \n");
	ledger_finish(&table);
	grain_buf_finish(&out);
	grain_buf_finish(&err);
}

static const struct plumb_case cases[] = {
	{"all short texts are tables, which survive, or refused",
		short_texts_are_tables_or_refused},
	{"all short cells are read as written", cells_are_read_as_written},
	{"faults are named with their line", faults_are_named_with_their_line},
	{"sorting orders the numbers and keeps equal rows in order", sorting_orders_and_keeps},
	{"tables are shown aligned", tables_are_shown_aligned},
};

PLUMB_MAIN("libledger", cases)
