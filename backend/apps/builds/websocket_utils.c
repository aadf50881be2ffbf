// SPDX-License-Identifier: MIT
#include <stdio.h>
#include "apps/builds/models.h"
#include "apps/builds/websocket_utils.h"
#include "core/base/log.h"

static struct store *store;
static struct layer *layer;

struct update { /* a finished message on its way from a transaction to the loop */
	char group[GROUP_NAME_MAX];
	struct msg *message;
};

void websocket_utils_init(struct store *the_store, struct layer *the_layer)
{
	store = the_store;
	layer = the_layer;
}

void build_group(char buf[GROUP_NAME_MAX], int64_t build_job_id)
{
	snprintf(buf, GROUP_NAME_MAX, BUILD_GROUP_PREFIX "%lld", (long long)build_job_id);
}

/* Loop, after the commit. A send that fails was logged and counted; the commit stands, and a heartbeat finds the gap. */
static void update_send(void *arg)
{
	struct update *u = arg;

	group_send(layer, u->group, u->message);
	msg_unref(u->message);
	free(u);
}

static void update_drop(void *arg)
{
	struct update *u = arg;

	msg_unref(u->message);
	free(u);
}

static void append(struct tx *tx, const char *group, struct msg *message)
{
	struct update *u = xcalloc(1, sizeof(*u));

	snprintf(u->group, sizeof(u->group), "%s", group);
	u->message = message;
	tx_on_commit(tx, update_send, update_drop, u);
}

static void message_head(struct json_writer *w, struct tx *tx, const char *type, int64_t seq)
{
	json_begin_object(w, NULL);
	json_put_string(w, "type", type);
	json_put_int(w, "seq", seq);
	json_put_string(w, "epoch", store_epoch(tx_store(tx)));
	json_begin_object(w, "data");
}

struct job_update {
	struct tx *tx;
	bool resync;
};

static void job_text(struct strbuf *text, struct tx *tx, const struct build_job *job,
	void (*fields)(struct json_writer *w, const struct build_job *job))
{
	struct json_writer w = JSON_WRITER(text);

	strbuf_reset(text);
	message_head(&w, tx, "build_update", job->seq);
	fields(&w, job);
	json_end_object(&w);
	json_end_object(&w);
}

/* The room's viewers have the job from a snapshot; in the list's room it may be new. */
static int append_job(const struct build_job *job, void *arg)
{
	struct job_update *u = arg;
	struct strbuf text = STRBUF_INIT;
	struct msg *message;
	char group[GROUP_NAME_MAX];

	job_text(&text, u->tx, job, build_job_changes);
	build_group(group, job->id);
	message = msg_create(0, job->seq, build_status_final(job->status), text.buf, text.len);
	message->resync = u->resync;
	append(u->tx, group, message);
	if (!job->dry_run) {
		job_text(&text, u->tx, job, build_job_fields);
		append(u->tx, BUILDS_GROUP,
			msg_create(job->id, job->seq, false, text.buf, text.len));
	}
	strbuf_finish(&text);
	return 0;
}

struct item_update {
	struct tx *tx;
	int64_t seq;
};

static int append_item(const struct queue_item *item, void *arg)
{
	struct item_update *u = arg;
	struct strbuf text = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&text);
	char group[GROUP_NAME_MAX];

	w.omit_nulls = true;
	message_head(&w, u->tx, "queue_update", u->seq);
	queue_item_changes(&w, item);
	json_end_object(&w);
	json_end_object(&w);
	build_group(group, item->job_id);
	append(u->tx, group, msg_create(0, u->seq, false, text.buf, text.len));
	strbuf_finish(&text);
	return 0;
}

/* The last things in a transaction, so that each object is told of once, as the commit leaves it. What is gone is not told of. */
static int append_update(struct tx *tx, int64_t id, bool resync)
{
	struct job_update u = {.tx = tx, .resync = resync};
	int r = build_job_next_seq(tx, id);

	if (r > 0)
		r = build_job_get(tx, id, append_job, &u);
	return r < 0 ? r : 0;
}

static int update_job(struct tx *tx, int64_t id)
{
	return append_update(tx, id, false);
}

static int update_with_snapshot(struct tx *tx, int64_t id)
{
	return append_update(tx, id, true);
}

static int update_item(struct tx *tx, int64_t id)
{
	struct item_update u = {.tx = tx};
	int r = build_job_next_seq_of_item(tx, id, &u.seq);

	if (r > 0)
		r = queue_item_get(tx, id, append_item, &u);
	return r < 0 ? r : 0;
}

/* ---- what goes */

static int append_removed(const struct build_job *job, void *arg)
{
	struct tx *tx = arg;
	struct strbuf text = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&text);

	if (job->dry_run)
		return 0;
	message_head(&w, tx, "build_removed", job->seq);
	json_put_int(&w, "id", job->id);
	json_end_object(&w);
	json_end_object(&w);
	append(tx, BUILDS_GROUP, msg_create(job->id, job->seq, false, text.buf, text.len));
	strbuf_finish(&text);
	return 0;
}

/* At once, not as one of the last things: then there would be nothing to read. */
int send_build_job_removed(int64_t build_job_id)
{
	struct tx *tx = tx_current();
	int r;

	if (!tx)
		BUG("a job is deleted outside a transaction");
	r = build_job_next_seq(tx, build_job_id);
	if (r > 0)
		r = build_job_get(tx, build_job_id, append_removed, tx);
	return r < 0 ? r : 0;
}

/* ---- with no transaction open: one of their own */

struct own {
	int64_t id;
	tx_last_fn *update;
};

static int own_run(struct tx *tx, void *arg)
{
	struct own *own = arg;

	tx_before_commit(tx, own->update, own->id);
	return 0;
}

static void own_done(void *arg, int status)
{
	struct own *own = arg;

	if (status < 0)
		log_warn("updates: none sent for %lld: %s", (long long)own->id, strerror(-status));
	free(own);
}

static int send_update(int64_t id, tx_last_fn *update)
{
	struct tx *tx = tx_current();
	struct own *own;

	if (tx) {
		tx_before_commit(tx, update, id);
		return 0;
	}
	if (!store)
		return -ENOTCONN;
	own = xmalloc(sizeof(*own));
	*own = (struct own){.id = id, .update = update};
	store_write(store, own_run, own_done, own);
	return 0;
}

int send_build_job_update(int64_t build_job_id)
{
	return send_update(build_job_id, update_job);
}

int send_queue_item_update(int64_t queue_item_id)
{
	return send_update(queue_item_id, update_item);
}

int send_build_job_snapshot(int64_t build_job_id)
{
	if (!tx_current())
		BUG("a snapshot is asked for outside a transaction");
	tx_before_commit(tx_current(), update_with_snapshot, build_job_id);
	return 0;
}
