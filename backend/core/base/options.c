// SPDX-License-Identifier: MIT
#include "core/base/options.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/base/near.h"

static int refuse_unknown(
	const struct option_spec *specs, size_t count, const char *arg, struct strbuf *err)
{
	const char *name = arg + strspn(arg, "-");
	size_t len = strcspn(name, "=");
	int shown = (int)(name + len - arg);
	struct near near;

	near_init(&near, name, len);
	for (size_t i = 0; i < count; i++)
		near_offer(&near, specs[i].name);
	if (near.count)
		return err_set(err, -EINVAL, "unknown option %.*s; did you mean --%s?", shown, arg,
			near.names[0]);
	return err_set(err, -EINVAL, "unknown option %.*s; --help lists them", shown, arg);
}

/* ---- values */

static int parse_int(const char *s, int64_t *ret_value)
{
	char *end;
	long long value;

	/* strtoll would skip spaces and take a plus. */
	if (!(*s >= '0' && *s <= '9') && !(*s == '-' && s[1] >= '0' && s[1] <= '9'))
		return -EINVAL;
	errno = 0;
	value = strtoll(s, &end, 10);
	if (errno || *end)
		return -EINVAL;
	*ret_value = value;
	return 0;
}

static int set_int(const struct option_spec *spec, const char *value, struct strbuf *err)
{
	bool bounded = spec->min || spec->max;
	int64_t number;

	if (!parse_int(value, &number) &&
		(!bounded || (number >= spec->min && number <= spec->max))) {
		*(int64_t *)spec->value = number;
		return 0;
	}
	if (!bounded)
		return err_set(err, -EINVAL, "--%s needs a number, not \"%s\"", spec->name, value);
	return err_set(err, -EINVAL,
		"--%s needs a number between %" PRId64 " and %" PRId64 ", not \"%s\"", spec->name,
		spec->min, spec->max, value);
}

static int list_add(const struct option_spec *spec, const char *value, struct strbuf *err)
{
	struct option_list *list = spec->value;

	if (list->count == OPTION_LIST_MAX)
		return err_set(err, -EINVAL, "--%s can be given %d times at most", spec->name,
			OPTION_LIST_MAX);
	list->values[list->count++] = value;
	return 0;
}

static int set_value(const struct option_spec *spec, const char *value, struct strbuf *err)
{
	switch (spec->kind) {
	case OPTION_STRING:
		*(const char **)spec->value = value;
		return 0;
	case OPTION_INT:
		return set_int(spec, value, err);
	case OPTION_SIZE:
		if (!parse_size(value, spec->value))
			return 0;
		return err_set(err, -EINVAL, "--%s needs a size such as 512M or 2G, not \"%s\"",
			spec->name, value);
	case OPTION_DURATION:
		if (!parse_duration(value, spec->value))
			return 0;
		return err_set(err, -EINVAL,
			"--%s needs a duration such as 90s, 45m or 2h, not \"%s\"", spec->name,
			value);
	case OPTION_LIST:
		return list_add(spec, value, err);
	case OPTION_FLAG:
		break;
	}
	BUG("option --%s is of no kind that has a value", spec->name);
}

/* ---- the command line */

static const struct option_spec *find_option(
	const struct option_spec *specs, size_t count, const char *name, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(specs[i].name) == len && !memcmp(specs[i].name, name, len))
			return &specs[i];
	return NULL;
}

static int parse_flag(const struct option_spec *spec, const char *value, struct strbuf *err)
{
	if (value)
		return err_set(err, -EINVAL, "--%s takes no value, but \"%s\" was given",
			spec->name, value);
	*(bool *)spec->value = true;
	return 0;
}

/* The option at argv[0]; *ret_used: how many arguments it took. */
static int parse_option(const struct option_spec *specs, size_t count, char **argv, int argc,
	int *ret_used, struct strbuf *err)
{
	const char *name = argv[0] + 2, *equals = strchr(argv[0], '=');
	const char *value = equals ? equals + 1 : NULL;
	const struct option_spec *spec = NULL;

	if (!strcmp(argv[0], "--help") || !strcmp(argv[0], "-h"))
		return -ECANCELED;
	if (argv[0][1] == '-')
		spec = find_option(specs, count, name, strcspn(name, "="));
	if (!spec)
		return refuse_unknown(specs, count, argv[0], err);
	*ret_used = 1;
	if (spec->kind == OPTION_FLAG)
		return parse_flag(spec, value, err);
	if (!value && argc > 1 && strncmp(argv[1], "--", 2) != 0) {
		value = argv[1];
		*ret_used = 2;
	}
	if (!value)
		return err_set(err, -EINVAL, "--%s needs a value: --%s %s", spec->name, spec->name,
			spec->meta);
	return set_value(spec, value, err);
}

int options_parse(const struct option_spec *specs, size_t count, int argc, char **argv,
	int *ret_count, struct strbuf *err)
{
	int positional = 0, used, r;
	bool options_ended = false;

	for (int i = 0; i < argc; i += used) {
		used = 1;
		if (options_ended || argv[i][0] != '-' || !argv[i][1]) {
			argv[positional++] = argv[i];
			continue;
		}
		if (!strcmp(argv[i], "--")) {
			options_ended = true;
			continue;
		}
		r = parse_option(specs, count, argv + i, argc - i, &used, err);
		if (r)
			return r;
	}
	*ret_count = positional;
	return 0;
}

void options_print(const struct option_spec *specs, size_t count)
{
	int width = (int)strlen("help");

	for (size_t i = 0; i < count; i++) {
		int len = (int)(strlen(specs[i].name) +
				(specs[i].meta ? strlen(specs[i].meta) + 1 : 0));

		if (len > width)
			width = len;
	}
	for (size_t i = 0; i < count; i++) {
		const char *meta = specs[i].meta ? specs[i].meta : "";
		int len = printf("  --%s%s%s", specs[i].name, *meta ? " " : "", meta);

		printf("%*s%s\n", width + 6 - len, "", specs[i].help);
	}
	printf("  --%-*s%s\n", width + 2, "help", "show this");
}
