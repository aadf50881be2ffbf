// SPDX-License-Identifier: MIT
#include "builders/launch.h"

/*
 * One request: a magic number, then fields in a fixed order. Numbers are 64-bit, strings a length, their bytes and a NUL,
 * lists a count and their strings. Both sides are the same binary, so there is no version beyond the magic
 * number and no byte order.
 */

#define LIST_END(list) ((list) ? list_length(list) : 0)

static size_t list_length(const char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

/* ---- writing */

static void put_int(struct strbuf *out, int64_t value)
{
	strbuf_add(out, &value, sizeof(value));
}

static void put_string(struct strbuf *out, const char *s)
{
	size_t len = strlen(s);

	put_int(out, (int64_t)len);
	strbuf_add(out, s, len + 1);
}

static void put_list(struct strbuf *out, const char *const *list, size_t count)
{
	put_int(out, (int64_t)count);
	for (size_t i = 0; i < count; i++)
		put_string(out, list[i]);
}

static void put_binds(struct strbuf *out, const struct run_spec *spec)
{
	put_int(out, (int64_t)spec->bind_count);
	for (size_t i = 0; i < spec->bind_count; i++) {
		put_string(out, spec->binds[i].source);
		put_string(out, spec->binds[i].target);
		put_int(out, spec->binds[i].writable);
	}
}

static int64_t or_default(int64_t value, int64_t fallback)
{
	return value > 0 ? value : fallback;
}

static const char *work_below(const char *work, const char *slot_dir)
{
	size_t len = strlen(slot_dir);

	return !strncmp(work, slot_dir, len) && work[len] == '/' ? work + len + 1 : NULL;
}

int launch_encode(
	const struct run_spec *spec, const char *slot_dir, struct strbuf *ret, struct strbuf *err)
{
	const char *work = work_below(spec->work, slot_dir);
	size_t before;

	if (!work)
		return err_set(err, -EINVAL, "the folder %s is not below %s", spec->work, slot_dir);
	if (spec->layer_count > RUN_LAYERS_MAX)
		return err_set(err, -E2BIG,
			"the build needs %zu packages in its root and %d can be stacked; "
			"put some of them together, or install some on the host",
			spec->layer_count, RUN_LAYERS_MAX);
	put_int(ret, LAUNCH_MAGIC);
	put_string(ret, spec->name);
	put_string(ret, work);
	before = ret->len;
	put_list(ret, spec->argv, LIST_END(spec->argv));
	put_list(ret, spec->env, LIST_END(spec->env));
	if (ret->len - before > RUN_ARGV_BYTES_MAX)
		return err_set(err, -E2BIG,
			"the command and its environment are longer than %d bytes",
			RUN_ARGV_BYTES_MAX);
	put_binds(ret, spec);
	put_list(ret, spec->layers, spec->layer_count);
	put_list(ret, spec->collect, spec->collect_count);
	put_int(ret, or_default(spec->limits.memory_bytes, RUN_MEMORY_BYTES));
	put_int(ret, or_default(spec->limits.processes, RUN_PROCESSES));
	put_int(ret, or_default(spec->limits.file_bytes, RUN_FILE_BYTES));
	put_int(ret, or_default(spec->limits.disk_bytes, RUN_DISK_BYTES));
	put_int(ret, or_default(spec->limits.cpu_seconds, 0));
	put_int(ret, spec->network);
	put_int(ret, spec->wipe);
	put_int(ret, spec->hold);
	if (ret->len > LAUNCH_BYTES_MAX)
		return err_set(err, -E2BIG, "the run needs more than %d bytes to describe",
			LAUNCH_BYTES_MAX);
	return 0;
}

/* ---- reading */

struct reader {
	char *at;
	size_t left;
	bool bad; /* sticky: everything read after it is 0 or "" */
};

static int64_t get_int(struct reader *r)
{
	int64_t value = 0;

	if (r->bad || r->left < sizeof(value)) {
		r->bad = true;
		return 0;
	}
	memcpy(&value, r->at, sizeof(value));
	r->at += sizeof(value);
	r->left -= sizeof(value);
	return value;
}

static int64_t get_within(struct reader *r, int64_t min, int64_t max)
{
	int64_t value = get_int(r);

	if (value < min || value > max)
		r->bad = true;
	return r->bad ? 0 : value;
}

static const char *get_string(struct reader *r)
{
	int64_t len = get_within(r, 0, LAUNCH_BYTES_MAX);
	const char *s = r->at;

	if (r->bad || (size_t)len >= r->left || strnlen(s, (size_t)len + 1) != (size_t)len) {
		r->bad = true;
		return "";
	}
	r->at += len + 1;
	r->left -= (size_t)len + 1;
	return s;
}

/* NULL-terminated; the caller frees it. */
static const char **get_list(struct reader *r, size_t max, size_t *ret_count)
{
	size_t count = (size_t)get_within(r, 0, (int64_t)max);
	const char **list = xcalloc(count + 1, sizeof(*list));

	for (size_t i = 0; i < count; i++)
		list[i] = get_string(r);
	*ret_count = count;
	return list;
}

/* Absolute and without "..": bubblewrap would follow it out of the new root. */
static bool path_ok(const char *path)
{
	if (path[0] != '/')
		return false;
	for (const char *p = path; (p = strstr(p, "/..")); p += 3)
		if (!p[3] || p[3] == '/')
			return false;
	return true;
}

static struct run_bind *get_binds(struct reader *r, size_t *ret_count)
{
	size_t count = (size_t)get_within(r, 0, LAUNCH_LIST_MAX);
	struct run_bind *binds = xcalloc(count + 1, sizeof(*binds));

	for (size_t i = 0; i < count; i++) {
		binds[i].source = get_string(r);
		binds[i].target = get_string(r);
		binds[i].writable = get_within(r, 0, 1);
		if (!path_ok(binds[i].source) || !path_ok(binds[i].target))
			r->bad = true;
	}
	*ret_count = count;
	return binds;
}

static bool name_ok(const char *name)
{
	size_t len = strlen(name);

	return len && len < 256 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") ==
		       len;
}

static bool env_ok(const char *const *env)
{
	for (size_t i = 0; env[i]; i++)
		if (env[i][0] == '=' || !strchr(env[i], '='))
			return false;
	return true;
}

static bool layers_ok(const char *const *layers)
{
	for (size_t i = 0; layers[i]; i++)
		if (!path_ok(layers[i]))
			return false;
	return true;
}

int launch_decode(char *data, size_t len, struct run_spec *ret_spec, struct strbuf *err)
{
	struct reader r = {data, len, false};
	struct run_spec spec = {0};
	size_t unused;

	if (get_int(&r) != LAUNCH_MAGIC)
		r.bad = true;
	spec.name = get_string(&r);
	spec.work = get_string(&r);
	spec.argv = get_list(&r, LAUNCH_LIST_MAX, &unused);
	spec.env = get_list(&r, LAUNCH_LIST_MAX, &unused);
	spec.binds = get_binds(&r, &spec.bind_count);
	spec.layers = get_list(&r, RUN_LAYERS_MAX, &spec.layer_count);
	spec.collect = get_list(&r, LAUNCH_LIST_MAX, &spec.collect_count);
	spec.limits.memory_bytes = get_within(&r, 1, INT64_MAX);
	spec.limits.processes = get_within(&r, 1, INT32_MAX);
	spec.limits.file_bytes = get_within(&r, 1, INT64_MAX);
	spec.limits.disk_bytes = get_within(&r, 1, INT64_MAX);
	spec.limits.cpu_seconds = get_within(&r, 0, INT32_MAX);
	spec.network = get_within(&r, 0, 1);
	spec.wipe = get_within(&r, 0, 1);
	spec.hold = get_within(&r, 0, 1);
	*ret_spec = spec;
	if (!r.bad && !r.left && name_ok(spec.name) && env_ok(spec.env) && layers_ok(spec.layers))
		return 0;
	return err_set(err, -EINVAL, "the launcher cannot read what it is asked to run");
}

void launch_finish(struct run_spec *spec)
{
	free((void *)spec->argv);
	free((void *)spec->env);
	free((void *)spec->binds);
	free((void *)spec->layers);
	free((void *)spec->collect);
	*spec = (struct run_spec){0};
}
