// SPDX-License-Identifier: MIT
#include "builders/diagnose.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
	struct diagnosis d;
	struct strbuf phases;
};

static void on_phase(const char *phase, void *arg)
{
	struct told *t = arg;

	if (phase[0] != '%' ||
		strspn(phase + 1, "abcdefghijklmnopqrstuvwxyz_") + 1 != strlen(phase))
		BUG("%s is no phase", phase);
	strbuf_addf(&t->phases, "%s ", phase);
}

static struct told feed(const uint8_t *data, size_t size, size_t step)
{
	struct told t = {.phases = STRBUF_INIT};

	diagnosis_init(&t.d);
	for (size_t at = 0; at < size; at += step) {
		size_t len = step < size - at ? step : size - at;
		/* A copy without a byte to spare, so that a step past it is seen. */
		char *exact = xmalloc(len);

		memcpy(exact, data + at, len);
		diagnosis_add(&t.d, exact, len, on_phase, &t);
		free(exact);
	}
	diagnosis_end(&t.d);
	return t;
}

/* Where the line of this number begins. */
static size_t line_start(const uint8_t *data, size_t size, int64_t line)
{
	size_t at = 0;

	for (; line > 1; line--) {
		const uint8_t *newline = memchr(data + at, '\n', size - at);

		if (!newline)
			BUG("there are fewer lines than %lld", (long long)line);
		at = (size_t)(newline - data) + 1;
	}
	return at;
}

/* What it shows is the line whose number it says, but for carriage returns at its end and what is too long. */
static void check_line(const struct diagnosis *d, const uint8_t *data, size_t size)
{
	size_t len = strlen(d->best_text), at;

	if (d->best_line < 0 || d->best_line > d->line || len > DIAGNOSE_LINE_MAX)
		BUG("line %lld of %lld", (long long)d->best_line, (long long)d->line);
	if (!d->best_line != !len)
		BUG("line %lld says \"%s\"", (long long)d->best_line, d->best_text);
	if (!len)
		return;
	at = line_start(data, size, d->best_line);
	for (size_t i = 0; i < len; i++)
		if (at + i >= size || d->best_text[i] != (data[at + i] ? (char)data[at + i] : ' '))
			BUG("byte %zu of line %lld is another", i, (long long)d->best_line);
	for (; len < DIAGNOSE_LINE_MAX && at + len < size && data[at + len] != '\n'; len++)
		if (data[at + len] != '\r')
			BUG("line %lld is cut at %zu", (long long)d->best_line, len);
}

/* The first byte is the size of the pieces. However the output comes, the same line is found. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct told whole, pieces;

	if (size < 2)
		return 0;
	whole = feed(data + 1, size - 1, size - 1);
	pieces = feed(data + 1, size - 1, 1 + data[0] % 40);
	check_line(&whole.d, data + 1, size - 1);
	if (whole.d.line != pieces.d.line || whole.d.best_line != pieces.d.best_line ||
		strcmp(whole.d.best_text, pieces.d.best_text) != 0 ||
		strcmp(whole.d.phase, pieces.d.phase) != 0 ||
		strcmp(whole.phases.buf, pieces.phases.buf) != 0)
		BUG("in pieces line %lld, whole line %lld", (long long)pieces.d.best_line,
			(long long)whole.d.best_line);
	strbuf_finish(&whole.phases);
	strbuf_finish(&pieces.phases);
	return 0;
}
