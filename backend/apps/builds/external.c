// SPDX-License-Identifier: MIT
/*
 * Builds of the `external` builder: somebody else builds the packages and reports each step. There is nothing to read and nothing
 * to run, so one transaction takes the build from its creation to its first ready packages.
 */
#include "apps/builds/tasks.h"
#include "apps/builds/views.h"
#include "apps/packages/graph.h"

struct external_unit {
	struct http_request *req;
	struct app *app;
	struct build_job_new job;
	json_t *body, *packages;
	int64_t id, seq;
	struct strbuf refusal, json;
};

/* Their packages have no command; with one they are what packages.json holds, and are checked as that. */
static int as_packages_json(json_t *packages, struct packages_json *ret, struct strbuf *err)
{
	json_t *root = json_object(), *package;
	char *text;
	size_t i;
	int r;

	json_array_foreach(packages, i, package)
	{
		if (json_is_object(package) && json_object_get(package, "command")) {
			r = err_set(err, -EINVAL,
				"package %zu: \"command\" is not for the builder `external`",
				i + 1);
			goto out;
		}
		if (json_is_object(package))
			json_object_set_new(package, "command", json_pack("[s]", "external"));
	}
	json_object_set(root, "packages", packages);
	text = json_dumps(root, JSON_COMPACT);
	r = packages_json_parse(text, strlen(text), ret, err);
	free(text);
out:
	json_decref(root);
	return r;
}

static void items_free(struct plan_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free((void *)items[i].needs);
	free(items);
}

static struct plan_item *items_of(const struct packages_json *set, const struct graph *graph)
{
	struct plan_item *items = xcalloc(set->count + 1, sizeof(*items));

	for (size_t i = 0; i < set->count; i++) {
		const struct graph_node *node = &graph->nodes[i];
		int *needs = xcalloc(node->need_count + 1, sizeof(*needs));

		for (size_t k = 0; k < node->need_count; k++)
			needs[k] = (int)node->needs[k];
		items[i] = (struct plan_item){
			.package = set->packages[i].name,
			.version = set->packages[i].version,
			.payload = "{}",
			.level = node->level,
			.priority = node->priority_ms,
			.needs = needs,
			.need_count = node->need_count,
		};
	}
	return items;
}

static int store_job(struct tx *tx, struct external_unit *u, const struct plan *plan)
{
	int64_t now = clock_wall_ms();
	bool existed;
	int r = build_job_create(tx, &u->job, now, &u->id, &existed);

	if (r >= 0)
		r = build_job_prepare(tx, u->id, now);
	if (r >= 0)
		r = build_job_plan(tx, u->id, plan, now);
	if (r >= 0)
		r = build_job_document(tx, u->id, &u->json, NULL, &u->seq);
	return r;
}

static int store_ordered(struct tx *tx, struct external_unit *u, const struct packages_json *set,
	const struct graph *graph)
{
	struct strbuf json = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&json);
	struct plan plan = {.count = set->count};
	struct plan_item *items = NULL;
	int r;

	if (graph->cycle_count) {
		strbuf_addstr(&u->refusal,
			"the packages need each other in a circle, so none can be first: ");
		graph_cycle_format(graph, &graph->cycles[0], &u->refusal);
		return -EINVAL;
	}
	json_begin_object(&w, NULL);
	r = graph_json(graph, &w, &u->refusal);
	json_end_object(&w);
	if (r >= 0) {
		items = items_of(set, graph);
		plan.items = items;
		plan.json = json.buf;
		r = store_job(tx, u, &plan);
		items_free(items, set->count);
	}
	strbuf_finish(&json);
	return r;
}

static int external_run(struct tx *tx, void *arg)
{
	struct external_unit *u = arg;
	struct graph_package *packages;
	struct packages_json set;
	struct graph graph;
	int r = check_disk(u->app, 0);

	if (r >= 0)
		r = as_packages_json(u->packages, &set, &u->refusal);
	if (r < 0)
		return r;
	packages = xcalloc(set.count + 1, sizeof(*packages));
	for (size_t i = 0; i < set.count; i++)
		graph_package_of_json(&set.packages[i], &packages[i]);
	r = graph_build(packages, set.count, false, &graph, &u->refusal);
	if (r >= 0) {
		r = store_ordered(tx, u, &set, &graph);
		graph_finish(&graph);
	}
	free(packages);
	packages_json_finish(&set);
	return r;
}

int external_plan_again(struct tx *tx, int64_t old_id, int64_t id, int64_t now)
{
	struct plan_draft d;
	int r;

	plan_draft_init(&d);
	r = plan_from_job(tx, old_id, &d);
	if (r >= 0)
		r = build_job_prepare(tx, id, now);
	if (r >= 0)
		r = build_job_plan(tx, id, &d.plan, now);
	plan_draft_finish(&d);
	return r;
}

/* The texts of one reader serve two callers: here nobody wrote a file. */
static const char *without_file(const char *why)
{
	static const char prefix[] = "packages.json: ";

	return strncmp(why, prefix, strlen(prefix)) ? why : why + strlen(prefix);
}

static void external_done(void *arg, int status)
{
	struct external_unit *u = arg;
	struct strbuf refusal = u->refusal, json = u->json;

	json_decref(u->body);
	if (status >= 0)
		answer_build(u->req, u->app, 201, u->id, u->seq, &json);
	else if (refusal.len)
		http_reply_problem(u->req, 422, "bad-packages", "%s", without_file(refusal.buf));
	else
		answer_error(u->req, status);
	strbuf_finish(&refusal);
	strbuf_finish(&json);
}

void external_post(struct http_request *req, struct app *app, const struct build_job_new *job,
	json_t *packages, json_t *take_root)
{
	struct external_unit *u = http_request_memory(req, sizeof(*u));

	u->req = req;
	u->app = app;
	u->job = *job;
	u->packages = packages;
	u->body = take_root;
	if (!u->job.name)
		u->job.name = "external";
	strbuf_init(&u->refusal);
	strbuf_init(&u->json);
	store_write(app->store, external_run, external_done, u);
}
