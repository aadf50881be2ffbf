// SPDX-License-Identifier: MIT
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>
#include "apps/builds/app.h"
#include "apps/builds/logs.h"
#include "apps/builds/websocket_utils.h"
#include "apps/repositories/repositories.h"
#include "cli/cli.h"
#include "core/base/log.h"
#include "core/base/options.h"
#include "serve.h"

#define PORT_DEFAULT 8000
#define MAX_UPLOAD_DEFAULT (4LL << 30)
#define DISK_FLOOR_DEFAULT (512LL << 20)
#define EXPIRE_MS (10 * 60 * 1000)
#define DAY_MS (24LL * 3600 * 1000)

struct settings {
	int64_t port, jobs, max_upload, max_log, disk_floor, keep_days;
	const char *data_dir, *static_dir, *user, *log_path, *worker_log_path, *database_url,
		*redis_url;
	struct option_list bind, public_urls, provides;
	bool public_read;
};

struct server {
	struct settings settings;
	struct loop loop;
	struct keeper keeper;
	struct app app;
	struct strbuf token, address;
	uv_signal_t terminate, interrupt;
	uv_timer_t expire;
	int draining; /* parts that are still at it */
};

/* ---- settings */

static int processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : (n > SLOTS_MAX ? SLOTS_MAX : (int)n);
}

/* -1: REQPM_PORT is no port. */
static int64_t port_from_environment(void)
{
	const char *text = environment("REQPM_PORT");
	int64_t port;

	if (!text)
		return PORT_DEFAULT;
	return parse_id(text, &port) == 0 && port <= 65535 ? port : -1;
}

static int parse_settings(struct settings *s, int argc, char **argv, struct strbuf *err)
{
	const struct option_spec specs[] = {
		{"port", OPTION_INT, &s->port, "PORT", "TCP port (REQPM_PORT, else 8000)", 0,
			65535},
		{"bind", OPTION_LIST, &s->bind, "ADDRESS",
			"address to listen on, repeatable (default: loopback)", 0, 0},
		{"data-dir", OPTION_STRING, &s->data_dir, "DIR",
			"database, logs of builds, results (REQPM_DATA_DIR)", 0, 0},
		{"jobs", OPTION_INT, &s->jobs, "N", "packages built at once (default: processors)",
			1, SLOTS_MAX},
		{"static-dir", OPTION_STRING, &s->static_dir, "DIR", "serve the page from here", 0,
			0},
		{"public-url", OPTION_LIST, &s->public_urls, "URL",
			"address that browsers use, repeatable", 0, 0},
		{"public-read", OPTION_FLAG, &s->public_read, NULL,
			"anybody who can reach the server may read", 0, 0},
		{"max-upload", OPTION_SIZE, &s->max_upload, "SIZE",
			"largest file that is taken (default 4G)", 0, 0},
		{"max-log", OPTION_SIZE, &s->max_log, "SIZE",
			"a package whose log grows past it fails (1G)", 0, 0},
		{"disk-floor", OPTION_SIZE, &s->disk_floor, "SIZE",
			"take and begin nothing below this free space (512M)", 0, 0},
		{"keep-builds", OPTION_INT, &s->keep_days, "DAYS",
			"delete builds this long after their end (default: never)", 1, 36500},
		{"user", OPTION_STRING, &s->user, "NAME", "whom root becomes (default: reqpm)", 0,
			0},
		{"provide", OPTION_LIST, &s->provides, "CAPABILITY",
			"what this host supplies to builds besides", 0, 0},
		{"log-file", OPTION_STRING, &s->log_path, "FILE",
			"the server's log (default: stderr)", 0, 0},
		{"worker-log-file", OPTION_STRING, &s->worker_log_path, "FILE",
			"what the workers did", 0, 0},
		{"database-url", OPTION_STRING, &s->database_url, "URL",
			"not in this version: SQLite is built in", 0, 0},
		{"redis-url", OPTION_STRING, &s->redis_url, "URL",
			"not in this version: one process serves all", 0, 0},
	};
	int positional = 0, r;

	*s = (struct settings){
		.port = port_from_environment(),
		.jobs = processors(),
		.max_upload = MAX_UPLOAD_DEFAULT,
		.max_log = LOG_SIZE_MAX,
		.disk_floor = DISK_FLOOR_DEFAULT,
		.database_url = environment("REQPM_DATABASE_URL"),
		.redis_url = environment("REQPM_REDIS_URL"),
	};
	r = options_parse(specs, countof(specs), argc - 1, argv + 1, &positional, err);
	if (r == -ECANCELED) {
		printf("usage: reqpm serve [OPTION…]\n\n");
		options_print(specs, countof(specs));
	}
	if (r >= 0 && positional > 0)
		return err_set(err, -EINVAL, "serve takes no argument, but got %s", argv[1]);
	return r;
}

static bool is_loopback(const char *address)
{
	return strcmp(address, "localhost") == 0 || strncmp(address, "127.", 4) == 0 ||
	       strcmp(address, "::1") == 0;
}

static int check_settings(const struct settings *s, struct strbuf *err)
{
	if (s->port < 0)
		return err_set(err, -EINVAL, "REQPM_PORT must be a number between 1 and 65535");
	if (s->database_url)
		return err_set(err, -EINVAL,
			"PostgreSQL (--database-url, REQPM_DATABASE_URL) is not in this version: "
			"leave it "
			"out to use the built-in SQLite database in the data folder");
	if (s->redis_url)
		return err_set(err, -EINVAL,
			"Redis (--redis-url, REQPM_REDIS_URL) is not in this version: leave it "
			"out, one "
			"process carries all updates itself");
	for (int i = 0; i < s->bind.count && !s->public_urls.count; i++)
		if (!is_loopback(s->bind.values[i]))
			return err_set(err, -EINVAL,
				"--bind %s lets other machines in, but by no name that the server "
				"would answer to: add --public-url http://NAME:PORT, as browsers "
				"will write it",
				s->bind.values[i]);
	return 0;
}

/* ---- the data folder */

/* The path becomes absolute, because others are told it. */
static int make_data_dir(struct settings *s, struct strbuf *err)
{
	int r = dir_create(s->data_dir, 0711, err);
	char *path;

	if (r < 0)
		return r;
	path = realpath(s->data_dir, NULL);
	if (!path)
		return err_set(err, -errno, "the data folder %s cannot be found: %s", s->data_dir,
			strerror(errno));
	s->data_dir = path; /* lives as long as the process */
	return 0;
}

static int load_token(struct server *s, struct strbuf *err)
{
	char *path = xasprintf("%s/token", s->settings.data_dir);
	char fresh[65];
	int r = file_read(path, 1024, &s->token, NULL);

	while (s->token.len && s->token.buf[s->token.len - 1] == '\n')
		strbuf_setlen(&s->token, s->token.len - 1);
	if (r == -ENOENT || (r >= 0 && !s->token.len)) {
		random_hex(fresh, 32);
		strbuf_addstr(&s->token, fresh);
		strbuf_addch(&s->token, '\n');
		r = file_write_atomic(path, s->token.buf, s->token.len, 0600, err);
		strbuf_setlen(&s->token, s->token.len - 1);
	} else if (r < 0) {
		err_set(err, r, "the token %s cannot be read: %s", path, strerror(-r));
	}
	free(path);
	return r < 0 ? r : 0;
}

/* ---- opening, in the order of the flow */

/* Before privileges go: a checkout below /root is closed to whom the server becomes. */
static int open_logs(const struct settings *set, struct log_file **ret_worker, struct strbuf *err)
{
	struct log_file *worker = NULL, *lf = NULL;

	if (set->worker_log_path && !(worker = log_file_open(set->worker_log_path, err)))
		return -EIO;
	if (set->log_path && !(lf = log_file_open(set->log_path, err))) {
		log_file_close(worker);
		return -EIO;
	}
	log_use(lf);
	*ret_worker = worker;
	return 0;
}

static int open_store(struct server *s, struct strbuf *err)
{
	char *path = xasprintf("%s/reqpm.db", s->settings.data_dir);
	struct store_config config = {
		.loop = &s->loop,
		.path = path,
		.migrations = builds_migrations,
		.migration_count = builds_migration_count,
	};

	s->app.store = store_open(&config, err);
	free(path);
	return s->app.store ? 0 : -EIO;
}

static int open_rooms(struct server *s, struct strbuf *err)
{
	struct room_source source = builds_room_source(&s->app);

	s->app.layer = layer_open(&s->loop, NULL, err);
	if (!s->app.layer)
		return -EIO;
	websocket_utils_init(s->app.store, s->app.layer);
	s->app.rooms = rooms_create(&s->loop, s->app.layer, &source, store_epoch(s->app.store));
	return 0;
}

/* Viewers are descriptors. The limit that may be had without asking is taken before the server reads it. */
static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int listen_all(struct server *s, struct strbuf *err)
{
	struct settings *set = &s->settings;
	int r = 0;

	if (!set->bind.count)
		return http_server_listen(s->app.http, "localhost", (int)set->port, err);
	for (int i = 0; r >= 0 && i < set->bind.count; i++)
		r = http_server_listen(s->app.http, set->bind.values[i],
			i ? http_server_port(s->app.http) : (int)set->port, err);
	return r;
}

/* As browsers and terminals are told it: where there is no --public-url all that is bound is loopback. */
static void name_address(struct server *s, int port)
{
	const struct settings *set = &s->settings;
	const char *bound = set->bind.count ? set->bind.values[0] : "localhost";

	if (set->public_urls.count)
		strbuf_addstr(&s->address, set->public_urls.values[0]);
	else if (strcmp(bound, "localhost") == 0)
		strbuf_addf(&s->address, "http://127.0.0.1:%d", port);
	else
		strbuf_addf(&s->address, strchr(bound, ':') ? "http://[%s]:%d" : "http://%s:%d",
			bound, port);
	s->app.address = s->address.buf;
}

static int open_http(struct server *s, struct strbuf *err)
{
	struct http_config config = {
		.loop = &s->loop,
		.routes = builds_routes,
		.route_count = builds_route_count,
		.guard = builds_guard,
		.fallback = builds_fallback,
		.app = &s->app,
	};
	struct access_config access = {
		.public_urls = (char **)s->settings.public_urls.values,
		.public_url_count = (size_t)s->settings.public_urls.count,
		.bound = (char **)s->settings.bind.values,
		.bound_count = (size_t)s->settings.bind.count,
		.public_read = s->settings.public_read,
		.token = s->token.buf,
	};
	int r;

	if (s->settings.static_dir) {
		s->app.static_dir = static_dir_open(s->settings.static_dir, err);
		if (!s->app.static_dir)
			return -ENOENT;
	}
	raise_descriptor_limit();
	s->app.http = http_server_create(&config);
	r = listen_all(s, err);
	if (r < 0)
		return r;
	access.port = http_server_port(s->app.http);
	s->app.access = access_create(&access, err);
	if (!s->app.access)
		return -EINVAL;
	name_address(s, access.port);
	return 0;
}

/* ---- ending */

static void stop(void *arg)
{
	struct server *s = arg;

	loop_stop(&s->loop);
}

/* The last HTTP connections may have become WebSockets meanwhile. They end in this turn, the loop in the next. */
static void part_drained(void *arg)
{
	struct server *s = arg;

	if (--s->draining)
		return;
	ws_reset_all();
	loop_post(&s->loop, stop, s);
}

/* Only then has the last build asked for anything. */
static void builds_drained(void *arg)
{
	struct server *s = arg;

	s->draining++;
	rpm_env_drain(s->app.rpm, part_drained, s);
	repositories_drain(s->app.repositories, part_drained, s);
}

static void on_signal(uv_signal_t *handle, int signum)
{
	struct server *s = handle->data;

	if (s->app.draining)
		return;
	log_info("server: signal %d: draining", signum);
	s->app.draining = true;
	s->draining = 4;
	http_server_drain(s->app.http, part_drained, s);
	logs_drain(s->app.logs);
	rooms_drain(s->app.rooms, part_drained, s);
	ws_drain(&s->loop, part_drained, s);
	tasks_drain(s->app.tasks, builds_drained, s);
}

static void on_expire(uv_timer_t *timer)
{
	struct server *s = timer->data;

	builds_expire_start(&s->app);
}

static void watch_signals(struct server *s)
{
	signal(SIGPIPE, SIG_IGN);
	uv_signal_init(&s->loop.uv, &s->terminate);
	uv_signal_init(&s->loop.uv, &s->interrupt);
	uv_timer_init(&s->loop.uv, &s->expire);
	s->terminate.data = s->interrupt.data = s->expire.data = s;
	uv_signal_start(&s->terminate, on_signal, SIGTERM);
	uv_signal_start(&s->interrupt, on_signal, SIGINT);
	uv_timer_start(&s->expire, on_expire, 0, EXPIRE_MS);
}

static void close_all(struct server *s)
{
	store_close(s->app.store);
	tasks_destroy(s->app.tasks);
	http_server_destroy(s->app.http);
	if (s->app.rooms)
		rooms_destroy(s->app.rooms);
	logs_destroy(s->app.logs);
	if (s->app.layer)
		layer_close(s->app.layer);
	repositories_close(s->app.repositories);
	rpm_env_close(s->app.rpm);
	if (s->app.sandbox)
		sandbox_close(s->app.sandbox);
	loop_finish(&s->loop);
	access_destroy(s->app.access);
	static_dir_close(s->app.static_dir);
	log_file_close(s->app.worker_log);
	strbuf_finish(&s->token);
	strbuf_finish(&s->address);
}

/* Nobody who sets the floor lower wants more to be left free. */
static struct logs *open_build_logs(struct server *s)
{
	int64_t floor = s->settings.disk_floor;

	return logs_create(
		&s->loop, s->settings.max_log, floor < LOG_DISK_RESERVE ? floor : LOG_DISK_RESERVE);
}

static int open_all(struct server *s, struct strbuf *err)
{
	int r = load_token(s, err);

	if (r >= 0)
		r = open_store(s, err);
	if (r >= 0)
		r = open_rooms(s, err);
	if (r < 0)
		return r;
	s->app.logs = open_build_logs(s);
	s->app.sandbox = sandbox_open(
		&s->loop, &s->keeper, s->settings.data_dir, (int)s->settings.jobs + 1, err);
	if (!s->app.sandbox)
		return -EIO;
	s->app.rpm = rpm_env_open(
		&s->loop, s->app.sandbox, s->settings.data_dir, s->settings.provides.values, err);
	if (!s->app.rpm)
		return -EIO;
	s->app.repositories = repositories_open(&s->loop, s->app.sandbox);
	r = open_http(s, err);
	if (r < 0)
		return r;
	s->app.tasks = tasks_start(&s->app, err);
	return s->app.tasks ? 0 : -EIO;
}

static void announce(const struct server *s)
{
	log_info("server: reqpm %s serves %s, data in %s, %lld slots", REQPM_VERSION,
		s->app.address, s->app.data_dir, (long long)s->app.jobs);
	if (sandbox_protections(s->app.sandbox)->missing)
		log_warn("sandbox: %s", sandbox_protections(s->app.sandbox)->missing);
	printf("reqpm serves %s\n", s->app.address);
	fflush(stdout);
}

int serve_main(int argc, char **argv)
{
	static struct server server;
	struct server *s = &server;
	struct strbuf err = STRBUF_INIT;
	struct log_file *worker_log = NULL;
	char *usual = NULL;
	int r = parse_settings(&s->settings, argc, argv, &err);

	if (r == -ECANCELED)
		return cli_check_output(0);
	if (r >= 0)
		r = check_settings(&s->settings, &err);
	if (r < 0) {
		fprintf(stderr, "reqpm: %s\n", err.buf);
		strbuf_finish(&err);
		return 2;
	}
	if (!s->settings.data_dir)
		s->settings.data_dir = usual = data_dir_usual();
	r = make_data_dir(&s->settings, &err);
	free(usual);
	if (r >= 0)
		r = open_logs(&s->settings, &worker_log, &err);
	if (r >= 0)
		r = keeper_start(s->settings.data_dir, s->settings.user, (int)s->settings.jobs + 1,
			&s->keeper, &err);
	if (r < 0) {
		fprintf(stderr, "reqpm: %s\n", err.buf);
		strbuf_finish(&err);
		return 1;
	}
	loop_init(&s->loop);
	s->app = (struct app){
		.loop = &s->loop,
		.worker_log = worker_log,
		.data_dir = s->settings.data_dir,
		.max_upload_bytes = s->settings.max_upload,
		.max_log_bytes = s->settings.max_log,
		.disk_floor_bytes = s->settings.disk_floor,
		.jobs = s->settings.jobs,
		.keep_ms = s->settings.keep_days * DAY_MS,
		.started_at = clock_wall_ms(),
	};
	log_reads_init(&s->app.log_reads);
	r = open_all(s, &err);
	if (r < 0) {
		log_error("server: cannot start: %s", err.buf);
		fprintf(stderr, "reqpm: %s\n", err.buf);
	} else {
		watch_signals(s);
		announce(s);
		loop_run(&s->loop);
	}
	close_all(s);
	strbuf_finish(&err);
	return r < 0 ? 1 : 0;
}
