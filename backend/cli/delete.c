// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>

#include "cli/session.h"

int delete_path(struct session *s, const char *path, struct strbuf *err)
{
	struct request rq = {.method = "DELETE", .path = path};
	struct reply reply = {0};
	int r = client_request(&s->client, &rq, &reply, err);
	int code = r ? client_exit_code(r) : reply_exit_code(&s->client, &reply, err);

	reply_finish(&reply);
	return code;
}

static int delete_build(struct session *s, int64_t id)
{
	struct strbuf err = STRBUF_INIT, which = STRBUF_INIT;
	char *path = xasprintf("/api/builds/%" PRId64, id);
	int code = delete_path(s, path, &err);

	strbuf_addf(&which, "build %" PRId64 ": %s", id, err.buf);
	if (code)
		complain(s, code, &which);
	else if (s->args.json)
		printf("{\"type\":\"build_removed\",\"data\":{\"id\":%" PRId64 "}}\n", id);
	else
		say_line(s, "build %" PRId64 " is deleted", id);
	free(path);
	strbuf_finish(&which);
	strbuf_finish(&err);
	return code;
}

/* One after the other, past those that cannot go; the first reason is the exit code. */
int command_delete(struct session *s)
{
	int64_t id;
	int code = CLI_OK;

	for (int i = 0; i < s->operand_count; i++)
		if (operand_id(s, i, &id))
			return CLI_REFUSED;
	for (int i = 0; i < s->operand_count && code != CLI_LOST; i++) {
		int r;

		operand_id(s, i, &id);
		r = delete_build(s, id);
		code = code ? code : r;
	}
	return code;
}
