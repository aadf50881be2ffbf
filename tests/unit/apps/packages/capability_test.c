// SPDX-License-Identifier: MIT
#include "apps/packages/packages.h"
#include "apps/packages/rich.h"

#include <setjmp.h>
#include <cmocka.h>

/* ---- versions. The answers are those of rpm 4.18's rpm.vercmp(). */

static const struct {
	const char *a, *b;
	int answer;
} versions[] = {
	{"1.0", "1.0", 0},
	{"1.0", "2.0", -1},
	{"2.0.1", "2.0", 1},
	{"1.10", "1.9", 1},
	{"1.010", "1.10", 0},
	{"1.0", "1.0.0", -1},
	{"1_0", "1.0", 0},
	{"1..0", "1.0", 0},
	{"1.0.", "1.0", 0},
	{"xyz", "10", -1},
	{"10xyz", "10.1xyz", -1},
	{"xyz.4", "8", -1},
	{"xyz10", "xyz10.1", -1},
	{"a", "1", -1},
	{"5.5p1", "5.5p2", -1},
	{"5.5p10", "5.5p1", 1},
	{"6.0.rc1", "6.0", 1},
	{"1.0a", "1.0", 1},
	{"1.0a", "1.0.1", -1},
	{"20101122", "20101121", 1},
	{"2.0", "2.0.1a", -1},
	{"00001", "1", 0},
	{"1.0~rc1", "1.0", -1},
	{"1.0~rc1", "1.0~rc2", -1},
	{"1.0~rc1~git1", "1.0~rc1", -1},
	{"1.0~~", "1.0~", -1},
	{"~", "1", -1},
	{"~", "", -1},
	{"1.0^git1", "1.0", 1},
	{"1.0^git1", "1.0.1", -1},
	{"1.0^git1", "1.01", -1},
	{"1.0^git1~pre", "1.0^git1", -1},
	{"1.0^", "1.0~", 1},
	{"1.0~rc1^git1", "1.0~rc1", 1},
	{"1.0^a", "1.0a", -1},
	{"99999999999999999999999999", "99999999999999999999999998", 1},
	{"1a", "1A", 1},
	{"a", "aa", -1},
	{"1.2+3", "1.2.3", 0},
	{"fc4", "fc.4", 0},
	{"~~", "~^", -1},
	{"^", "~", 1},
	{"^1", "1", -1},
	{"1^2", "1^10", -1},
	{"", "", 0},
	{"", "1", -1},
};

static void versions_are_ordered_as_rpm_orders_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(versions); i++) {
		int there = version_compare(versions[i].a, versions[i].b);
		int back = version_compare(versions[i].b, versions[i].a);

		if (there != versions[i].answer || back != -there)
			fail_msg("%s and %s: %d and %d", versions[i].a, versions[i].b, there, back);
	}
}

static void an_epoch_weighs_more_than_a_version_and_that_more_than_a_release(void **state)
{
	static const char *const rising[] = {
		"1.0~rc1-9", "1.0", "1.0-1", "1.0-1.1", "1.0-2", "1.1-1", "1:0.1-1", "2:0"};

	(void)state;
	for (size_t i = 0; i < countof(rising); i++)
		for (size_t k = 0; k < countof(rising); k++)
			assert_int_equal(evr_compare(rising[i], rising[k]), (i > k) - (i < k));
	assert_int_equal(evr_compare("0:1.0-1", "1.0-1"), 0);
	assert_int_equal(evr_compare("01:1", "1:1"), 0);
	assert_int_equal(evr_compare(":1.0", "1.0"), 0);
	assert_int_equal(evr_compare("1-2-3", "1-2-4"), -1);
}

/* ---- what satisfies what */

static unsigned flags_of(const char *sign)
{
	return (strchr(sign, '<') ? CAPABILITY_LESS : 0u) |
	       (strchr(sign, '=') ? CAPABILITY_EQUAL : 0u) |
	       (strchr(sign, '>') ? CAPABILITY_GREATER : 0u);
}

static const struct {
	const char *provide_sign, *provide, *need_sign, *need;
	bool fits;
} matches[] = {
	{"=", "1.2-1", "", "", true},
	{"", "", ">=", "5", true},
	{"=", "1.2-1", ">=", "1.2", true},
	{"=", "1.2-1", ">=", "1.2-2", false},
	{"=", "1.2-1", "=", "1.2", true},
	{"=", "1.2", "=", "1.2-7", true},
	{"=", "1.2-1", ">", "1.2", false},
	{"=", "1.2-1", "<", "1.2", false},
	{"=", "1.2-1", "<=", "1.2", true},
	{"=", "1.2-1", "<", "1.10", true},
	{"=", "1.2-1", ">", "1.2~rc1", true},
	{"=", "1:0.1-1", ">=", "9", true},
	{"=", "1:0.1-1", "=", "0.1", false},
	{"=", "1:0.1-1", "=", "1:0.1-1", true},
	{">=", "2", "=", "3", true},
	{"<", "2", ">", "2", false},
	{"<", "2", "=", "2", false},
	{">", "2", ">", "7", true},
	{"<", "3", ">", "2", true},
	{">", "1.2-1", "=", "1.2", true},
	{"=", "1.2", ">", "1.2-1", true},
	{"=", "1.2", ">", "1.2", false},
};

static void a_provide_satisfies_what_shares_a_version_with_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(matches); i++) {
		struct capability provide = {
			"zlib-devel", matches[i].provide, flags_of(matches[i].provide_sign), false};
		struct capability need = {
			"zlib-devel", matches[i].need, flags_of(matches[i].need_sign), false};

		if (capability_satisfies(&provide, &need) != matches[i].fits)
			fail_msg("row %zu: %s %s for %s %s", i, matches[i].provide_sign,
				matches[i].provide, matches[i].need_sign, matches[i].need);
		need.name = "zlib";
		assert_false(capability_satisfies(&provide, &need));
	}
}

static void a_capability_is_written_as_in_a_spec(void **state)
{
	struct capability versioned = {
		"b-devel", "1.2", CAPABILITY_GREATER | CAPABILITY_EQUAL, false};
	struct capability plain = {"pkgconfig(b)", "", 0, false};
	struct strbuf text = STRBUF_INIT;

	(void)state;
	capability_format(&text, &versioned);
	strbuf_addstr(&text, ", ");
	capability_format(&text, &plain);
	assert_string_equal(text.buf, "b-devel >= 1.2, pkgconfig(b)");
	strbuf_finish(&text);
}

static void assert_reads(const char *text, const char *name, unsigned flags, const char *version)
{
	char *copy = xstrdup(text);
	struct capability c = {0};

	assert_int_equal(capability_parse(copy, &c), name ? 0 : -EINVAL);
	if (name) {
		assert_string_equal(c.name, name);
		assert_int_equal(c.flags, flags);
		assert_string_equal(c.version, version);
	}
	free(copy);
}

static void a_capability_is_read_as_it_is_written(void **state)
{
	(void)state;
	assert_reads("zlib-devel", "zlib-devel", 0, "");
	assert_reads("zlib >= 1:1.2-3", "zlib", CAPABILITY_GREATER | CAPABILITY_EQUAL, "1:1.2-3");
	assert_reads("zlib < 2", "zlib", CAPABILITY_LESS, "2");
	assert_reads("font(:lang=en)", "font(:lang=en)", 0, "");
	assert_reads("(a or b >= 2)", "(a or b >= 2)", 0, "");
	assert_reads("", NULL, 0, "");
	assert_reads(" = 1", NULL, 0, "");
	assert_reads("a b", NULL, 0, "");
	assert_reads("a = ", NULL, 0, "");
	assert_reads("a >=2", NULL, 0, "");
}

static void what_rpms_provide_is_looked_up_line_by_line(void **state)
{
	struct provides p = {0};

	(void)state;
	assert_false(provides_any_of(&p, "a"));
	assert_int_equal(provides_add(&p, "lib-a-1.0-1.noarch", "[\"a = 1.0-1\",7,\"= b\"]"), 0);
	assert_int_equal(provides_add(&p, "b-1-1.noarch", "[\"perl(B::C) = 2\"]"), 0);
	assert_int_equal(provides_add(&p, "c-1-1.noarch", "{}"), -EINVAL);
	assert_int_equal(provides_add(&p, "c-1-1.noarch", "[\"a\""), -EINVAL);
	assert_int_equal(p.count, 2);
	assert_string_equal(p.rpms[0].name, "lib-a");
	assert_int_equal(p.rpms[0].provide_count, 1);
	assert_true(provides_any_of(&p, "x\nperl(B::C) >= 1.9"));
	assert_false(provides_any_of(&p, "x\nperl(B::C) >= 2.1\n"));
	assert_true(provides_any_of(&p, "(gcc and a < 2)"));
	assert_false(provides_any_of(&p, "(gcc and a > 2)"));
	assert_false(provides_any_of(&p, "(gcc and"));
	assert_false(provides_any_of(&p, ""));
	provides_finish(&p);
	assert_int_equal(p.count, 0);
}

static void a_name_is_fit_for_a_file_name(void **state)
{
	static const char *const good[] = {"a", "7zip", "libstdc++", "A.b_c-d"};
	static const char *const bad[] = {"", ".", "..", "-a", "a/b", "../a", "a b", "a\n",
		"\xc3\xa4", "%{name}", "_a", "a\x01"};
	char longest[PACKAGE_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < countof(good); i++)
		assert_true(package_name_valid(good[i]));
	for (size_t i = 0; i < countof(bad); i++)
		assert_false(package_name_valid(bad[i]));
	memset(longest, 'a', sizeof(longest));
	longest[PACKAGE_NAME_MAX + 1] = '\0';
	assert_false(package_name_valid(longest));
	assert_false(package_version_valid(longest));
	longest[PACKAGE_NAME_MAX] = '\0';
	assert_true(package_name_valid(longest));
	assert_true(package_version_valid(longest));
	assert_true(package_version_valid("1:2.0~rc1^git-3"));
	assert_true(package_version_valid(""));
	assert_false(package_version_valid("1/2"));
}

/* ---- rich dependencies as trees, written back with every group in braces */

static void write_tree(struct strbuf *out, const struct rich *node)
{
	static const char *const words[] = {"", "and", "or", "with", "without", "if", "unless"};

	if (node->op == RICH_ATOM) {
		capability_format(out, &node->atom);
		return;
	}
	strbuf_addf(out, "%s{", words[node->op]);
	for (const struct rich *n = node->first; n; n = n->next) {
		if (n != node->first)
			strbuf_addstr(out, ", ");
		write_tree(out, n);
	}
	strbuf_addch(out, '}');
}

static void assert_tree(const char *text, const char *tree)
{
	struct capability need = {text, "", 0, false};
	struct arena *arena = arena_create();
	struct strbuf err = STRBUF_INIT, out = STRBUF_INIT;
	const struct rich *node = rich_parse(arena, &need, &err);

	assert_string_equal(err.buf, "");
	assert_non_null(node);
	write_tree(&out, node);
	assert_string_equal(out.buf, tree);
	strbuf_finish(&out);
	strbuf_finish(&err);
	arena_destroy(arena);
}

static void assert_no_tree(const char *text, const char *why)
{
	struct capability need = {text, "", 0, false};
	struct arena *arena = arena_create();
	struct strbuf err = STRBUF_INIT;

	assert_null(rich_parse(arena, &need, &err));
	assert_string_equal(err.buf, why);
	assert_null(rich_parse(arena, &need, NULL));
	strbuf_finish(&err);
	arena_destroy(arena);
}

static void rich_dependencies_become_trees(void **state)
{
	struct strbuf wide = STRBUF_INIT, tree = STRBUF_INIT;

	(void)state;
	assert_tree("(a)", "a");
	assert_tree("(a or b)", "or{a, b}");
	assert_tree("(a and b and c)", "and{a, b, c}");
	assert_tree("(a >= 1.2 with a < 2)", "with{a >= 1.2, a < 2}");
	assert_tree("(a without b)", "without{a, b}");
	assert_tree("(a if b else c)", "if{a, b, c}");
	assert_tree("( a  unless\tb )", "unless{a, b}");
	assert_tree("(pkgconfig(a) >= 1 or ((b and c) if d(x)(64bit)))",
		"or{pkgconfig(a) >= 1, if{and{b, c}, d(x)(64bit)}}");
	assert_tree("((a))", "a");
	assert_tree("(order and android)", "and{order, android}");
	for (int i = 0; i < RICH_DEPTH_MAX + 1; i++) { /* beside each other, not inside */
		strbuf_addf(&wide, "%s(a)", i ? " and " : "(");
		strbuf_addf(&tree, "%sa", i ? ", " : "and{");
	}
	strbuf_addch(&wide, ')');
	strbuf_addch(&tree, '}');
	assert_tree(wide.buf, tree.buf);
	strbuf_finish(&wide);
	strbuf_finish(&tree);
}

static void broken_rich_dependencies_are_refused_with_the_place(void **state)
{
	(void)state;
	assert_no_tree("()", "a name is missing at \")\"");
	assert_no_tree("(a", "and, or, with, without, if, unless or ) is missing at \"\"");
	assert_no_tree("(a b)", "and, or, with, without, if, unless or ) is missing at \"b)\"");
	assert_no_tree("(a or)", "a name is missing at \")\"");
	assert_no_tree("(a >= )", "a version is missing at \")\"");
	assert_no_tree("(a or b and c)", "two operators need parentheses at \" c)\"");
	assert_no_tree("(a or b c)", "and, or, with, without or ) is missing at \"c)\"");
	assert_no_tree("(a if b or c)", ") is missing at \"or c)\"");
	assert_no_tree("(a if b else )", "a name is missing at \")\"");
	assert_no_tree("(a) b", "text after the last parenthesis at \" b\"");
	assert_no_tree("(a))", "text after the last parenthesis at \")\"");
}

static void rich_dependencies_are_nested_32_deep_and_no_deeper(void **state)
{
	struct strbuf text = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < RICH_DEPTH_MAX; i++)
		strbuf_addstr(&text, "(a or ");
	strbuf_addstr(&text, "b");
	for (int i = 0; i < RICH_DEPTH_MAX; i++)
		strbuf_addstr(&text, ")");
	struct capability need = {text.buf, "", 0, false};
	struct arena *arena = arena_create();

	assert_non_null(rich_parse(arena, &need, NULL));
	strbuf_addstr(&text, ")");
	char *deeper = xasprintf("(a or %s", text.buf);
	need.name = deeper;
	assert_null(rich_parse(arena, &need, NULL));
	free(deeper);
	arena_destroy(arena);
	strbuf_finish(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_are_ordered_as_rpm_orders_them),
		cmocka_unit_test(an_epoch_weighs_more_than_a_version_and_that_more_than_a_release),
		cmocka_unit_test(a_provide_satisfies_what_shares_a_version_with_it),
		cmocka_unit_test(a_capability_is_written_as_in_a_spec),
		cmocka_unit_test(a_capability_is_read_as_it_is_written),
		cmocka_unit_test(what_rpms_provide_is_looked_up_line_by_line),
		cmocka_unit_test(a_name_is_fit_for_a_file_name),
		cmocka_unit_test(rich_dependencies_become_trees),
		cmocka_unit_test(broken_rich_dependencies_are_refused_with_the_place),
		cmocka_unit_test(rich_dependencies_are_nested_32_deep_and_no_deeper),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
