// SPDX-License-Identifier: MIT
#include "apps/packages/packages.h"

/* Strings hold no NUL bytes: json_parse() refuses them. */

/* Where we are, for the sentence of a refusal. */
struct place {
	size_t index;
	const char *name; /* NULL until it is known */
	struct strbuf *err;
};

static int refuse(const struct place *at, const char *fmt, ...) PRINTF(2, 3);

static int refuse(const struct place *at, const char *fmt, ...)
{
	struct strbuf why = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&why, fmt, ap);
	va_end(ap);
	if (at->name)
		err_set(at->err, -EINVAL, "packages.json: package %zu (\"%s\"): %s", at->index + 1,
			at->name, why.buf);
	else
		err_set(at->err, -EINVAL, "packages.json: package %zu: %s", at->index + 1, why.buf);
	strbuf_finish(&why);
	return -EINVAL;
}

/* What people type, made fit for a sentence: no control characters, not too long. */
static const char *quotable(const char *s, char buf[80])
{
	size_t n = 0;

	while (*s) {
		size_t len = utf8_sequence(s, strlen(s));
		char one[8];

		if (len == 0 || n + len > 64)
			break;
		snprintf(one, sizeof(one), "%.*s", (int)len, s);
		n = (size_t)(stpcpy(buf + n, text_has_control(one) ? "?" : one) - buf);
		s += len;
	}
	strcpy(buf + n, *s ? "..." : "");
	return buf;
}

static int read_name(struct json_package *p, const json_t *value, struct place *at)
{
	const char *name = json_string_value(value);
	char shown[80];

	if (!value)
		return refuse(at, "\"name\" is missing");
	if (!json_is_string(value))
		return refuse(at, "\"name\" must be a string");
	if (!name || !package_name_valid(name))
		return refuse(at,
			"\"%s\" is no name: letters, digits and + . _ -, a letter or digit first, "
			"at "
			"most %d bytes",
			quotable(json_string_value(value), shown), PACKAGE_NAME_MAX);
	p->name = at->name = name;
	return 0;
}

static int read_version(struct json_package *p, const json_t *value, const struct place *at)
{
	p->version = value ? json_string_value(value) : "";
	if (value && !json_is_string(value))
		return refuse(at, "\"version\" must be a string");
	if (!p->version || !package_version_valid(p->version))
		return refuse(at,
			"\"version\" may have letters, digits and + . _ - ~ ^ :, at most %d bytes",
			PACKAGE_NAME_MAX);
	return 0;
}

static int read_requires(struct json_package *p, const json_t *value, const struct place *at)
{
	size_t n = json_array_size(value);

	if (value && !json_is_array(value))
		return refuse(at, "\"requires\" must be an array of package names");
	p->needs = xcalloc(n ? n : 1, sizeof(*p->needs));
	for (size_t i = 0; i < n; i++) {
		const char *name = json_string_value(json_array_get(value, i));

		if (!name)
			return refuse(at, "\"requires\" must be an array of package names");
		p->needs[p->need_count++] = (struct capability){.name = name, .version = ""};
	}
	return 0;
}

static int read_command(struct json_package *p, const json_t *value, const struct place *at)
{
	size_t n = json_array_size(value), bytes = 0;

	if (!value)
		return refuse(at, "\"command\" is missing");
	if (!json_is_array(value))
		return refuse(at, "\"command\" must be an array of strings");
	if (n == 0)
		return refuse(at, "\"command\" is empty: say what to run");
	p->command = xcalloc(n + 1, sizeof(*p->command));
	for (size_t i = 0; i < n; i++) {
		const json_t *word = json_array_get(value, i);

		if (!json_is_string(word))
			return refuse(at, "\"command\" must be an array of strings");
		p->command[i] = json_string_value(word);
		bytes += json_string_length(word) + 1;
	}
	if (!*p->command[0])
		return refuse(at, "\"command\" starts with an empty string: say what to run");
	if (bytes > PACKAGE_COMMAND_MAX_BYTES)
		return refuse(at, "\"command\" is longer than %d bytes", PACKAGE_COMMAND_MAX_BYTES);
	return 0;
}

static int read_timeout(struct json_package *p, const json_t *value, const struct place *at)
{
	json_int_t seconds = json_integer_value(value);

	if (!value)
		return 0;
	if (!json_is_integer(value) || seconds < 1 || seconds > PACKAGE_TIMEOUT_MAX_S)
		return refuse(at, "\"timeout\" must be a whole number of seconds from 1 to %d",
			PACKAGE_TIMEOUT_MAX_S);
	p->timeout_ms = seconds * 1000;
	return 0;
}

static int refuse_unknown_keys(json_t *object, const struct place *at)
{
	static const char *const known[] = {"name", "version", "requires", "command", "timeout"};
	const char *key;
	json_t *value;
	char shown[80];

	json_object_foreach(object, key, value)
	{
		size_t i = 0;

		while (i < countof(known) && strcmp(key, known[i]) != 0)
			i++;
		if (i == countof(known))
			return refuse(at,
				"\"%s\" is not known; known are name, version, requires, command "
				"and "
				"timeout",
				quotable(key, shown));
	}
	return 0;
}

static int read_package(struct json_package *p, json_t *object, struct place *at)
{
	int r;

	if (!json_is_object(object))
		return refuse(at, "must be an object with a name and a command");
	r = read_name(p, json_object_get(object, "name"), at);
	if (r == 0)
		r = refuse_unknown_keys(object, at);
	if (r == 0)
		r = read_version(p, json_object_get(object, "version"), at);
	if (r == 0)
		r = read_requires(p, json_object_get(object, "requires"), at);
	if (r == 0)
		r = read_command(p, json_object_get(object, "command"), at);
	if (r == 0)
		r = read_timeout(p, json_object_get(object, "timeout"), at);
	if (r < 0)
		return r;
	p->provide = (struct capability){.name = p->name,
		.version = p->version,
		.flags = *p->version ? CAPABILITY_EQUAL : 0};
	p->self = (struct subpackage){.name = p->name,
		.epoch = "",
		.version = p->version,
		.release = "",
		.arch = "",
		.provides = &p->provide,
		.provide_count = 1};
	return 0;
}

static int check_requires(const struct json_package *p, const struct map *by_name, struct place *at)
{
	char shown[80];

	at->name = p->name;
	for (size_t i = 0; i < p->need_count; i++) {
		const char *need = p->needs[i].name;

		if (!strcmp(need, p->name))
			return refuse(at, "it requires itself");
		if (!map_get(by_name, need))
			return refuse(at, "it requires \"%s\", which is not in the set",
				quotable(need, shown));
	}
	return 0;
}

/* Names first, because a package may require one that stands below it. */
static int read_packages(struct packages_json *set, const json_t *array, struct strbuf *err)
{
	struct place at = {.err = err};
	struct map by_name;
	int r = 0;

	map_init(&by_name);
	for (size_t i = 0; r == 0 && i < set->count; i++) {
		struct json_package *p = &set->packages[i], *twin;

		at = (struct place){.index = i, .err = err};
		r = read_package(p, json_array_get(array, i), &at);
		if (r < 0)
			break;
		twin = map_get(&by_name, p->name);
		if (twin)
			r = refuse(&at, "package %zu has the same name",
				(size_t)(twin - set->packages) + 1);
		map_set(&by_name, p->name, p);
	}
	for (size_t i = 0; r == 0 && i < set->count; i++) {
		at.index = i;
		r = check_requires(&set->packages[i], &by_name, &at);
	}
	map_finish(&by_name);
	return r;
}

static int read_root(struct packages_json *set, struct strbuf *err)
{
	const json_t *array = json_object_get(set->root, "packages");
	const char *key;
	json_t *value;
	char shown[80];

	if (!json_is_object(set->root) || !json_is_array(array))
		return err_set(err, -EINVAL,
			"packages.json: must be an object with an array \"packages\"");
	json_object_foreach(set->root, key, value)
	{
		if (strcmp(key, "packages") != 0)
			return err_set(err, -EINVAL,
				"packages.json: \"%s\" is not known; known is packages",
				quotable(key, shown));
	}
	if (json_array_size(array) == 0)
		return err_set(err, -EINVAL, "packages.json: \"packages\" is empty");
	if (json_array_size(array) > PACKAGES_MAX)
		return err_set(err, -E2BIG, "packages.json: %zu packages, at most %d are allowed",
			json_array_size(array), PACKAGES_MAX);
	set->count = json_array_size(array);
	set->packages = xcalloc(set->count, sizeof(*set->packages));
	return read_packages(set, array, err);
}

int packages_json_parse(const char *text, size_t len, struct packages_json *ret, struct strbuf *err)
{
	struct packages_json set = {0};
	struct strbuf why = STRBUF_INIT;
	int r;

	if (len > PACKAGES_JSON_MAX_BYTES)
		return err_set(err, -E2BIG, "packages.json: larger than %d MiB",
			PACKAGES_JSON_MAX_BYTES >> 20);
	set.root = json_parse(text, len, &why);
	if (!set.root) {
		err_set(err, -EINVAL, "packages.json: %s", why.buf);
		strbuf_finish(&why);
		return -EINVAL;
	}
	r = read_root(&set, err);
	if (r < 0)
		packages_json_finish(&set);
	else
		*ret = set;
	return r;
}

void packages_json_finish(struct packages_json *set)
{
	for (size_t i = 0; i < set->count; i++) {
		free(set->packages[i].needs);
		free(set->packages[i].command);
	}
	free(set->packages);
	json_decref(set->root);
	*set = (struct packages_json){0};
}
