// SPDX-License-Identifier: MIT
#include "core/base/log.h"
#include "core/store/ballast.h"
#include "core/store/tx.h"

struct unit {
	struct list link;
	store_run_fn *run;
	store_done_fn *done;
	void *arg;
	int status;
	struct list effects; /* of its commit */
	struct waiter *waiter;
};

struct waiter { /* of a thread that blocks in store_*_wait() */
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool ready;
	int status;
};

struct queue { /* units for one kind of thread, first in, first out */
	pthread_mutex_t lock;
	pthread_cond_t cond;
	struct list urgent; /* before the others */
	struct list units;
	size_t count;
	bool closing;
};

struct worker {
	struct store *store;
	struct queue *queue;
	struct db db;
	bool writes;
	bool started;
	pthread_t thread;
};

struct store {
	struct loop *loop;
	struct queue writes, reads;
	struct worker writer, readers[STORE_READERS];
	struct ballast ballast; /* the writer's */
	char epoch[17]; /* 8 digits; earlier ones made 16 */
};

/* ---- queues */

static void queue_init(struct queue *q)
{
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->cond, NULL);
	list_init(&q->urgent);
	list_init(&q->units);
}

static void queue_finish(struct queue *q)
{
	pthread_mutex_destroy(&q->lock);
	pthread_cond_destroy(&q->cond);
}

static void queue_push(struct queue *q, struct unit *u, bool urgent)
{
	pthread_mutex_lock(&q->lock);
	list_append(urgent ? &q->urgent : &q->units, &u->link);
	q->count++;
	pthread_cond_signal(&q->cond);
	pthread_mutex_unlock(&q->lock);
}

static struct unit *queue_pop(struct queue *q)
{
	struct unit *u = NULL;

	pthread_mutex_lock(&q->lock);
	while (!q->count && !q->closing)
		pthread_cond_wait(&q->cond, &q->lock);
	if (q->count) {
		struct list *units = list_empty(&q->urgent) ? &q->units : &q->urgent;

		u = list_first(units, struct unit, link);
		list_remove(&u->link);
		q->count--;
	}
	pthread_mutex_unlock(&q->lock);
	return u;
}

static void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closing = true;
	pthread_cond_broadcast(&q->cond);
	pthread_mutex_unlock(&q->lock);
}

/* ---- units */

/* Loop: what the commit published, then its completion. */
static void unit_completed(void *arg)
{
	struct unit *u = arg;

	effects_run(&u->effects);
	if (u->done)
		u->done(u->arg, u->status);
	free(u);
}

static void waiter_wake(struct waiter *w, int status)
{
	pthread_mutex_lock(&w->lock);
	w->ready = true;
	w->status = status;
	pthread_cond_signal(&w->cond);
	pthread_mutex_unlock(&w->lock);
}

static int transact(struct worker *w, struct tx *tx, struct unit *u)
{
	const struct db_ops *ops = w->db.ops;
	int r = w->writes ? ops->begin(&w->db) : ops->begin_read(&w->db);

	if (r < 0)
		return r;
	tx_enter(tx);
	r = u->run(tx, u->arg);
	if (r >= 0)
		r = lasts_run(tx);
	lasts_finish(tx);
	tx_enter(NULL);
	if (r >= 0)
		r = ops->commit(&w->db);
	if (r < 0)
		ops->rollback(&w->db);
	return r < 0 ? r : 0;
}

/* ---- room on the disk */

static void take_room(struct worker *w)
{
	w->db.ops->take_room(&w->db, STORE_ROOM_BYTES);
}

/* Where there is enough again, the log may have used up what it had. */
static void before_write(struct worker *w)
{
	if (ballast_make(&w->store->ballast))
		take_room(w);
}

/* That a unit finds too little room itself is no error of the database. */
static void after_write(struct worker *w, int status)
{
	if (status != -ENOSPC || !w->db.error.len || !ballast_drop(&w->store->ballast))
		return;
	log_warn("store: the disk is full: the database takes the room that was kept for a start");
	take_room(w);
}

static void unit_run(struct worker *w, struct unit *u)
{
	struct tx tx = {.store = w->store, .db = &w->db, .writes = w->writes};
	struct waiter *waiter = u->waiter;
	int status;

	list_init(&tx.effects);
	strbuf_reset(&w->db.error);
	if (w->writes)
		before_write(w);
	u->status = transact(w, &tx, u);
	if (w->writes)
		after_write(w, u->status);
	if (u->status < 0) {
		effects_undo(&tx.effects);
		if (w->db.error.len)
			log_error("store: a %s was rolled back: %s", w->writes ? "write" : "read",
				w->db.error.buf);
	}
	while (!list_empty(&tx.effects)) {
		struct list *e = tx.effects.next;

		list_remove(e);
		list_append(&u->effects, e);
	}
	status = u->status;
	loop_post(w->store->loop, unit_completed, u);
	if (waiter)
		waiter_wake(waiter, status);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct unit *u;

	while ((u = queue_pop(w->queue)))
		unit_run(w, u);
	return NULL;
}

static struct unit *unit_create(store_run_fn *run, store_done_fn *done, void *arg)
{
	struct unit *u = xcalloc(1, sizeof(*u));

	u->run = run;
	u->done = done;
	u->arg = arg;
	list_init(&u->effects);
	return u;
}

void store_write(struct store *st, store_run_fn *run, store_done_fn *done, void *arg)
{
	queue_push(&st->writes, unit_create(run, done, arg), false);
}

void store_read(struct store *st, store_run_fn *run, store_done_fn *done, void *arg)
{
	queue_push(&st->reads, unit_create(run, done, arg), false);
}

void store_read_first(struct store *st, store_run_fn *run, store_done_fn *done, void *arg)
{
	queue_push(&st->reads, unit_create(run, done, arg), true);
}

static int wait_for(struct queue *q, store_run_fn *run, void *arg)
{
	struct waiter w = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};
	struct unit *u = unit_create(run, NULL, arg);

	u->waiter = &w;
	queue_push(q, u, false);
	pthread_mutex_lock(&w.lock);
	while (!w.ready)
		pthread_cond_wait(&w.cond, &w.lock);
	pthread_mutex_unlock(&w.lock);
	pthread_mutex_destroy(&w.lock);
	pthread_cond_destroy(&w.cond);
	return w.status;
}

int store_write_wait(struct store *st, store_run_fn *run, void *arg)
{
	return wait_for(&st->writes, run, arg);
}

int store_read_wait(struct store *st, store_run_fn *run, void *arg)
{
	return wait_for(&st->reads, run, arg);
}

/* ---- opening */

static int read_text(const struct row *row, void *arg)
{
	struct strbuf *out = arg;

	strbuf_reset(out);
	strbuf_addstr(out, row_text(row, 0) ? row_text(row, 0) : "");
	return 0;
}

static int migrate_one(struct db *db, const struct store_migration *m)
{
	struct db_value version = {.type = 'i', .i = m->version};
	int r = db->ops->begin(db);

	if (r < 0)
		return r;
	r = db->ops->script(db, m->sql);
	if (r >= 0)
		r = db->ops->run(db, "UPDATE store_meta SET value = $1 WHERE name = 'schema'",
			&version, 1, NULL, NULL);
	if (r >= 0)
		r = db->ops->commit(db);
	if (r < 0)
		db->ops->rollback(db);
	return r;
}

static int migrate(struct store *st, const struct store_config *config, struct strbuf *err)
{
	struct db *db = &st->writer.db;
	struct strbuf text = STRBUF_INIT;
	struct db_value epoch = {.type = 's', .s = st->epoch};
	int version, newest = config->migration_count
				      ? config->migrations[config->migration_count - 1].version
				      : 0;
	int r;

	random_hex(st->epoch, 4);
	r = db->ops->script(db, "CREATE TABLE IF NOT EXISTS store_meta (name TEXT PRIMARY KEY, "
				"value TEXT NOT NULL);"
				"INSERT OR IGNORE INTO store_meta VALUES ('schema', '0')");
	if (r >= 0)
		r = db->ops->run(db, "INSERT OR IGNORE INTO store_meta VALUES ('epoch', $1)",
			&epoch, 1, NULL, NULL);
	if (r >= 0)
		r = db->ops->run(db, "SELECT value FROM store_meta WHERE name = 'epoch'", NULL, 0,
			read_text, &text);
	if (r < 0)
		goto out;
	memcpy(st->epoch, text.buf,
		text.len < sizeof(st->epoch) ? text.len + 1 : sizeof(st->epoch));
	r = db->ops->run(db, "SELECT value FROM store_meta WHERE name = 'schema'", NULL, 0,
		read_text, &text);
	version = atoi(text.buf);
	if (r >= 0 && version > newest) {
		r = err_set(err, -EPROTO,
			"the database %s was written by a newer reqpm (schema %d, this one knows "
			"%d): "
			"start the newer one, or restore a backup",
			config->path, version, newest);
		goto finish;
	}
	for (size_t i = 0; r >= 0 && i < config->migration_count; i++)
		if (config->migrations[i].version > version)
			r = migrate_one(db, &config->migrations[i]);
out:
	if (r < 0)
		err_set(err, r, "the database %s cannot be brought up to date: %s", config->path,
			db->error.buf);
finish:
	strbuf_finish(&text);
	return r < 0 ? r : 0;
}

static int worker_start(
	struct worker *w, struct store *st, const char *path, bool writes, struct strbuf *err)
{
	w->store = st;
	w->writes = writes;
	w->queue = writes ? &st->writes : &st->reads;
	w->db.ops = &db_sqlite;
	return w->db.ops->open(&w->db, path, writes ? DB_WRITER : DB_READER, err);
}

static void worker_run(struct worker *w)
{
	int r = pthread_create(&w->thread, NULL, worker_main, w);

	if (r)
		BUG("no thread: %s", strerror(r));
	w->started = true;
}

static void worker_stop(struct worker *w)
{
	if (w->started)
		pthread_join(w->thread, NULL);
	if (w->db.ops)
		w->db.ops->close(&w->db);
}

struct store *store_open(const struct store_config *config, struct strbuf *err)
{
	struct store *st = xcalloc(1, sizeof(*st));
	int r;

	st->loop = config->loop;
	queue_init(&st->writes);
	queue_init(&st->reads);
	ballast_init(&st->ballast, config->path);
	ballast_make(&st->ballast);
	if (disk_free_bytes(st->ballast.folder) < STORE_ROOM_BYTES && ballast_drop(&st->ballast))
		log_warn("store: the disk is nearly full: the room that was kept for it is used");
	r = worker_start(&st->writer, st, config->path, true, err);
	if (r >= 0)
		r = migrate(st, config, err);
	if (r >= 0)
		take_room(&st->writer);
	for (size_t i = 0; r >= 0 && i < STORE_READERS; i++)
		r = worker_start(&st->readers[i], st, config->path, false, err);
	if (r < 0) {
		store_close(st);
		return NULL;
	}
	worker_run(&st->writer);
	for (size_t i = 0; i < STORE_READERS; i++)
		worker_run(&st->readers[i]);
	return st;
}

void store_close(struct store *st)
{
	if (!st)
		return;
	queue_close(&st->reads);
	for (size_t i = 0; i < STORE_READERS; i++)
		worker_stop(&st->readers[i]);
	queue_close(&st->writes);
	worker_stop(&st->writer);
	loop_run_posted(st->loop);
	queue_finish(&st->reads);
	queue_finish(&st->writes);
	ballast_finish(&st->ballast);
	free(st);
}

const char *store_epoch(const struct store *st)
{
	return st->epoch;
}

size_t store_backlog(const struct store *st)
{
	struct queue *q = (struct queue *)&st->writes;
	size_t count;

	pthread_mutex_lock(&q->lock);
	count = q->count;
	pthread_mutex_unlock(&q->lock);
	return count;
}
