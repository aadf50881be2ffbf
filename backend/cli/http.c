// SPDX-License-Identifier: MIT
#include "cli/client.h"

#include <inttypes.h>

#include "cli/cli.h"
#include "cli/text.h"

#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

void reply_finish(struct reply *r)
{
	free(r->type); /* NOLINT(clang-analyzer-unix.Malloc): the next answer has another type */
	r->type = NULL;
	if (r->body.buf)
		strbuf_finish(&r->body);
}

void path_encode(struct strbuf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] && strchr(UNRESERVED, s[i]))
			strbuf_addch(out, s[i]);
		else
			strbuf_addf(out, "%%%02X", (unsigned char)s[i]);
	}
}

/* ---- one exchange */

struct exchange {
	CURL *easy;
	const struct request *rq;
	struct reply *reply;
	struct curl_slist *headers;
	int failed; /* a code of rq's functions, or -EFBIG */
	char error[CURL_ERROR_SIZE];
};

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	size_t len = size * count;
	long status = 0;

	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	if (x->rq->write && status / 100 == 2)
		x->failed = x->rq->write(x->rq->arg, data, len);
	else if (x->reply->body.len + len > BODY_MAX)
		x->failed = -EFBIG;
	else
		strbuf_add(&x->reply->body, data, len);
	return x->failed ? CURL_WRITEFUNC_ERROR : len;
}

static size_t on_read(char *buf, size_t size, size_t count, void *arg)
{
	struct exchange *x = arg;
	ssize_t got = x->rq->read(x->rq->arg, buf, size * count);

	if (got >= 0)
		return (size_t)got;
	x->failed = (int)got;
	return CURL_READFUNC_ABORT;
}

static void add_header(struct exchange *x, const char *line)
{
	x->headers = curl_slist_append(x->headers, line);
}

static void set_body(struct exchange *x)
{
	const struct request *rq = x->rq;

	if (rq->json) {
		add_header(x, "Content-Type: application/json");
		curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE, (long)strlen(rq->json));
		curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, rq->json);
	} else if (rq->read) {
		add_header(x, "Content-Type: application/octet-stream");
		curl_easy_setopt(x->easy, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(x->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)rq->upload_size);
		curl_easy_setopt(x->easy, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(x->easy, CURLOPT_READDATA, x);
	} else if (!strcmp(rq->method, "POST")) {
		add_header(x, "Content-Type:");
		curl_easy_setopt(x->easy, CURLOPT_POSTFIELDSIZE, 0L);
		curl_easy_setopt(x->easy, CURLOPT_POSTFIELDS, "");
	}
}

static void set_range(struct exchange *x)
{
	char range[64];

	if (!x->rq->range_len)
		return;
	snprintf(range, sizeof(range), "%" PRId64 "-%" PRId64, x->rq->range_from,
		x->rq->range_from + x->rq->range_len - 1);
	curl_easy_setopt(x->easy, CURLOPT_RANGE, range);
}

static void set_up(struct client *c, struct exchange *x)
{
	curl_easy_reset(x->easy);
	client_prepare(c, x->easy, x->rq->path);
	curl_easy_setopt(x->easy, CURLOPT_USERAGENT, "reqpm/" REQPM_VERSION);
	curl_easy_setopt(x->easy, CURLOPT_ERRORBUFFER, x->error);
	curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(x->easy, CURLOPT_LOW_SPEED_TIME, (long)STALL_TIMEOUT_S);
	add_header(x, "Accept: application/json, application/problem+json, */*");
	if (c->token) {
		char *line = xasprintf("Authorization: Bearer %s", c->token);

		add_header(x, line);
		free(line);
	}
	set_body(x);
	set_range(x);
	if (strcmp(x->rq->method, "GET") != 0)
		curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, x->rq->method);
	curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
}

static int run(struct client *c, struct exchange *x, CURLcode *ret_code)
{
	int running = 1, left, r = 0;
	CURLMsg *done = NULL;

	curl_multi_add_handle(c->multi, x->easy);
	while (!r && !done) {
		curl_multi_perform(c->multi, &running);
		done = curl_multi_info_read(c->multi, &left);
		if (!done)
			r = client_poll(c, c->multi);
	}
	if (done)
		*ret_code = done->data.result;
	curl_multi_remove_handle(c->multi, x->easy);
	return r;
}

/* What libcurl's code means to the caller. */
static int explain(
	const struct client *c, const struct exchange *x, CURLcode code, struct strbuf *err)
{
	const char *why = *x->error ? x->error : curl_easy_strerror(code);
	struct strbuf clean = STRBUF_INIT;
	int r;

	if (x->failed == -EFBIG && !(x->rq->write && x->reply->status / 100 == 2))
		return err_set(
			err, -EIO, "the answer of %s is larger than %d bytes", c->base, BODY_MAX);
	if (x->failed)
		return x->failed;
	text_clean(&clean, why, strlen(why));
	if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
		code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_SSL_CONNECT_ERROR ||
		code == CURLE_PEER_FAILED_VERIFICATION || !x->reply->status)
		r = client_unreachable(c, x->easy, why, err);
	else
		r = err_set(err, -EIO, "the answer of %s was cut: %s", c->base, clean.buf);
	strbuf_finish(&clean);
	return r;
}

int client_request(
	struct client *c, const struct request *rq, struct reply *ret, struct strbuf *err)
{
	struct exchange x = {.easy = c->easy, .rq = rq, .reply = ret};
	CURLcode code = CURLE_OK;
	char *type = NULL;
	int r = 0;

	*ret = (struct reply){.body = STRBUF_INIT};
	if (rq->rewind)
		r = rq->rewind(rq->arg);
	if (r)
		return r;
	set_up(c, &x);
	r = run(c, &x, &code);
	curl_easy_getinfo(x.easy, CURLINFO_RESPONSE_CODE, &ret->status);
	curl_easy_getinfo(x.easy, CURLINFO_CONTENT_TYPE, &type);
	ret->type = xstrdup(type ? type : "");
	if (!r && code != CURLE_OK)
		r = explain(c, &x, code, err);
	/* The error buffer and the headers are this frame's. */
	curl_easy_reset(x.easy);
	curl_slist_free_all(x.headers);
	return r;
}

int client_insist(struct client *c, const struct request *rq, struct reply *ret, struct strbuf *err)
{
	int64_t give_up = clock_monotonic_ms() + c->server_timeout_ms;
	struct backoff backoff = {0};

	for (;;) {
		int r = client_request(c, rq, ret, err);
		bool away = r == -ECONNREFUSED || r == -EIO ||
			    (!r && ret->status >= 502 && ret->status <= 504);
		int64_t delay = backoff_next(&backoff, random_u64());

		if (!away || clock_monotonic_ms() + delay >= give_up)
			return r;
		reply_finish(ret);
		r = client_wait(c, -1, 0, delay);
		if (r)
			return r;
	}
}

/* ---- what an answer means */

/* Appends the reason that the server gives in the body, if it gives one of ours. */
static bool problem_detail(const struct reply *reply, struct strbuf *out)
{
	json_t *problem = NULL;
	const char *detail;

	if (!strncmp(reply->type, "application/problem+json", 24))
		problem = json_parse(reply->body.buf, reply->body.len, NULL);
	detail = json_string_value(json_object_get(problem, "detail"));
	if (!detail)
		detail = json_string_value(json_object_get(problem, "title"));
	if (detail)
		text_clean(out, detail, strlen(detail));
	json_decref(problem);
	return detail != NULL;
}

/* Words for an answer that is not of a reqpm server, such as a proxy's page. */
static void foreign_answer(const struct client *c, const struct reply *reply, struct strbuf *out)
{
	struct strbuf type = STRBUF_INIT;

	text_clean(&type, reply->type, strnlen(reply->type, 80));
	strbuf_addf(out, "%s answered %ld", c->base, reply->status);
	if (type.len)
		strbuf_addf(out, " with %s", type.buf);
	strbuf_addstr(out, ", which is not how a reqpm server says what is wrong");
	strbuf_finish(&type);
}

int client_exit_code(int code)
{
	if (code == -EINTR)
		return CLI_INTERRUPTED;
	if (code == -ETIMEDOUT)
		return CLI_TIMEOUT;
	return code == -ECONNREFUSED || code == -EIO || code == -EPIPE ? CLI_LOST : CLI_REFUSED;
}

int reply_exit_code(const struct client *c, const struct reply *reply, struct strbuf *err)
{
	struct strbuf why = STRBUF_INIT;
	bool ours, refused;

	if (reply->status / 100 == 2)
		return CLI_OK;
	ours = problem_detail(reply, &why);
	/* A disk that is nearly full is no server that went away: it is there, and will not. */
	refused = reply->status / 100 == 4 || (ours && reply->status == 507);
	if (!ours)
		foreign_answer(c, reply, &why);
	if (reply->status == 401)
		strbuf_addf(&why, " (%s%s)", c->token_from, c->token ? " was sent" : "");
	err_set(err, 0, "%s", why.buf);
	strbuf_finish(&why);
	if (reply->status == 404)
		return ours ? CLI_NO_SUCH_BUILD : CLI_LOST;
	return refused ? CLI_REFUSED : CLI_LOST;
}

int client_get(struct client *c, const char *path, json_t **ret_json, struct strbuf *ret_body,
	struct strbuf *err)
{
	struct request rq = {.method = "GET", .path = path};
	struct reply reply = {0};
	struct strbuf why = STRBUF_INIT;
	int r = client_request(c, &rq, &reply, err), code;

	if (r) {
		code = client_exit_code(r);
		goto finish;
	}
	code = reply_exit_code(c, &reply, err);
	if (code)
		goto finish;
	*ret_json = json_parse(reply.body.buf, reply.body.len, &why);
	if (!*ret_json) {
		err_set(err, 0, "%s%s answered what is %s", c->base, path, why.buf);
		code = CLI_LOST;
	} else if (ret_body) {
		strbuf_add(ret_body, reply.body.buf, reply.body.len);
	}
finish:
	strbuf_finish(&why);
	reply_finish(&reply);
	return code;
}
