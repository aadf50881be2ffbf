// SPDX-License-Identifier: MIT
#include <errno.h>
#include <plumb.h>

#include "wick.h"

enum {
	LONGEST = 7, /* all templates of these pieces up to this length */
	TEXTS = 60000,
};

static const char *const pieces[] = {"{{", "}}", "#", "^", "/", "a", "\n"};

#define PIECES (sizeof(pieces) / sizeof(*pieces))

/* The list "fruit" has three records, "none" has none; "a" is a list of two and a value. */
struct basket {
	size_t fruit; /* one more than the current record; 0: not in the list */
};

static const char *basket_value(void *context, const char *name)
{
	static const char *const fruits[] = {"apple", "p\xc3\xa4r", "<plum>"};
	const struct basket *b = context;

	if (strcmp(name, "fruit") == 0 && b->fruit > 0)
		return fruits[b->fruit - 1];
	if (strcmp(name, "owner") == 0)
		return "Ann & Co";
	return strcmp(name, "a") == 0 ? "value" : NULL;
}

static bool basket_enter(void *context, const char *list, size_t record)
{
	struct basket *b = context;

	if (strcmp(list, "a") == 0)
		return record < 2;
	if (strcmp(list, "fruits") != 0)
		return false;
	b->fruit = record < 3 ? record + 1 : 0;
	return record < 3;
}

static int render(const char *text, size_t len, struct grain_buf *out, struct grain_buf *err)
{
	struct basket basket = {0};
	struct wick_source source = {&basket, basket_value, basket_enter};

	grain_buf_reset(out);
	grain_buf_reset(err);
	return wick_render(text, len, &source, out, err);
}

static void check_render(const char *text, const char *expected)
{
	struct grain_buf out = GRAIN_BUF_INIT, err = GRAIN_BUF_INIT;

	render(text, strlen(text), &out, &err);
	plumb_check_text(grain_buf_text(&err), "");
	plumb_check_text(grain_buf_text(&out), expected);
	grain_buf_finish(&out);
	grain_buf_finish(&err);
}

static void check_refused(const char *text, const char *sentence)
{
	struct grain_buf out = GRAIN_BUF_INIT, err = GRAIN_BUF_INIT;

	plumb_check(render(text, strlen(text), &out, &err) == -EBADMSG);
	plumb_check_text(grain_buf_text(&err), sentence);
	grain_buf_finish(&out);
	grain_buf_finish(&err);
}

static void values_and_filters(void)
{
	check_render("", "");
	check_render("for {{owner}}.", "for Ann & Co.");
	check_render("{{owner|html}} {{owner|upper|html}}", "Ann &amp; Co ANN &amp; CO");
	check_render("{{#fruits}}{{fruit|upper}} {{/fruits}}", "APPLE P\xc3\x84R <PLUM> ");
	check_render("{{owner|lower}}{{! said twice }}", "ann & co");
}

static void lists_repeat_and_empty_ones_speak(void)
{
	check_render("{{#fruits}}{{fruit|html}},{{/fruits}}", "apple,p\xc3\xa4r,&lt;plum&gt;,");
	check_render("{{^fruits}}no{{/fruits}}{{^none}}none{{/none}}", "none");
	check_render("{{#none}}{{nowhere}}{{/none}}.", ".");
	check_render("fruit:\n  {{#fruits}}\n- {{fruit}}\n  {{/fruits}}\nend\n",
		"fruit:\n- apple\n- p\xc3\xa4r\n- <plum>\nend\n");
	check_render("{{#a}}{{#fruits}}{{fruit}}{{/fruits}};{{/a}}",
		"applep\xc3\xa4r<plum>;applep\xc3\xa4r<plum>;");
}

static void faults_are_named_with_their_line(void)
{
	check_refused("\n{{nobody}}", "line 2: there is no value \"nobody\"");
	check_refused("{{owner|shout}}", "line 1: there is no filter \"shout\"");
	check_refused("\n\n{{owner", "line 3: a tag that does not end");
	check_refused("{{#a}}\n", "line 1: there is no end of \"a\"");
	check_refused("{{#a}}{{/b}}", "line 1: nothing is open that ends with \"b\"");
	check_refused("{{/a}}", "line 1: nothing is open that ends with \"a\"");
}

/* Every template gives text or a fault with its line, and the same one each time. */
static void short_templates_render_or_are_refused(void)
{
	struct grain_buf text = GRAIN_BUF_INIT, out = GRAIN_BUF_INIT, err = GRAIN_BUF_INIT;
	struct grain_buf again = GRAIN_BUF_INIT;
	uint64_t total = 1, fine = 0;

	for (int i = 0; i < LONGEST; i++)
		total *= PIECES + 1;
	for (uint64_t n = 0; n < total; n++) {
		grain_buf_reset(&text);
		for (uint64_t rest = n; rest > 0; rest /= PIECES + 1)
			if (rest % (PIECES + 1) > 0)
				grain_buf_addstr(&text, pieces[rest % (PIECES + 1) - 1]);
		if (render(grain_buf_text(&text), text.len, &out, &err) == 0) {
			fine++;
			plumb_check(err.len == 0);
			render(grain_buf_text(&text), text.len, &again, &err);
			plumb_check_text(grain_buf_text(&again), grain_buf_text(&out));
		} else {
			plumb_check(strncmp(grain_buf_text(&err), "line ", 5) == 0);
		}
		plumb_progress(n + 1, total, "templates");
	}
	printf("      %" PRIu64 " rendered, %" PRIu64 " refused\n", fine, total - fine);
	grain_buf_finish(&text);
	grain_buf_finish(&again);
	grain_buf_finish(&out);
	grain_buf_finish(&err);
}

static void text_without_tags_is_kept(void)
{
	struct grain_buf text = GRAIN_BUF_INIT, out = GRAIN_BUF_INIT, err = GRAIN_BUF_INIT;
	uint64_t state = 8;

	for (uint64_t round = 1; round <= TEXTS; round++) {
		grain_buf_reset(&text);
		for (uint64_t i = plumb_random(&state) % 400; i > 0; i--)
			grain_buf_addc(&text, "ab c\n}{ "[plumb_random(&state) % 6]);
		plumb_check(render(grain_buf_text(&text), text.len, &out, &err) == 0);
		plumb_check_text(grain_buf_text(&out), grain_buf_text(&text));
		plumb_progress(round, TEXTS, "texts");
	}
	grain_buf_finish(&text);
	grain_buf_finish(&out);
	grain_buf_finish(&err);
}

static const struct plumb_case cases[] = {
	{"values go through their filters", values_and_filters},
	{"lists repeat, and empty ones speak", lists_repeat_and_empty_ones_speak},
	{"faults are named with their line", faults_are_named_with_their_line},
	{"all short templates render or are refused", short_templates_render_or_are_refused},
	{"text without tags is kept", text_without_tags_is_kept},
};

PLUMB_MAIN("libwick", cases)
