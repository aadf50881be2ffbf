// SPDX-License-Identifier: MIT
#include "apps/packages/reader.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* $1: the source RPM, the rest: the query of SPEC. Provides of its subpackages stand in no header but in the spec that it carries. */
static const char srpm_script[] =
	"rpm -i --nosignature --define '_dbpath /tmp/unpack' --define '_topdir " RPM_TOPDIR
	"' --define '_specdir " RPM_TOPDIR "/SPECS' --define '_sourcedir " RPM_TOPDIR
	"/SOURCES' -- \"$1\" >/tmp/said 2>&1 || { cat /tmp/said; exit 1; }\n"
	"shift; mkdir one && mv -- SPECS/*.spec one/ && mv -- one/*.spec SPECS/package.spec && "
	"exec \"$@\"\n";
#define SRPM_SPEC RPM_TOPDIR "/SPECS/package.spec"

struct query {
	struct reader *reader;
	struct run_text *run;
	size_t index;
	int64_t began_ms;
};

/* The spec that has most of something. */
struct most {
	size_t index;
	int64_t amount;
};

struct reader {
	struct loop *loop;
	struct sandbox *sandbox;
	char *folder, *name;
	reader_fn *done;
	loop_fn *gone; /* instead of done, after a cancel */
	void *arg;
	uv_work_t list;
	struct map files; /* the path of everything in the folders that were looked into */
	struct read_package *packages;
	size_t count, cap, started, running;
	struct query queries[READER_CONCURRENCY];
	int64_t began_ms, timeout_ms;
	size_t bytes, bytes_max;
	struct most slowest, biggest; /* ms, bytes */
	bool listed, failed;
	char *failed_package;
	bool infrastructure;
	struct strbuf why;
};

void read_packages_free(struct read_package *packages, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(packages[i].file);
		spec_query_finish(&packages[i].query);
	}
	free(packages);
}

static void reader_free(struct reader *r)
{
	read_packages_free(r->packages, r->count);
	map_finish(&r->files);
	free(r->folder);
	free(r->name);
	free(r->failed_package);
	strbuf_finish(&r->why);
	free(r);
}

enum fault { FAULT_OF_UPLOAD, FAULT_OF_MACHINE };

/* The first failure is the one that is told; those that it cancels say nothing more. */
PRINTF(4, 5)
static void fail(struct reader *r, enum fault fault, const char *package, const char *fmt, ...)
{
	va_list ap;

	if (r->failed)
		return;
	r->failed = true;
	r->infrastructure = fault == FAULT_OF_MACHINE;
	r->failed_package = xstrdup(package);
	va_start(ap, fmt);
	strbuf_reset(&r->why);
	strbuf_vaddf(&r->why, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < countof(r->queries); i++)
		if (r->queries[i].run)
			run_text_cancel(r->queries[i].run);
}

/* ---- what is wrong with one */

static const char *first_error(char *text)
{
	char *line = strncmp(text, "error: ", 7) ? strstr(text, "\nerror: ") : text;
	char *last = text;

	if (line) {
		line += *line == '\n';
		line += strlen("error: ");
		line[strcspn(line, "\n")] = '\0';
		return line;
	}
	for (char *newline; (newline = strchr(last, '\n')) && newline[1];)
		last = newline + 1;
	last[strcspn(last, "\n")] = '\0';
	return last;
}

/* "/sources/x.spec" is x.spec for everybody outside. */
static void add_outside(struct strbuf *out, const char *line)
{
	static const char inside[] = RPM_SOURCES "/";

	for (const char *at; (at = strstr(line, inside)); line = at + strlen(inside))
		strbuf_add(out, line, (size_t)(at - line));
	strbuf_addstr(out, line);
}

/* A spec writes what it likes behind "error: ". */
static void add_error(struct strbuf *out, char *text)
{
	struct strbuf line = STRBUF_INIT;

	add_outside(&line, first_error(text));
	text_shorten(out, line.buf, line.len, READER_ERROR_MAX);
	strbuf_finish(&line);
}

static void explain_signal(const char *file, int signal, struct strbuf *ret)
{
	const char *name = sigabbrev_np(signal);

	strbuf_addf(ret,
		"rpmspec was killed by signal %d (SIG%s) while it read %s; this host's rpm cannot "
		"read that spec: take out what it stumbles over, or use a newer rpm",
		signal, name ? name : "?", file);
}

void reader_explain(
	const char *file, const struct run_result *result, char *text, struct strbuf *ret)
{
	if (result->end == RUN_TIMED_OUT) {
		strbuf_addf(ret,
			"%s was still being read after %d s; a loop in its Lua or shell macros may "
			"never end: make it end",
			file, READER_TIMEOUT_MS / 1000);
	} else if (result->end == RUN_SIGNALED) {
		explain_signal(file, result->code, ret);
	} else if (result->end != RUN_EXITED) {
		strbuf_addf(ret, "%s cannot be read: %s", file, result->why);
	} else if (result->code > 128) {
		explain_signal(file, result->code - 128, ret);
	} else {
		strbuf_addf(ret, "%s does not parse: ", file);
		add_error(ret, text);
		if (rpm_input_of(file) == RPM_INPUT_SPEC)
			strbuf_addf(ret, " (rpmspec -P %s says the same)", file);
	}
}

/* ---- the whole */

/* With its slash; 0: it lies at the top. */
static size_t folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) + 1 : 0;
}

static bool lies_beside(const struct reader *r, const struct read_package *p, const char *name)
{
	char *path = xasprintf("%.*s%s", (int)folder_length(p->file), p->file, name);
	bool found = map_get(&r->files, path) != NULL;

	free(path);
	return found;
}

static void check_sources(struct reader *r, const struct read_package *p)
{
	const struct name_list *const lists[] = {&p->spec->sources, &p->spec->patches};

	for (size_t l = 0; l < countof(lists); l++)
		for (size_t i = 0; i < lists[l]->count; i++)
			if (!lies_beside(r, p, lists[l]->names[i]))
				fail(r, FAULT_OF_UPLOAD, p->spec->name,
					"%s names the source file %s, which was not given; put it "
					"beside the spec",
					p->file, lists[l]->names[i]);
}

static void check_names(struct reader *r)
{
	struct map names;

	map_init(&names);
	for (size_t i = 0; i < r->count; i++) {
		const char *name = r->packages[i].spec->name, *other = map_get(&names, name);

		if (other)
			fail(r, FAULT_OF_UPLOAD, name,
				"%s and %s both make a package named %s; leave one of them out",
				other, r->packages[i].file, name);
		map_set(&names, name, r->packages[i].file);
	}
	map_finish(&names);
}

static void reader_end(struct reader *r)
{
	struct read_error error;

	if (!r->failed && !r->gone)
		check_names(r);
	error = (struct read_error){r->failed_package, r->why.buf, r->infrastructure};
	if (r->gone)
		r->gone(r->arg);
	else
		r->done(r, r->failed ? &error : NULL, r->arg);
	reader_free(r);
}

/* ---- one query */

static void start_more(struct reader *r);

static void take_output(struct reader *r, struct read_package *p, const struct run_result *result,
	const char *text, size_t len)
{
	struct strbuf err = STRBUF_INIT;
	char *copy;

	if (result->end != RUN_EXITED || result->code) {
		copy = xstrndup(text, len);
		reader_explain(p->file, result, copy, &err);
		fail(r, result->end == RUN_BROKEN ? FAULT_OF_MACHINE : FAULT_OF_UPLOAD, p->file,
			"%s", err.buf);
		free(copy);
	} else if (spec_query_parse(SPEC_QUERY_SPEC, text, len, &p->query, &err)) {
		fail(r, FAULT_OF_UPLOAD, p->file, "%s cannot be read: %s", p->file, err.buf);
	} else if (p->query.spec_count != 1) {
		fail(r, FAULT_OF_UPLOAD, p->file,
			"%s cannot be read: rpmspec told of %zu packages instead of one", p->file,
			p->query.spec_count);
	} else {
		p->spec = p->query.specs;
		if (rpm_input_of(p->file) == RPM_INPUT_SPEC)
			check_sources(r, p);
	}
	strbuf_finish(&err);
}

static void note_most(struct most *m, size_t index, int64_t amount)
{
	if (amount > m->amount)
		*m = (struct most){index, amount};
}

/* One spec is bounded; what is bounded here is thousands of them. */
static void check_set(struct reader *r, const struct query *q)
{
	const struct read_package *packages = r->packages;
	int64_t now = clock_monotonic_ms();

	r->bytes += packages[q->index].query.bytes;
	note_most(&r->biggest, q->index, (int64_t)packages[q->index].query.bytes);
	note_most(&r->slowest, q->index, now - q->began_ms);
	if (r->bytes > r->bytes_max)
		fail(r, FAULT_OF_UPLOAD, packages[r->biggest.index].file,
			"the specs of this set say more than fits into %zu KiB; %s says most, %lld "
			"KiB: let it need and provide less, or split the set",
			r->bytes_max >> 10, packages[r->biggest.index].file,
			(long long)(r->biggest.amount >> 10));
	else if (r->started < r->count && now - r->began_ms > r->timeout_ms)
		fail(r, FAULT_OF_UPLOAD, packages[r->slowest.index].file,
			"after %lld s %zu of the %zu specs of this set are still to be read; %s "
			"took longest, %lld ms: make it quicker to read, or split the set",
			(long long)(r->timeout_ms / 1000), r->count - r->started, r->count,
			packages[r->slowest.index].file, (long long)r->slowest.amount);
}

static void query_ended(struct run_text *rt, const struct run_result *result, const char *text,
	size_t len, void *arg)
{
	struct query *q = arg;
	struct reader *r = q->reader;

	(void)rt;
	q->run = NULL;
	r->running--;
	if (!r->gone && !r->failed) {
		take_output(r, &r->packages[q->index], result, text, len);
		check_set(r, q);
	}
	start_more(r);
}

static const char **query_argv(const char *file, const char *path, char ***ret_inner)
{
	static const char *const shell[] = {"/bin/sh", "-c", srpm_script, "unpack", NULL};
	enum rpm_input input = rpm_input_of(file);
	const char *const paths[] = {input == RPM_INPUT_SRPM ? SRPM_SPEC : path, NULL};
	const char *const srpm[] = {path, NULL};

	*ret_inner = spec_query_argv(SPEC_QUERY_SPEC, rpm_macros(input), paths);
	return rpm_argv(input == RPM_INPUT_SRPM ? shell : NULL,
		input == RPM_INPUT_SRPM ? srpm : NULL, (const char *const *)*ret_inner);
}

static void query_start(struct query *q)
{
	struct reader *r = q->reader;
	const char *file = r->packages[q->index].file;
	size_t folder_len = folder_length(file);
	char *path = xasprintf(RPM_SOURCES "/%s", file + folder_len), **inner;
	char *folder = xasprintf("%s/%.*s", r->folder, (int)folder_len, file);
	char *work =
		xasprintf("%s/%s-read-%zu", sandbox_slot_dir(r->sandbox, 0), r->name, q->index);
	const char **argv = query_argv(file, path, &inner);
	const struct run_bind sources = {folder, RPM_SOURCES, false};
	struct strbuf err = STRBUF_INIT;
	struct run_spec spec = {.slot = 0,
		.name = r->name,
		.argv = argv,
		.work = work,
		.binds = &sources,
		.bind_count = 1,
		.timeout_ms = READER_TIMEOUT_MS,
		.wipe = true};

	q->began_ms = clock_monotonic_ms();
	q->run = run_text_start(r->sandbox, &spec, SPEC_QUERY_MAX_BYTES, query_ended, q, &err);
	if (q->run) {
		r->running++;
	} else {
		fail(r, FAULT_OF_MACHINE, file, "%s cannot be read: %s", file, err.buf);
	}
	spec_query_argv_free(inner);
	free(argv);
	free(path);
	free(folder);
	free(work);
	strbuf_finish(&err);
}

static void start_more(struct reader *r)
{
	for (size_t i = 0; i < countof(r->queries); i++) {
		struct query *q = &r->queries[i];

		if (q->run || r->failed || r->gone || r->started == r->count)
			continue;
		q->index = r->started++;
		query_start(q);
	}
	if (!r->running)
		reader_end(r);
}

/* ---- the folder (pool) */

static bool is_spec(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot != name && !strcmp(dot, ".spec");
}

static void add_package(struct reader *r, const char *path)
{
	if (r->count == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 64;
		r->packages = xrealloc(r->packages, r->cap * sizeof(*r->packages));
	}
	r->packages[r->count++] = (struct read_package){.file = xstrdup(path)};
}

static bool is_folder(const struct reader *r, const char *path)
{
	char *whole = xasprintf("%s/%s", r->folder, path);
	struct stat st;
	bool folder = !lstat(whole, &st) && S_ISDIR(st.st_mode);

	free(whole);
	return folder;
}

static void list_folder(struct reader *r, struct strbuf *path);

/* path: of the folder, with its slash; "" for the top. */
static void list_entries(struct reader *r, struct strbuf *path, struct dirent **entries, int count)
{
	size_t len = path->len;
	bool own = false; /* the folder is a package's own */

	for (int i = 0; i < count; i++) {
		strbuf_addstr(path, entries[i]->d_name);
		map_set(&r->files, path->buf, r);
		if (is_spec(path->buf) || rpm_input_of(path->buf) == RPM_INPUT_SRPM)
			add_package(r, path->buf);
		own = own || is_spec(path->buf);
		strbuf_setlen(path, len);
	}
	for (int i = 0; i < count && !own; i++) {
		strbuf_addstr(path, entries[i]->d_name);
		if (is_folder(r, path->buf)) {
			strbuf_addch(path, '/');
			list_folder(r, path);
		}
		strbuf_setlen(path, len);
	}
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void list_folder(struct reader *r, struct strbuf *path)
{
	char *folder = xasprintf("%s/%s", r->folder, path->buf);
	struct dirent **entries;
	int count = scandir(folder, &entries, is_visible, NULL);

	if (count < 0) {
		fail(r, FAULT_OF_MACHINE, "", "cannot read %s: %s", folder, strerror(errno));
	} else {
		list_entries(r, path, entries, count);
		for (int i = 0; i < count; i++)
			free(entries[i]);
		free(entries);
	}
	free(folder);
}

static int by_path(const void *a, const void *b)
{
	const struct read_package *x = a, *y = b;

	return strcmp(x->file, y->file);
}

static void list_work(uv_work_t *work)
{
	struct reader *r = container_of(work, struct reader, list);
	struct strbuf path = STRBUF_INIT;

	list_folder(r, &path);
	strbuf_finish(&path);
	if (r->failed)
		return;
	if (r->count)
		qsort(r->packages, r->count, sizeof(*r->packages), by_path);
	if (!r->count)
		fail(r, FAULT_OF_UPLOAD, "",
			"there is no .spec and no .src.rpm among the files; add one");
	else if (r->count > PACKAGES_MAX)
		fail(r, FAULT_OF_UPLOAD, "",
			"%zu packages are more than the %d that one build may have; split them",
			r->count, PACKAGES_MAX);
}

static void listed(uv_work_t *work, int status)
{
	struct reader *r = container_of(work, struct reader, list);

	(void)status;
	r->listed = true;
	r->began_ms = clock_monotonic_ms();
	start_more(r);
}

struct reader *reader_start(const struct reader_spec *spec, reader_fn *done, void *arg)
{
	struct reader *r = xcalloc(1, sizeof(*r));

	r->loop = spec->loop;
	r->sandbox = spec->sandbox;
	r->folder = xstrdup(spec->folder);
	r->name = xstrdup(spec->name);
	r->timeout_ms = spec->timeout_ms ? spec->timeout_ms : READER_SET_TIMEOUT_MS;
	r->bytes_max = spec->bytes_max ? spec->bytes_max : READER_BYTES_MAX;
	r->done = done;
	r->arg = arg;
	strbuf_init(&r->why);
	map_init(&r->files);
	for (size_t i = 0; i < countof(r->queries); i++)
		r->queries[i].reader = r;
	uv_queue_work(&r->loop->uv, &r->list, list_work, listed);
	return r;
}

size_t reader_progress(const struct reader *r, size_t *ret_total)
{
	/* While the pool looks through the folder the numbers are its own. */
	*ret_total = r->listed ? r->count : 0;
	return r->started - r->running;
}

const struct read_package *reader_packages(const struct reader *r, size_t *ret_count)
{
	*ret_count = r->count;
	return r->packages;
}

struct read_package *reader_take(struct reader *r, size_t *ret_count)
{
	struct read_package *packages = r->packages;

	*ret_count = r->count;
	r->packages = NULL;
	r->count = 0;
	return packages;
}

void reader_cancel(struct reader *r, loop_fn *gone, void *arg)
{
	r->gone = gone;
	r->arg = arg;
	for (size_t i = 0; i < countof(r->queries); i++)
		if (r->queries[i].run)
			run_text_cancel(r->queries[i].run);
}
