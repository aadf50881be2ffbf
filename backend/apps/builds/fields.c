// SPDX-License-Identifier: MIT
#include "apps/builds/views.h"

int id_parse(const char *text, int64_t *ret_id)
{
	int64_t id;

	if (!text || parse_id(text, &id) < 0 || id > ID_MAX)
		return -EINVAL;
	*ret_id = id;
	return 0;
}

void answer_no_such(struct http_request *req, const char *thing)
{
	struct strbuf kind = STRBUF_INIT;

	strbuf_addf(&kind, "no-such-%s", thing);
	for (char *c = kind.buf; *c; c++)
		if (*c == ' ')
			*c = '-';
	http_reply_problem(req, 404, kind.buf, "there is no such %s", thing);
	strbuf_finish(&kind);
}

bool id_param(struct http_request *req, const char *name, const char *thing, int64_t *ret_id)
{
	if (!id_parse(http_param(req, name), ret_id))
		return true;
	answer_no_such(req, thing);
	return false;
}

bool int_query(
	struct http_request *req, const char *name, int64_t least, int64_t most, int64_t *ret_value)
{
	const char *text = http_query(req, name);
	int64_t value = 0;

	if (!text)
		return true;
	if ((!strcmp(text, "0") || !parse_id(text, &value)) && value >= least && value <= most) {
		*ret_value = value;
		return true;
	}
	http_reply_problem(req, 400, "bad-query", "?%s= must be a number from %lld to %lld", name,
		(long long)least, (long long)most);
	return false;
}

/* ---- bodies */

static const char *const type_words[] = {
	[FIELD_STRING] = "a string without NUL characters",
	[FIELD_BOOL] = "true or false",
	[FIELD_INT] = "a whole number from 0 to 9007199254740991",
	[FIELD_ID] = "a whole number from 1 to 9007199254740991",
	[FIELD_ARRAY] = "an array",
};

static bool take_int(json_t *value, int64_t least, int64_t *ret)
{
	if (!json_is_integer(value) || json_integer_value(value) < least ||
		json_integer_value(value) > ID_MAX)
		return false;
	*ret = json_integer_value(value);
	return true;
}

static bool take(const struct field *f, json_t *value)
{
	switch (f->type) {
	case FIELD_STRING:
		if (!json_is_string(value) ||
			strlen(json_string_value(value)) != json_string_length(value))
			return false;
		*(const char **)f->value = json_string_value(value);
		return true;
	case FIELD_BOOL:
		if (!json_is_boolean(value))
			return false;
		*(bool *)f->value = json_is_true(value);
		return true;
	case FIELD_INT:
		return take_int(value, 0, f->value);
	case FIELD_ID:
		return take_int(value, 1, f->value);
	case FIELD_ARRAY:
		if (!json_is_array(value))
			return false;
		*(json_t **)f->value = value;
		return true;
	}
	return false;
}

static const struct field *find_field(const struct field *fields, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(fields[i].name, name))
			return &fields[i];
	return NULL;
}

/* False: err says which field and what is wrong. */
static bool take_all(json_t *body, const struct field *fields, size_t count, struct strbuf *err)
{
	const char *name;
	json_t *value;

	json_object_foreach(body, name, value)
	{
		const struct field *f = find_field(fields, count, name);

		if (!f) {
			strbuf_addf(err, "there is no field \"%.60s\" here; there are", name);
			for (size_t i = 0; i < count; i++)
				strbuf_addf(err, "%s %s", i ? "," : "", fields[i].name);
			return false;
		}
		if (!json_is_null(value) && !take(f, value)) {
			strbuf_addf(err, "\"%s\" must be %s", name, type_words[f->type]);
			return false;
		}
	}
	return true;
}

json_t *body_fields(struct http_request *req, const struct field *fields, size_t count)
{
	const struct strbuf *text = http_body(req);
	struct strbuf err = STRBUF_INIT;
	json_t *body = json_parse(text->buf, text->len, &err);

	if (body && !json_is_object(body))
		strbuf_addstr(&err, "the body must be a JSON object");
	if (!err.len && take_all(body, fields, count, &err))
		return body;
	http_reply_problem(req, 400, "bad-body", "%s", err.buf);
	strbuf_finish(&err);
	json_decref(body);
	return NULL;
}

/* ---- answers */

void answer_error(struct http_request *req, int code)
{
	if (code == -ENOSPC)
		http_reply_problem(req, 507, "disk-full",
			"the disk of the server's data folder is nearly full: make room, then try "
			"again");
	else
		http_reply_problem(
			req, 500, "internal", "the server could not do it: %s", strerror(-code));
}

void answer_json(struct http_request *req, int status, struct strbuf *take_json)
{
	struct strbuf json = *take_json;

	strbuf_init(take_json);
	http_reply_json(req, status, &json);
}

void build_etag(struct strbuf *out, const struct app *app, int64_t id, int64_t seq)
{
	strbuf_addf(
		out, "W/\"%s-%lld-%lld\"", store_epoch(app->store), (long long)id, (long long)seq);
}

void answer_build(struct http_request *req, struct app *app, int status, int64_t id, int64_t seq,
	struct strbuf *take_json)
{
	struct strbuf text = STRBUF_INIT, json = *take_json;

	strbuf_init(take_json);
	if (status == 201) {
		strbuf_addf(&text, "/api/builds/%lld", (long long)id);
		http_add_header(req, "Location", text.buf);
		strbuf_reset(&text);
	}
	build_etag(&text, app, id, seq);
	if (http_reply_condition(req, text.buf))
		strbuf_finish(&json);
	else
		http_reply_json(req, status, &json);
	strbuf_finish(&text);
}
