// SPDX-License-Identifier: MIT
#include "core/http/embedded.h"
#include "apps/builds/views.h"

const struct http_route builds_routes[] = {
	{HTTP_GET, "/ws/builds/", build_list_consumer, HTTP_BODY_NONE, 0, false},
	{HTTP_GET, "/ws/builds/:id/", build_job_consumer, HTTP_BODY_NONE, 0, false},
	{HTTP_GET, "/ws/builds/queue/:id/log/", build_log_consumer, HTTP_BODY_NONE, 0, false},

	{HTTP_POST, "/api/uploads", upload_post, HTTP_BODY_BUFFER, 0, true},
	{HTTP_GET, "/api/uploads/:id", upload_get, HTTP_BODY_NONE, 0, false},
	{HTTP_DELETE, "/api/uploads/:id", upload_remove, HTTP_BODY_NONE, 0, true},
	{HTTP_PUT, "/api/uploads/:id/files/*path", upload_file_put, HTTP_BODY_STREAM, 0, true},

	{HTTP_POST, "/api/builds", builds_post, HTTP_BODY_BUFFER, 0, true},
	{HTTP_GET, "/api/builds", builds_get, HTTP_BODY_NONE, 0, false},
	{HTTP_GET, "/api/builds/:id", build_get, HTTP_BODY_NONE, 0, false},
	{HTTP_DELETE, "/api/builds/:id", build_delete, HTTP_BODY_NONE, 0, true},
	{HTTP_POST, "/api/builds/:id/cancel", build_cancel, HTTP_BODY_BUFFER, 0, true},
	{HTTP_POST, "/api/builds/:id/retry", build_retry, HTTP_BODY_BUFFER, 0, true},
	{HTTP_GET, "/api/builds/:id/artifacts", build_artifacts, HTTP_BODY_NONE, 0, false},
	{HTTP_GET, "/api/builds/:id/artifacts/:item/*file", build_artifact, HTTP_BODY_NONE, 0,
		false},
	{HTTP_GET, "/api/builds/:id/repo/*path", build_repo, HTTP_BODY_NONE, 0, false},

	{HTTP_GET, "/api/queue/:id", queue_get, HTTP_BODY_NONE, 0, false},
	{HTTP_PATCH, "/api/queue/:id", queue_patch, HTTP_BODY_BUFFER, 0, true},
	{HTTP_GET, "/api/queue/:id/log", queue_log, HTTP_BODY_NONE, 0, false},

	{HTTP_GET, "/api/workers", workers_get, HTTP_BODY_NONE, 0, false},
	{HTTP_GET, "/api/status", status_get, HTTP_BODY_NONE, 0, false},
	{HTTP_GET, "/api/openapi.json", openapi_get, HTTP_BODY_NONE, 0, false},
	{HTTP_GET, "/healthz", healthz, HTTP_BODY_NONE, 0, false},
	{HTTP_GET, "/metrics", metrics_get, HTTP_BODY_NONE, 0, false},

	{HTTP_GET, "/api/session", session_get, HTTP_BODY_NONE, 0, false},
	{HTTP_POST, "/api/login", login_post, HTTP_BODY_BUFFER, 4096, false},
	{HTTP_POST, "/api/login/code", login_code_post, HTTP_BODY_BUFFER, 4096, true},
};
const size_t builds_route_count = countof(builds_routes);

static bool begins(const char *path, const char *with)
{
	return !strncmp(path, with, strlen(with));
}

/* The page's own files, signing in and the health check tell nothing. */
static bool is_public(const char *path)
{
	return !strcmp(path, "/healthz") || !strcmp(path, "/api/login") ||
	       !strcmp(path, "/api/session") ||
	       !(begins(path, "/api/") || begins(path, "/ws/") || !strcmp(path, "/metrics"));
}

bool builds_guard(struct http_request *req, void *arg)
{
	struct app *app = arg;
	const struct http_route *route = http_request_route(req);
	const char *path = http_request_head(req)->path;
	enum access_right right = ACCESS_READ;

	if (is_public(path))
		right = ACCESS_PUBLIC;
	else if (route && route->change)
		right = ACCESS_CHANGE;
	/* Whether an upgrade may read is its consumer's to say, with a close code that browsers see. */
	return !access_check(app->access, req, right, route && begins(path, "/ws/"));
}

bool upgrade_may_read(struct http_request *req, struct app *app)
{
	return access_may_read(app->access, req, true);
}

/* ---- the page */

static const char no_page[] =
	"<!doctype html>\n"
	"<html lang=\"en\"><head><meta charset=\"utf-8\"><title>reqpm</title></head><body>\n"
	"<h1>reqpm</h1>\n"
	"<p>The server runs, but this build of it carries no page.</p>\n"
	"<p>Follow builds in a terminal:</p>\n"
	"<pre>reqpm list\nreqpm watch ID\nreqpm log ID PACKAGE --follow</pre>\n"
	"<p>or start the server with <code>--static-dir DIR</code>, the folder of a built page. "
	"The API is described at <a href=\"/api/openapi.json\">/api/openapi.json</a>.</p>\n"
	"</body></html>\n";

void builds_fallback(struct http_request *req, void *arg)
{
	struct app *app = arg;
	const char *path = http_request_head(req)->path, *name = strrchr(path, '/') + 1;

	bool of_page = !begins(path, "/api/") && !begins(path, "/ws/");

	if (of_page && app->static_dir)
		static_dir_serve(app->static_dir, req);
	else if (of_page && embedded_serve(req))
		return;
	else if (of_page && !strchr(name, '.'))
		http_reply(req, 200, "text/html; charset=utf-8", no_page, strlen(no_page));
	else
		http_reply_problem(req, 404, "not-found", "nothing is at %s", path);
}
