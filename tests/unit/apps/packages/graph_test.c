// SPDX-License-Identifier: MIT
#include "apps/packages/graph.h"
#include "apps/packages/resolve.h"

#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

/* ---- a set in a few words */

#define LEARNED_MAX 8

struct set {
	struct strbuf text;
	struct spec_query query;
	struct graph_package *packages;
	struct graph graph;
	struct {
		const char *package;
		struct provides provides;
	} learned[LEARNED_MAX];
	size_t learned_count;
	const char *excluded; /* a package's name, or NULL */
};

/* "name >= 1.2" as the three last fields of a record. */
static void add_record(struct strbuf *out, char letter, const char *capability)
{
	size_t name = strcspn(capability, " "), sign;

	if (capability[0] == '(')
		name = strlen(capability);
	strbuf_addf(out, "%c\t%.*s\t", letter, (int)name, capability);
	capability += name + strspn(capability + name, " ");
	sign = strcspn(capability, " ");
	strbuf_addf(out, "%.*s\t%s\n", (int)sign, capability,
		capability + sign + strspn(capability + sign, " "));
}

/* needs: "gcc >= 4; ?check" (soft with a question mark). parts: subpackages, each one
 * capability and, in brackets, what it needs: "a-devel = 1 [zlib-devel]; a-libs". */
static void set_add(struct set *set, const char *name, const char *needs, const char *parts)
{
	char *copy = xstrdup(needs), *save;
	struct strbuf hard = STRBUF_INIT;

	strbuf_addf(&set->text, "S\t%s\t0\t1\t1\n", name);
	for (char *n = strtok_r(copy, ";", &save); n; n = strtok_r(NULL, ";", &save)) {
		n += strspn(n, " ");
		add_record(&set->text, 'R', n + (*n == '?'));
		if (*n != '?')
			add_record(&hard, 'H', n);
	}
	free(copy);
	copy = xstrdup(parts);
	for (char *p = strtok_r(copy, ";", &save); p; p = strtok_r(NULL, ";", &save)) {
		char *bracket = strchr(p, '[');

		p += strspn(p, " ");
		if (bracket)
			bracket[-1] = '\0';
		strbuf_addf(&set->text, "P\t%.*s\t0\t1\t1\tnoarch\n", (int)strcspn(p, " "), p);
		add_record(&set->text, 'V', p);
		if (bracket) {
			bracket[strcspn(bracket, "]")] = '\0';
			add_record(&set->text, 'Q', bracket + 1);
		}
	}
	free(copy);
	strbuf_addf(&set->text, "W\n%s", hard.buf);
	strbuf_finish(&hard);
}

/* Of its newest build: an RPM of that name provided these, a JSON array. */
static void set_learn(struct set *set, const char *package, const char *nevra, const char *provides)
{
	struct provides *p = &set->learned[set->learned_count].provides;

	set->learned[set->learned_count++].package = package;
	assert_int_equal(provides_add(p, nevra, provides), 0);
}

static void set_attach_learned(struct set *set, struct graph_package *package)
{
	for (size_t i = 0; i < set->learned_count; i++) {
		if (strcmp(set->learned[i].package, package->name) != 0)
			continue;
		package->learned = set->learned[i].provides.rpms;
		package->learned_count = set->learned[i].provides.count;
	}
}

static void set_build(struct set *set)
{
	struct strbuf err = STRBUF_INIT;

	spec_query_parse(SPEC_QUERY_SPEC, set->text.buf, set->text.len, &set->query, &err);
	assert_string_equal(err.buf, "");
	set->packages = xcalloc(set->query.spec_count, sizeof(*set->packages));
	for (size_t i = 0; i < set->query.spec_count; i++) {
		graph_package_of_spec(&set->query.specs[i], &set->packages[i]);
		set_attach_learned(set, &set->packages[i]);
		set->packages[i].excluded =
			set->excluded && !strcmp(set->excluded, set->packages[i].name);
	}
	assert_int_equal(
		graph_build(set->packages, set->query.spec_count, false, &set->graph, &err), 0);
	strbuf_finish(&err);
}

static void set_finish(struct set *set)
{
	graph_finish(&set->graph);
	free(set->packages);
	spec_query_finish(&set->query);
	strbuf_finish(&set->text);
	for (size_t i = 0; i < set->learned_count; i++)
		provides_finish(&set->learned[i].provides);
	*set = (struct set){.text = STRBUF_INIT};
}

/* All edges of the graph: "a>b:build a>c:soft!" with ! for dropped ones. */
static void assert_edges(const struct set *set, const char *want)
{
	struct strbuf got = STRBUF_INIT;

	for (size_t i = 0; i < set->graph.edge_count; i++) {
		const struct graph_edge *e = &set->graph.edges[i];

		strbuf_addf(&got, "%s%s>%s:%s%s", i ? " " : "", set->graph.nodes[e->from].name,
			set->graph.nodes[e->to].name, edge_kind_name[e->kind],
			e->dropped ? "!" : "");
	}
	assert_string_equal(got.buf, want);
	strbuf_finish(&got);
}

/* "a:gcc >= 4" with ! for a wrong version and * for its own */
static void assert_externals(const struct set *set, const char *want)
{
	struct strbuf got = STRBUF_INIT;

	for (size_t i = 0; i < set->graph.external_count; i++) {
		const struct graph_external *e = &set->graph.externals[i];

		strbuf_addf(&got, "%s%s:", i ? ", " : "", set->graph.nodes[e->package].name);
		capability_format(&got, e->need);
		strbuf_addstr(&got, e->wrong_version ? "!" : e->own ? "*" : "");
	}
	assert_string_equal(got.buf, want);
	strbuf_finish(&got);
}

/* One package "a" with these needs, in a set that provides b, c, d >= each of its own. */
static void assert_need(const char *need, const char *edges, const char *externals)
{
	struct set set = {.text = STRBUF_INIT};

	set_add(&set, "a", need, "a");
	set_add(&set, "b", "", "b = 1.5; b-devel = 1.5; libbee-devel; python3-zope-bee");
	set_add(&set, "c", "", "c = 2; perl-C-Deep; glib2-devel; bee-devel; jre = 17");
	set_add(&set, "d", "", "d = 3; rust-dee; Deq-devel; jre = 11; bee = 9");
	set_build(&set);
	assert_edges(&set, edges);
	assert_externals(&set, externals);
	set_finish(&set);
}

/* ---- who is meant by a need */

static void a_need_is_matched_to_what_subpackages_provide(void **state)
{
	(void)state;
	assert_need("b-devel", "a>b:build", "");
	assert_need("b-devel >= 1.2; c", "a>b:build a>c:build", "");
	assert_need("b; b-devel", "a>b:build", "");
	assert_need("b-devel >= 1.6", "", "a:b-devel >= 1.6!");
	assert_need("gcc; /usr/bin/b", "", "a:gcc, a:/usr/bin/b");
	assert_need("a", "", "a:a*");
	assert_need("?b", "a>b:soft", "");
	assert_need("?b; b-devel", "a>b:build", "");
}

static void of_several_providers_the_highest_version_wins_and_the_others_are_named(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	assert_need("jre", "a>c:build", "");
	assert_need("jre < 17", "a>d:build", "");
	set_add(&set, "a", "jre", "a");
	set_add(&set, "b", "", "jre = 8");
	set_add(&set, "c", "", "jre = 11");
	set_add(&set, "d", "", "jre = 1");
	set_build(&set);
	assert_edges(&set, "a>c:build");
	assert_int_equal(set.graph.edges[0].other_count, 2);
	assert_int_equal(set.graph.edges[0].others[0], 1);
	assert_int_equal(set.graph.edges[0].others[1], 3);
	set_finish(&set);
}

static void what_a_package_provides_itself_makes_no_edge(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "b", "", "jre = 9");
	set_add(&set, "a", "jre; jre > 5", "jre = 1");
	set_build(&set);
	assert_edges(&set, "a>b:build");
	assert_externals(&set, "a:jre*");
	assert_string_equal(set.graph.edges[0].need->version, "5");
	set_finish(&set);
}

static void between_equal_providers_the_one_of_that_name_wins(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	strbuf_addstr(&set.text,
		"S\ta\t0\t1\t1\nR\tx\t\t\nR\ty\t\t\n"
		"S\tb\t0\t1\t1\nP\tb\t0\t1\t1\tnoarch\nV\tb\t\t\nV\tx\t\t\nV\ty\t\t\n"
		"S\tc\t0\t1\t1\nP\tc\t0\t1\t1\tnoarch\nV\ty\t\t\nP\tx\t0\t1\t1\tnoarch\nV\tx\t\t"
		"\n");
	set_build(&set);
	assert_edges(&set, "a>c:build a>b:build");
	set_finish(&set);
}

static void rich_needs_make_edges_to_what_they_ask_for(void **state)
{
	(void)state;
	assert_need("(b and c)", "a>b:build a>c:build", "");
	assert_need("(b and gcc)", "a>b:build", "a:gcc");
	assert_need("(b or c)", "a>b:soft a>c:soft", "");
	assert_need("(gcc or c)", "a>c:build", "");
	assert_need("(gcc or clang)", "", "a:(gcc or clang)");
	assert_need("((b and gcc) or c)", "a>c:build", "");
	assert_need("(jre >= 11 with jre < 17)", "a>d:build", "");
	assert_need("(jre >= 12 with jre < 17)", "", "a:(jre >= 12 with jre < 17)");
	assert_need("(bee-devel without perl-C-Deep)", "a>c:build", "");
	assert_need("(jre without jre > 12)", "a>d:build", "");
	assert_need("(b if c)", "a>b:build", "");
	assert_need("(b if gcc)", "a>b:soft", "");
	assert_need("(clang if gcc)", "", "");
	assert_need("(b if gcc else c)", "a>b:soft a>c:build", "");
	assert_need("(b if d else c)", "a>b:build", "");
	assert_need("(b unless d)", "", "");
	assert_need("(b unless d else c)", "a>c:build", "");
	assert_need("(b unless gcc)", "a>b:build", "");
	assert_need("?(b and c)", "a>b:soft a>c:soft", "");
	assert_need("(b or", "", "a:(b or");
	assert_need("(jre and ((b or gcc) if (c and d)))", "a>c:build a>b:build", "");
}

static void deep_rich_needs_take_no_time(void **state)
{
	struct strbuf need = STRBUF_INIT;

	(void)state;
	for (int i = 0; i < 31; i++)
		strbuf_addstr(&need, "(b or ");
	strbuf_addstr(&need, "(gcc if gcc)");
	for (int i = 0; i < 31; i++)
		strbuf_addstr(&need, ")");
	assert_need(need.buf, "a>b:build", "");
	strbuf_finish(&need);
}

static void names_that_rpm_makes_are_guessed_when_nobody_provides_them(void **state)
{
	(void)state;
	assert_need("pkgconfig(b) >= 1", "a>b:guessed", "");
	assert_need("pkgconfig(bee)", "a>c:guessed", "");
	assert_need("pkgconfig(glib-2.0)", "a>c:guessed", "");
	assert_need("pkgconfig(d)", "a>d:guessed", "");
	assert_need("pkgconfig(zlib)", "", "a:pkgconfig(zlib)");
	assert_need("python3dist(zope.bee[test]) > 1", "a>b:guessed", "");
	assert_need("python3.11dist(zope_bee)", "a>b:guessed", "");
	assert_need("pythonxdist(zope-bee)", "", "a:pythonxdist(zope-bee)");
	assert_need("perl(C::Deep)", "a>c:guessed", "");
	assert_need("perl(C::Deeper)", "", "a:perl(C::Deeper)");
	assert_need("cmake(Deq)", "a>d:guessed", "");
	assert_need("cmake(Bee)", "a>c:guessed", "");
	assert_need("crate(dee/std)", "a>d:guessed", "");
	assert_need("pkgconfig()", "", "a:pkgconfig()");
	assert_need("?pkgconfig(b)", "a>b:soft", "");
	assert_need("(pkgconfig(b) or pkgconfig(zlib))", "a>b:guessed", "");
}

static void guesses_are_tried_from_the_likeliest_on(void **state)
{
	static const char *const gtk[] = {"gtk+-3.0-devel", "libgtk+-3.0-devel", "gtk3-devel",
		"gtk-devel", "libgtk-devel", "gtk+-3.0"};
	struct strbuf name = STRBUF_INIT;

	(void)state;
	for (unsigned i = 0; i < countof(gtk); i++) {
		assert_true(wellknown_name("pkgconfig(gtk+-3.0)", i, &name));
		assert_string_equal(name.buf, gtk[i]);
	}
	assert_false(wellknown_name("pkgconfig(gtk+-3.0)", countof(gtk), &name));
	assert_false(wellknown_name("pkgconfig(gtk", 0, &name));
	assert_false(wellknown_name("gtk", 0, &name));
	strbuf_finish(&name);
}

static void what_is_provided_is_not_guessed(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "a", "pkgconfig(b) = 1; pkgconfig(b) > 7", "a");
	set_add(&set, "b", "", "b-devel");
	set_add(&set, "c", "", "pkgconfig(b) = 1");
	set_build(&set);
	assert_edges(&set, "a>c:build");
	assert_externals(&set, "a:pkgconfig(b) > 7!");
	set_finish(&set);
}

static void of_more_than_256_providers_the_first_count(void **state)
{
	struct set set = {.text = STRBUF_INIT};
	char name[16], provide[32];

	(void)state;
	set_add(&set, "a", "x", "a");
	for (int i = 1; i <= RESOLVE_PROVIDERS_MAX + 1; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		snprintf(provide, sizeof(provide), "x = %d", i);
		set_add(&set, name, "", provide);
	}
	set_build(&set);
	assert_edges(&set, "a>p256:build");
	assert_int_equal(set.graph.edges[0].other_count, RESOLVE_OTHERS_MAX);
	set_finish(&set);
}

/* ---- what must be installed with a need */

static void a_package_waits_for_what_its_needs_need_to_be_installed(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "app", "python3-b", "app");
	set_add(&set, "b", "", "python3-b [python3-c]");
	set_add(&set, "c", "", "python3-c [(python3-d or x)]");
	set_add(&set, "d", "", "python3-d [app]; d-doc [e]");
	set_add(&set, "e", "", "e");
	set_add(&set, "tool", "helper", "tool");
	set_add(&set, "helper", "", "helper [(e if gcc)]");
	set_build(&set);
	assert_edges(&set, "app>b:build app>c:install app>d:install tool>helper:build");
	assert_int_equal(set.graph.nodes[0].level, 1);
	set_finish(&set);
}

static void what_stands_before_a_package_anyway_gets_no_second_edge(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "a", "b-devel", "a");
	set_add(&set, "b", "c-devel", "b-devel [c-devel]");
	set_add(&set, "c", "", "c-devel [d]");
	set_add(&set, "d", "", "d");
	set_build(&set);
	assert_edges(&set, "a>b:build a>d:install b>c:build b>d:install");
	set_finish(&set);
}

static void installing_makes_a_weak_edge_stronger_and_takes_its_kind_from_the_need(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "a", "?c; b; ?d", "a");
	set_add(&set, "b", "", "b [c]");
	set_add(&set, "c", "", "c");
	set_add(&set, "d", "", "d [e]");
	set_add(&set, "e", "", "e");
	set_build(&set);
	assert_edges(&set, "a>c:install a>b:build a>d:soft a>e:soft");
	set_finish(&set);
}

static void needs_of_installing_are_left_out_on_request(void **state)
{
	struct set set = {.text = STRBUF_INIT};
	struct graph plain;

	(void)state;
	set_add(&set, "a", "b", "a");
	set_add(&set, "b", "", "b [c]");
	set_add(&set, "c", "", "c");
	set_build(&set);
	assert_int_equal(set.graph.edge_count, 2);
	assert_int_equal(graph_build(set.packages, 3, true, &plain, NULL), 0);
	assert_int_equal(plain.edge_count, 1);
	graph_finish(&plain);
	set_finish(&set);
}

/* ---- cycles */

static void assert_cycle(const struct set *set, size_t i, const char *want)
{
	struct strbuf got = STRBUF_INIT;

	assert_true(i < set->graph.cycle_count);
	graph_cycle_format(&set->graph, &set->graph.cycles[i], &got);
	assert_string_equal(got.buf, want);
	strbuf_finish(&got);
}

static void a_cycle_is_reported_with_the_need_of_each_edge(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "a", "b-devel >= 1.2", "a");
	set_add(&set, "b", "a", "b-devel = 1.3");
	set_add(&set, "c", "a", "c");
	set_build(&set);
	assert_int_equal(set.graph.cycle_count, 1);
	assert_cycle(&set, 0, "a needs b (b-devel >= 1.2), b needs a (a)");
	assert_int_equal(set.graph.cycles[0].package_count, 2);
	assert_int_equal(set.graph.nodes[2].level, 1);
	set_finish(&set);
}

static void each_knot_is_one_cycle_with_a_shortest_way_round(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "z", "y", "z");
	set_add(&set, "y", "z", "y");
	set_add(&set, "a", "b", "a");
	set_add(&set, "b", "c", "b");
	set_add(&set, "c", "d; a", "c");
	set_add(&set, "d", "e", "d");
	set_add(&set, "e", "a", "e");
	set_build(&set);
	assert_int_equal(set.graph.cycle_count, 2);
	assert_cycle(&set, 0, "z needs y (y), y needs z (z)");
	assert_cycle(&set, 1, "a needs b (b), b needs c (c), c needs a (a)");
	assert_int_equal(set.graph.cycles[1].package_count, 5);
	set_finish(&set);
}

static void a_soft_edge_that_closes_a_cycle_is_dropped(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "a", "b", "a");
	set_add(&set, "b", "?a; ?c", "b");
	set_add(&set, "c", "", "c");
	set_build(&set);
	assert_edges(&set, "a>b:build b>a:soft! b>c:soft");
	assert_int_equal(set.graph.cycle_count, 0);
	assert_int_equal(set.graph.dropped_count, 1);
	assert_int_equal(set.graph.level_count, 3);
	assert_int_equal(set.graph.nodes[1].edge_count, 2);
	assert_int_equal(set.graph.nodes[1].need_count, 1);
	assert_int_equal(set.graph.nodes[1].needs[0], 2);
	set_finish(&set);
}

/* One of them is enough, so the one that needs us back is not waited for. */
static void a_side_of_an_or_that_closes_a_cycle_is_dropped_for_the_other(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "a", "(b or c)", "a");
	set_add(&set, "b", "a", "b");
	set_add(&set, "c", "", "c");
	set_build(&set);
	assert_int_equal(set.graph.cycle_count, 0);
	assert_edges(&set, "a>b:soft! a>c:soft b>a:build");
	assert_int_equal(set.graph.nodes[0].level, 1);
	set_finish(&set);
}

static void what_is_not_built_here_is_asked_for_only_when_nothing_else_provides_it(void **state)
{
	struct set set = {.text = STRBUF_INIT, .excluded = "new"};

	(void)state;
	set_add(&set, "a", "jre; odd", "a");
	set_add(&set, "new", "", "jre = 9; odd = 1");
	set_add(&set, "old", "", "jre = 8");
	set_build(&set);
	assert_edges(&set, "a>old:build a>new:build");
	set_finish(&set);
}

static void of_two_soft_edges_one_is_enough_to_break_a_cycle(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "a", "?b", "a");
	set_add(&set, "b", "?a", "b");
	set_add(&set, "c", "?d", "c");
	set_add(&set, "d", "?c; ?e", "d");
	set_add(&set, "e", "c", "e");
	set_build(&set);
	assert_int_equal(set.graph.dropped_count, 2);
	assert_edges(&set, "a>b:soft! b>a:soft c>d:soft! d>c:soft d>e:soft e>c:build");
	set_finish(&set);
}

static void the_weakest_edges_are_dropped_first(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "a", "pkgconfig(b)", "a");
	set_add(&set, "b", "?a", "b-devel");
	set_build(&set);
	assert_edges(&set, "a>b:guessed b>a:soft!");
	set_finish(&set);
	set_add(&set, "a", "pkgconfig(b)", "a");
	set_add(&set, "b", "a", "b-devel");
	set_build(&set);
	assert_edges(&set, "a>b:guessed! b>a:build");
	set_finish(&set);
	set_add(&set, "a", "b", "a");
	set_add(&set, "b", "", "b [c]");
	set_add(&set, "c", "a", "c");
	set_build(&set);
	assert_edges(&set, "a>b:build a>c:install! c>a:build");
	assert_int_equal(set.graph.cycle_count, 0);
	set_finish(&set);
}

/* ---- what RPMs turned out to provide */

static void what_an_rpm_had_makes_an_edge_where_no_spec_says_anything(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "a", "font(bee) >= 9; b-devel >= 2; ?cmake(x); (gcc or golang(b))", "a");
	set_add(&set, "b", "", "b = 1; b-devel = 1");
	set_learn(&set, "b", "b-devel-1-1.noarch",
		"[\"b-devel = 2\",\"font(bee) = 3\",\"cmake(x)\",\"golang(b)\"]");
	set_build(&set);
	/* Of the same name in a spec the version counts; of what was learned it does not. */
	assert_edges(&set, "a>b:learned");
	assert_externals(&set, "a:b-devel >= 2!");
	set_finish(&set);
}

static void what_an_rpm_had_is_believed_before_a_guess_and_confirms_one(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "a", "pkgconfig(b); perl(C)", "a");
	set_add(&set, "b", "", "b-devel");
	set_add(&set, "c", "", "perl-C");
	set_add(&set, "d", "", "d");
	set_learn(&set, "b", "b-devel-1-1.noarch", "[\"pkgconfig(b) = 1\"]");
	set_learn(&set, "d", "d-1-1.noarch", "[\"perl(C) = 1\"]");
	set_build(&set);
	assert_edges(&set, "a>b:guessed a>d:learned");
	set_finish(&set);
}

static void an_rpm_that_the_spec_does_not_make_any_more_is_forgotten(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "a", "font(bee)", "a");
	set_add(&set, "b", "", "b");
	set_learn(&set, "b", "b-fonts-1-1.noarch", "[\"font(bee)\"]");
	set_build(&set);
	assert_edges(&set, "");
	assert_externals(&set, "a:font(bee)");
	set_finish(&set);
}

static void what_a_package_had_itself_makes_no_edge(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "a", "perl(A::X)", "a");
	set_learn(&set, "a", "a-1-1.noarch", "[\"perl(A::X)\"]");
	set_build(&set);
	assert_edges(&set, "");
	assert_externals(&set, "a:perl(A::X)*");
	set_finish(&set);
}

static void a_learned_edge_is_the_first_to_be_dropped(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "a", "font(bee)", "a");
	set_add(&set, "b", "?a", "b");
	set_learn(&set, "b", "b-1-1.noarch", "[\"font(bee)\"]");
	set_build(&set);
	assert_edges(&set, "a>b:learned! b>a:soft");
	assert_int_equal(set.graph.cycle_count, 0);
	set_finish(&set);
}

static void installing_what_needs_a_learned_name_is_a_learned_edge(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "a", "b", "a");
	set_add(&set, "b", "", "b [font(cee)]");
	set_add(&set, "c", "", "c [d]");
	set_add(&set, "d", "", "d");
	set_learn(&set, "c", "c-1-1.noarch", "[\"font(cee)\"]");
	set_build(&set);
	assert_edges(&set, "a>b:build a>c:learned");
	set_finish(&set);
}

static void soft_edges_inside_a_hard_cycle_do_not_hide_it(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "a", "b; ?c", "a");
	set_add(&set, "b", "a", "b");
	set_add(&set, "c", "a", "c");
	set_build(&set);
	assert_edges(&set, "a>b:build a>c:soft! b>a:build c>a:build");
	assert_int_equal(set.graph.cycle_count, 1);
	assert_cycle(&set, 0, "a needs b (b), b needs a (a)");
	set_finish(&set);
}

/* Random sets: no cycle is left, and no dropped edge could have stayed. */

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static bool is_reachable(const struct graph *g, uint32_t from, uint32_t to, bool *seen)
{
	const struct graph_node *n = &g->nodes[from];

	seen[from] = true;
	for (size_t i = 0; i < n->need_count; i++)
		if (n->needs[i] == to ||
			(!seen[n->needs[i]] && is_reachable(g, n->needs[i], to, seen)))
			return true;
	return false;
}

static void random_sets_lose_no_edge_without_need(void **state)
{
	uint32_t seed = 88172645u;

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct set set = {.text = STRBUF_INIT};
		unsigned n = next_random(&seed) % 12 + 2;

		for (unsigned i = 0; i < n; i++) {
			struct strbuf needs = STRBUF_INIT;
			char name[8];

			for (unsigned k = next_random(&seed) % 4; k; k--) {
				unsigned to = next_random(&seed) % n;
				bool soft = to >= i || next_random(&seed) % 3 == 0;

				strbuf_addf(&needs, "%sp%u;", soft ? "?" : "", to);
			}
			snprintf(name, sizeof(name), "p%u", i);
			set_add(&set, name, needs.buf, name);
			strbuf_finish(&needs);
		}
		set_build(&set);
		assert_int_equal(set.graph.cycle_count, 0);
		for (size_t i = 0; i < set.graph.edge_count; i++) {
			const struct graph_edge *e = &set.graph.edges[i];
			bool seen[16] = {false};

			if (e->dropped)
				assert_true(is_reachable(&set.graph, e->to, e->from, seen));
			else
				assert_true(set.graph.nodes[e->from].level >
					    set.graph.nodes[e->to].level);
		}
		set_finish(&set);
	}
}

/* ---- order */

static void levels_are_the_longest_chains(void **state)
{
	static const uint32_t levels[] = {2, 1, 0, 3, 0};
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "a", "b; c", "a");
	set_add(&set, "b", "c; e", "b");
	set_add(&set, "c", "", "c");
	set_add(&set, "d", "a; e", "d");
	set_add(&set, "e", "gcc", "e");
	set_build(&set);
	for (size_t i = 0; i < countof(levels); i++)
		assert_int_equal(set.graph.nodes[i].level, levels[i]);
	assert_int_equal(set.graph.level_count, 4);
	assert_int_equal(set.graph.nodes[0].need_count, 2);
	assert_int_equal(set.graph.nodes[0].needs[0], 1);
	assert_int_equal(set.graph.nodes[0].needs[1], 2);
	set_finish(&set);
}

static void the_priority_is_the_time_of_the_longest_path_that_waits(void **state)
{
	struct set set = {.text = STRBUF_INIT};

	(void)state;
	set_add(&set, "root", "", "root");
	set_add(&set, "slow", "root", "slow");
	set_add(&set, "quick", "root", "quick");
	set_add(&set, "last", "quick", "last");
	set_build(&set);
	graph_finish(&set.graph);
	set.packages[0].weight_ms = 10;
	set.packages[1].weight_ms = 90000;
	set.packages[3].weight_ms = INT64_MAX;
	assert_int_equal(graph_build(set.packages, 4, false, &set.graph, NULL), 0);
	assert_int_equal(set.graph.nodes[3].priority_ms, GRAPH_WEIGHT_MAX_MS);
	assert_int_equal(
		set.graph.nodes[2].priority_ms, GRAPH_WEIGHT_MAX_MS + GRAPH_WEIGHT_DEFAULT_MS);
	assert_int_equal(set.graph.nodes[1].priority_ms, 90000);
	assert_int_equal(
		set.graph.nodes[0].priority_ms, GRAPH_WEIGHT_MAX_MS + GRAPH_WEIGHT_DEFAULT_MS + 10);
	set_finish(&set);
}

static void a_chain_as_long_as_a_set_is_ordered(void **state)
{
	struct set set = {.text = STRBUF_INIT};
	char name[16], need[16];

	(void)state;
	for (int i = 0; i < PACKAGES_MAX; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		snprintf(need, sizeof(need), "p%d", i + 1);
		set_add(&set, name, need, name);
	}
	set_build(&set);
	assert_int_equal(set.graph.level_count, PACKAGES_MAX);
	assert_int_equal(set.graph.nodes[0].level, PACKAGES_MAX - 1);
	assert_int_equal(set.graph.external_count, 1);
	set_finish(&set);
}

static void sets_that_cannot_be_are_refused(void **state)
{
	struct graph_package twins[] = {{.name = "zlib"}, {.name = "a"}, {.name = "zlib"}};
	struct strbuf err = STRBUF_INIT;
	struct graph graph = {.node_count = 77};

	(void)state;
	assert_int_equal(graph_build(twins, 3, false, &graph, &err), -EEXIST);
	assert_string_equal(err.buf, "two packages are named zlib");
	assert_int_equal(graph_build(twins, PACKAGES_MAX + 1, false, &graph, &err), -E2BIG);
	assert_string_equal(err.buf, "10001 packages, at most 10000 are allowed");
	assert_int_equal(graph.node_count, 77);
	assert_int_equal(graph_build(NULL, 0, false, &graph, &err), 0);
	assert_int_equal(graph.level_count, 0);
	graph_finish(&graph);
	strbuf_finish(&err);
}

static void a_packages_json_is_ordered_too(void **state)
{
	static const char text[] = "{\"packages\":["
				   "{\"name\":\"a\",\"requires\":[\"b\"],\"command\":[\"true\"]},"
				   "{\"name\":\"b\",\"version\":\"2\",\"command\":[\"true\"]}]}";
	struct graph_package packages[2];
	struct packages_json set;
	struct graph graph;

	(void)state;
	assert_int_equal(packages_json_parse(text, strlen(text), &set, NULL), 0);
	for (size_t i = 0; i < set.count; i++)
		graph_package_of_json(&set.packages[i], &packages[i]);
	assert_int_equal(graph_build(packages, 2, false, &graph, NULL), 0);
	assert_int_equal(graph.edge_count, 1);
	assert_int_equal(graph.edges[0].kind, EDGE_BUILD);
	assert_int_equal(graph.nodes[0].level, 1);
	graph_finish(&graph);
	packages_json_finish(&set);
}

static void a_dry_run_is_answered_in_json(void **state)
{
	struct set set = {.text = STRBUF_INIT};
	struct strbuf json = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&json);

	(void)state;
	set_add(&set, "a", "jre >= 8; gcc", "a");
	set_add(&set, "b", "?a; gcc", "jre = 8");
	set_add(&set, "c", "d", "jre = 7; c");
	set_add(&set, "d", "c; b-devel > 2; jre > 9", "d; jre = 8");
	set_build(&set);
	json_begin_object(&w, NULL);
	assert_int_equal(graph_json(&set.graph, &w, NULL), 0);
	json_end_object(&w);
	assert_string_equal(json.buf,
		"{\"levels\":[[\"b\",\"c\",\"d\"],[\"a\"]],"
		"\"edges\":[{\"package\":\"a\",\"needs\":\"b\",\"capability\":\"jre >= "
		"8\",\"kind\":\"build\","
		"\"others\":[\"d\"]},"
		"{\"package\":\"c\",\"needs\":\"d\",\"capability\":\"d\",\"kind\":\"build\"},"
		"{\"package\":\"d\",\"needs\":\"c\",\"capability\":\"c\",\"kind\":\"build\"}],"
		"\"dropped\":[{\"package\":\"b\",\"needs\":\"a\",\"capability\":\"a\",\"kind\":"
		"\"soft\"}],"
		"\"cycles\":[{\"packages\":[\"c\",\"d\"],\"edges\":["
		"{\"package\":\"c\",\"needs\":\"d\",\"capability\":\"d\",\"kind\":\"build\"},"
		"{\"package\":\"d\",\"needs\":\"c\",\"capability\":\"c\",\"kind\":\"build\"}]}],"
		"\"host\":[\"gcc\",\"b-devel > 2\",\"jre > 9\"],"
		"\"external\":[{\"capability\":\"gcc\",\"packages\":[\"a\",\"b\"],\"wrong_"
		"version\":"
		"false},"
		"{\"capability\":\"b-devel > 2\",\"packages\":[\"d\"],\"wrong_version\":false},"
		"{\"capability\":\"jre > 9\",\"packages\":[\"d\"],\"wrong_version\":true}]}");
	strbuf_finish(&json);
	set_finish(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_need_is_matched_to_what_subpackages_provide),
		cmocka_unit_test(
			of_several_providers_the_highest_version_wins_and_the_others_are_named),
		cmocka_unit_test(what_a_package_provides_itself_makes_no_edge),
		cmocka_unit_test(between_equal_providers_the_one_of_that_name_wins),
		cmocka_unit_test(rich_needs_make_edges_to_what_they_ask_for),
		cmocka_unit_test(deep_rich_needs_take_no_time),
		cmocka_unit_test(names_that_rpm_makes_are_guessed_when_nobody_provides_them),
		cmocka_unit_test(guesses_are_tried_from_the_likeliest_on),
		cmocka_unit_test(what_is_provided_is_not_guessed),
		cmocka_unit_test(of_more_than_256_providers_the_first_count),
		cmocka_unit_test(a_package_waits_for_what_its_needs_need_to_be_installed),
		cmocka_unit_test(what_stands_before_a_package_anyway_gets_no_second_edge),
		cmocka_unit_test(
			installing_makes_a_weak_edge_stronger_and_takes_its_kind_from_the_need),
		cmocka_unit_test(needs_of_installing_are_left_out_on_request),
		cmocka_unit_test(a_cycle_is_reported_with_the_need_of_each_edge),
		cmocka_unit_test(each_knot_is_one_cycle_with_a_shortest_way_round),
		cmocka_unit_test(a_soft_edge_that_closes_a_cycle_is_dropped),
		cmocka_unit_test(a_side_of_an_or_that_closes_a_cycle_is_dropped_for_the_other),
		cmocka_unit_test(
			what_is_not_built_here_is_asked_for_only_when_nothing_else_provides_it),
		cmocka_unit_test(of_two_soft_edges_one_is_enough_to_break_a_cycle),
		cmocka_unit_test(what_an_rpm_had_makes_an_edge_where_no_spec_says_anything),
		cmocka_unit_test(what_an_rpm_had_is_believed_before_a_guess_and_confirms_one),
		cmocka_unit_test(an_rpm_that_the_spec_does_not_make_any_more_is_forgotten),
		cmocka_unit_test(what_a_package_had_itself_makes_no_edge),
		cmocka_unit_test(a_learned_edge_is_the_first_to_be_dropped),
		cmocka_unit_test(installing_what_needs_a_learned_name_is_a_learned_edge),
		cmocka_unit_test(the_weakest_edges_are_dropped_first),
		cmocka_unit_test(soft_edges_inside_a_hard_cycle_do_not_hide_it),
		cmocka_unit_test(random_sets_lose_no_edge_without_need),
		cmocka_unit_test(levels_are_the_longest_chains),
		cmocka_unit_test(the_priority_is_the_time_of_the_longest_path_that_waits),
		cmocka_unit_test(a_chain_as_long_as_a_set_is_ordered),
		cmocka_unit_test(sets_that_cannot_be_are_refused),
		cmocka_unit_test(a_packages_json_is_ordered_too),
		cmocka_unit_test(a_dry_run_is_answered_in_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
