// SPDX-License-Identifier: MIT
/* GET /metrics: the text format of Prometheus. */
#include <dirent.h>
#include <stdio.h>
#include <unistd.h>
#include "apps/builds/views.h"

struct metrics_unit {
	struct http_request *req;
	struct app *app;
	int64_t builds[BUILD_STATUS_COUNT], queue[QUEUE_STATUS_COUNT], disk_free, rss_bytes, fds;
};

/* ---- what blocks, in the unit */

static int64_t resident_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	long long pages = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%*s %lld", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * sysconf(_SC_PAGESIZE);
}

static int64_t open_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int64_t count = -3; /* ".", ".." and dir's own */

	if (!dir)
		return 0;
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

static int metrics_run(struct tx *tx, void *arg)
{
	struct metrics_unit *u = arg;
	int r = build_totals(tx, u->builds);

	u->disk_free = disk_free_bytes(u->app->data_dir);
	u->rss_bytes = resident_bytes();
	u->fds = open_fds();
	return r < 0 ? r : queue_depths(tx, u->queue);
}

/* ---- the text */

static void head(struct strbuf *out, const char *name, const char *type, const char *help)
{
	strbuf_addf(out, "# HELP reqpm_%s %s\n# TYPE reqpm_%s %s\n", name, help, name, type);
}

static void gauge(struct strbuf *out, const char *name, const char *help, int64_t value)
{
	head(out, name, "gauge", help);
	strbuf_addf(out, "reqpm_%s %lld\n", name, (long long)value);
}

static void counter(struct strbuf *out, const char *name, const char *help, uint64_t value)
{
	head(out, name, "counter", help);
	strbuf_addf(out, "reqpm_%s %llu\n", name, (unsigned long long)value);
}

static void put_http(struct strbuf *out, const struct app *app)
{
	struct http_stats s;

	http_server_stats(app->http, &s);
	counter(out, "http_requests_total", "Requests whose head was read.", s.requests);
	counter(out, "http_refused_total", "Requests that were no HTTP, or over a limit.",
		s.refused);
	head(out, "http_responses_total", "counter", "Answers by the first digit of their status.");
	for (size_t i = 1; i < countof(s.by_status); i++)
		strbuf_addf(out, "reqpm_http_responses_total{status=\"%zuxx\"} %llu\n", i,
			(unsigned long long)s.by_status[i]);
	counter(out, "http_connections_total", "Connections that were accepted.",
		s.connections_total);
	gauge(out, "http_connections", "Connections that are open.", (int64_t)s.connections);
}

static void put_ws(struct strbuf *out)
{
	struct ws_stats s;

	ws_stats(&s);
	gauge(out, "ws_connections", "WebSockets that are open.", (int64_t)s.open);
	counter(out, "ws_opened_total", "WebSockets that were opened.", s.opened_total);
	counter(out, "ws_closed_slow_total", "WebSockets whose peer took nothing for too long.",
		s.closed_slow);
	counter(out, "ws_closed_no_pong_total", "WebSockets whose peer answered no ping.",
		s.closed_no_pong);
	counter(out, "ws_frames_sent_total", "Frames that were sent.", s.frames_sent);
	counter(out, "ws_bytes_sent_total", "Bytes that were sent on WebSockets.", s.bytes_sent);
	counter(out, "ws_protocol_errors_total",
		"WebSockets that were closed for breaking the protocol.", s.protocol_errors);
}

static void put_rooms(struct strbuf *out, const struct app *app)
{
	struct rooms_stats s;

	rooms_stats(app->rooms, &s);
	gauge(out, "rooms", "Rooms that are open.", (int64_t)s.rooms);
	gauge(out, "room_viewers", "Viewers in all rooms.", (int64_t)s.viewers);
	gauge(out, "room_ring_bytes", "Bytes of messages that rooms hold.", (int64_t)s.ring_bytes);
	counter(out, "room_messages_total", "Messages that came to rooms.", s.messages);
	counter(out, "room_delivered_total", "Messages that went to viewers.", s.delivered);
	counter(out, "room_snapshots_read_total", "Snapshots that were read from the database.",
		s.snapshots_read);
	counter(out, "room_snapshots_sent_total", "Snapshots that went to viewers.",
		s.snapshots_sent);
	counter(out, "room_resumed_total", "Viewers that went on without a snapshot.", s.resumed);
	counter(out, "room_slow_dropped_total", "Viewers that were too slow.", s.slow_dropped);
	counter(out, "layer_send_failures_total", "Updates that the channel layer did not take.",
		s.send_failures);
}

static void put_counts(struct strbuf *out, const char *name, const char *help,
	const char *const *names, const int64_t *counts, int count)
{
	head(out, name, "gauge", help);
	for (int i = 0; i < count; i++)
		strbuf_addf(out, "reqpm_%s{status=\"%s\"} %lld\n", name, names[i],
			(long long)counts[i]);
}

static void put_all(struct strbuf *out, const struct metrics_unit *u)
{
	const struct app *app = u->app;

	head(out, "build_info", "gauge", "The version that runs.");
	strbuf_addf(out, "reqpm_build_info{version=\"%s\"} 1\n", REQPM_VERSION);
	put_counts(out, "builds", "Builds by status.", build_status_name, u->builds,
		BUILD_STATUS_COUNT);
	put_counts(out, "queue_items", "Packages of active builds by status.", queue_status_name,
		u->queue, QUEUE_STATUS_COUNT);
	gauge(out, "slots", "Packages that may build at once.", app->jobs);
	gauge(out, "store_backlog", "Writes that wait for the database.",
		(int64_t)store_backlog(app->store));
	put_http(out, app);
	put_ws(out);
	put_rooms(out, app);
	gauge(out, "disk_free_bytes", "Free space of the data folder.",
		u->disk_free < 0 ? 0 : u->disk_free);
	gauge(out, "process_resident_memory_bytes", "Memory of the server process.", u->rss_bytes);
	gauge(out, "process_open_fds", "File descriptors of the server process.", u->fds);
	head(out, "process_start_time_seconds", "gauge", "When the server started, in Unix time.");
	strbuf_addf(out, "reqpm_process_start_time_seconds %.3f\n", (double)app->started_at / 1000);
}

static void metrics_done(void *arg, int status)
{
	struct metrics_unit *u = arg;
	struct strbuf text = STRBUF_INIT;

	if (status < 0) {
		answer_error(u->req, status);
		return;
	}
	put_all(&text, u);
	http_reply(u->req, 200, "text/plain; version=0.0.4; charset=utf-8", text.buf, text.len);
	strbuf_finish(&text);
}

void metrics_get(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct metrics_unit *u = http_request_memory(req, sizeof(*u));

	u->req = req;
	u->app = app;
	store_read(app->store, metrics_run, metrics_done, u);
}
