// SPDX-License-Identifier: MIT
/*
 * The WebSocket of one package's log: a viewer is a cursor in a file. It reads the next piece when the last one is in the
 * socket, so that a slow viewer costs one piece and a log of any size no more. Live and ended logs are the same: the row of
 * the item says how long the whole is, and when the cursor is there, `log_end` follows.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
#include "apps/builds/logs.h"
#include "apps/builds/views.h"
#include "core/ws/ws.h"

#define RETRY_LEAST_MS 500
#define RETRY_MOST_MS 5000

struct log_row {
	bool final;
	enum queue_status status;
	int64_t size; /* final: of the whole log */
	char sha256[SHA256_HEX_MAX];
};

struct log_viewer {
	struct app *app;
	struct ws_conn *conn; /* NULL: gone */
	struct log_follower follower;
	uv_timer_t heartbeat;
	int64_t item_id;
	int64_t offset, line; /* of what is sent next; line 1-based */
	int64_t known; /* bytes that are known to be in the file */
	int64_t grown; /* loop's: what a follower was told since */
	bool from_offset; /* ?offset= was given */
	bool look_wanted; /* loop's: the row may have changed */
	bool placed; /* offset and line hold */
	bool heartbeat_due; /* loop's */
	struct log_row row;
	struct ws_frame *frame; /* what the socket did not take */
	int refs; /* the connection, the timer, the operation in flight */
	/* While busy, what is not marked as the loop's belongs to the operation on the other thread. */
	bool busy;
	bool reading; /* loop's: busy with a piece, and what comes of it is sent next */
	struct log_read read; /* the slow part of a look */
	struct log_place *place; /* NULL: not begun, or placed */
	struct digest *digest; /* NULL: not begun, or added up */
	uv_work_t work;
	int fd, outcome;
	struct strbuf path, text;
	int64_t next, next_line;
};

static void advance(struct log_viewer *v);

static void viewer_unref(struct log_viewer *v)
{
	if (--v->refs)
		return;
	ws_frame_unref(v->frame);
	log_place_close(v->place);
	digest_destroy(v->digest);
	if (v->fd >= 0)
		close(v->fd);
	strbuf_finish(&v->path);
	strbuf_finish(&v->text);
	free(v);
}

/* ---- the row: is there such an item, has it ended, where is its log */

static int take_row(const struct queue_item *item, void *arg)
{
	struct log_viewer *v = arg;

	if (!v->path.len)
		log_path(&v->path, v->app, item->job_id, item->package);
	v->row = (struct log_row){
		.final = queue_status_final(item->status),
		.status = item->status,
		.size = item->log_size,
	};
	snprintf(v->row.sha256, sizeof(v->row.sha256), "%s",
		item->log_sha256 ? item->log_sha256 : "");
	return 0;
}

/* Blocking: in the unit. Once there is a file, how much of it. */
static int open_file(struct log_viewer *v)
{
	if (v->fd < 0)
		v->fd = open(v->path.buf, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (v->fd < 0)
		return errno == ENOENT ? 0 : -errno;
	v->known = lseek(v->fd, 0, SEEK_END);
	return v->known < 0 ? -errno : 0;
}

static int look_run(struct tx *tx, void *arg)
{
	struct log_viewer *v = arg;
	int r = queue_item_get(tx, v->item_id, take_row, v);

	if (r <= 0)
		return r ? r : -ENOENT;
	return open_file(v);
}

static void look_over(struct log_viewer *v, int status)
{
	v->busy = false;
	if (v->conn && status == -ENOENT)
		ws_close(v->conn, WS_CLOSE_NOT_FOUND, "no such queue item");
	else if (v->conn && status < 0 && status != -ECANCELED)
		ws_close(v->conn, WS_CLOSE_INTERNAL, "the log cannot be read");
	else
		advance(v);
	viewer_unref(v);
}

static bool must_add_up(const struct log_viewer *v)
{
	return v->row.final && !v->row.sha256[0];
}

static void look_done(void *arg, int status)
{
	struct log_viewer *v = arg;

	if (status >= 0 && ((v->fd >= 0 && !v->placed) || must_add_up(v)))
		log_read_start(&v->read);
	else
		look_over(v, status);
}

static void look(struct log_viewer *v)
{
	v->look_wanted = false;
	v->busy = true;
	v->refs++;
	store_read_first(v->app->store, look_run, look_done, v);
}

/* ---- what a look needs of the file: where this viewer begins, sometimes totals. A huge log may have to be walked for it. */

static int find_place(struct log_viewer *v, char *buf)
{
	int64_t from = v->from_offset ? v->offset : LOG_TAIL;
	int r = v->place ? 0 : log_place_open(v->path.buf, from, &v->place);

	if (r >= 0)
		r = log_place_step(v->place, buf, &v->offset, &v->line);
	if (r)
		return r;
	log_place_close(v->place);
	v->place = NULL;
	v->placed = true;
	if (v->known < v->offset)
		v->known = v->offset;
	return 0;
}

/* An item that was cancelled while it waited has no totals in its row, but perhaps the log of an attempt that was lost. */
static int add_up(struct log_viewer *v, char *buf)
{
	ssize_t n = 0;

	if (!v->digest) {
		v->digest = digest_create();
		v->row.size = 0;
	}
	for (size_t turn = 0; v->fd >= 0 && turn < LOG_READ_TURN; turn += (size_t)n) {
		n = pread(v->fd, buf, LOG_READ_BUFFER, v->row.size);
		if (n <= 0)
			break;
		digest_add(v->digest, buf, (size_t)n);
		v->row.size += n;
	}
	if (n)
		return n < 0 ? -errno : 1;
	digest_hex(v->digest, v->row.sha256);
	digest_destroy(v->digest);
	v->digest = NULL;
	return 0;
}

static int file_step(struct log_read *read, char *buf)
{
	struct log_viewer *v = container_of(read, struct log_viewer, read);
	int r = v->fd < 0 || v->placed ? 0 : find_place(v, buf);

	return r || !must_add_up(v) ? r : add_up(v, buf);
}

static void file_forget(struct log_read *read)
{
	struct log_viewer *v = container_of(read, struct log_viewer, read);

	log_place_close(v->place);
	digest_destroy(v->digest);
	v->place = NULL;
	v->digest = NULL;
}

static bool file_given_up(struct log_read *read)
{
	const struct log_viewer *v = container_of(read, struct log_viewer, read);

	return !v->conn || v->app->draining;
}

static void file_done(struct log_read *read, int outcome)
{
	look_over(container_of(read, struct log_viewer, read), outcome);
}

/* ---- a piece of the file */

static bool reaches_end(const struct log_viewer *v, int64_t to)
{
	return v->row.final && to >= v->row.size;
}

static void read_run(uv_work_t *work)
{
	struct log_viewer *v = container_of(work, struct log_viewer, work);
	char *data = xmalloc(LOG_CHUNK_MAX);
	struct strbuf text = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&v->text);
	ssize_t n = pread(v->fd, data, LOG_CHUNK_MAX, v->offset);
	size_t used = 0;

	v->outcome = n < 0 ? -errno : 0;
	strbuf_addch(&text, '"');
	if (n > 0)
		used = json_log_text(&text, data, (size_t)n, reaches_end(v, v->offset + n));
	strbuf_addch(&text, '"');
	v->next = v->offset + (int64_t)used;
	v->next_line = v->line;
	for (size_t i = 0; i < used; i++)
		v->next_line += data[i] == '\n';
	if (used) {
		json_begin_object(&w, NULL);
		json_put_string(&w, "type", "log");
		json_put_int(&w, "offset", v->offset);
		json_put_int(&w, "next", v->next);
		json_put_int(&w, "line", v->line);
		json_put_raw(&w, "data", text.buf);
		json_end_object(&w);
	}
	strbuf_finish(&text);
	free(data);
}

static void read_done(uv_work_t *work, int status)
{
	struct log_viewer *v = container_of(work, struct log_viewer, work);

	(void)status;
	v->busy = v->reading = false;
	if (v->outcome < 0 && v->conn)
		ws_close(v->conn, WS_CLOSE_INTERNAL, "the log cannot be read");
	else if (v->text.len)
		v->frame = ws_frame_create(WS_TEXT, v->text.buf, v->text.len);
	/* Nothing usable: a character or a colour that more bytes will complete. */
	if (v->next == v->offset)
		v->known = v->offset;
	v->offset = v->next;
	v->line = v->next_line;
	/* Its memory, too: most viewers are at the end of a log and wait. */
	strbuf_finish(&v->text);
	advance(v);
	viewer_unref(v);
}

static void read_piece(struct log_viewer *v)
{
	v->busy = v->reading = true;
	v->grown = 0;
	v->refs++;
	uv_queue_work(&v->app->loop->uv, &v->work, read_run, read_done);
}

/* ---- messages */

static struct ws_frame *heartbeat_frame(const struct log_viewer *v, bool retry)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&text);
	struct ws_frame *f;

	json_begin_object(&w, NULL);
	json_put_string(&w, "type", "heartbeat");
	json_put_string(&w, "epoch", store_epoch(v->app->store));
	json_put_time(&w, "now", clock_wall_ms());
	if (retry)
		json_put_int(&w, "retry_ms",
			RETRY_LEAST_MS +
				(int64_t)(random_u64() % (RETRY_MOST_MS - RETRY_LEAST_MS + 1)));
	json_end_object(&w);
	f = ws_frame_create(WS_TEXT, text.buf, text.len);
	strbuf_finish(&text);
	return f;
}

static void send_end(struct log_viewer *v)
{
	struct strbuf text = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&text);
	struct ws_frame *f;

	json_begin_object(&w, NULL);
	json_put_string(&w, "type", "log_end");
	json_put_int(&w, "size", v->row.size);
	json_put_string(&w, "sha256", v->row.sha256);
	json_put_string(&w, "status", queue_status_name[v->row.status]);
	json_end_object(&w);
	f = ws_frame_create(WS_TEXT, text.buf, text.len);
	ws_close_after(v->conn, f, WS_CLOSE_NORMAL, "finished");
	ws_frame_unref(f);
	strbuf_finish(&text);
}

static void send_away(struct log_viewer *v, uint16_t code, const char *reason)
{
	struct ws_frame *last = heartbeat_frame(v, true);

	ws_close_after(v->conn, last, code, reason);
	ws_frame_unref(last);
}

/* False: the socket is full. */
static bool send_waiting(struct log_viewer *v)
{
	if (!v->frame && v->heartbeat_due) {
		v->heartbeat_due = false;
		v->frame = heartbeat_frame(v, false);
	}
	if (v->frame && !ws_send(v->conn, &v->frame, 1))
		return false;
	ws_frame_unref(v->frame);
	v->frame = NULL;
	return ws_writable(v->conn);
}

/* The next step, if none is under way and the socket takes more. */
static void advance(struct log_viewer *v)
{
	if (!v->conn || v->reading || !ws_writable(v->conn) || !send_waiting(v) || v->busy)
		return;
	if (v->grown && v->fd < 0)
		v->look_wanted = true;
	else if (v->grown > v->known)
		v->known = v->grown;
	v->grown = 0;
	/* What has ended does not change any more. */
	if (v->look_wanted && !v->row.final)
		look(v);
	else if (v->fd >= 0 && v->offset < v->known)
		read_piece(v);
	else if (v->row.final)
		send_end(v);
}

/* ---- what happens to it */

static void on_grew(struct log_follower *f, int64_t size)
{
	struct log_viewer *v = container_of(f, struct log_viewer, follower);

	v->grown = size;
	advance(v);
}

static void on_ended(struct log_follower *f)
{
	struct log_viewer *v = container_of(f, struct log_viewer, follower);

	v->look_wanted = true;
	advance(v);
}

static void on_going_away(struct log_follower *f)
{
	struct log_viewer *v = container_of(f, struct log_viewer, follower);

	send_away(v, WS_CLOSE_RESTART, "restarting");
}

/* An item may also end without an attempt, cancelled or blocked: so the row is looked at, too. */
static void on_heartbeat(uv_timer_t *timer)
{
	struct log_viewer *v = timer->data;

	v->heartbeat_due = true;
	v->look_wanted = true;
	advance(v);
}

static void on_timer_closed(uv_handle_t *handle)
{
	viewer_unref(handle->data);
}

static void on_writable(struct ws_conn *c)
{
	advance(ws_data(c));
}

static void on_stalled(struct ws_conn *c, bool frame_begun)
{
	if (frame_begun)
		ws_reset(c);
	else
		send_away(ws_data(c), WS_CLOSE_TRY_LATER, "too slow");
}

static void on_closed(struct ws_conn *c, uint16_t code)
{
	struct log_viewer *v = ws_data(c);

	(void)code;
	v->conn = NULL;
	log_unfollow(&v->follower);
	uv_close((uv_handle_t *)&v->heartbeat, on_timer_closed);
	viewer_unref(v);
}

static const struct ws_handlers handlers = {
	.on_writable = on_writable,
	.on_stalled = on_stalled,
	.on_closed = on_closed,
};

/* ---- joining */

static struct log_viewer *viewer_create(struct app *app, int64_t item_id, const char *offset)
{
	struct log_viewer *v = xcalloc(1, sizeof(*v));

	v->app = app;
	v->item_id = item_id;
	v->line = 1;
	v->read = (struct log_read){
		.app = app,
		.step = file_step,
		.forget = file_forget,
		.given_up = file_given_up,
		.done = file_done,
	};
	v->fd = -1;
	v->refs = 2;
	v->look_wanted = true;
	v->from_offset = offset && (!strcmp(offset, "0") || !id_parse(offset, &v->offset));
	v->follower = (struct log_follower){
		.item_id = item_id,
		.grew = on_grew,
		.ended = on_ended,
		.going_away = on_going_away,
	};
	list_init(&v->follower.link);
	strbuf_init(&v->path);
	strbuf_init(&v->text);
	uv_timer_init(&app->loop->uv, &v->heartbeat);
	v->heartbeat.data = v;
	return v;
}

static void join(struct http_request *req, struct app *app, int64_t item_id)
{
	struct log_viewer *v = viewer_create(app, item_id, http_query(req, "offset"));

	v->conn = ws_accept(req, app->loop, &handlers, v);
	if (!v->conn) {
		uv_close((uv_handle_t *)&v->heartbeat, on_timer_closed);
		viewer_unref(v);
		return;
	}
	if (app->draining) {
		send_away(v, WS_CLOSE_RESTART, "restarting");
		return;
	}
	/* First, so that nothing is missed between the look and its answer. */
	log_follow(app->logs, &v->follower);
	uv_timer_start(&v->heartbeat, on_heartbeat, ROOM_HEARTBEAT_MS, ROOM_HEARTBEAT_MS);
	advance(v);
}

void build_log_consumer(struct http_request *req, void *arg)
{
	struct app *app = arg;
	int64_t id;

	if (!upgrade_may_read(req, app))
		ws_refuse(req, app->loop, WS_CLOSE_NOT_SIGNED_IN, "not signed in");
	else if (id_parse(http_param(req, "id"), &id) < 0)
		ws_refuse(req, app->loop, WS_CLOSE_NOT_FOUND, "no such queue item");
	else
		join(req, app, id);
}
