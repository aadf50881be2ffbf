/* SPDX-License-Identifier: MIT
 *
 * What the HTTP and WebSocket files share; private to them. Every handler has the same shape: what the request says is
 * checked on the loop, a struct in the request's memory goes to a unit of the store, and the completion answers.
 */
#ifndef REQPM_VIEWS_H
#define REQPM_VIEWS_H

#include "apps/builds/app.h"
#include "core/base/json.h"

#define ID_MAX ((INT64_C(1) << 53) - 1)

/* ---- what a request says (fields.c) */
/* 1 … ID_MAX, or -EINVAL. NULL is none. */
int id_parse(const char *text, int64_t *ret_id);
/* Of the pattern's parameter; false: answered 404 with the kind ("no-such-build") and the thing ("build"). */
bool id_param(struct http_request *req, const char *name, const char *thing, int64_t *ret_id);
/* Of ?name=, from least to most; absent: *ret_value stays. False: answered 400. */
bool int_query(struct http_request *req, const char *name, int64_t least, int64_t most,
	int64_t *ret_value);

enum field_type { FIELD_STRING, FIELD_BOOL, FIELD_INT, FIELD_ID, FIELD_ARRAY };
struct field {
	const char *name;
	enum field_type type;
	void *value; /* const char **, bool *, int64_t *, json_t **: borrowed from the body; untouched when absent or null */
};
/* The body must be one JSON object of these fields and no others. NULL: answered 400; else the caller's to decref. */
json_t *body_fields(struct http_request *req, const struct field *fields, size_t count);

/* ---- answers */
void answer_no_such(struct http_request *req, const char *thing); /* 404 */
/* A negative code that no handler knows better: 507 for -ENOSPC, else 500. */
void answer_error(struct http_request *req, int code);
/* Takes json, which may lie in the request's memory. */
void answer_json(struct http_request *req, int status, struct strbuf *take_json);
/* Of a build's document at this seq. */
void build_etag(struct strbuf *out, const struct app *app, int64_t id, int64_t seq);
/* 200 (or 304) with a build's document and its ETag; 201 with Location. */
void answer_build(struct http_request *req, struct app *app, int status, int64_t id, int64_t seq,
	struct strbuf *take_json);
/* May this upgrade read? Consumers close 4401 when not. */
bool upgrade_may_read(struct http_request *req, struct app *app);

/* ---- handlers, by file */
/* uploads.c */
void upload_post(struct http_request *req, void *app);
void upload_get(struct http_request *req, void *app);
void upload_remove(struct http_request *req, void *app);
void upload_file_put(struct http_request *req, void *app);
/* submit.c */
void builds_post(struct http_request *req, void *app);
/* external.c: a build whose packages somebody else builds; packages is the body's array, root its owner. */
/* In a unit: a retry of an external job has nothing to read, so it runs at once. */
int external_plan_again(struct tx *tx, int64_t old_id, int64_t id, int64_t now);
void external_post(struct http_request *req, struct app *app, const struct build_job_new *job,
	json_t *packages, json_t *take_root);
/* views.c */
void builds_get(struct http_request *req, void *app);
void build_get(struct http_request *req, void *app);
void build_cancel(struct http_request *req, void *app);
void build_retry(struct http_request *req, void *app);
void build_delete(struct http_request *req, void *app);
void queue_get(struct http_request *req, void *app);
void queue_patch(struct http_request *req, void *app);
/* views_log.c */
void queue_log(struct http_request *req, void *app);
/* views_files.c */
void build_artifacts(struct http_request *req, void *app);
void build_artifact(struct http_request *req, void *app);
void build_repo(struct http_request *req, void *app);
/* views_status.c */
void workers_get(struct http_request *req, void *app);
void status_get(struct http_request *req, void *app);
void healthz(struct http_request *req, void *app);
void openapi_get(struct http_request *req, void *app);
/* metrics.c */
void metrics_get(struct http_request *req, void *app);
/* views_session.c */
void login_post(struct http_request *req, void *app);
void login_code_post(struct http_request *req, void *app);
void session_get(struct http_request *req, void *app);

#endif
