// SPDX-License-Identifier: MIT
#include "world.h"

#include <sys/stat.h>
#include <unistd.h>

/* One build by the `command` builder, to its end. */
struct built {
	struct world *w;
	bool ended;
	struct strbuf log, why, error_text, phase;
	struct build_result result;
	struct build *build;
	const char *cancel_at; /* cancels when the log says so */
};

static void built_log(struct build *b, const char *data, size_t len, void *arg)
{
	struct built *built = arg;

	strbuf_add(&built->log, data, len);
	if (built->cancel_at && strstr(built->log.buf, built->cancel_at))
		builder_command.cancel(b);
}

static void built_phase(struct build *b, const char *phase, void *arg)
{
	(void)b;
	(void)phase;
	(void)arg;
}

static void built_end(struct build *b, const struct build_result *result, void *arg)
{
	struct built *built = arg;

	(void)b;
	built->ended = true;
	built->result = *result;
	strbuf_addstr(&built->why, result->why);
	strbuf_addstr(&built->error_text, result->error_text);
	strbuf_addstr(&built->phase, result->phase);
	loop_stop(&built->w->loop);
}

static char *results_dir(struct world *w)
{
	return xasprintf("%s/results", w->data);
}

static void build_with(struct world *w, const char *script, struct built *ret)
{
	static const struct build_handlers handlers = {built_log, built_phase, built_end};
	const char *command[] = {"sh", "-c", script, NULL};
	/* No two attempts have one name: what the last one left may still be in removal. */
	static int attempts;
	char *name = xasprintf("job1-item2-%d", ++attempts);
	char *results = results_dir(w), *sources = xasprintf("%s/sources", w->data);
	struct build_request req = {
		.sandbox = w->sb,
		.slot = 1,
		.attempt_name = name,
		.package = "zlib",
		.version = "1.3",
		.sources_dir = sources,
		.command = command,
		.results_dir = results,
		.timeout_ms = 100000,
	};
	struct strbuf err = STRBUF_INIT;
	int r;

	tree_remove(results);
	mkdir(sources, 0750);
	CHECK(builder_find("command") == &builder_command, "not found");
	r = builder_command.start(&req, &handlers, ret, &ret->build, &err);
	CHECK(!r, "%s", err.buf);
	while (!r && !ret->ended)
		loop_run(&w->loop);
	strbuf_finish(&err);
	free(name);
	free(results);
	free(sources);
}

#define BUILT(w)                                                                                   \
	{                                                                                          \
		.w = (w), .log = STRBUF_INIT, .why = STRBUF_INIT, .error_text = STRBUF_INIT,       \
		.phase = STRBUF_INIT                                                               \
	}

static void built_finish(struct built *b)
{
	strbuf_finish(&b->log);
	strbuf_finish(&b->why);
	strbuf_finish(&b->error_text);
	strbuf_finish(&b->phase);
}

static bool result_is(struct world *w, const char *name, const char *content)
{
	char *path = xasprintf("%s/results/%s", w->data, name);
	struct strbuf text = STRBUF_INIT;
	bool same = !file_read(path, 1 << 20, &text, NULL) && !strcmp(text.buf, content);

	strbuf_finish(&text);
	free(path);
	return same;
}

static void what_lies_in_results_is_the_package(struct world *w)
{
	struct built b = BUILT(w);

	build_with(w,
		"echo building $REQPM_PACKAGE $REQPM_VERSION; echo one > results/one;"
		"mkdir -p results/sub/sub && echo two > results/sub/sub/two && chmod 0 "
		"results/sub/sub/two;"
		"echo not > elsewhere",
		&b);
	CHECK(b.result.ok && !b.result.exit_code, "why: %s", b.why.buf);
	CHECK(!strcmp(b.log.buf, "building zlib 1.3\n"), "log: %s", b.log.buf);
	CHECK(!strcmp(b.phase.buf, "command"), "phase: %s", b.phase.buf);
	CHECK(result_is(w, "one", "one\n"), "one is missing");
	CHECK(result_is(w, "sub/sub/two", "two\n"), "two is missing");
	CHECK(!result_is(w, "elsewhere", "not\n"), "more than the results was taken");
	built_finish(&b);
}

static void a_failure_names_its_line(struct world *w)
{
	struct built b = BUILT(w);

	build_with(
		w, "echo fine; echo 'main.c:3: error: no such thing' >&2; echo later; exit 4", &b);
	CHECK(!b.result.ok && !b.result.infrastructure && !b.result.cancelled, "it is ok");
	CHECK(b.result.exit_code == 4, "exit status %lld", (long long)b.result.exit_code);
	CHECK(!strcmp(b.why.buf, "the command ended with exit status 4"), "why: %s", b.why.buf);
	CHECK(b.result.error_line == 2, "line %lld", (long long)b.result.error_line);
	CHECK(!strcmp(b.error_text.buf, "main.c:3: error: no such thing"), "%s", b.error_text.buf);
	built_finish(&b);
}

static void cancel_says_so_and_leaves_no_results(struct world *w)
{
	struct built b = BUILT(w);
	char *results = results_dir(w);

	b.cancel_at = "ready";
	build_with(w, "echo x > results/x; echo ready; sleep 1000", &b);
	CHECK(!b.result.ok && b.result.cancelled, "why: %s", b.why.buf);
	CHECK(access(results, F_OK), "there are results");
	built_finish(&b);
	free(results);
}

static void results_that_are_no_files_are_refused(struct world *w)
{
	static const struct {
		const char *script, *why;
	} cases[] = {
		{"ln -s /etc/passwd results/link", "the result link is neither a regular file nor"},
		{"mkdir results/d; mkfifo results/d/pipe", "the result d/pipe is neither"},
		{"rm -r results; ln -s /etc results", "a link in place of their folder"},
		{"touch \"results/$(printf 'a\\033[31m')\"", "a name that is no printable"},
		{"touch \"results/$(printf 'a\\377')\"", "a name that is no printable"},
		{"cd results; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do mkdir d; cd "
		 "d; done",
			"more than 16 folders deep"},
		{"cd results; seq 10001 | xargs touch", "more than 10000 results"},
	};

	char *results = results_dir(w);

	for (size_t i = 0; i < countof(cases); i++) {
		struct built b = BUILT(w);

		build_with(w, cases[i].script, &b);
		CHECK(!b.result.ok && !b.result.infrastructure, "case %zu", i);
		CHECK(strstr(b.why.buf, cases[i].why), "case %zu: %s", i, b.why.buf);
		CHECK(access(results, F_OK), "case %zu: part of a copy stays", i);
		built_finish(&b);
	}
	free(results);
}

static void no_results_are_fine(struct world *w)
{
	struct built b = BUILT(w);

	build_with(w, "rmdir results", &b);
	CHECK(b.result.ok, "why: %s", b.why.buf);
	built_finish(&b);
}

static const struct scenario scenarios[] = {
	SCENARIO(what_lies_in_results_is_the_package),
	SCENARIO(a_failure_names_its_line),
	SCENARIO(cancel_says_so_and_leaves_no_results),
	SCENARIO(results_that_are_no_files_are_refused),
	SCENARIO(no_results_are_fine),
};

int main(void)
{
	return world_run_all(scenarios, countof(scenarios));
}
