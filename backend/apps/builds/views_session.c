// SPDX-License-Identifier: MIT
#include "apps/builds/views.h"

void login_post(struct http_request *req, void *arg)
{
	struct app *app = arg;

	access_login(app->access, req);
}

/* For the terminal, which prints the URL. A code is a right to give away, so only the token makes one: a request that shows no
 * cookie was let pass for its token. */
void login_code_post(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct strbuf json = STRBUF_INIT, url = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&json);
	char code[ACCESS_CODE_MAX];

	if (http_header(req, "cookie")) {
		http_reply_problem(req, 403, "token-only",
			"only the server's token makes sign-in links, not a session");
		return;
	}
	access_code_new(app->access, code);
	strbuf_addf(&url, "%s/login#%s", app->address, code);
	json_begin_object(&w, NULL);
	json_put_string(&w, "code", code);
	json_put_string(&w, "url", url.buf);
	json_end_object(&w);
	http_add_header(req, "Cache-Control", "no-store");
	http_reply_json(req, 201, &json);
	strbuf_finish(&url);
}

void session_get(struct http_request *req, void *arg)
{
	struct app *app = arg;
	struct strbuf json = STRBUF_INIT;
	struct json_writer w = JSON_WRITER(&json);
	bool signed_in = access_signed_in(app->access, req);
	bool can_read = access_may_read(app->access, req, true);

	json_begin_object(&w, NULL);
	json_put_bool(&w, "signed_in", signed_in);
	json_put_bool(&w, "can_read", can_read || signed_in);
	json_put_bool(&w, "can_change", signed_in);
	json_end_object(&w);
	http_reply_json(req, 200, &json);
}
