/* SPDX-License-Identifier: MIT
 *
 * JSON out: a writer straight into a strbuf, because a message is serialized once per commit and a
 * tree of nodes would cost more than the text. JSON in: jansson, with our sentence for its errors.
 */
#ifndef REQPM_JSON_H
#define REQPM_JSON_H

#include <jansson.h>
#include "core/base/base.h"

struct json_writer {
	struct strbuf *out; /* borrowed */
	bool omit_nulls; /* members whose value is none are left out; json_put_raw() still writes one */
	bool comma; /* something stands before in this object or array */
};
#define JSON_WRITER(sb)                                                                            \
	{                                                                                          \
		.out = (sb)                                                                        \
	}

/* key is NULL inside arrays and for the outermost value; keys are ours and need no escaping. */
void json_begin_object(struct json_writer *w, const char *key);
void json_end_object(struct json_writer *w);
void json_begin_array(struct json_writer *w, const char *key);
void json_end_array(struct json_writer *w);
void json_put_string(struct json_writer *w, const char *key, const char *value); /* NULL: null */
/* Escapes, DEL and C1 too; bytes that are not UTF-8 become U+FFFD. */
void json_put_text(struct json_writer *w, const char *key, const char *value, size_t len);
void json_put_int(struct json_writer *w, const char *key, int64_t value);
void json_put_bool(struct json_writer *w, const char *key, bool value);
void json_put_null(struct json_writer *w, const char *key);
void json_put_tenths(struct json_writer *w, const char *key, int64_t tenths); /* 65: 6.5, 60: 6.0 */
void json_put_time(struct json_writer *w, const char *key, int64_t wall_ms); /* 0: null */
void json_put_raw(struct json_writer *w, const char *key, const char *json); /* finished JSON */

/* Parses text that must be one valid UTF-8 JSON value without duplicate keys. The caller owns
 * the result. */
json_t *json_parse(const char *text, size_t len, struct strbuf *err);

/* A piece of a build log as the text of a JSON string, without quotes: invalid UTF-8 becomes
 * U+FFFD, control bytes but tab, newline and SGR sequences (ESC [ digits ; m) become visible
 * (U+2400 block, DEL U+2421, C1 as U+FFFD), so that no terminal or page that prints it can be
 * driven by it. A sequence that len cuts is left for the next piece unless `last`. Returns how
 * many bytes of data were used. */
size_t json_log_text(struct strbuf *out, const char *data, size_t len, bool last);

#endif
