// SPDX-License-Identifier: MIT
#include "apps/packages/packages.h"

/* Records, one per line, fields between tabs:
 *   F path                                  S name epoch version release
 *   R C H  name flags version               needs, conflicts, needs that are left without %check
 *   W                                       the query without %check was answered
 *   O A E X L  name                         sources, patches, only and not archs, packed files
 *   P name epoch version release arch       V Q  name flags version: provides and needs of that P
 * The list of one kind stands together; that lets every list be a stretch of one array. */
struct reader {
	enum spec_query_kind kind;
	struct spec_query q;
	size_t capability_count, name_count;
	struct spec *spec; /* the open one, the last of q.specs; NULL before the first */
	struct subpackage *part; /* the open one, NULL before the first of a spec */
	struct capability *hard; /* the H list of the open spec */
	size_t hard_count;
	bool queried_twice; /* W was seen */
	size_t line;
	struct strbuf *err;
};

#define FIELDS_MAX 5

static const struct record {
	char letter;
	unsigned char fields;
	bool of_rpms; /* may stand in SPEC_QUERY_RPMS */
} records[] = {
	{'F', 1, false},
	{'S', 4, false},
	{'R', 3, false},
	{'C', 3, false},
	{'W', 0, false},
	{'H', 3, false},
	{'O', 1, false},
	{'A', 1, false},
	{'E', 1, false},
	{'X', 1, false},
	{'L', 1, false},
	{'P', 5, true},
	{'V', 3, true},
	{'Q', 3, true},
};

static const struct record *record_of(const char *line, size_t len)
{
	if (len == 0 || (len == 1 ? line[0] != 'W' : line[1] != '\t'))
		return NULL;
	for (size_t i = 0; i < countof(records); i++)
		if (records[i].letter == line[0])
			return &records[i];
	return NULL;
}

static int refuse(const struct reader *rd, const char *what)
{
	err_set(rd->err, -EINVAL, "line %zu of the query's output: %s", rd->line, what);
	return -EINVAL;
}

/* Counts what can come, so that no array moves while others point into it. */
static void reader_make_room(struct reader *rd, const char *text, size_t len)
{
	size_t specs = 0, parts = 0, capabilities = 0, names = 0;

	for (const char *p = text, *end = text + len, *next; p < end; p = next + 1) {
		next = memchr(p, '\n', end - p);
		if (!next)
			next = end;
		const struct record *r = record_of(p, next - p);
		if (!r)
			continue;
		specs += r->letter == 'F' || r->letter == 'S';
		parts += r->fields == 5;
		capabilities += r->fields == 3;
		names += r->fields == 1;
	}
	if (specs > PACKAGES_MAX) /* the one after these is refused */
		specs = PACKAGES_MAX;
	rd->q.specs = xcalloc(specs + 1, sizeof(*rd->q.specs));
	rd->q.parts = xcalloc(parts + 1, sizeof(*rd->q.parts));
	rd->q.capabilities = xcalloc(capabilities + 1, sizeof(*rd->q.capabilities));
	rd->q.names = xcalloc(names + 1, sizeof(*rd->q.names));
	rd->q.text = xmalloc(len + 1);
	rd->q.bytes = specs * sizeof(*rd->q.specs) + parts * sizeof(*rd->q.parts) +
		      capabilities * sizeof(*rd->q.capabilities) + names * sizeof(*rd->q.names) +
		      len;
	memcpy(rd->q.text, text, len);
	rd->q.text[len] = '\0';
}

/* Splits the line in place. */
static int split_fields(
	const struct reader *rd, char *line, size_t len, unsigned want, char **fields)
{
	unsigned n = 0;

	if (memchr(line, '\0', len) || !utf8_valid(line, len))
		return refuse(rd, "it is not text");
	line[len] = '\0';
	for (unsigned i = 0; i < FIELDS_MAX; i++)
		fields[i] = line + len;
	for (char *p = strchr(line, '\t'); p; p = strchr(p, '\t')) {
		*p++ = '\0';
		if (n == want)
			return refuse(rd, "it has too many fields");
		fields[n++] = p;
	}
	if (n < want)
		return refuse(rd, "it has too few fields");
	for (unsigned i = 0; i < n; i++) {
		if (strlen(fields[i]) > SPEC_FIELD_MAX)
			return refuse(rd, "it has a field that is too long");
		if (text_has_control(fields[i]))
			return refuse(rd, "it has control characters");
	}
	return 0;
}

static int compare_capabilities(const void *a, const void *b)
{
	const struct capability *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	if (c == 0)
		c = (int)x->flags - (int)y->flags;
	return c ? c : strcmp(x->version, y->version);
}

/* What was asked for at first and not without %check is soft. */
static void mark_soft_needs(struct reader *rd)
{
	struct spec *spec = rd->spec;

	if (!rd->queried_twice)
		return;
	if (rd->hard_count)
		qsort(rd->hard, rd->hard_count, sizeof(*rd->hard), compare_capabilities);
	for (size_t i = 0; i < spec->need_count; i++)
		spec->needs[i].soft =
			rd->hard_count == 0 || !bsearch(&spec->needs[i], rd->hard, rd->hard_count,
						       sizeof(*rd->hard), compare_capabilities);
}

static int close_spec(struct reader *rd)
{
	if (!rd->spec)
		return 0;
	if (!*rd->spec->name)
		return err_set(rd->err, -EINVAL, "the query's output says nothing about %s",
			rd->spec->file);
	mark_soft_needs(rd);
	rd->spec = NULL;
	return 0;
}

static int open_spec(struct reader *rd, const char *file)
{
	int r = close_spec(rd);

	if (r < 0)
		return r;
	if (rd->q.spec_count == PACKAGES_MAX)
		return err_set(
			rd->err, -E2BIG, "the query's output has more than %d specs", PACKAGES_MAX);
	rd->spec = &rd->q.specs[rd->q.spec_count++];
	*rd->spec =
		(struct spec){.file = file, .name = "", .epoch = "", .version = "", .release = ""};
	rd->part = NULL;
	rd->hard = NULL;
	rd->hard_count = 0;
	rd->queried_twice = false;
	return 0;
}

static bool is_number(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

/* epoch, version, release */
static int check_evr(const struct reader *rd, char **evr)
{
	if (!strcmp(evr[0], "(none)"))
		strcpy(evr[0], "0");
	if (!is_number(evr[0]))
		return refuse(rd, "the epoch is no number");
	if (!*evr[1] || !package_version_valid(evr[1]) || !*evr[2] ||
		!package_version_valid(evr[2]))
		return refuse(
			rd, "version and release may have letters, digits and + . _ ~ ^ only");
	return 0;
}

static int read_source(struct reader *rd, char **fields)
{
	int r = 0;

	if (rd->spec && *rd->spec->name && *rd->spec->file)
		return refuse(rd, "one spec names two sources");
	if (!rd->spec || *rd->spec->name)
		r = open_spec(rd, "");
	if (r < 0)
		return r;
	if (!package_name_valid(fields[0]))
		return refuse(rd,
			"the source's name may have letters, digits and + . _ - only, a letter or "
			"digit first");
	rd->spec->name = fields[0];
	rd->spec->epoch = fields[1];
	rd->spec->version = fields[2];
	rd->spec->release = fields[3];
	return check_evr(rd, fields + 1);
}

static int read_part(struct reader *rd, char **fields)
{
	struct subpackage *part = &rd->q.parts[rd->q.part_count++];

	if (!*fields[0] || strchr(fields[0], '/') || !*fields[4])
		return refuse(rd, "a subpackage has no proper name or architecture");
	*part = (struct subpackage){.name = fields[0],
		.epoch = fields[1],
		.version = fields[2],
		.release = fields[3],
		.arch = fields[4]};
	rd->part = part;
	if (rd->spec) {
		if (!rd->spec->part_count++)
			rd->spec->parts = part;
	}
	return check_evr(rd, fields + 1);
}

static int read_flags(const struct reader *rd, const char *text, unsigned *ret_flags)
{
	unsigned flags = 0;

	for (const char *p = text; *p; p++) {
		switch (*p) {
		case '<':
			flags |= CAPABILITY_LESS;
			break;
		case '>':
			flags |= CAPABILITY_GREATER;
			break;
		case '=':
			flags |= CAPABILITY_EQUAL;
			break;
		case ' ':
			break;
		default:
			return refuse(rd, "a comparison must be one of < <= = >= >");
		}
	}
	*ret_flags = flags;
	return 0;
}

static int read_capability(
	struct reader *rd, char **fields, struct capability **list, size_t *count)
{
	struct capability *c = &rd->q.capabilities[rd->capability_count];
	unsigned flags = 0;
	int r = read_flags(rd, fields[1], &flags);

	if (r < 0)
		return r;
	if (!*fields[0] || (flags && !*fields[2]))
		return refuse(rd, "a name or version is empty");
	if (!strncmp(fields[0], "rpmlib(", 7)) /* what rpm itself must know: nobody's package */
		return 0;
	if (*count == 0)
		*list = c;
	else if (*list + *count != c)
		return refuse(rd, "it is out of order");
	*c = (struct capability){
		.name = fields[0], .version = flags ? fields[2] : "", .flags = flags};
	rd->capability_count++;
	++*count;
	return 0;
}

static int read_need(struct reader *rd, char **fields, struct capability **list, size_t *count)
{
	if (*count == SPEC_NEEDS_MAX)
		return err_set(rd->err, -E2BIG,
			"it has more than %d BuildRequires; take out what it does not need",
			SPEC_NEEDS_MAX);
	return read_capability(rd, fields, list, count);
}

static int read_name(struct reader *rd, const char *name, struct name_list *list)
{
	const char **slot = &rd->q.names[rd->name_count];

	if (!*name)
		return refuse(rd, "a name is empty");
	if (list->count == 0)
		list->names = slot;
	else if (list->names + list->count != slot)
		return refuse(rd, "it is out of order");
	*slot = name;
	rd->name_count++;
	list->count++;
	return 0;
}

/* Of a source that is a URL only the last part must lie in the folder. */
static int read_file_name(struct reader *rd, const char *path, struct name_list *list)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return refuse(rd, "a source has no file name");
	return read_name(rd, name, list);
}

static int read_part_list(struct reader *rd, char letter, char **fields)
{
	struct subpackage *part = rd->part;

	if (!part)
		return refuse(rd, "no subpackage was named before");
	if (letter == 'V')
		return read_capability(rd, fields, &part->provides, &part->provide_count);
	return read_capability(rd, fields, &part->needs, &part->need_count);
}

static int read_spec_list(struct reader *rd, char letter, char **fields)
{
	struct spec *spec = rd->spec;

	if (!spec || !*spec->name)
		return refuse(rd, "no source was named before");
	switch (letter) {
	case 'P':
		return read_part(rd, fields);
	case 'R':
		return read_need(rd, fields, &spec->needs, &spec->need_count);
	case 'C':
		return read_need(rd, fields, &spec->conflicts, &spec->conflict_count);
	case 'H':
		return read_need(rd, fields, &rd->hard, &rd->hard_count);
	case 'O':
		return read_file_name(rd, fields[0], &spec->sources);
	case 'A':
		return read_file_name(rd, fields[0], &spec->patches);
	case 'E':
		return read_name(rd, fields[0], &spec->only_archs);
	case 'X':
		return read_name(rd, fields[0], &spec->not_archs);
	case 'L':
		return read_name(rd, fields[0], &spec->files);
	default: /* 'W' */
		rd->queried_twice = true;
		return 0;
	}
}

static int read_record(struct reader *rd, const struct record *record, char *line, size_t len)
{
	char *fields[FIELDS_MAX];
	int r = split_fields(rd, line, len, record->fields, fields);

	if (r < 0)
		return r;
	if (rd->kind == SPEC_QUERY_RPMS && !record->of_rpms)
		return refuse(rd, "built RPMs have no such record");
	switch (record->letter) {
	case 'F':
		return open_spec(rd, fields[0]);
	case 'S':
		return read_source(rd, fields);
	case 'V':
	case 'Q':
		return read_part_list(rd, record->letter, fields);
	default:
		if (rd->kind == SPEC_QUERY_RPMS)
			return read_part(rd, fields);
		return read_spec_list(rd, record->letter, fields);
	}
}

static int read_lines(struct reader *rd, size_t len)
{
	char *end = rd->q.text + len, *next;
	int r = 0;

	for (char *p = rd->q.text; r == 0 && p < end; p = next + 1) {
		next = memchr(p, '\n', end - p);
		if (!next)
			next = end;
		rd->line++;
		const struct record *record = record_of(p, next - p);
		if (record)
			r = read_record(rd, record, p, next - p);
	}
	if (r == 0)
		r = close_spec(rd);
	if (r == 0 && rd->q.spec_count == 0 && rd->q.part_count == 0)
		r = err_set(rd->err, -EINVAL, "the query's output names no package");
	return r;
}

int spec_query_parse(enum spec_query_kind kind, const char *text, size_t len,
	struct spec_query *ret, struct strbuf *err)
{
	struct reader rd = {.kind = kind, .err = err};
	int r;

	if (len > SPEC_QUERY_MAX_BYTES)
		return err_set(err, -E2BIG, "the query's output is larger than %d MiB",
			SPEC_QUERY_MAX_BYTES >> 20);
	reader_make_room(&rd, text, len);
	r = read_lines(&rd, len);
	if (r < 0)
		spec_query_finish(&rd.q);
	else
		*ret = rd.q;
	return r;
}

void spec_query_finish(struct spec_query *query)
{
	free(query->specs);
	free(query->parts);
	free(query->capabilities);
	free(query->names);
	free(query->text);
	*query = (struct spec_query){0};
}
