// SPDX-License-Identifier: MIT
#include "builders/rpm_env.h"
#include "builders/rpm_role.h"

/* The last line that begins so: a role prints its answer last. */
static char *find_result(char *text)
{
	char *found = NULL;

	for (char *at = text; (at = strstr(at, RPM_ROLE_RESULT)); at++)
		if (at == text || at[-1] == '\n')
			found = at;
	return found;
}

/* Its last words, for the sentence. */
static const char *last_line(struct strbuf *text)
{
	const char *newline;

	while (text->len && strchr("\r\n ", text->buf[text->len - 1]))
		strbuf_setlen(text, text->len - 1);
	newline = strrchr(text->buf, '\n');
	return newline ? newline + 1 : text->buf;
}

json_t *rpm_answer_take(const struct run_result *result, struct strbuf *text, struct strbuf *err)
{
	char *line = find_result(text->buf);
	json_t *answer;

	if (result->end != RUN_EXITED) {
		err_set(err, -EIO, "%s",
			result->why && *result->why ? result->why : "it was stopped");
		return NULL;
	}
	if (result->code || !line) {
		err_set(err, -EIO, "it ended with code %d: %.400s", result->code, last_line(text));
		return NULL;
	}
	answer = json_parse(
		line + strlen(RPM_ROLE_RESULT), strcspn(line + strlen(RPM_ROLE_RESULT), "\n"), err);
	if (answer && !json_is_object(answer)) {
		json_decref(answer);
		answer = NULL;
		err_set(err, -EINVAL, "its answer is no object");
	}
	strbuf_setlen(text, (size_t)(line - text->buf));
	return answer;
}

char *rpm_answer_complaint(const json_t *answer)
{
	const char *error = json_string_value(json_object_get(answer, "error"));
	const json_t *problems = json_object_get(answer, "problems"), *problem;
	struct strbuf text = STRBUF_INIT;
	size_t i;

	if (error)
		return xstrdup(error);
	if (!json_is_array(problems))
		return NULL;
	json_array_foreach(problems, i, problem) strbuf_addf(&text, "%s%s", i ? "; " : "",
		json_is_string(problem) ? json_string_value(problem) : "?");
	return strbuf_detach(&text, NULL);
}
