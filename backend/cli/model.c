// SPDX-License-Identifier: MIT
#include "cli/model.h"

#include <inttypes.h>
#include <stdio.h>

#define ITEM_KEY_MAX 24
#define DURATION_MAX_MS (30LL * 24 * 3600 * 1000) /* a longer one is not believed */

const char *const item_state_name[ITEM_STATE_COUNT] = {
	[ITEM_PENDING] = "pending",
	[ITEM_QUEUED] = "queued",
	[ITEM_BUILDING] = "building",
	[ITEM_COMPLETED] = "completed",
	[ITEM_FAILED] = "failed",
	[ITEM_BLOCKED] = "blocked",
	[ITEM_CANCELLED] = "cancelled",
	[ITEM_UNKNOWN] = "unknown",
};

const char *const job_state_name[JOB_STATE_COUNT] = {
	[JOB_PENDING] = "pending",
	[JOB_PREPARING] = "preparing",
	[JOB_RUNNING] = "running",
	[JOB_COMPLETED] = "completed",
	[JOB_FAILED] = "failed",
	[JOB_CANCELLED] = "cancelled",
	[JOB_UNKNOWN] = "active",
};

/* ---- reading fields */

static int find_name(const char *const *names, int unknown, const char *name)
{
	for (int i = 0; i < unknown; i++)
		if (name && !strcmp(names[i], name))
			return i;
	return unknown;
}

/* A string of the object, cleaned; "" when it is null, absent or no string. */
static char *clean_string(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	struct strbuf text = STRBUF_INIT;

	if (json_is_string(value))
		text_clean(&text, json_string_value(value), json_string_length(value));
	return strbuf_detach(&text, NULL);
}

static int64_t get_int(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static int64_t get_time(const json_t *object, const char *key)
{
	return text_time(json_string_value(json_object_get(object, key)));
}

/* ---- items */

static void item_finish(struct model_item *item)
{
	free(item->name);
	free(item->version);
	free(item->phase);
	free(item->why);
	free(item->worker);
	free(item->error_text);
	free(item->blocked_by);
}

static void item_read(struct model_item *ret, const json_t *data)
{
	const json_t *package = json_object_get(data, "package");

	*ret = (struct model_item){
		.id = get_int(data, "id"),
		.state = (enum item_state)find_name(item_state_name, ITEM_UNKNOWN,
			json_string_value(json_object_get(data, "status"))),
		.name = clean_string(package, "name"),
		.version = clean_string(package, "version"),
		.phase = clean_string(data, "phase"),
		.why = clean_string(data, "why"),
		.worker = clean_string(data, "worker"),
		.error_text = clean_string(data, "error_text"),
		.blocked_by = clean_string(json_object_get(data, "blocked_by"), "name"),
		.attempt = get_int(data, "attempt"),
		.slot = get_int(data, "slot"),
		.error_line = get_int(data, "error_line"),
		.started_at = get_time(data, "started_at"),
		.completed_at = get_time(data, "completed_at"),
		.last_duration_ms = get_int(data, "last_duration_ms"),
	};
	if (ret->last_duration_ms < 0 || ret->last_duration_ms > DURATION_MAX_MS)
		ret->last_duration_ms = 0;
}

static bool item_is_valid(const json_t *data)
{
	return get_int(data, "id") > 0 && json_is_string(json_object_get(data, "status")) &&
	       json_is_string(json_object_get(json_object_get(data, "package"), "name"));
}

static struct model_item *find_item(struct model *m, int64_t id)
{
	char key[ITEM_KEY_MAX];
	size_t position;

	snprintf(key, sizeof(key), "%" PRId64, id);
	position = (size_t)(uintptr_t)map_get(&m->by_id, key);
	return position ? &m->items[position - 1] : NULL;
}

static struct model_item *add_item(struct model *m, int64_t id)
{
	char key[ITEM_KEY_MAX];

	if (m->item_count == m->item_cap) {
		m->item_cap = m->item_cap ? m->item_cap * 2 : 64;
		m->items = xrealloc(m->items, m->item_cap * sizeof(*m->items));
	}
	snprintf(key, sizeof(key), "%" PRId64, id);
	map_set(&m->by_id, key, (void *)(uintptr_t)(m->item_count + 1));
	return &m->items[m->item_count++];
}

static void free_items(struct model_item *items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		item_finish(&items[i]);
	free(items);
}

/* Takes the item's new state over; one that is not known yet is added, because a job gets its items while it is
 * watched. */
static void put_item(struct model *m, const json_t *data)
{
	struct model_item *item = find_item(m, get_int(data, "id"));
	enum item_state shown = ITEM_PENDING;

	int64_t last_duration_ms = 0; /* said in the snapshot only */

	if (item) {
		shown = item->shown;
		last_duration_ms = item->last_duration_ms;
		item_finish(item);
	} else {
		item = add_item(m, get_int(data, "id"));
	}
	item_read(item, data);
	if (!json_object_get(data, "last_duration_ms"))
		item->last_duration_ms = last_duration_ms;
	item->shown = shown;
}

static void replace_items(struct model *m, const json_t *list)
{
	struct model old = *m;
	const json_t *data;
	size_t i;

	m->items = NULL;
	m->item_count = m->item_cap = 0;
	map_init(&m->by_id);
	json_array_foreach(list, i, data) put_item(m, data);
	for (i = 0; i < old.item_count; i++) {
		struct model_item *item = find_item(m, old.items[i].id);

		if (item)
			item->shown = old.items[i].shown;
	}
	free_items(old.items, old.item_count);
	map_finish(&old.by_id);
}

/* ---- the job */

void model_init(struct model *m)
{
	*m = (struct model){.seq = -1, .name = xstrdup("")};
	map_init(&m->by_id);
}

void model_finish(struct model *m)
{
	free_items(m->items, m->item_count);
	map_finish(&m->by_id);
	json_decref(m->error);
	free(m->name);
}

/* A merge: what data does not have stays. */
static void merge_int(const json_t *data, const char *key, int64_t *ret)
{
	const json_t *value = json_object_get(data, key);

	if (json_is_integer(value))
		*ret = json_integer_value(value);
}

static void merge_time(const json_t *data, const char *key, int64_t *ret)
{
	if (json_object_get(data, key))
		*ret = get_time(data, key);
}

static void merge_bool(const json_t *data, const char *key, bool *ret)
{
	if (json_object_get(data, key))
		*ret = json_is_true(json_object_get(data, key));
}

static void merge_words(struct model *m, const json_t *data)
{
	json_t *error = json_object_get(data, "error");
	const char *status = json_string_value(json_object_get(data, "status"));

	if (json_object_get(data, "name")) {
		free(m->name);
		m->name = clean_string(data, "name");
	}
	if (status)
		m->state = (enum job_state)find_name(job_state_name, JOB_UNKNOWN, status);
	if (!error)
		return;
	json_decref(m->error);
	m->error = json_is_object(error) ? json_incref(error) : NULL;
}

static void merge_job(struct model *m, const json_t *data)
{
	merge_words(m, data);
	merge_int(data, "id", &m->id);
	merge_int(data, "specs_read", &m->specs_read);
	merge_int(data, "specs_total", &m->specs_total);
	merge_int(data, "total_packages", &m->total);
	merge_int(data, "completed_packages", &m->completed);
	merge_int(data, "failed_packages", &m->failed);
	merge_int(data, "building_packages", &m->building);
	merge_int(data, "blocked_packages", &m->blocked);
	merge_int(data, "waiting_packages", &m->waiting);
	merge_int(data, "cancelled_packages", &m->cancelled);
	merge_bool(data, "cancel_requested", &m->cancel_requested);
	merge_bool(data, "dry_run", &m->dry_run);
	merge_time(data, "created_at", &m->created_at);
	merge_time(data, "started_at", &m->started_at);
	merge_time(data, "completed_at", &m->completed_at);
}

/* ---- messages */

static void note_version(struct model *m, const json_t *message)
{
	const char *epoch = json_string_value(json_object_get(message, "epoch"));

	merge_int(message, "seq", &m->seq);
	if (epoch && strlen(epoch) < MODEL_EPOCH_MAX)
		strcpy(m->epoch, epoch);
}

static bool other_epoch(const struct model *m, const json_t *message)
{
	const char *epoch = json_string_value(json_object_get(message, "epoch"));

	return epoch && strcmp(epoch, m->epoch) != 0;
}

static enum model_result apply_snapshot(struct model *m, const json_t *message, const json_t *data)
{
	const json_t *items = json_object_get(data, "queue_items"), *item;
	size_t i;

	if (!json_is_array(items) || !json_is_string(json_object_get(data, "status")))
		return MODEL_STRANGE;
	json_array_foreach(items, i, item) if (!item_is_valid(item)) return MODEL_STRANGE;
	m->seq = -1;
	m->epoch[0] = '\0';
	m->known = true;
	note_version(m, message);
	merge_job(m, data);
	replace_items(m, items);
	return MODEL_CHANGED;
}

/* Is it the next one, or one that has none? */
static enum model_result check_version(const struct model *m, const json_t *message)
{
	const json_t *seq = json_object_get(message, "seq");

	if (!m->known || other_epoch(m, message))
		return MODEL_GAP;
	if (!json_is_integer(seq))
		return MODEL_CHANGED;
	if (json_integer_value(seq) < m->seq)
		return MODEL_SAME;
	return json_integer_value(seq) > m->seq + 1 ? MODEL_GAP : MODEL_CHANGED;
}

static void note_clock(struct model *m, const json_t *message, int64_t wall_ms)
{
	int64_t now = get_time(message, "now");

	if (now)
		m->clock_ahead_ms = now - wall_ms;
}

enum model_result model_apply(struct model *m, const json_t *message, int64_t wall_ms)
{
	const char *type = json_string_value(json_object_get(message, "type"));
	const json_t *data = json_object_get(message, "data");
	bool of_item = type && !strcmp(type, "queue_update");
	enum model_result result;

	if (!type)
		return MODEL_STRANGE;
	if (!strcmp(type, "heartbeat"))
		note_clock(m, message, wall_ms);
	if (!of_item && strcmp(type, "build_update") != 0)
		return MODEL_SAME;
	if (!json_is_object(data))
		return MODEL_STRANGE;
	if (json_is_true(json_object_get(message, "snapshot")))
		return of_item ? MODEL_STRANGE : apply_snapshot(m, message, data);
	if (of_item && !item_is_valid(data))
		return MODEL_STRANGE;
	result = check_version(m, message);
	if (result != MODEL_CHANGED)
		return result;
	if (of_item)
		put_item(m, data);
	else
		merge_job(m, data);
	note_version(m, message);
	return MODEL_CHANGED;
}

enum model_result model_apply_document(struct model *m, const json_t *document)
{
	return apply_snapshot(m, document, document);
}

/* ---- times */

bool model_ended(const struct model *m)
{
	return m->state == JOB_COMPLETED || m->state == JOB_FAILED || m->state == JOB_CANCELLED;
}

static int64_t between(const struct model *m, int64_t from, int64_t to, int64_t wall_ms)
{
	int64_t end = to ? to : wall_ms + m->clock_ahead_ms;

	return from && end > from ? end - from : 0;
}

int64_t model_elapsed_ms(const struct model *m, int64_t wall_ms)
{
	return between(m, m->started_at, m->completed_at, wall_ms);
}

int64_t model_item_elapsed_ms(const struct model *m, const struct model_item *item, int64_t wall_ms)
{
	return between(m, item->started_at, item->completed_at, wall_ms);
}

static int64_t item_remaining(const struct model *m, const struct model_item *item, int64_t wall_ms)
{
	int64_t elapsed = 0;

	if (item->state == ITEM_BUILDING)
		elapsed = model_item_elapsed_ms(m, item, wall_ms);
	return elapsed < item->last_duration_ms ? item->last_duration_ms - elapsed : 0;
}

int64_t model_remaining_ms(const struct model *m, int64_t wall_ms)
{
	int64_t sum = 0, longest = 0, lanes = 0, known = 0, open = 0;
	double share;

	for (size_t i = 0; i < m->item_count; i++) {
		const struct model_item *item = &m->items[i];
		int64_t left = item_remaining(m, item, wall_ms);

		if (item->state > ITEM_BUILDING)
			continue;
		open++;
		lanes += item->state == ITEM_BUILDING;
		known += item->last_duration_ms > 0;
		sum += left;
		if (left > longest)
			longest = left;
	}
	/* With fewer known than not, the answer would be a guess. */
	if (!known || known * 2 < open)
		return -1;
	share = (double)sum / (double)known * (double)open / (double)(lanes ? lanes : 1);
	return share > (double)longest ? (int64_t)share : longest;
}
