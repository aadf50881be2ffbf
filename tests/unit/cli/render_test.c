// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "cli/render.h"

static const struct style ascii = {.utf8 = false}, utf8 = {.utf8 = true}, colored = {.color = true};

static void load(struct model *m, const char *text)
{
	char *json = xstrdup(text);
	json_t *document;

	for (char *c = json; *c; c++)
		if (*c == '\'')
			*c = '"';
	document = json_parse(json, strlen(json), NULL);
	assert_non_null(document);
	model_init(m);
	assert_int_equal(model_apply_document(m, document), MODEL_CHANGED);
	json_decref(document);
	free(json);
}

static const char running[] =
	"{'id':7,'name':'stack','status':'running','total_packages':20,'completed_packages':8,"
	"'failed_packages':2,'building_packages':2,'blocked_packages':3,'waiting_packages':5,"
	"'started_at':'1970-01-01T00:00:10Z','queue_items':["
	"{'id':1,'status':'failed','package':{'name':'glibc','version':'2.43'},'phase':'%check',"
	"'error_line':1204,'error_text':'error: boom','why':'rpmbuild failed',"
	"'started_at':'1970-01-01T00:00:10Z','completed_at':'1970-01-01T00:03:22Z'},"
	"{'id':2,'status':'building','package':{'name':'llvm','version':'21.1'},'phase':'%build',"
	"'worker':'w1','slot':2,'attempt':2,'last_duration_ms':550000,"
	"'started_at':'1970-01-01T00:00:20Z'},"
	"{'id':3,'status':'building','package':{'name':'qt','version':''},"
	"'started_at':'1970-01-01T00:00:15Z'},"
	"{'id':4,'status':'failed','package':{'name':'a','version':'1'},'why':'out of memory'},"
	"{'id':5,'status':'blocked','package':{'name':'b','version':'1'},"
	"'blocked_by':{'id':1,'name':'glibc'}},"
	"{'id':6,'status':'completed','package':{'name':'c','version':'1'},"
	"'started_at':'1970-01-01T00:00:10Z','completed_at':'1970-01-01T00:00:41Z'},"
	"{'id':7,'status':'queued','package':{'name':'d','version':'1'},'why':'worker lost'},"
	"{'id':8,'status':'cancelled','package':{'name':'e','version':'1'}}]}";
#define NOW 250000

static void expect_item(
	const struct model *m, int id, const struct style *style, const char *wanted)
{
	struct strbuf out = STRBUF_INIT;

	render_item(&out, style, m, &m->items[id - 1], NOW);
	assert_string_equal(out.buf, wanted);
	strbuf_finish(&out);
}

static void a_preparing_build_says_how_many_specs_were_read(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct model m;

	(void)state;
	load(&m, "{'id':7,'name':'big','status':'preparing','specs_read':120,'specs_total':5000,"
		 "'queue_items':[]}");
	render_progress(&out, &m, NOW);
	assert_string_equal(out.buf, "preparing, 120 of 5000 specs read");
	strbuf_finish(&out);
	model_finish(&m);
}

static void each_state_is_a_symbol_a_word_and_what_matters(void **state)
{
	struct model m;

	(void)state;
	load(&m, running);
	expect_item(
		&m, 1, &ascii, "x glibc 2.43 failed in %check after 3m12s, line 1204: error: boom");
	expect_item(&m, 2, &ascii, "> llvm 21.1 building on w1, attempt 2");
	expect_item(&m, 3, &utf8, "▸ qt building");
	expect_item(&m, 4, &utf8, "✗ a 1 failed: out of memory");
	expect_item(&m, 5, &ascii, "! b 1 blocked by glibc");
	expect_item(&m, 6, &ascii, "+ c 1 completed in 31s");
	expect_item(&m, 6, &colored, "\033[32m+\033[0m c 1 \033[32mcompleted\033[0m in 31s");
	expect_item(&m, 7, &ascii, "o d 1 queued: worker lost");
	expect_item(&m, 8, &ascii, "- e 1 cancelled");
	model_finish(&m);
}

static void progress_names_what_there_is(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct model m;

	(void)state;
	load(&m, running);
	render_progress(&out, &m, NOW);
	assert_string_equal(out.buf, "running, 8 of 20 done, 2 building, 2 failed, 3 blocked, "
				     "5 waiting, 4m00s");
	strbuf_reset(&out);
	m.cancel_requested = true;
	render_progress(&out, &m, NOW);
	assert_memory_equal(out.buf, "being cancelled, ", 17);
	model_finish(&m);
	load(&m, "{'id':1,'name':'x','status':'preparing','queue_items':[]}");
	strbuf_reset(&out);
	render_progress(&out, &m, NOW);
	assert_string_equal(out.buf, "preparing");
	model_finish(&m);
	strbuf_finish(&out);
}

static void expect_region(const struct style *style, int rows, int columns, const char *wanted)
{
	struct strbuf out = STRBUF_INIT;
	struct model m;

	load(&m, running);
	render_region(&out, style, &m, rows, columns, NOW);
	assert_string_equal(out.buf, wanted);
	model_finish(&m);
	strbuf_finish(&out);
}

static void the_region_shows_how_it_stands_failures_and_what_builds(void **state)
{
	(void)state;
	expect_region(&ascii, 24, 120,
		"build 7 stack  [##########..........] 10/20  2 building  2 failed  3 blocked  "
		"4m00s\n"
		" x a 1 failed  reqpm log 7 a\n"
		" x glibc 2.43 failed  %check  after 3m12s  reqpm log 7 glibc\n"
		" > qt building  3m55s\n"
		" > llvm 21.1 building  %build  3m50s  (last time 9m10s)  w1/2\n"
		"   ... 5 waiting\n");
}

static void the_region_fits_into_any_terminal(void **state)
{
	(void)state;
	/* The newest failure, the longest building, and how many are left out. */
	expect_region(&utf8, 7, 40,
		"build 7 stack  [██████████░░░░░░░░░░] 1\n"
		" ✗ glibc 2.43 failed  %check  after 3m1\n"
		" ▸ qt building  3m55s\n"
		"   ... 1 more building, 5 waiting\n");
	expect_region(&ascii, 1, 1, "b\n");
}

static void long_names_hide_no_state_and_no_hint_is_cut(void **state)
{
	static const struct style named = {.program = "./reqpm.sh", .server = "http://b:1"};
	struct strbuf out = STRBUF_INIT;
	struct model m;

	(void)state;
	load(&m, running);
	for (size_t i = 0; i < m.item_count; i++) {
		free(m.items[i].name);
		m.items[i].name = xasprintf("%0200zu", i);
	}
	free(m.name);
	m.name = xasprintf("%0200d", 1);
	render_region(&out, &ascii, &m, 24, 60, NOW);
	assert_non_null(strstr(out.buf, "build 7 00000000000000000000...  [####"));
	assert_non_null(strstr(out.buf, "\n x 00000000000000000000000000000... 1 failed\n"));
	assert_non_null(strstr(out.buf, "00... building  3m55s\n"));
	model_finish(&m);
	strbuf_finish(&out);
	load(&m, running);
	render_region(&out, &named, &m, 24, 60, NOW);
	assert_non_null(
		strstr(out.buf, "\n x a 1 failed  ./reqpm.sh log 7 a --server http://b:1\n"));
	assert_non_null(strstr(out.buf, "\n x glibc 2.43 failed  %check  after 3m12s\n"));
	model_finish(&m);
	strbuf_finish(&out);
}

static void no_region_is_taller_or_wider_than_its_terminal(void **state)
{
	struct model m;

	(void)state;
	load(&m, running);
	for (int rows = 1; rows < 30; rows++) {
		for (int columns = 2; columns < 100; columns += 7) {
			struct strbuf out = STRBUF_INIT;
			int lines = 0;

			render_region(&out, &ascii, &m, rows, columns, NOW);
			for (char *line = strtok(out.buf, "\n"); line; line = strtok(NULL, "\n")) {
				assert_true((int)strlen(line) < columns);
				lines++;
			}
			assert_true(lines <= (rows > 4 ? rows - 3 : 1));
			strbuf_finish(&out);
		}
	}
	model_finish(&m);
}

static void five_failures_at_most_leave_room_for_what_builds(void **state)
{
	struct strbuf json = STRBUF_INIT, out = STRBUF_INIT;
	struct model m;

	(void)state;
	strbuf_addstr(&json, "{'id':1,'name':'n','status':'running','total_packages':50,"
			     "'building_packages':10,'failed_packages':40,'queue_items':[");
	for (int i = 1; i <= 50; i++)
		strbuf_addf(&json, "%s{'id':%d,'status':'%s','package':{'name':'p%d'}}",
			i > 1 ? "," : "", i, i <= 40 ? "failed" : "building", i);
	strbuf_addstr(&json, "]}");
	load(&m, json.buf);
	render_region(&out, &ascii, &m, 24, 80, NOW);
	assert_null(strstr(out.buf, " p35 "));
	assert_non_null(strstr(out.buf, " p36 "));
	assert_non_null(strstr(out.buf, " p40 "));
	assert_non_null(strstr(out.buf, " p50 building\n"));
	model_finish(&m);
	strbuf_finish(&json);
	strbuf_finish(&out);
}

static void an_eta_is_shown_when_it_is_known(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct model m;

	(void)state;
	load(&m, "{'id':7,'name':'s','status':'running','total_packages':1,'building_packages':1,"
		 "'started_at':'1970-01-01T00:04:00Z','queue_items':[{'id':1,'status':'building',"
		 "'package':{'name':'p'},'last_duration_ms':100000,"
		 "'started_at':'1970-01-01T00:04:00Z'}]}");
	render_region(&out, &ascii, &m, 4, 100, NOW);
	assert_string_equal(
		out.buf, "build 7 s  [....................] 0/1  1 building  10s  ETA ~1m30s\n");
	model_finish(&m);
	strbuf_finish(&out);
}

static void the_end_lists_failures_and_where_to_read_on(void **state)
{
	struct strbuf out = STRBUF_INIT;
	struct model m;

	(void)state;
	load(&m, "{'id':7,'name':'stack','status':'failed','total_packages':3,"
		 "'completed_packages':1,'failed_packages':1,'blocked_packages':1,"
		 "'started_at':'1970-01-01T00:00:10Z','completed_at':'1970-01-01T00:01:10Z',"
		 "'queue_items':[{'id':1,'status':'failed','package':{'name':'glibc'},"
		 "'phase':'%check','error_line':4,'error_text':'error: boom',"
		 "'started_at':'1970-01-01T00:00:10Z','completed_at':'1970-01-01T00:00:12Z'}]}");
	render_end(&out, &ascii, &m, "http://h", NOW);
	assert_string_equal(out.buf,
		"build 7 failed: 1 of 3 packages completed, 1 failed, 1 blocked, in 1m00s\n"
		"  x glibc failed in %check after 2s, line 4: error: boom\n"
		"      reqpm log 7 glibc\n"
		"page: http://h/builds/7\n"
		"repository: http://h/api/builds/7/repo/\n");
	model_finish(&m);
	strbuf_finish(&out);
}

static void many_failures_are_counted_at_the_end(void **state)
{
	struct strbuf json = STRBUF_INIT, out = STRBUF_INIT;
	struct model m;

	(void)state;
	strbuf_addstr(&json, "{'id':1,'name':'n','status':'failed','total_packages':25,"
			     "'failed_packages':25,'queue_items':[");
	for (int i = 1; i <= 25; i++)
		strbuf_addf(&json, "%s{'id':%d,'status':'failed','package':{'name':'p%d'}}",
			i > 1 ? "," : "", i, i);
	strbuf_addstr(&json, "]}");
	load(&m, json.buf);
	render_end(&out, &ascii, &m, "http://h", NOW);
	assert_non_null(strstr(out.buf, "x p20 failed\n"));
	assert_null(strstr(out.buf, "x p21 failed\n"));
	assert_non_null(strstr(out.buf, "  ... and 5 more failed: reqpm show 1\n"));
	/* Nothing was built, so there is no repository. */
	assert_null(strstr(out.buf, "repository"));
	model_finish(&m);
	strbuf_finish(&json);
	strbuf_finish(&out);
}

static void a_plan_names_levels_cycles_and_what_the_host_supplies(void **state)
{
	static const char text[] =
		"{\"levels\":[[\"libtext\",\"libsum\"],[\"textcat\"]],"
		"\"dropped\":[{\"package\":\"a\",\"needs\":\"b\",\"capability\":\"b-devel\"}],"
		"\"cycles\":[[\"x\",\"y\"],{\"edges\":[{\"package\":\"p\",\"needs\":\"q\"}]}],"
		"\"host\":[\"gcc\",\"ma\\u001bke\"]}";
	json_t *plan = json_parse(text, strlen(text), NULL);
	struct strbuf out = STRBUF_INIT;

	(void)state;
	render_plan(&out, plan);
	assert_string_equal(out.buf, "level 0: libtext libsum\n"
				     "level 1: textcat\n"
				     "dropped, because they would close a cycle:\n"
				     "  a needs b (b-devel)\n"
				     "cycle: x, y\n"
				     "cycle: p needs q\n"
				     "the host must supply: gcc, ma?ke\n");
	json_decref(plan);
	strbuf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_preparing_build_says_how_many_specs_were_read),
		cmocka_unit_test(each_state_is_a_symbol_a_word_and_what_matters),
		cmocka_unit_test(progress_names_what_there_is),
		cmocka_unit_test(the_region_shows_how_it_stands_failures_and_what_builds),
		cmocka_unit_test(the_region_fits_into_any_terminal),
		cmocka_unit_test(long_names_hide_no_state_and_no_hint_is_cut),
		cmocka_unit_test(no_region_is_taller_or_wider_than_its_terminal),
		cmocka_unit_test(five_failures_at_most_leave_room_for_what_builds),
		cmocka_unit_test(an_eta_is_shown_when_it_is_known),
		cmocka_unit_test(the_end_lists_failures_and_where_to_read_on),
		cmocka_unit_test(many_failures_are_counted_at_the_end),
		cmocka_unit_test(a_plan_names_levels_cycles_and_what_the_host_supplies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
