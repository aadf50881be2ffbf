// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/model.h"

/* Single quotes stand for double ones. */
static json_t *parse(const char *text)
{
	char *json = xstrdup(text);
	json_t *message;

	for (char *c = json; *c; c++)
		if (*c == '\'')
			*c = '"';
	message = json_parse(json, strlen(json), NULL);
	assert_non_null(message);
	free(json);
	return message;
}

static enum model_result apply(struct model *m, const char *text)
{
	json_t *message = parse(text);
	enum model_result result = model_apply(m, message, 1000);

	json_decref(message);
	return result;
}

#define ITEM(id, status, rest)                                                                     \
	"{'id':" #id ",'status':'" status "','package':{'id':1,'name':'p" #id                      \
	"','version':'1'}" rest "}"
#define SNAPSHOT(seq, epoch, status, items)                                                        \
	"{'type':'build_update','seq':" #seq ",'epoch':'" epoch "','snapshot':true,'data':{"       \
	"'id':7,'name':'stack','status':'" status "','total_packages':2,'completed_packages':0,"   \
	"'error':null,'queue_items':[" items "]}}"
#define JOB(seq, fields) "{'type':'build_update','seq':" #seq ",'epoch':'e','data':{" fields "}}"
#define QUEUE(seq, item) "{'type':'queue_update','seq':" #seq ",'epoch':'e','data':" item "}"

static int start(void **state)
{
	struct model *m = xcalloc(1, sizeof(*m));

	model_init(m);
	assert_int_equal(apply(m, SNAPSHOT(40, "e", "running",
					  ITEM(1, "queued", "") "," ITEM(2, "pending", ""))),
		MODEL_CHANGED);
	*state = m;
	return 0;
}

static int stop(void **state)
{
	model_finish(*state);
	free(*state);
	return 0;
}

static void a_snapshot_gives_the_job_and_its_items(void **state)
{
	struct model *m = *state;

	assert_true(m->known);
	assert_int_equal(m->seq, 40);
	assert_string_equal(m->epoch, "e");
	assert_int_equal(m->id, 7);
	assert_string_equal(m->name, "stack");
	assert_int_equal(m->state, JOB_RUNNING);
	assert_int_equal(m->item_count, 2);
	assert_int_equal(m->items[0].state, ITEM_QUEUED);
	assert_string_equal(m->items[1].name, "p2");
}

static void a_build_update_merges(void **state)
{
	struct model *m = *state;

	assert_int_equal(apply(m, JOB(41, "'completed_packages':1")), MODEL_CHANGED);
	assert_int_equal(m->completed, 1);
	assert_int_equal(m->total, 2);
	assert_string_equal(m->name, "stack");
	assert_int_equal(m->item_count, 2);
	assert_int_equal(m->seq, 41);
}

static void a_queue_update_replaces_one_item(void **state)
{
	struct model *m = *state;

	assert_int_equal(
		apply(m, QUEUE(41, ITEM(2, "failed", ",'why':'no','phase':'%check','slot':2"))),
		MODEL_CHANGED);
	assert_int_equal(m->items[1].state, ITEM_FAILED);
	assert_string_equal(m->items[1].why, "no");
	assert_int_equal(m->items[0].state, ITEM_QUEUED);
	assert_int_equal(apply(m, QUEUE(42, ITEM(2, "queued", ""))), MODEL_CHANGED);
	assert_string_equal(m->items[1].why, "");
	assert_string_equal(m->items[1].phase, "");
	assert_int_equal(m->items[1].slot, 0);
	assert_int_equal(m->item_count, 2);
}

static void an_item_that_is_new_is_added(void **state)
{
	struct model *m = *state;

	assert_int_equal(apply(m, QUEUE(41, ITEM(9, "queued", ""))), MODEL_CHANGED);
	assert_int_equal(m->item_count, 3);
	assert_int_equal(apply(m, QUEUE(42, ITEM(9, "building", ""))), MODEL_CHANGED);
	assert_int_equal(m->item_count, 3);
	assert_int_equal(m->items[2].state, ITEM_BUILDING);
}

static void what_is_older_is_dropped(void **state)
{
	struct model *m = *state;

	assert_int_equal(apply(m, JOB(39, "'status':'pending'")), MODEL_SAME);
	assert_int_equal(apply(m, QUEUE(12, ITEM(1, "failed", ""))), MODEL_SAME);
	assert_int_equal(m->state, JOB_RUNNING);
	assert_int_equal(m->items[0].state, ITEM_QUEUED);
	assert_int_equal(m->seq, 40);
}

static void a_message_without_seq_is_applied_as_it_comes(void **state)
{
	struct model *m = *state;

	assert_int_equal(
		apply(m, "{'type':'build_update','data':{'failed_packages':3}}"), MODEL_CHANGED);
	assert_int_equal(m->failed, 3);
	assert_int_equal(m->seq, 40);
}

static void a_gap_is_not_applied(void **state)
{
	struct model *m = *state;

	assert_int_equal(apply(m, QUEUE(42, ITEM(1, "failed", ""))), MODEL_GAP);
	assert_int_equal(m->items[0].state, ITEM_QUEUED);
	assert_int_equal(m->seq, 40);
}

static void numbers_of_another_epoch_do_not_count(void **state)
{
	struct model *m = *state;

	assert_int_equal(
		apply(m, "{'type':'build_update','seq':41,'epoch':'other','data':{'id':7}}"),
		MODEL_GAP);
	assert_int_equal(
		apply(m, SNAPSHOT(3, "other", "running", ITEM(1, "building", ""))), MODEL_CHANGED);
	assert_int_equal(m->seq, 3);
	assert_string_equal(m->epoch, "other");
}

static void a_snapshot_replaces_everything_but_what_was_shown(void **state)
{
	struct model *m = *state;

	m->items[0].shown = ITEM_BUILDING;
	assert_int_equal(apply(m, SNAPSHOT(60, "e", "running",
					  ITEM(3, "queued", "") "," ITEM(1, "completed", ""))),
		MODEL_CHANGED);
	assert_int_equal(m->item_count, 2);
	assert_int_equal(m->items[0].id, 3);
	assert_int_equal(m->items[1].shown, ITEM_BUILDING);
	/* An older one replaces too: the socket says what holds. */
	assert_int_equal(apply(m, SNAPSHOT(50, "e", "running", "")), MODEL_CHANGED);
	assert_int_equal(m->item_count, 0);
	assert_int_equal(m->seq, 50);
}

static void a_heartbeat_sets_the_clock_and_changes_nothing(void **state)
{
	struct model *m = *state;

	assert_int_equal(apply(m, "{'type':'heartbeat','seq':99,'epoch':'e',"
				  "'now':'1970-01-01T00:00:05Z'}"),
		MODEL_SAME);
	assert_int_equal(m->clock_ahead_ms, 4000);
	assert_int_equal(m->seq, 40);
}

static void kinds_that_are_not_known_are_ignored(void **state)
{
	assert_int_equal(apply(*state, "{'type':'news','seq':41,'data':5}"), MODEL_SAME);
}

static void what_the_protocol_does_not_say_is_strange(void **state)
{
	struct model *m = *state;

	assert_int_equal(apply(m, "{'seq':41}"), MODEL_STRANGE);
	assert_int_equal(apply(m, "{'type':'build_update','seq':41,'data':[]}"), MODEL_STRANGE);
	assert_int_equal(apply(m, QUEUE(41, "{'id':1,'status':'queued'}")), MODEL_STRANGE);
	assert_int_equal(
		apply(m, QUEUE(41, "{'id':0,'status':'x','package':{'name':'a'}}")), MODEL_STRANGE);
	assert_int_equal(apply(m, SNAPSHOT(50, "e", "running", "{'id':1}")), MODEL_STRANGE);
	assert_int_equal(apply(m, "{'type':'build_update','seq':50,'epoch':'e','snapshot':true,"
				  "'data':{'id':7,'status':'running'}}"),
		MODEL_STRANGE);
	assert_int_equal(m->seq, 40);
	assert_int_equal(m->item_count, 2);
}

static void an_update_before_any_snapshot_is_a_gap(void **state)
{
	struct model m;

	(void)state;
	model_init(&m);
	assert_int_equal(apply(&m, JOB(1, "'status':'running'")), MODEL_GAP);
	assert_false(m.known);
	model_finish(&m);
}

static void only_three_states_are_an_end(void **state)
{
	struct model *m = *state;

	assert_int_equal(apply(m, JOB(41, "'status':'building'")), MODEL_CHANGED);
	assert_int_equal(m->state, JOB_UNKNOWN);
	assert_false(model_ended(m));
	apply(m, JOB(42, "'status':'completed'"));
	assert_true(model_ended(m));
	apply(m, JOB(43, "'status':'failed','error':{'detail':'no'}"));
	assert_true(model_ended(m));
	assert_non_null(m->error);
	apply(m, JOB(44, "'status':'cancelled','error':null"));
	assert_true(model_ended(m));
	assert_null(m->error);
}

static void text_is_cleaned_on_its_way_in(void **state)
{
	struct model *m = *state;

	apply(m, QUEUE(41, ITEM(1, "failed", ",'why':'a\\u001b[2Jb','error_text':'x\\ny'")));
	assert_string_equal(m->items[0].why, "a?[2Jb");
	assert_string_equal(m->items[0].error_text, "x y");
}

static void the_document_of_the_api_is_a_snapshot(void **state)
{
	struct model *m = *state;
	json_t *document = parse("{'id':8,'name':'n','status':'completed','seq':5,'epoch':'f',"
				 "'queue_items':[" ITEM(4, "completed", "") "]}");

	assert_int_equal(model_apply_document(m, document), MODEL_CHANGED);
	assert_int_equal(m->id, 8);
	assert_int_equal(m->seq, 5);
	assert_int_equal(m->items[0].state, ITEM_COMPLETED);
	json_decref(document);
}

static void time_runs_by_the_clock_of_the_server(void **state)
{
	struct model *m = *state;

	assert_int_equal(model_elapsed_ms(m, 9000), 0);
	apply(m, JOB(41, "'started_at':'1970-01-01T00:00:10Z'"));
	m->clock_ahead_ms = 5000;
	assert_int_equal(model_elapsed_ms(m, 9000), 4000);
	assert_int_equal(model_elapsed_ms(m, 1000), 0);
	apply(m, JOB(42, "'completed_at':'1970-01-01T00:00:12Z'"));
	assert_int_equal(model_elapsed_ms(m, 90000), 2000);
}

static void the_rest_is_estimated_when_half_of_it_is_known(void **state)
{
	struct model *m = *state;

	assert_int_equal(model_remaining_ms(m, 0), -1);
	apply(m, QUEUE(41, ITEM(1, "building",
				   ",'last_duration_ms':10000,"
				   "'started_at':'1970-01-01T00:00:01Z'")));
	/* 6 s are left of one of two, the other is taken to be like it. */
	assert_int_equal(model_remaining_ms(m, 5000), 12000);
	apply(m, QUEUE(42, ITEM(2, "building",
				   ",'last_duration_ms':10000,"
				   "'started_at':'1970-01-01T00:00:05Z'")));
	assert_int_equal(model_remaining_ms(m, 5000), 10000);
	/* An update that does not say what it took last leaves that as it was. */
	apply(m, QUEUE(43, ITEM(2, "building", ",'started_at':'1970-01-01T00:00:05Z'")));
	assert_int_equal(model_remaining_ms(m, 5000), 10000);
	apply(m, QUEUE(43, ITEM(3, "pending", "")));
	apply(m, QUEUE(44, ITEM(4, "pending", "")));
	apply(m, QUEUE(45, ITEM(5, "pending", "")));
	assert_int_equal(model_remaining_ms(m, 5000), -1);
	apply(m, QUEUE(46, ITEM(1, "building", ",'last_duration_ms':9000000000000000000")));
	assert_int_equal(m->items[0].last_duration_ms, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
	const struct CMUnitTest tests[] = {
		TEST(a_snapshot_gives_the_job_and_its_items),
		TEST(a_build_update_merges),
		TEST(a_queue_update_replaces_one_item),
		TEST(an_item_that_is_new_is_added),
		TEST(what_is_older_is_dropped),
		TEST(a_message_without_seq_is_applied_as_it_comes),
		TEST(a_gap_is_not_applied),
		TEST(numbers_of_another_epoch_do_not_count),
		TEST(a_snapshot_replaces_everything_but_what_was_shown),
		TEST(a_heartbeat_sets_the_clock_and_changes_nothing),
		TEST(kinds_that_are_not_known_are_ignored),
		TEST(what_the_protocol_does_not_say_is_strange),
		TEST(only_three_states_are_an_end),
		TEST(text_is_cleaned_on_its_way_in),
		TEST(the_document_of_the_api_is_a_snapshot),
		TEST(time_runs_by_the_clock_of_the_server),
		TEST(the_rest_is_estimated_when_half_of_it_is_known),
		cmocka_unit_test(an_update_before_any_snapshot_is_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
