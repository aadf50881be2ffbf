// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <ledger.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wick.h>

#include "hamper-cli.h"

#define TEMPLATES "/usr/share/hamper/templates"

int list_show(const struct hamper *h, struct grain_buf *out, struct grain_buf *err)
{
	struct grain_buf text = GRAIN_BUF_INIT;
	struct ledger table;
	int r;

	grain_buf_addstr(&text, "mode,bytes,stored,name\n");
	for (const struct hamper_entry *e = h->entries; e < h->entries + h->count; e++) {
		grain_buf_addf(
			&text, "%03o,%" PRIu64 ",%" PRIu64 ",\"", e->mode, e->size, e->stored);
		for (const char *c = e->name; *c; c++)
			grain_buf_addf(&text, *c == '"' ? "%c\"" : "%c", *c);
		grain_buf_addstr(&text, "\"\n");
	}
	r = text.error ? text.error : ledger_parse(text.data, text.len, ',', &table, err);
	if (r == 0) {
		ledger_show(&table, out);
		ledger_finish(&table);
	}
	grain_buf_finish(&text);
	return r;
}

struct report {
	const struct hamper *hamper;
	const char *archive;
	size_t file; /* one more than the current one; 0: not in the list */
	char text[2 * CAIRN_SHA256_SIZE + 1];
};

static const char *number_text(struct report *r, uint64_t number)
{
	snprintf(r->text, sizeof(r->text), "%" PRIu64, number);
	return r->text;
}

static const char *file_value(struct report *r, const struct hamper_entry *e, const char *name)
{
	if (strcmp(name, "name") == 0)
		return e->name;
	if (strcmp(name, "number") == 0)
		return number_text(r, r->file);
	if (strcmp(name, "size") == 0)
		return number_text(r, e->size);
	if (strcmp(name, "stored") == 0)
		return number_text(r, e->stored);
	if (strcmp(name, "mode") == 0)
		snprintf(r->text, sizeof(r->text), "%03o", e->mode);
	else if (strcmp(name, "sha256") == 0)
		cairn_hex(e->sha256, sizeof(e->sha256), r->text);
	else
		return NULL;
	return r->text;
}

static const char *report_value(void *context, const char *name)
{
	struct report *r = context;
	const struct hamper *h = r->hamper;
	uint64_t size = 0, stored = 0;

	if (r->file > 0)
		return file_value(r, &h->entries[r->file - 1], name);
	for (size_t i = 0; i < h->count; i++) {
		size += h->entries[i].size;
		stored += h->entries[i].stored;
	}
	if (strcmp(name, "archive") == 0)
		return r->archive;
	if (strcmp(name, "count") == 0)
		return number_text(r, h->count);
	if (strcmp(name, "total") == 0)
		return number_text(r, size);
	return strcmp(name, "total_stored") == 0 ? number_text(r, stored) : NULL;
}

static bool report_enter(void *context, const char *list, size_t record)
{
	struct report *r = context;
	bool there = strcmp(list, "files") == 0 && record < r->hamper->count;

	r->file = there ? record + 1 : 0;
	return there;
}

int report_show(const struct hamper *h, const char *archive, const char *format,
	struct grain_buf *out, struct grain_buf *err)
{
	struct grain_buf path = GRAIN_BUF_INIT, template = GRAIN_BUF_INIT;
	struct report report = {.hamper = h, .archive = archive};
	struct wick_source source = {&report, report_value, report_enter};
	const char *folder = getenv("HAMPER_TEMPLATES");
	int r;

	grain_buf_addf(&path, "%s/report.%s", folder ? folder : TEMPLATES, format);
	r = grain_file_read(grain_buf_text(&path), &template);
	if (r < 0)
		grain_buf_addf(err, "%s: %s", grain_buf_text(&path), strerror(-r));
	else
		r = wick_render(grain_buf_text(&template), template.len, &source, out, err);
	grain_buf_finish(&path);
	grain_buf_finish(&template);
	return r;
}
