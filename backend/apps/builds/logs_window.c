// SPDX-License-Identifier: MIT
/*
 * A window of lines, in turns: the lines in all are counted, the first one is gone to, and each is looked at to its end, which may be
 * gigabytes away.
 */
#include "apps/builds/logs_reader.h"
#include "core/base/json.h"

enum window_phase { WINDOW_COUNT, WINDOW_SEEK, WINDOW_LINES };

struct log_window {
	struct reader reader;
	struct walk walk; /* to the end, for the lines in all */
	enum window_phase phase;
	int64_t from_line, limit, total;
	int64_t line; /* 0-based; until it is sought the last one before from_line that the index knows */
	int64_t start, looked; /* where it begins; up to where its newline has been looked for */
	struct json_writer w;
};

/* It may be megabytes: of what it says no more than two places is kept. */
static void use_index(struct log_window *win, const char *path)
{
	size_t k = (size_t)((win->from_line - 1) / LOG_INDEX_EVERY);
	struct line_index index;

	index_read(&index, path, win->reader.size);
	win->walk = walk_from(&index, win->reader.size);
	if (k > index.count)
		k = index.count;
	win->start = win->looked = k ? index.offsets[k - 1] : 0;
	win->line = (int64_t)k * LOG_INDEX_EVERY;
	free(index.offsets);
}

int log_window_open(const char *path, int64_t from_line, int64_t limit, struct strbuf *out,
	struct log_window **ret_window)
{
	struct log_window *win = xcalloc(1, sizeof(*win));
	int e = reader_open(&win->reader, path);

	if (e < 0) {
		free(win);
		return e;
	}
	win->from_line = from_line;
	use_index(win, path);
	win->limit = limit;
	win->w = (struct json_writer)JSON_WRITER(out);
	*ret_window = win;
	return 0;
}

/* To the newline of the line at start, or to the end. 1: the turn is over. */
static int line_end(struct log_window *win, int64_t *ret_len, int64_t *ret_next)
{
	struct reader *r = &win->reader;

	while (win->looked < r->size) {
		bool held = win->looked >= r->at && win->looked < r->at + (int64_t)r->len;
		int e = held ? 0 : reader_next(r, win->looked);
		const char *from = r->buf + (win->looked - r->at), *newline;

		if (e)
			return e;
		if (!r->len)
			break;
		newline = memchr(from, '\n', r->len - (size_t)(from - r->buf));
		if (newline) {
			*ret_len = r->at + (newline - r->buf) - win->start;
			*ret_next = win->start + *ret_len + 1;
			return 0;
		}
		win->looked = r->at + (int64_t)r->len;
	}
	*ret_len = r->size - win->start;
	*ret_next = r->size;
	return 0;
}

static void next_line(struct log_window *win, int64_t start)
{
	win->start = win->looked = start;
	win->line++;
}

static int count_step(struct log_window *win)
{
	int e = walk_step(&win->reader, &win->walk, win->reader.size);

	if (e)
		return e;
	/* A last line without newline counts. */
	win->total = win->walk.line + (win->walk.start < win->reader.size);
	return 0;
}

static int seek_step(struct log_window *win)
{
	int64_t len, next;

	while (win->line < win->from_line - 1 && win->start < win->reader.size) {
		int e = line_end(win, &len, &next);

		if (e)
			return e;
		next_line(win, next);
	}
	json_begin_object(&win->w, NULL);
	json_put_int(&win->w, "from_line", win->from_line);
	json_begin_array(&win->w, "lines");
	win->limit += win->line;
	return 0;
}

static int lines_step(struct log_window *win)
{
	struct reader *r = &win->reader;
	int64_t len, next;
	size_t shown;
	int e = 0;

	while (win->line < win->limit && win->start < r->size && win->w.out->len < LOG_ANSWER_MAX &&
		!(e = line_end(win, &len, &next))) {
		shown = len < LOG_LINE_SHOWN_MAX ? (size_t)len : LOG_LINE_SHOWN_MAX;
		if (win->start < r->at || win->start + (int64_t)shown > r->at + (int64_t)r->len)
			e = reader_fill(r, win->start);
		if (e)
			return e;
		put_line(&win->w, NULL, r->buf + (win->start - r->at), shown, len);
		next_line(win, next);
	}
	return e;
}

int log_window_step(struct log_window *win, char *buf, bool final)
{
	static int (*const steps[])(struct log_window * win) = {
		[WINDOW_COUNT] = count_step,
		[WINDOW_SEEK] = seek_step,
		[WINDOW_LINES] = lines_step,
	};

	reader_begin_turn(&win->reader, buf);
	for (; win->phase < countof(steps); win->phase++) {
		int e = steps[win->phase](win);

		if (e)
			return e;
	}
	json_end_array(&win->w);
	json_put_int(&win->w, "total_lines", win->total);
	json_put_int(&win->w, "size", win->reader.size);
	json_put_bool(&win->w, "final", final);
	json_end_object(&win->w);
	return 0;
}

void log_window_close(struct log_window *win)
{
	if (!win)
		return;
	reader_close(&win->reader);
	free(win);
}
