// SPDX-License-Identifier: MIT
#include "builders/rpm.h"

struct run_text {
	struct run *run;
	struct strbuf text;
	size_t max;
	bool overflow;
	run_text_fn *done;
	void *arg;
};

static void on_output(struct run *r, const char *data, size_t len, void *arg)
{
	struct run_text *rt = arg;

	if (rt->overflow)
		return;
	if (len > rt->max - rt->text.len) {
		rt->overflow = true;
		run_cancel(r);
		return;
	}
	strbuf_add(&rt->text, data, len);
}

static void on_end(struct run *r, const struct run_result *result, void *arg)
{
	struct run_text *rt = arg;
	struct run_result mine = *result;
	char *why = NULL;

	(void)r;
	if (rt->overflow) {
		why = xasprintf("it printed more than %zu bytes", rt->max);
		mine.end = RUN_CANCELLED;
		mine.why = why;
	}
	rt->done(rt, &mine, rt->text.buf, rt->text.len, rt->arg);
	strbuf_finish(&rt->text);
	free(why);
	free(rt);
}

struct run_text *run_text_start(struct sandbox *sb, const struct run_spec *spec, size_t max,
	run_text_fn *done, void *arg, struct strbuf *err)
{
	static const struct run_handlers handlers = {on_output, on_end};
	struct run_text *rt = xcalloc(1, sizeof(*rt));

	strbuf_init(&rt->text);
	rt->max = max;
	rt->done = done;
	rt->arg = arg;
	rt->run = run_start(sb, spec, &handlers, rt, err);
	if (rt->run)
		return rt;
	free(rt);
	return NULL;
}

void run_text_cancel(struct run_text *rt)
{
	run_cancel(rt->run);
}
