// SPDX-License-Identifier: MIT
#include "core/base/options.h"

#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <unistd.h>

static bool quiet;
static const char *name;
static int64_t port, jobs, upload, limit;
static struct option_list provide;

static const struct option_spec specs[] = {
	{"quiet", OPTION_FLAG, &quiet, NULL, "say less", 0, 0},
	{"name", OPTION_STRING, &name, "TEXT", "what the build is called", 0, 0},
	{"port", OPTION_INT, &port, "PORT", "where to listen", 1, 65535},
	{"jobs", OPTION_INT, &jobs, "N", "builds at a time", 0, 0},
	{"max-upload", OPTION_SIZE, &upload, "SIZE", "largest upload", 0, 0},
	{"timeout", OPTION_DURATION, &limit, "TIME", "end a package after this", 0, 0},
	{"provide", OPTION_LIST, &provide, "NAME", "taken as present", 0, 0},
};

static struct strbuf err;

static int forget(void **state)
{
	(void)state;
	quiet = false;
	name = NULL;
	port = jobs = upload = limit = 0;
	provide.count = 0;
	strbuf_finish(&err);
	return 0;
}

/* Parses the words up to the first NULL. *argv is left as options_parse() leaves it. */
static int parse(char **argv, int *ret_count)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	return options_parse(specs, countof(specs), argc, argv, ret_count, &err);
}

/* argv is char **, though nothing writes to the words. */
#define WORDS(...) ((char **)(const char *[]){__VA_ARGS__, NULL})

static void assert_refused(char **argv, const char *sentence)
{
	int count = 77;

	assert_int_equal(parse(argv, &count), -EINVAL);
	assert_string_equal(err.buf, sentence);
	assert_int_equal(count, 77);
}

static void each_kind_of_option_is_read(void **state)
{
	int count;

	(void)state;
	assert_int_equal(parse(WORDS("--port", "8000", "--name=a=b", "--quiet", "--jobs=-3",
				       "--max-upload", "2G", "--timeout=45m"),
				 &count),
		0);
	assert_int_equal(count, 0);
	assert_int_equal(port, 8000);
	assert_string_equal(name, "a=b");
	assert_true(quiet);
	assert_int_equal(jobs, -3);
	assert_true(upload == INT64_C(2) << 30);
	assert_int_equal(limit, 2700000);
	assert_int_equal(err.len, 0);
}

static void positional_arguments_come_to_the_front(void **state)
{
	char **argv = WORDS("one", "--port", "80", "two", "-", "--quiet", "--", "--port", "-x", "");
	int count;

	(void)state;
	assert_int_equal(parse(argv, &count), 0);
	assert_int_equal(count, 6);
	assert_string_equal(argv[0], "one");
	assert_string_equal(argv[1], "two");
	assert_string_equal(argv[2], "-");
	assert_string_equal(argv[3], "--port");
	assert_string_equal(argv[4], "-x");
	assert_string_equal(argv[5], "");
	assert_int_equal(port, 80);
}

static void no_arguments_are_fine(void **state)
{
	char *none[] = {NULL};
	int count = 77;

	(void)state;
	assert_int_equal(parse(none, &count), 0);
	assert_int_equal(count, 0);
}

static void the_last_of_two_counts_and_lists_collect(void **state)
{
	int count;

	(void)state;
	assert_int_equal(
		parse(WORDS("--port=1", "--provide", "a", "--port=2", "--provide=b"), &count), 0);
	assert_int_equal(port, 2);
	assert_int_equal(provide.count, 2);
	assert_string_equal(provide.values[0], "a");
	assert_string_equal(provide.values[1], "b");
}

static void a_list_has_a_limit(void **state)
{
	const char *argv[OPTION_LIST_MAX + 2] = {NULL};
	char sentence[80];
	int count;

	(void)state;
	for (int i = 0; i < OPTION_LIST_MAX; i++)
		argv[i] = "--provide=x";
	assert_int_equal(parse((char **)argv, &count), 0);
	assert_int_equal(provide.count, OPTION_LIST_MAX);
	provide.count = 0;
	argv[OPTION_LIST_MAX] = "--provide=x";
	snprintf(sentence, sizeof(sentence), "--provide can be given %d times at most",
		OPTION_LIST_MAX);
	assert_refused((char **)argv, sentence);
}

static void a_wrong_number_is_named_with_its_bounds(void **state)
{
	static const char *const wrong[] = {
		"x", "0", "65536", "", " 1", "+1", "1x", "0x50", "99999999999999999999"};
	int count;

	(void)state;
	for (size_t i = 0; i < countof(wrong); i++) {
		char sentence[120];

		snprintf(sentence, sizeof(sentence),
			"--port needs a number between 1 and 65535, not \"%s\"", wrong[i]);
		assert_refused(WORDS("--port", wrong[i]), sentence);
	}
	assert_int_equal(port, 0);
	assert_int_equal(parse(WORDS("--port=65535"), &count), 0);
	assert_int_equal(parse(WORDS("--port=1"), &count), 0);
	assert_int_equal(port, 1);
	assert_refused(WORDS("--jobs=many"), "--jobs needs a number, not \"many\"");
}

static void a_wrong_size_or_duration_is_shown_a_right_one(void **state)
{
	(void)state;
	assert_refused(WORDS("--max-upload=big"),
		"--max-upload needs a size such as 512M or 2G, not \"big\"");
	assert_refused(WORDS("--timeout", "soon"),
		"--timeout needs a duration such as 90s, 45m or 2h, not \"soon\"");
}

static void a_missing_value_is_asked_for(void **state)
{
	(void)state;
	assert_refused(WORDS("--port"), "--port needs a value: --port PORT");
	assert_refused(WORDS("--name", "--quiet"), "--name needs a value: --name TEXT");
	assert_refused(WORDS("--name", "--"), "--name needs a value: --name TEXT");
}

static void a_value_may_be_empty_or_look_like_an_option(void **state)
{
	int count;

	(void)state;
	assert_int_equal(parse(WORDS("--name="), &count), 0);
	assert_string_equal(name, "");
	assert_int_equal(parse(WORDS("--name=--quiet"), &count), 0);
	assert_string_equal(name, "--quiet");
	assert_false(quiet);
}

static void a_flag_takes_no_value(void **state)
{
	(void)state;
	assert_refused(WORDS("--quiet=yes"), "--quiet takes no value, but \"yes\" was given");
}

static void an_unknown_option_gets_the_close_one_named(void **state)
{
	(void)state;
	assert_refused(WORDS("--prot", "1"), "unknown option --prot; did you mean --port?");
	assert_refused(WORDS("--tiemout=3"), "unknown option --tiemout; did you mean --timeout?");
	assert_refused(WORDS("--max"), "unknown option --max; did you mean --max-upload?");
	assert_refused(WORDS("-port"), "unknown option -port; did you mean --port?");
	assert_refused(WORDS("--por"), "unknown option --por; did you mean --port?");
}

static void an_unknown_option_like_no_other_is_refused(void **state)
{
	(void)state;
	assert_refused(WORDS("--zzz"), "unknown option --zzz; --help lists them");
	assert_refused(WORDS("-x"), "unknown option -x; --help lists them");
	assert_refused(WORDS("--=3"), "unknown option --; --help lists them");
	assert_refused(WORDS("---"), "unknown option ---; --help lists them");
	assert_refused(WORDS("--a-name-that-is-longer-than-any-of-ours"),
		"unknown option --a-name-that-is-longer-than-any-of-ours; --help lists them");
}

static void help_is_asked_for_before_anything_after_it_counts(void **state)
{
	int count;

	(void)state;
	assert_int_equal(parse(WORDS("a", "--help", "--zzz"), &count), -ECANCELED);
	assert_int_equal(parse(WORDS("-h"), &count), -ECANCELED);
	assert_int_equal(err.len, 0);
	assert_int_equal(parse(WORDS("--", "-h"), &count), 0);
}

static void the_table_prints_itself_in_columns(void **state)
{
	static const char expected[] = "  --quiet            say less\n"
				       "  --name TEXT        what the build is called\n"
				       "  --port PORT        where to listen\n"
				       "  --jobs N           builds at a time\n"
				       "  --max-upload SIZE  largest upload\n"
				       "  --timeout TIME     end a package after this\n"
				       "  --provide NAME     taken as present\n"
				       "  --help             show this\n";
	char text[2048];
	int out = dup(STDOUT_FILENO), ends[2];
	ssize_t len;

	(void)state;
	fflush(stdout);
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDOUT_FILENO);
	options_print(specs, countof(specs));
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	close(ends[1]);
	len = read(ends[0], text, sizeof(text) - 1);
	close(ends[0]);
	assert_true(len >= 0);
	text[len] = '\0';
	assert_string_equal(text, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_kind_of_option_is_read, forget),
		cmocka_unit_test_setup(positional_arguments_come_to_the_front, forget),
		cmocka_unit_test_setup(no_arguments_are_fine, forget),
		cmocka_unit_test_setup(the_last_of_two_counts_and_lists_collect, forget),
		cmocka_unit_test_setup(a_list_has_a_limit, forget),
		cmocka_unit_test_setup(a_wrong_number_is_named_with_its_bounds, forget),
		cmocka_unit_test_setup(a_wrong_size_or_duration_is_shown_a_right_one, forget),
		cmocka_unit_test_setup(a_missing_value_is_asked_for, forget),
		cmocka_unit_test_setup(a_value_may_be_empty_or_look_like_an_option, forget),
		cmocka_unit_test_setup(a_flag_takes_no_value, forget),
		cmocka_unit_test_setup(an_unknown_option_gets_the_close_one_named, forget),
		cmocka_unit_test_setup(an_unknown_option_like_no_other_is_refused, forget),
		cmocka_unit_test_setup(help_is_asked_for_before_anything_after_it_counts, forget),
		cmocka_unit_test_setup(the_table_prints_itself_in_columns, forget),
	};
	int failures;

	strbuf_init(&err);
	failures = cmocka_run_group_tests(tests, NULL, NULL);
	forget(NULL);
	return failures;
}
